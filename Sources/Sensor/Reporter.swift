import Events
import Evidence
import Inspection
import Policy
import Wire

/// What a worker says of a packet. The first finding of a rule or check between two hosts is an event at once;
/// what follows within a period is one more at its end, and so is what exceeds the allowance of a rule. Every
/// finding that has no event of its own is counted as withheld.
@safe
struct Reporter: ~Copyable {
    private var events: EventRing.Writer
    private let limiter: EventLimiter
    private var aggregator = EventAggregator()
    private let cell: UnsafePointer<WorkerCell>
    private let flowHash: SecretHash

    static var memoryBytes: Int { EventAggregator.memoryBytes }

    /// `cell` must outlive the reporter; `limiter` and `flowHash` are the same for all workers of a sensor.
    init(
        events: consuming EventRing.Writer, limiter: EventLimiter, cell: UnsafePointer<WorkerCell>, flowHash: SecretHash
    ) {
        self.events = events
        self.limiter = limiter
        unsafe self.cell = unsafe cell
        self.flowHash = flowHash
    }

    /// Says what was found on the last packet that `inspector` saw, which was kept under the number `keptPacket`. Out
    /// of line, and called only where there are findings: most packets have none, and the call copies the inspector.
    @inline(never)
    mutating func record(
        _ inspector: borrowing @_addressable Inspector, _ decision: Decision, _ arrival: Arrival, keptPacket: UInt64 = 0
    ) {
        var withheld = UInt64(inspector.findings.overflow)
        for index in 0..<inspector.findings.count
        where !say(index, inspector, decision, arrival, keptPacket) { withheld += 1 }
        unsafe cell.pointee.withheld.add(withheld)
    }

    /// Tells of what was held back and is due. `time` is the packets' clock.
    mutating func settle(_ time: UInt64, period: UInt64) {
        aggregator.settle(time, period: period, into: &events)
    }

    /// Tells of all that was held back.
    mutating func finish() { aggregator.closeAll(into: &events) }

    /// Returns whether finding `index` is an event of its own.
    private mutating func say(
        _ index: Int, _ inspector: borrowing @_addressable Inspector, _ decision: Decision, _ arrival: Arrival,
        _ keptPacket: UInt64
    ) -> Bool {
        let finding = inspector.findings[index]
        let limits = inspector.eventLimits
        if !limits.tellsDrops, decision.verdict == .drop, finding.asks == .drop { return false }
        // Each packet that a rule wants to see is another one.
        let isGathered = finding.source != .tag
        let subject = EventAggregator.Subject(finding, inspector, decision)
        if isGathered, aggregator.gather(subject, arrival.time) { return false }
        let isAllowed = limiter.allows(
            finding, generation: inspector.generation, arrival.time, allowance: limits.allowance(of: finding),
            period: limits.period)
        guard isAllowed || isGathered else { return false }
        if !isAllowed, aggregator.gather(subject.ofRule, arrival.time) { return false }
        var event = Event(inspector, finding: index, decision: decision, arrival: arrival, flowHash: flowHash)
        event.keptPacket = keptPacket
        if isAllowed { events.append(event) }
        if isGathered {
            aggregator.open(
                isAllowed ? subject : subject.ofRule, arrival.time, event, counting: !isAllowed, into: &events)
        }
        return isAllowed
    }
}

extension EventAggregator.Subject {
    init(_ finding: Finding, _ inspector: borrowing @_addressable Inspector, _ decision: Decision) {
        let layer = Int(finding.layer)
        self.init(
            source: inspector.packets[layer].packet.source, destination: inspector.packets[layer].packet.destination,
            code: finding.code, generation: inspector.generation, kind: finding.source, verdict: decision.verdict,
            scope: .pair)
    }
}

extension Event {
    /// The event for finding `index` of the last packet inspected.
    init(
        _ inspector: borrowing @_addressable Inspector, finding index: Int, decision: Decision, arrival: Arrival,
        flowHash: SecretHash
    ) {
        let finding = inspector.findings[index]
        let layer = Int(finding.layer)
        self.init(
            packet: inspector.packets[layer].packet, origin: inspector.packets.origin(of: layer),
            course: inspector.course(of: layer), arrival: arrival, finding: finding,
            isPassed: inspector.findings.isPassed(layer: finding.layer), rejects: inspector.rejects,
            verdict: decision.verdict,
            reason: decision.reason, intended: decision.intended,
            guest: inspector.guest,
            flow: inspector.flowNumber(of: layer, tag: arrival.tag, flowHash),
            generation: inspector.generation)
        evidence = inspector.evidence
    }
}
