import Configuration
import Glibc
import Logging
import Offload

/// The diversion as the sensor uses it: installed when the queues are bound, quiet before they are closed,
/// and removed at the end unless the operator chose otherwise.
struct KernelRules {
    /// nil when the rules are the operator's own.
    let backend: Offload.Backend?
    /// The rule's counter before the queues were bound: what it counts from then on is ours to account for.
    let divertedBefore: UInt64
    /// Packets that the kernel had dropped by itself because of floods.
    let floodDroppedBefore: UInt64
    /// Packets that the rules sent to queues that nobody had bound.
    let unbound: UInt64
    private let whenStopped: Uninspected
    private let diversion: Diversion
    private let onlyListens: Bool
    private let record: String

    init(_ settings: Settings, workers: Int) throws(OffloadError) {
        diversion = try Diversion(plan: settings.diversionPlan(workers: workers))
        whenStopped = settings.divert.whenStopped
        onlyListens = settings.onlyListens
        record = settings.sensor.control + ".diverted"
        switch settings.divert.backend {
        case .auto: backend = try Diversion.detectBackend()
        case .bridge: backend = .bridge
        case .inet: backend = .inet
        case .none: backend = nil
        }
        let counters = backend == nil ? nil : try Diversion.counters()
        let counted = counters?.diverted.packets
        floodDroppedBefore = counters?.floodDropped.packets ?? 0
        divertedBefore = counted ?? 0
        // What an earlier sensor recorded last was accounted for by it.
        let accounted = counted == nil ? 0 : KernelRules.recorded(record)
        unbound = counted.map { $0 >= accounted ? $0 - accounted : $0 } ?? 0
    }

    func install(_ log: Logger) throws(OffloadError) {
        guard let backend else {
            guard !onlyListens else { return log.notice("diversion: none; what comes is only listened to") }
            log.notice("diversion: none; the rules are the operator's own")
            if diversion.plan.selects {
                log.warning("diversion: divert.exclude and divert.only do nothing with backend none: your rules must")
            }
            return
        }
        let outcome = try diversion.install(backend)
        log.notice("diversion: \(outcome.rawValue), \(backend.rawValue) backend")
        for note in diversion.notes(backend) { log.notice("diversion: \(note)") }
    }

    /// For a sensor that starts. At a reload the packets are its own.
    func tellOfUnbound(_ log: Logger) {
        guard unbound > 0 else { return }
        let fate = whenStopped == .pass ? "passed uninspected" : "were dropped"
        log.warning("diversion: \(unbound) packets \(fate) while no sensor was bound")
    }

    /// What tells the kernel of floods; nil where it drops nothing by itself.
    func floodFilter() throws(OffloadError) -> FloodFilter? {
        guard let backend, diversion.plan.offloads else { return nil }
        return try FloodFilter(diversion.plan, backend)
    }

    /// Writes down what has been accounted for, so that after a crash the next sensor knows what went by.
    func recordProgress() {
        guard backend != nil, let counted = try? Diversion.counters()?.diverted.packets else { return }
        KernelRules.write("\(counted)\n", to: record)
    }

    /// Before the queues are closed: nothing more is sent to them, and what waits can be answered.
    func quiesce(_ log: Logger) {
        guard backend != nil, whenStopped == .pass else { return }
        do {
            try Diversion.quiesce()
        } catch {
            log.error("\(error)")
        }
    }

    /// After the queues are closed. With `when-stopped: drop` the rules stay, without a way past them.
    func remove(_ log: Logger) {
        guard backend != nil else { return }
        guard whenStopped == .pass else {
            recordProgress()
            log.warning(
                "when-stopped is drop: the rules stay, and guests are cut off until a sensor runs or `flinch divert remove` is run"
            )
            return
        }
        do {
            try Diversion.remove()
            unsafe unlink(record)
            log.notice("diversion: removed")
        } catch {
            log.error("\(error)")
        }
    }

    private static func recorded(_ path: String) -> UInt64 {
        guard let file = unsafe fopen(path, "re") else { return 0 }
        defer { unsafe _ = fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        let digits = buffer[..<count].prefix { $0 != 10 }
        return UInt64(String(decoding: digits, as: UTF8.self)) ?? 0
    }

    private static func write(_ text: String, to path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        var bytes = Array(text.utf8)
        _ = unsafe Glibc.write(descriptor, &bytes, bytes.count)
        close(descriptor)
    }
}
