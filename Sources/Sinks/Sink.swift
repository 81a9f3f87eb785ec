import CLinux
import Events
import Evidence
import Synchronization

/// One channel with all that keeps it apart from the others: a bounded queue, a thread, a back-off, counters.
///
/// A durable sink has a spool besides: what comes is written to disk before it is delivered, and stays there
/// until it was, over an outage of the receiver, a stop, or a crash of the sensor.
public final class Sink: Outlet {
    /// Which events a sink is for.
    public struct Filter: Sendable, Equatable {
        public var kinds: Set<Report.Kind>
        /// The least concern of those that have one.
        public var concern: Concern

        public init(kinds: Set<Report.Kind> = Set(Report.Kind.allCases), concern: Concern = .low) {
            self.kinds = kinds
            self.concern = concern
        }

        func wants(_ report: Report) -> Bool {
            kinds.contains(report.kind) && (report.concern ?? .high) >= concern
        }
    }

    /// What belongs to the thread alone.
    private final class Own: @unchecked Sendable {
        let channel: any Channel
        let spool: Spool?
        var backoff: Backoff
        /// Monotonic time of the next try.
        var nextTry: UInt64 = 0

        init(_ channel: any Channel, _ spool: Spool?, _ backoff: Backoff) {
            self.channel = channel
            self.spool = spool
            self.backoff = backoff
        }
    }

    private struct Figures {
        var delivered: UInt64 = 0
        var refused: UInt64 = 0
        var failures: UInt64 = 0
        var spooled = 0
        var isFailing = false
        var lastError: String?
        var lastErrorTime: UInt64 = 0
    }

    public let name: String
    public let channelName: String
    private let filter: Filter
    let queue: SinkQueue
    private let own: Own
    private let bell = Bell()
    private let patience = Patience()
    private let isStopping = Atomic<Bool>(false)
    private let ended = Bell()
    private let hasEnded = Atomic<Bool>(false)
    private let mustReopen = Atomic<Bool>(false)
    private let figures: Mutex<Figures>
    private let thread = Mutex<ServiceThread?>(nil)

    /// Bytes of waiting lines in memory, whatever their number.
    static let queueBytes = 8 << 20

    init(
        name: String, channelName: String, filter: Filter = Filter(), queueLines: Int = 8192,
        queueBytes: Int = Sink.queueBytes, channel: any Channel, spool: Spool? = nil,
        backoff: Backoff = Backoff()
    ) {
        self.name = name
        self.channelName = channelName
        self.filter = filter
        queue = SinkQueue(lines: queueLines, bytes: queueBytes)
        figures = Mutex(Figures(spooled: spool?.count ?? 0))
        own = Own(channel, spool, backoff)
    }

    public func start() throws(ThreadError) {
        let started = try ServiceThread(name: String("sink-\(name)".prefix(15))) { [self] in
            run()
            hasEnded.store(true, ordering: .releasing)
            ended.ring()
        }
        thread.withLock { $0 = started }
    }

    // MARK: - For any thread

    public func offer(_ reports: [Report]) {
        if queue.append(reports, where: filter.wants) { bell.ring() }
    }

    /// Opens the channel anew before the next line. An error shows in `health`.
    public func reopen() {
        mustReopen.store(true, ordering: .relaxed)
        bell.ring()
    }

