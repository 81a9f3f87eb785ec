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
    private var verdicts = VerdictBatch()
    private var inspector: UnsafeMutablePointer<Inspector>
    private var reporter: Reporter
    private var flows: FlowReporter
    private var kept: PacketRing.Writer
    private let sender = FrameSender()
    private var injector = Injector()
    private let cell: UnsafePointer<WorkerCell>

    /// Takes over `inspector`; `cell` must outlive the worker.
    init(
        queue: consuming Queue, inspector: UnsafeMutablePointer<Inspector>, events: consuming EventRing.Writer,
        flows: consuming Ring<FlowEvent>.Writer, packets: consuming PacketRing.Writer, limiter: EventLimiter,
        cell: UnsafePointer<WorkerCell>, flowHash: SecretHash
    ) {
        self.queue = queue
        unsafe self.inspector = unsafe inspector
        reporter = unsafe Reporter(events: events, limiter: limiter, cell: cell, flowHash: flowHash)
        self.flows = unsafe FlowReporter(events: flows, cell: cell, flowHash: flowHash)
        kept = packets
        unsafe self.cell = unsafe cell
    }

    deinit {
        unsafe inspector.deinitialize(count: 1)
        unsafe inspector.deallocate()
    }

    /// Receive a batch, inspect each packet, decide, record, commit the verdicts; until told to stop and
    /// nothing is left to answer for.
    mutating func run() {
        defer { finish() }
        while true {
            let count = queue.receive()
            let now = flinch_now()
            adoptInspector()
            settle(now)
            if count <= 0 {
                if unsafe cell.pointee.stopping.load(ordering: .relaxed) { return }
                if count < 0 { pauseAfterError() }
                continue
            }
            if unsafe inspector.pointee.beginBatch(isDoubtful: queue.isDoubtful) { foresee(count) }
            for index in 0..<count {
                judge(index, now)
            }
            // Counted before they are let go: what has left the kernel's queue is never missing here.
            let packets = verdicts.count
            unsafe cell.pointee.packets.add(UInt64(packets))
            unsafe cell.pointee.batches.add(1)
            unsafe cell.pointee.flows.record(inspector.pointee.flowFigures)
            commit()
            unsafe cell.pointee.latency.record(flinch_now() &- now, packets: packets)
            if unsafe inspector.pointee.hasChallenges { sendChallenges() }
            if unsafe cell.pointee.mustLeave(now) { return }
        }
    }

    /// What is told of by the clock, and not because of a packet.
    private mutating func settle(_ now: UInt64) {
        unsafe reporter.settle(now, period: inspector.pointee.eventLimits.period)
        if unsafe inspector.pointee.tellsFlows { unsafe flows.settle(inspector.pointee, now) }
    }

    private mutating func finish() {
        reporter.finish()
        if unsafe inspector.pointee.tellsFlows { unsafe flows.finish(inspector.pointee) }
    }

    private mutating func judge(_ index: Int, _ now: UInt64) {
        let isPacket = unsafe Self.judge(
            queue, index, now, &inspector.pointee, &reporter, &kept, &verdicts, &injector, sender)
        if !isPacket, !queue.isKernelError(index) { unsafe cell.pointee.unreadable.add(1) }
    }

    /// Under a flood, what will be looked up for the packets of a batch is fetched for all of them at once.
    private func foresee(_ count: Int) {
        var arrival = Arrival(time: 0)
        for index in 0..<count {
            guard let packet = queue.packet(index, into: &arrival) else { continue }
            unsafe inspector.pointee.foresee(packet.payload, packet.link)
        }
    }

    /// Apart from `self`, because the packet's bytes stay the queue's meanwhile. Returns whether the message
    /// was a packet.
    private static func judge(
        _ queue: borrowing Queue, _ index: Int, _ now: UInt64, _ inspector: inout Inspector,
        _ reporter: inout Reporter, _ kept: inout PacketRing.Writer, _ verdicts: inout VerdictBatch,
        _ injector: inout Injector, _ sender: borrowing FrameSender
    ) -> Bool {
        var arrival = Arrival(time: now)
        guard let packet = queue.packet(index, into: &arrival) else { return false }
        let decision = inspector.inspect(
            packet.payload, packet.link, arrival, capturedShort: packet.isCut)
        let evidence = inspector.keepPacket()
        var number: UInt64 = 0
        if evidence != 0 { number = kept.append(packet.payload, packet.link, arrival, group: evidence) }
        if inspector.findings.count > 0 { reporter.record(inspector, decision, arrival, keptPacket: number) }
        if !inspector.rejects.isEmpty, decision.reason == .rule, decision.verdict == .drop {
            injector.reject(inspector.packet, packet.payload, arrival, inspector.rejects, by: sender)
        }
        verdicts.append(packet.identifier, accept: decision.verdict == .accept)
        return true
    }

    /// The verdicts first: whoever is told of a packet that was refused may send another one at once.
    private mutating func commit() {
        if queue.commit(&verdicts) != 0 { unsafe cell.pointee.commitErrors.add(1) }
        guard injector.isUsed else { return }
        injector.flush(by: sender)
        unsafe cell.pointee.rejectsSent.set(injector.sent)
        unsafe cell.pointee.rejectsWithheld.set(injector.withheld)
    }

    private mutating func sendChallenges() {
        unsafe inspector.pointee.takeChallenges { frame, port in
            if unsafe sender.send(frame, by: port) {
                unsafe cell.pointee.framesSent.add(1)
            } else {
                unsafe cell.pointee.frameErrors.add(1)
            }
        }
    }

    /// A reload puts a new inspector into the cell; it is taken between two batches, and the old one
    /// handed back to be freed elsewhere.
    private mutating func adoptInspector() {
        _ = unsafe cell.pointee.inspector.take(inPlaceOf: &inspector)
    }

    /// A netlink socket that fails at once would spin.
    private func pauseAfterError() {
        unsafe cell.pointee.receiveErrors.add(1)
        usleep(10_000)
    }
}
