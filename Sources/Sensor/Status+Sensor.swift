import Configuration
import Control
import Events
import Flows
import Foundation
import Glibc
import Offload
import Sinks

extension Status {
    /// What is known before the first packet.
    init(starting settings: Settings, backend: String?, memoryBound: UInt64) {
        self.init(
            sensor: settings.sensor.name, version: Version.text, pid: getpid(), uptime: 0, backend: backend,
            shadow: settings.shadow, whenStopped: settings.divert.whenStopped.rawValue,
            whenOverloaded: settings.divert.whenOverloaded.rawValue, queues: [], guests: [], floods: [],
            verdicts: Verdicts(accepted: 0, dropped: 0, byReason: [:], wouldDrop: [:]),
            uninspected: Uninspected(
                droppedQueueFull: 0, droppedSocketFull: 0, passedOverload: 0, passedUnbound: 0,
                droppedUnbound: 0, unreadable: 0, passedFragments: 0),
            rules: Rules(loaded: 0, rejected: 0, generation: 0, lastError: nil),
            events: Events(written: 0, withheld: 0, lostRing: 0, lostWrite: 0, waiting: 0, lastError: nil), sinks: [],
            memoryBound: memoryBound,
            memoryResident: 0)
    }

    /// `health` begins with the EVE file's, which `events` is about.
    mutating func report(_ health: [SinkHealth], withheld: UInt64, lostRing: UInt64, unqueued: UInt64) {
        let file = health.first
        events = Events(
            written: file?.delivered ?? 0, withheld: withheld, lostRing: lostRing,
            lostWrite: (file?.dropped ?? 0) + unqueued, waiting: UInt64(file?.queued ?? 0), lastError: file?.lastError)
        sinks = health.map { sink in
            Sink(
                name: sink.name, channel: sink.channel, state: sink.state.rawValue, queued: UInt64(sink.queued),
                delivered: sink.delivered, dropped: sink.dropped, failures: sink.failures,
                lastError: sink.lastError, lastErrorTime: Double(sink.lastErrorTime) / 1e9)
        }
    }

    /// As `flinch status --json` prints it.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}

extension PeersDocument {
    /// As `flinch peers --json` prints it.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}

extension Status.Fragments {
    init(_ counters: FragmentCounters) {
        self.init(
            received: counters.ipv4Fragments + counters.ipv6Fragments,
            reassembled: counters.ipv4Reassembled + counters.ipv6Reassembled, expired: counters.expired,
            evicted: counters.evicted, contradictions: counters.contradictions, impossible: counters.impossible,
            withoutRoom: counters.noRoom)
    }
}

extension Status.Evidence {
    init(_ figures: EvidenceFigures) {
        self.init(
            files: figures.files, bytes: UInt64(figures.bytes), missed: figures.missed, lastError: figures.lastError)
    }
}
