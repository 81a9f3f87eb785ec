import Control
import Inspection
import Synchronization

/// What a worker and the controller say to each other without locks: orders one way, gauges the other.
struct WorkerCell: ~Copyable {
    // Written by the controller.
    let stopping = Atomic<Bool>(false)
    /// Packets' clock after which a worker that was told to stop leaves although packets still come.
    let deadline = Atomic<UInt64>(.max)
    /// The inspector, and packets' clock from which on the next one is to be taken: by who is behind (`MirrorWorker`).
    let inspector = Handover<Inspector>()
    let nextSince = Atomic<UInt64>(0)
    /// What a worker of the mirror reads.
    let rings = Handover<RingSet>()

    // Written by the worker.
    /// Thread identifier, for /proc/self/task.
    let thread = Atomic<Int32>(0)
    /// Why the thread could not be pinned, an errno value; 0 when it was.
    let pinError = Atomic<Int32>(0)
    let packets = Gauge()
    let batches = Gauge()
    let latency = LatencyGauges()
    /// Messages of the queue that could not be read as a packet.
    let unreadable = Gauge()
    /// Findings that have no event of their own.
    let withheld = Gauge()
    /// Flows that ended in such a crowd that there was no room to tell of them.
    let flowsUntold = Gauge()
    /// Frames that told somebody of a refused packet, and those that could not be sent.
    let rejectsSent = Gauge()
    let rejectsWithheld = Gauge()
    let receiveErrors = Gauge()
    let commitErrors = Gauge()
    let flows = FlowGauges()
    /// Frames of our own, challenges to unknown sources, and those that could not be sent.
    let framesSent = Gauge()
    let frameErrors = Gauge()

    /// Whether there is an inspector to take over by whoever has seen all that came before `time`.
    func hasInspector(at time: UInt64) -> Bool {
        inspector.hasNext && nextSince.load(ordering: .relaxed) <= time
    }

    func mustLeave(_ now: UInt64) -> Bool {
        stopping.load(ordering: .relaxed) && now > deadline.load(ordering: .relaxed)
    }
}

/// What a worker's flow table counts, as of its last batch.
struct FlowGauges: ~Copyable {
    let count = Gauge()
    let evicted = Gauge()
    let held = Gauge()
    let refused = Gauge()
    let contradictions = Gauge()
    let unverified = Gauge()
    let gaps = Gauge()

    func record(_ table: FlowFigures) {
        count.set(table.count)
        evicted.set(table.evicted)
        held.set(table.held)
        refused.set(table.refused)
        contradictions.set(table.contradictions)
        unverified.set(table.unverified)
        gaps.set(table.gaps)
    }

    func add(to sum: inout Status.Flows) {
        sum.count &+= count.value
        sum.evicted &+= evicted.value
        sum.held &+= held.value
        sum.refused &+= refused.value
        sum.contradictions &+= contradictions.value
        sum.unverified &+= unverified.value
        sum.gaps &+= gaps.value
    }
}

/// A counter with one writer: a relaxed load and store is an increment.
struct Gauge: ~Copyable {
    private let atomic = Atomic<UInt64>(0)

    var value: UInt64 { atomic.load(ordering: .relaxed) }

    func set(_ value: UInt64) { atomic.store(value, ordering: .relaxed) }

    func add(_ amount: UInt64) {
        atomic.store(value &+ amount, ordering: .relaxed)
    }
}