    /// Says that no more comes, and that what waits may take until `deadline` (nanoseconds, monotonic clock).
    /// `join` waits for it.
    public func finish(by deadline: UInt64) {
        patience.endBy(deadline)
        isStopping.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Waits for the thread. What it could not deliver is then on disk or counted as dropped.
    ///
    /// A resolver that looks for a host's name cannot be interrupted: a thread that is in it long after its
    /// deadline is left to the end of the process.
    public func join() {
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let started {
            ended.wait(until: patience.deadline(within: 60_000) &+ Sink.grace)
            if hasEnded.load(ordering: .acquiring) { started.join() } else { started.detach() }
        }
        queue.close()
    }

    /// Nanoseconds.
    private static let grace: UInt64 = 2_000_000_000

    public var health: SinkHealth {
        let waiting = queue.count
        let dropped = queue.dropped
        let isStopped = isStopping.load(ordering: .relaxed)
        return figures.withLock { figures in
            SinkHealth(
                name: name, channel: channelName,
                state: isStopped ? .stopped : figures.isFailing ? .failing : .working,
                queued: waiting + figures.spooled, delivered: figures.delivered,
                dropped: dropped + figures.refused, failures: figures.failures, lastError: figures.lastError,
                lastErrorTime: figures.lastErrorTime)
        }
    }

    // MARK: - The thread

    private func run() {
        while true {
            let isLast = isStopping.load(ordering: .acquiring)
            if mustReopen.exchange(false, ordering: .relaxed) { reopenChannel() }
            spool()
            // The last try is made at once, whatever the back-off says: the sensor is about to end.
            var goesOn = isLast || flinch_monotonic() >= own.nextTry
            while goesOn {
                goesOn = deliver() && !patience.isOver
                spool()
            }
            if isLast { return }
            let hasLines = queue.count > 0 || !(own.spool?.isEmpty ?? true)
            let due = own.channel.dueTime ?? .max
            bell.wait(until: hasLines ? min(own.nextTry, due) : max(own.nextTry, due))
        }
    }

    /// One batch. True when there may be more to do at once.
    private func deliver() -> Bool {
        let limit = own.channel.batchLimit
        let isSpooled = own.spool.map { !$0.isEmpty } ?? false
        let lines = isSpooled ? own.spool?.first(limit) ?? [] : queue.first(limit)
        let isDue = own.channel.dueTime.map { patience.isEnding || $0 <= flinch_monotonic() } ?? false
        guard !lines.isEmpty || isDue else { return false }
        let delivery = own.channel.deliver(lines[...], patience)
        if isSpooled {
            own.spool?.removeFirst(delivery.taken)
        } else {
            queue.removeFirst(delivery.taken)
        }
        account(delivery)
        if delivery.isFailure {
            own.nextTry = flinch_monotonic() &+ own.backoff.fail()
            return false
        }
        own.backoff.succeed()
        own.nextTry = delivery.notBefore ?? 0
        return delivery.notBefore == nil
    }

    private func account(_ delivery: Delivery) {
        // First, so that whoever sees that it failed sees why.
        if let problem = delivery.problem { note(problem) }
        figures.withLock { figures in
            figures.delivered += UInt64(delivery.taken - delivery.refused)
            figures.refused += UInt64(delivery.refused)
            figures.spooled = own.spool?.count ?? 0
            figures.isFailing = delivery.isFailure
            figures.failures += delivery.isFailure ? 1 : 0
        }
    }

    /// Moves what waits to disk. What does not fit there is refused; where the disk itself fails it stays in
    /// memory, from where it can still go out.
    private func spool() {
        guard let spool = own.spool else { return }
        do {
            while queue.count > 0 {
                let lines = queue.first(512)
                let kept = try spool.append(lines)
                queue.removeFirst(lines.count)
                figures.withLock { figures in
                    figures.spooled = spool.count
                    figures.refused += UInt64(lines.count - kept)
                }
                if kept < lines.count { note("the spool is full: \(spool.limit >> 20) MiB wait on disk") }
            }
        } catch {
            note("\(error)")
        }
    }

    private func reopenChannel() {
        do {
            try own.channel.reopen()
        } catch {
            note("\(error)")
        }
    }

    private func note(_ problem: String) {
        // A server's words may be in it.
        let problem = PlainText.line(String(problem.prefix(300)))
        figures.withLock { figures in
            figures.lastError = problem
            figures.lastErrorTime = flinch_now()
        }
    }
}
