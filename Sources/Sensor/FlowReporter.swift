import CLinux
import Events
import Evidence
import Glibc
import Inspection
import Wire

/// What a worker says of flows that are over, where that is wanted: one event each, into a ring of their own, so that
/// a crowd of them is in no event's way.
@safe
struct FlowReporter: ~Copyable {
    private var events: Ring<FlowEvent>.Writer
    private let cell: UnsafePointer<WorkerCell>
    private let flowHash: SecretHash

    /// Events that a worker's ring holds.
    static let capacity = 8192
    /// Nanoseconds that the collector has at the end for the flows that are left.
    static let patience: UInt64 = 1_000_000_000

    /// `cell` must outlive it; `flowHash` is that of the numbers of flows in other events.
    init(events: consuming Ring<FlowEvent>.Writer, cell: UnsafePointer<WorkerCell>, flowHash: SecretHash) {
        self.events = events
        unsafe self.cell = unsafe cell
        self.flowHash = flowHash
    }

    /// Tells of those that ended, after a batch of packets or of silence.
    mutating func settle(_ inspector: borrowing Inspector, _ now: UInt64) {
        inspector.sweepFlows(now)
        if inspector.hasEndedFlows { tell(inspector, now) }
    }

    /// Tells of all that are left, as fast as they are taken.
    mutating func finish(_ inspector: borrowing Inspector) {
        let deadline = flinch_monotonic() &+ FlowReporter.patience
        repeat {
            inspector.endFlows()
            tell(inspector, until: deadline)
        } while inspector.flowFigures.count > 0
    }

    /// Tells of those that ended, and lets the collector make room for more, until `deadline`
    /// (`flinch_monotonic()`) at the latest.
    mutating func tell(_ inspector: borrowing Inspector, until deadline: UInt64) {
        tell(inspector, flinch_now())
        while events.isHalfFull, flinch_monotonic() < deadline { usleep(1000) }
    }

    @inline(never)
    private mutating func tell(_ inspector: borrowing Inspector, _ now: UInt64) {
        inspector.takeEndedFlows(now, flowHash) { events.append($0) }
        unsafe cell.pointee.flowsUntold.set(inspector.lostFlows)
    }
}
