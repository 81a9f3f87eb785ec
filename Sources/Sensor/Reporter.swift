import Evidence
import Events
import Inspection
import Policy
import Wire

/// What a worker says of a packet: one event for each finding, as far as the limiter lets it.
@safe
struct Reporter: ~Copyable {
    private var events: EventRing.Writer
    private var limiter = EventLimiter()
    private let cell: UnsafePointer<WorkerCell>
    private let flowSeed: UInt64

    /// `cell` must outlive the reporter; `flowSeed` is the same for all workers of a sensor.
    init(events: consuming EventRing.Writer, cell: UnsafePointer<WorkerCell>, flowSeed: UInt64) {
        self.events = events
        unsafe self.cell = unsafe cell
        self.flowSeed = flowSeed
    }

    /// Writes what was found on the last packet that `inspector` saw. Out of line, and called only where
    /// there are findings: most packets have none, and the call copies the inspector.
    @inline(never)
    mutating func record(_ inspector: borrowing Inspector, _ decision: Decision, _ arrival: Arrival) {
        unsafe cell.pointee.withheld.add(UInt64(inspector.findings.overflow))
        for index in 0..<inspector.findings.count {
            guard limiter.allows(inspector.findings[index], arrival.time) else {
                unsafe cell.pointee.withheld.add(1)
                continue
            }
            events.append(
                Event(inspector, finding: index, decision: decision, arrival: arrival, seed: flowSeed))
        }
    }
}

extension Event {
    /// The event for finding `index` of the last packet inspected.
    init(
        _ inspector: borrowing Inspector, finding index: Int, decision: Decision, arrival: Arrival, seed: UInt64
    ) {
        let finding = inspector.findings[index]
        let layer = Int(finding.layer)
        self.init(
            packet: inspector.packets[layer].packet, origin: inspector.packets.origin(of: layer),
            course: inspector.course(of: layer), arrival: arrival,
            finding: finding, isPassed: inspector.findings.isPassed(layer: finding.layer), verdict: decision.verdict,
            reason: decision.reason, intended: decision.intended,
            guest: inspector.guest,
            flow: inspector.packets[layer].packet.flowHash(seed: seed ^ UInt64(arrival.tag & 0xFFF) << 32),
            generation: inspector.generation)
    }
}
