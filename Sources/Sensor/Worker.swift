import CLinux
import Evidence
import Events
import Glibc
import Inspection
import Intake
import Policy
import Synchronization
import Wire

/// One queue, one core, and all that is touched for a packet. This loop is what Flinch does.
@safe
struct Worker: ~Copyable {
    private var queue: Queue
    private var inspector: UnsafeMutablePointer<Inspector>
    private var events: EventRing.Writer
    private var limiter = EventLimiter()
    private let cell: UnsafePointer<WorkerCell>
    private let flowSeed: UInt64

    /// Takes over `inspector`; `cell` must outlive the worker.
    init(
        queue: consuming Queue, inspector: UnsafeMutablePointer<Inspector>, events: consuming EventRing.Writer,
        cell: UnsafePointer<WorkerCell>, flowSeed: UInt64
    ) {
        self.queue = queue
        unsafe self.inspector = unsafe inspector
        self.events = events
        unsafe self.cell = unsafe cell
        self.flowSeed = flowSeed
    }

    deinit {
        unsafe inspector.deinitialize(count: 1)
        unsafe inspector.deallocate()
    }

    /// Receive a batch, inspect each packet, decide, record, commit the verdicts; until told to stop and
    /// nothing is left to answer for.
    mutating func run() {
        while true {
            let count = queue.receive()
            adoptInspector()
            if count <= 0 {
                if unsafe cell.pointee.stopping.load(ordering: .relaxed) { return }
                if count < 0 { pauseAfterError() }
                continue
            }
            let now = flinch_now()
            for index in 0..<count {
                judge(index, now)
            }
            commit()
            unsafe cell.pointee.packets.add(UInt64(count))
            unsafe cell.pointee.batches.add(1)
            if unsafe cell.pointee.mustLeave(now) { return }
        }
    }

    private mutating func judge(_ index: Int, _ now: UInt64) {
        guard let (identifier, arrival, decision) = inspect(index, now) else {
            if !queue.isKernelError(index) { unsafe cell.pointee.unreadable.add(1) }
            return
        }
        record(decision, arrival)
        queue.decide(identifier, decision.verdict)
    }

    /// The packet is only looked at here: its bytes are the queue's.
    private func inspect(_ index: Int, _ now: UInt64) -> (UInt32, Arrival, Decision)? {
        guard let item = queue.packet(index, time: now) else { return nil }
        let decision = unsafe inspector.pointee.inspect(
            item.payload, item.link, item.arrival, capturedShort: item.isCut)
        return (item.identifier, item.arrival, decision)
    }

    private mutating func record(_ decision: Decision, _ arrival: Arrival) {
        let count = unsafe inspector.pointee.findings.count
        guard count > 0 else { return }
        for index in 0..<count {
            guard limiter.allows(unsafe inspector.pointee.findings[index], arrival.time) else {
                unsafe cell.pointee.withheld.add(1)
                continue
            }
            unsafe events.append(
                Event(inspector.pointee, finding: index, decision: decision, arrival: arrival, seed: flowSeed))
        }
    }

    private mutating func commit() {
        let error = queue.commit()
        if error != 0 { unsafe cell.pointee.commitErrors.add(1) }
    }

    /// A reload puts a new inspector into the cell; it is taken between two batches, and the old one
    /// handed back to be freed elsewhere.
    private mutating func adoptInspector() {
        guard let next = unsafe cell.pointee.takeNext() else { return }
        unsafe cell.pointee.retire(inspector)
        unsafe inspector = unsafe next
    }

    /// A netlink socket that fails at once would spin.
    private func pauseAfterError() {
        unsafe cell.pointee.receiveErrors.add(1)
        usleep(10_000)
    }
}

extension Event {
    /// The event for finding `index` of the last packet inspected.
    init(
        _ inspector: borrowing Inspector, finding index: Int, decision: Decision, arrival: Arrival, seed: UInt64
    ) {
        self.init(
            packet: inspector.packet, arrival: arrival, finding: inspector.findings[index],
            verdict: decision.verdict, reason: decision.reason, intended: decision.intended,
            guest: inspector.guest,
            flow: inspector.packet.flowHash(seed: seed ^ UInt64(arrival.tag & 0xFFF) << 32),
            generation: inspector.generation)
    }
}
