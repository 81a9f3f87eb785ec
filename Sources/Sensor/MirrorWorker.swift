import CLinux
import Evidence
import Events
import Glibc
import Inspection
import Intake
import Policy
import Synchronization
import Wire

/// The rings of one worker, one at each interface that is listened to, and all that is touched for a frame. As
/// `Worker`, but nobody waits for a verdict: what was found is told, and that is all.
@safe
struct MirrorWorker: ~Copyable {
    private var set: UnsafeMutablePointer<RingSet>
    private var inspector: UnsafeMutablePointer<Inspector>
    private var reporter: Reporter
    private var flows: FlowReporter
    private var kept: PacketRing.Writer
    private let cell: UnsafePointer<WorkerCell>
    private var injector: Injector
    private var accuser: Accuser
    private let sender = FrameSender()
    /// Packets' clock up to which all frames were read.
    private var seenUntil: UInt64 = 0
    /// When a worker that was told to stop has had what was on its way; 0 before it was told.
    private var deadline: UInt64 = 0
    /// When the rings that are to go have had what was on its way; 0 while none are.
    private var leaving: UInt64 = 0

    /// Frames of one ring before another's turn.
    private static let batch = 64
    /// Nanoseconds within which a frame that came is handed over, and milliseconds that a worker sleeps at most.
    private static let delay: UInt64 = 20_000_000
    private static let sleep: Int32 = 50

    /// Takes over `inspector`; `set` and `cell` must outlive the worker.
    init(
        set: UnsafeMutablePointer<RingSet>, inspector: UnsafeMutablePointer<Inspector>,
        events: consuming EventRing.Writer, flows: consuming Ring<FlowEvent>.Writer,
        packets: consuming PacketRing.Writer, limiter: EventLimiter, cell: UnsafePointer<WorkerCell>,
        flowHash: SecretHash, accusations: consuming Ring<Accusation>.Writer
    ) {
        unsafe self.set = unsafe set
        unsafe self.inspector = unsafe inspector
        reporter = unsafe Reporter(events: events, limiter: limiter, cell: cell, flowHash: flowHash)
        self.flows = unsafe FlowReporter(events: flows, cell: cell, flowHash: flowHash)
        kept = packets
        unsafe self.cell = unsafe cell
        unsafe injector = Injector(rate: set.pointee.rate, isDelivered: true)
        accuser = Accuser(accusations)
    }

    deinit {
        unsafe inspector.deinitialize(count: 1)
        unsafe inspector.deallocate()
    }

    /// Read what is there, inspect each frame, record; until told to stop and nothing is left to read.
    mutating func run() {
        defer { finish() }
        while true {
            let before = flinch_now()
            var frames = 0
            var oldest = UInt64.max
            for index in unsafe 0..<set.pointee.count { frames += read(index, before, &oldest) }
            seenUntil = max(seenUntil, oldest)
            adoptInspector()
            if unsafe cell.pointee.rings.hasNext { adoptRings(before) }
            settle(before)
            if injector.isUsed { answer() }
            if frames > 0 {
                unsafe cell.pointee.packets.add(UInt64(frames))
                unsafe cell.pointee.batches.add(1)
                unsafe cell.pointee.flows.record(inspector.pointee.flowFigures)
            }
            if unsafe cell.pointee.stopping.load(ordering: .relaxed), mustLeave(frames, before) { return }
            if frames == 0 { wait() }
        }
    }

    /// Returns how many frames there were. Lowers `oldest` to the time up to which this ring was read.
    private mutating func read(_ index: Int, _ now: UInt64, _ oldest: inout UInt64) -> Int {
        var frames = 0
        var left: UInt64 = 0
        var bytes: UInt64 = 0
        let ring = unsafe set.pointee.rings[index]
        let answers = unsafe set.pointee.answers
        while frames < MirrorWorker.batch, unsafe ring.pointee.next() {
            frames &+= 1
            unsafe bytes &+= UInt64(ring.pointee.wireLength)
            guard unsafe MirrorWorker.inspect(ring.pointee, &inspector.pointee, &reporter, &kept) else {
                left &+= 1
                continue
            }
            // Before what is left of other flows is looked at, after which the inspector no longer has this packet.
            if unsafe inspector.pointee.isDropAsked {
                unsafe accuser.accuse(inspector.pointee, ring.pointee.arrival.time)
                if answers != 0 {
                    unsafe MirrorWorker.reset(ring.pointee, inspector.pointee, answers, &injector, sender)
                }
            }
            unsafe MirrorWorker.inspectEndings(&inspector.pointee, &reporter, &accuser, ring.pointee.arrival)
        }
        if frames == MirrorWorker.batch {
            unsafe oldest = min(oldest, ring.pointee.arrival.time)
        } else {
            oldest = min(oldest, now &- MirrorWorker.delay)
        }
        if frames > 0 {
            unsafe set.pointee.gauges[index].pointee.add(packets: UInt64(frames), bytes: bytes, left: left)
        }
        return frames
    }

