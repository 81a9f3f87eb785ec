import CLinux
import Configuration
import Control
import Evidence
import Logging
import Signatures
import Synchronization
import Wire

/// What the mirror says of who attacks, carried to those who can keep him out: the workers of this sensor's queues, and
/// other sensors. At a bounded rate, because an attack may come from many.
final class DenialDesk: Sendable {
    private struct State {
        var couriers: [DenialCourier] = []
        /// The second in which so many were told.
        var second: UInt64 = 0
        var told = 0
        var withheld: UInt64 = 0
    }

    let list: DenyList
    private let log: Logger
    private let state = Mutex(State())

    init(_ list: DenyList, log: Logger) {
        self.list = list
        self.log = log
    }

    /// Other sensors, or another program.
    func adopt(_ program: Program) {
        list.adopt(program)
        let paths = program.settings.mirror?.deny?.sensors ?? []
        state.withLock { state in
            for courier in state.couriers where !paths.contains(courier.path) { courier.stop() }
            state.couriers = paths.map { path in
                state.couriers.first { $0.path == path }
                    ?? DenialCourier(path: path, name: program.settings.sensor.name)
            }
        }
    }

    func stop() { state.withLock { state in state.couriers.forEach { $0.stop() } } }

    /// Takes what workers said. `time`: the packets' clock.
    func take(_ crew: Crew, _ program: Program, _ time: UInt64) {
        for member in crew.listeners {
            member.accusations?.drain(max: Accuser.capacity) { accusation in
                guard let deny = program.settings.mirror?.deny else { return }
                act(accusation, deny, program, filters: !crew.queues.isEmpty, time)
            }
        }
    }

    private func act(
        _ accusation: Accusation, _ deny: Settings.Mirror.Deny, _ program: Program, filters: Bool, _ time: UInt64
    ) {
        guard isWithinRate(deny.rate, time) else { return }
        let rule = accusation.generation == program.generation ? Int(accusation.rule) : .max
        let by = program.rules.rules.indices.contains(rule) ? "mirror, sid \(program.rules.rules[rule].sid)" : "mirror"
        if filters, list.deny(accusation.source, seconds: deny.seconds, by: by, time) == .denied {
            log.notice("\(accusation.source) is denied for \(deny.seconds) s: \(by)")
        }
        // Whom this sensor protects another need not know.
        guard list.mayBeDenied(accusation.source) else { return }
        state.withLock { state in
            for courier in state.couriers { courier.post(accusation.source, seconds: deny.seconds) }
        }
    }

    private func isWithinRate(_ rate: Int, _ time: UInt64) -> Bool {
        state.withLock { state in
            let second = time / 1_000_000_000
            if second != state.second { (state.second, state.told) = (second, 0) }
            guard state.told < rate else {
                state.withheld &+= 1
                return false
            }
            state.told += 1
            return true
        }
    }

    func status(_ crew: Crew) -> Status.Denials {
        var status = Status.Denials()
        list.fill(&status, flinch_now())
        status.lost = crew.listeners.reduce(0) { $0 &+ ($1.accusations?.lost ?? 0) }
        state.withLock { state in
            status.withheld = state.withheld
            status.sensors = state.couriers.map(\.figures)
        }
        return status
    }

    // MARK: - By the control socket

    /// `ADDRESS SECONDS WHO`. Returns why not; nil if it is done.
    func order(_ words: String) -> String? {
        let parts = words.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 3, let source = Address(parts[0]), let seconds = Int(parts[1]), seconds > 0 else {
            return "write deny, an address, seconds, and who asks"
        }
        let by = String(parts[2].filter { $0.isASCII && !$0.isNewline }.prefix(80))
        switch list.deny(source, seconds: seconds, by: by, flinch_now()) {
        case .refused(let why): return why
        case .renewed: return nil
        case .denied:
            log.notice("\(source) is denied for \(seconds) s: \(by)")
            return nil
        }
    }

    func allow(_ text: String) -> String? {
        guard let source = Address(text) else { return "\(text) is no address" }
        guard list.allow(source) else { return "\(source) is not denied" }
        log.notice("\(source) is denied no more")
        return nil
    }
}
