import Configuration
import Control
import Events
import Evidence
import Synchronization
import Wire

/// What shadow mode let pass that would have been dropped: by guest and by what it would have been dropped for, with
/// the first packets of each. Told by the events, and so exact: what is held back of them is counted in the next.
///
/// Asked and told by threads off the packet path.
final class ShadowLedger: Sendable {
    /// Kinds that have an entry; packets of others are counted together.
    static let limit = 1024
    private static let examples = 3

    private struct Key: Hashable {
        var guest: String
        var source: String
        var message: String
    }

    private struct State {
        var since: Double
        /// Goes up with each change.
        var revision: UInt64 = 0
        var entries: [Key: ShadowFigures.Entry] = [:]
        var others: UInt64 = 0
        var names: [(generation: UInt32, names: EVENames)]
    }

    private let state: Mutex<State>

    /// `time` in nanoseconds since the epoch; `names` are the words for events of `generation`.
    init(time: UInt64, names: EVENames, generation: UInt32) {
        state = Mutex(State(since: Double(time) / 1e9, names: [(generation, names)]))
    }

    /// Goes on from what was counted before the sensor started, of guests that are still in shadow mode; no more than
    /// `limit` kinds.
    func recall(_ figures: ShadowFigures, _ settings: Settings) {
        let guests = ShadowLedger.guests(settings)
        state.withLock { state in
            state.revision &+= 1
            state.since = min(state.since, figures.since)
            state.others &+= figures.others
            for kept in figures.entries where guests.contains(kept.guest) {
                let key = Key(guest: kept.guest, source: kept.source, message: kept.message)
                guard let now = state.entries[key] else {
                    guard state.entries.count < ShadowLedger.limit else {
                        state.others &+= kept.count
                        continue
                    }
                    var entry = kept
                    entry.examples = Array(kept.examples.prefix(ShadowLedger.examples))
                    state.entries[key] = entry
                    continue
                }
                var entry = kept
                entry.count &+= now.count
                entry.last = max(kept.last, now.last)
                entry.examples = Array((kept.examples + now.examples).prefix(ShadowLedger.examples))
                state.entries[key] = entry
            }
        }
    }

    private static func guests(_ settings: Settings) -> Set<String> {
        settings.shadowGuests.union(settings.shadow ? [nobody] : [])
    }

    /// Takes over the words of a reloaded program. Of guests that are in shadow mode no longer nothing is kept.
    func adopt(_ program: Program) {
        let guests = ShadowLedger.guests(program.settings)
        state.withLock { state in
            state.revision &+= 1
            if state.names.last?.generation == program.generation { state.names.removeLast() }
            state.names.append((program.generation, program.names))
            // Events of the one before may still wait.
            if state.names.count > 2 { state.names.removeFirst() }
            state.entries = state.entries.filter { guests.contains($0.key.guest) }
        }
    }

    /// Takes note of an event that speaks of such packets, and passes over all others.
    func note(_ event: Event) {
        guard event.intended != .accept, event.verdict == .accept, event.finding.asks == .drop else { return }
        let count = max(1, UInt64(event.summary.count))
        let last = Double(event.summary.count > 0 ? event.summary.last : event.arrival.time) / 1e9
        state.withLock { state in
            state.revision &+= 1
            guard let names = state.names.last(where: { $0.generation == event.generation })?.names else {
                state.others &+= count
                return
            }
            let (source, message) = ShadowLedger.words(event.finding, names)
            let guest = event.guest < 0 ? ShadowLedger.nobody : names.guest(event.guest) ?? ShadowLedger.nobody
            let example = ShadowFigures.Example(event)
            ShadowLedger.add(count, Key(guest: guest, source: source, message: message), last, example, &state)
        }
    }

    /// Takes note of a flood that has ended in shadow mode.
    func note(_ flood: FloodEvent) {
        guard flood.shadow, flood.phase == .close, flood.dropped > 0 else { return }
        state.withLock { state in
            state.revision &+= 1
            let key = Key(guest: flood.guest, source: "flood", message: "\(flood.floodClass.name) flood")
            ShadowLedger.add(flood.dropped, key, Double(flood.time) / 1e9, nil, &state)
        }
    }

    /// Differs from what it was if the figures may.
    var revision: UInt64 { state.withLock { $0.revision } }

    var figures: ShadowFigures {
        state.withLock { state in
            let entries = state.entries.values.sorted {
                ($1.count, $0.guest, $0.source) < ($0.count, $1.guest, $1.source)
            }
            return ShadowFigures(since: state.since, entries: entries, others: state.others)
        }
    }

    /// Whose packets are nobody's.
    static let nobody = "others"

    private static func words(_ finding: Finding, _ names: EVENames) -> (source: String, message: String) {
        switch finding.source {
        case .signature:
            guard let rule = names.rule(finding.code) else { return ("rule \(finding.code)", "") }
            return ("\(rule.gid):\(rule.sid)", rule.message)
        case .conformance: return (names.check(finding.code) ?? "check \(finding.code)", "")
        case .relation: return ("relation", names.relation(finding.code) ?? "")
        case .tag: return ("tag", "")
        }
    }

    private static func add(
        _ count: UInt64, _ key: Key, _ time: Double, _ example: ShadowFigures.Example?, _ state: inout State
    ) {
        if var entry = state.entries[key] {
            entry.count &+= count
            entry.last = max(entry.last, time)
            if entry.examples.count < examples, let example { entry.examples.append(example) }
            state.entries[key] = entry
        } else if state.entries.count < limit {
            state.entries[key] = ShadowFigures.Entry(
                guest: key.guest, source: key.source, message: key.message, count: count,
                first: example?.time ?? time, last: time, examples: example.map { [$0] } ?? [])
        } else {
            state.others &+= count
        }
    }
}

extension ShadowFigures.Example {
    init(_ event: Event) {
        let packet = event.packet
        func endpoint(_ address: Address, _ port: UInt16) -> String {
            guard port != 0 else { return "\(address)" }
            return address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        }
        self.init(
            time: Double(event.arrival.time) / 1e9, proto: "\(packet.kind)",
            from: endpoint(packet.source, packet.sourcePort), to: endpoint(packet.destination, packet.destinationPort))
    }
}