    /// Apart from `self`, because the frame's bytes stay the ring's meanwhile. Returns whether the frame was ours to
    /// inspect.
    private static func inspect(
        _ ring: borrowing MirrorRing, _ inspector: inout Inspector, _ reporter: inout Reporter,
        _ kept: inout PacketRing.Writer
    ) -> Bool {
        let arrival = ring.arrival
        let decision = inspector.inspect(ring.frame, .ethernet, arrival, capturedShort: ring.isCut)
        if inspector.isElsewhere { return false }
        let evidence = inspector.keepPacket()
        var number: UInt64 = 0
        if evidence != 0 { number = kept.append(ring.frame, .ethernet, arrival, group: evidence) }
        if inspector.findings.count > 0 { reporter.record(inspector, decision, arrival, keptPacket: number) }
        return true
    }

    /// Ends a connection for both of its sides.
    @inline(never)
    private static func reset(
        _ ring: borrowing MirrorRing, _ inspector: borrowing Inspector, _ port: UInt32, _ injector: inout Injector,
        _ sender: borrowing FrameSender
    ) {
        guard inspector.packet.kind == .tcp, let header = EthernetHeader(ring.frame) else { return }
        var arrival = ring.arrival
        (arrival.port, arrival.outPort) = (port, port)
        (arrival.sourceMAC, arrival.destinationMAC) = (header.source, header.destination)
        injector.reject(inspector.packet, ring.frame, arrival, [.source, .destination], by: sender)
    }

    private mutating func answer() {
        injector.flush(by: sender)
        unsafe cell.pointee.rejectsSent.set(injector.sent)
        unsafe cell.pointee.rejectsWithheld.set(injector.withheld)
    }

    /// What flows that are over left behind.
    @inline(__always)
    private static func inspectEndings(
        _ inspector: inout Inspector, _ reporter: inout Reporter, _ accuser: inout Accuser, _ arrival: Arrival
    ) {
        while let decision = inspector.inspectEnding(arrival) {
            reporter.record(inspector, decision, arrival)
            if inspector.isDropAsked { accuser.accuse(inspector, arrival.time) }
        }
    }

    /// What is told of by the clock, and not because of a packet.
    private mutating func settle(_ now: UInt64) {
        unsafe reporter.settle(now, period: inspector.pointee.eventLimits.period)
        unsafe inspector.pointee.sweepFlows(now)
        unsafe MirrorWorker.inspectEndings(&inspector.pointee, &reporter, &accuser, Arrival(time: now))
        if unsafe inspector.pointee.tellsFlows { unsafe flows.settle(inspector.pointee, now) }
    }

    private mutating func finish() {
        let deadline = flinch_monotonic() &+ FlowReporter.patience
        repeat {
            unsafe inspector.pointee.endFlows()
            unsafe MirrorWorker.inspectEndings(&inspector.pointee, &reporter, &accuser, Arrival(time: flinch_now()))
            if unsafe inspector.pointee.tellsFlows { unsafe flows.tell(inspector.pointee, until: deadline) }
        } while unsafe inspector.pointee.flowFigures.count > 0
        reporter.finish()
    }

    /// A reload puts a new inspector into the cell. It is taken once all frames from before it were read: who is
    /// filtered from then on was watched until then.
    private mutating func adoptInspector() {
        guard unsafe cell.pointee.hasInspector(at: seenUntil) else { return }
        _ = unsafe cell.pointee.inspector.take(inPlaceOf: &inspector)
    }

    /// Other rings are taken over once those that go have been read to their end: from the first time on no more frames
    /// are let into them, and what is on its way then is handed over.
    private mutating func adoptRings(_ now: UInt64) {
        guard let next = unsafe cell.pointee.rings.offered else { return }
        if leaving == 0 {
            for index in unsafe 0..<set.pointee.count where unsafe !next.pointee.contains(set.pointee.rings[index]) {
                unsafe set.pointee.rings[index].pointee.stop()
            }
            leaving = now &+ MirrorWorker.delay
        }
        guard now > leaving else { return }
        var frames = 0
        for index in unsafe 0..<set.pointee.count where unsafe !next.pointee.contains(set.pointee.rings[index]) {
            var oldest = UInt64.max
            while case let more = read(index, now, &oldest), more > 0 { frames += more }
        }
        unsafe cell.pointee.packets.add(UInt64(frames))
        unsafe injector.limit(to: next.pointee.rate)
        _ = unsafe cell.pointee.rings.take(inPlaceOf: &set)
        leaving = 0
    }

    /// No more frames are let in from the first time on, and what is on its way then is read.
    private mutating func mustLeave(_ frames: Int, _ now: UInt64) -> Bool {
        if deadline == 0 {
            for index in unsafe 0..<set.pointee.count { unsafe set.pointee.rings[index].pointee.stop() }
            deadline = now &+ MirrorWorker.delay
        }
        if frames == 0, now > deadline { return true }
        return unsafe cell.pointee.mustLeave(now)
    }

    private func wait() {
        let isLeaving = deadline != 0 || leaving != 0
        let count = unsafe set.pointee.count
        let polls = unsafe set.pointee.polls
        guard unsafe poll(polls, nfds_t(count), isLeaving ? 1 : MirrorWorker.sleep) > 0 else { return }
        for index in 0..<count where unsafe polls[index].revents & Int16(POLLERR) != 0 {
            unsafe set.pointee.gauges[index].pointee.errors.add(1)
            unsafe set.pointee.rings[index].pointee.clearError()
        }
    }
}
