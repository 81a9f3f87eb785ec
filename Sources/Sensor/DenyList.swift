import Behaviour
import Configuration
import Control
import Evidence
import Inspection
import Offload
import Synchronization
import Topology
import Wire

/// The sources that are denied for a while: none of their packets passes to a guest. Who asks is the mirror of this
/// sensor, another sensor, or the operator; guests and whom `deny.never` or `divert.exclude` names never are.
///
/// The main thread and the control socket's use it; workers read what it writes (`Refusals`).
@safe
final class DenyList: @unchecked Sendable {
    enum Answer: Equatable {
        case denied
        /// Already before, and for longer now.
        case renewed
        case refused(String)
    }

    private struct Entry {
        /// Packets' clock.
        var until: UInt64
        var by: String
    }

    private struct State {
        var program: Program
        var entries: [Address: Entry] = [:]
        var made: UInt64 = 0
        var refused: UInt64 = 0
    }

    private let state: Mutex<State>
    /// Whether there are workers that could drop anything.
    private let filters: Bool

    init(_ program: Program, filters: Bool) {
        self.filters = filters
        state = Mutex(State(program: program))
    }

    /// Denies a source for so many seconds, or for longer. `time`: the packets' clock; `by`: who asks, for people.
    func deny(_ source: Address, seconds: Int, by: String, _ time: UInt64) -> Answer {
        state.withLock { state in
            expire(&state, time)
            if let why = refusal(of: source, state) {
                state.refused &+= 1
                return .refused(why)
            }
            let seconds = min(seconds, state.program.settings.deny.longest)
            let until = time &+ UInt64(seconds) &* 1_000_000_000
            if let entry = state.entries[source], entry.until >= until { return .renewed }
            let isMade = unsafe state.program.denied.pointee.add(
                source, at: -1, time: time, duration: UInt64(seconds), displaces: false)
            guard isMade else {
                state.refused &+= 1
                return .refused("there is no room for it")
            }
            let isNew = state.entries.updateValue(Entry(until: until, by: by), forKey: source) == nil
            if isNew { state.made &+= 1 }
            return isNew ? .denied : .renewed
        }
    }

    /// Whether it is nobody whom this sensor never denies.
    func mayBeDenied(_ source: Address) -> Bool { state.withLock { protection(of: source, $0) == nil } }

    /// Ends it at once. Returns whether the source was denied.
    func allow(_ source: Address) -> Bool {
        state.withLock { state in
            guard state.entries.removeValue(forKey: source) != nil else { return false }
            unsafe state.program.denied.pointee.remove(source, at: -1)
            return true
        }
    }

    /// Another configuration: who may not be denied by it no longer is.
    func adopt(_ program: Program) {
        state.withLock { state in
            state.program = program
            for source in state.entries.keys where protection(of: source, state) != nil {
                state.entries[source] = nil
                unsafe program.denied.pointee.remove(source, at: -1)
            }
        }
    }

    private func refusal(of source: Address, _ state: borrowing State) -> String? {
        guard filters else { return "this sensor filters nothing (sensor.workers: 0)" }
        if let why = protection(of: source, state) { return why }
        let most = state.program.settings.deny.most
        if state.entries[source] == nil, state.entries.count >= most {
            return "\(most) sources are denied already (deny.most)"
        }
        return nil
    }

    /// Why a source is never denied; nil for one that may be.
    private func protection(of source: Address, _ state: borrowing State) -> String? {
        let settings = state.program.settings
        guard source.isLearnable else { return "\(source) is not the address of one host" }
        if let guest = state.program.guest(of: source) {
            return "\(source) is of the guest \(settings.guests[guest].guest.name)"
        }
        if settings.deny.never.contains(where: { $0.contains(source) }) { return "deny.never has \(source) in it" }
        if settings.divert.excluded.prefixes.contains(where: { $0.contains(source) }) {
            return "divert.exclude has \(source) in it"
        }
        return nil
    }

    private func expire(_ state: inout State, _ time: UInt64) {
        for (source, entry) in state.entries where entry.until <= time { state.entries[source] = nil }
    }

    /// What is denied now, the latest end first.
    func fill(_ status: inout Status.Denials, _ time: UInt64) {
        state.withLock { state in
            expire(&state, time)
            status.made = state.made
            status.refused = state.refused
            status.active = state.entries.count
            status.entries = state.entries.sorted { $0.value.until > $1.value.until }.prefix(100).map {
                Status.Denials.Entry(
                    source: "\($0.key)", by: $0.value.by, seconds: Double($0.value.until &- time) / 1e9)
            }
        }
    }
}

extension Program {
    /// Where workers look up who is denied. Valid while the program lives.
    var denied: UnsafeMutablePointer<Refusals> { unsafe memory.behaviour.denied }
}
