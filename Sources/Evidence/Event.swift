import Wire

/// One thing that happened to one packet, as a worker writes it into its ring: fixed size, no references.
@frozen
public struct Event: Sendable, BitwiseCopyable {
    /// The packet that the finding is about, which another one may have carried.
    public var packet: Packet
    public var origin: Origin
    /// What is known of the flow that it belongs to.
    public var course: FlowCourse
    public var arrival: Arrival
    public var finding: Finding
    /// The last finding on the packet was of a rule that lets it pass.
    public var isPassed: Bool
    /// Who is told that the packet was refused, if it was.
    public var rejects: RejectSides
    /// What was done with the packet, and why if it was not accepted.
    public var verdict: Verdict
    public var reason: Reason
    /// What would have been done; differs from `verdict` only in shadow mode.
    public var intended: Verdict
    /// Index of the configured guest concerned (the destination before the source); -1 for none.
    public var guest: Int32
    /// The same number for both directions of a flow; not unique for ever.
    public var flow: UInt64
    /// Which of the programs that the sensor has run so far: `finding.code` and `guest` are its indices.
    public var generation: UInt32
    /// Under which number the worker keeps the packet and others of its flow as evidence; 0 if it does not.
    public var evidence: UInt64 = 0
    /// Where it keeps it: the packet's number in the worker's ring; means nothing without `evidence`.
    public var keptPacket: UInt64 = 0
    /// What the event stands for, if that is more than what the packet shows.
    public var summary = EventSummary()

    @inlinable
    public init(
        packet: Packet, origin: Origin = Origin(), course: FlowCourse = FlowCourse(), arrival: Arrival,
        finding: Finding, isPassed: Bool = false, rejects: RejectSides = [], verdict: Verdict, reason: Reason,
        intended: Verdict,
        guest: Int32, flow: UInt64, generation: UInt32 = 0
    ) {
        self.packet = packet
        self.origin = origin
        self.course = course
        self.isPassed = isPassed
        self.rejects = rejects
        self.arrival = arrival
        self.finding = finding
        self.verdict = verdict
        self.reason = reason
        self.intended = intended
        self.guest = guest
        self.flow = flow
        self.generation = generation
    }
}

/// Findings that were held back, and that one event stands for. Its packet is the first of them, or the one before
/// them that was told of at once.
@frozen
public struct EventSummary: Sendable, BitwiseCopyable {
    /// What they have in common, beside the verdict.
    @frozen
    public enum Scope: UInt8, BitwiseCopyable, Sendable {
        /// The rule or check, the source and the destination.
        case pair
        /// The rule or check: they are what exceeded its allowance.
        case rule
    }

    public var scope: Scope
    /// 0 for an event that stands for itself.
    public var count: UInt32 = 0
    /// Nanoseconds since the Unix epoch, of the first and the last of them.
    public var first: UInt64 = 0
    public var last: UInt64 = 0

    @inlinable
    public init(scope: Scope = .pair) { self.scope = scope }
}

/// How the packet of an event came about, and what of the captured packet around it is told of it.
@frozen
public struct Origin: Sendable, BitwiseCopyable {
    public var source = PacketSource.wire
    /// Tunnels around the packet; a datagram put together is as deep as its fragments.
    public var depth: UInt8 = 0
    /// Of the captured packet, if that is not the packet itself.
    public var outerProtocol: UInt8 = 0
    public var outerSourcePort: UInt16 = 0
    public var outerDestinationPort: UInt16 = 0
    public var outerSource = Address.none
    public var outerDestination = Address.none

    @inlinable
    public init() {}

    /// Of a packet that the captured one, `outer`, led to.
    @inlinable
    public init(_ source: PacketSource, depth: UInt8, outer: borrowing Packet) {
        self.source = source
        self.depth = depth
        outerProtocol = outer.ipProtocol
        outerSourcePort = outer.sourcePort
        outerDestinationPort = outer.destinationPort
        outerSource = outer.source
        outerDestination = outer.destination
    }
}

/// A flow up to the packet of an event: EVE's `direction` and `flow`.
@frozen
public struct FlowCourse: Sendable, BitwiseCopyable {
    @frozen
    public enum Direction: UInt8, BitwiseCopyable, Sendable {
        /// The packet belongs to no flow that is known.
        case none
        case toServer, toClient
    }

    /// Of the packet. With `none`, the rest means nothing.
    public var direction = Direction.none
    /// The packet counted.
    public var packetsToServer: UInt64 = 0
    public var packetsToClient: UInt64 = 0
    public var bytesToServer: UInt64 = 0
    public var bytesToClient: UInt64 = 0
    /// Of the first packet, nanoseconds since the Unix epoch.
    public var start: UInt64 = 0

    @inlinable
    public init() {}
}

/// A flood of one class at one host, from the alarm to its end. The controller says it, not a worker.
public struct FloodEvent: Sendable {
    public enum Phase: String, Sendable { case open, close }

    /// The same for the opening and the closing event of one flood.
    public var identifier: UInt64
    public var phase: Phase
    public var host: Address
    /// Name of the guest, or of the prefix it was found in.
    public var guest: String
    public var floodClass: FloodClass
    public var concern: Concern
    /// "alert", "throttle" or "deny".
    public var action: String
    public var shadow: Bool
    /// Nanoseconds since the Unix epoch: of the alarm, and of this event.
    public var opened: UInt64
    public var time: UInt64
    /// Packets of the class since the alarm, the highest rate seen, and those not let through (in shadow
    /// mode: that would not have been).
    public var packets: UInt64
    public var peakRate: UInt64
    public var dropped: UInt64
    /// Packets a second that raised the alarm.
    public var threshold: UInt64
    /// Hosts that are flooded: more than one when it is a guest's whole network.
    public var hosts: Int
    /// An estimate of how many addresses they came from; nil if they were not counted.
    public var sources: UInt64?
    /// Where sources were told apart: what became of their packets.
    public var sieve: SieveFigures?
    /// Of those not let through, packets that the kernel dropped before they were queued.
    public var offloaded: UInt64

    public init(
        identifier: UInt64, phase: Phase, host: Address, guest: String, floodClass: FloodClass,
        concern: Concern, action: String, shadow: Bool, opened: UInt64, time: UInt64, packets: UInt64,
        peakRate: UInt64, dropped: UInt64, threshold: UInt64, hosts: Int = 1, sources: UInt64? = nil,
        sieve: SieveFigures? = nil, offloaded: UInt64 = 0
    ) {
        self.offloaded = offloaded
        self.hosts = hosts
        self.sources = sources
        self.sieve = sieve
        self.identifier = identifier
        self.phase = phase
        self.host = host
        self.guest = guest
        self.floodClass = floodClass
        self.concern = concern
        self.action = action
        self.shadow = shadow
        self.opened = opened
        self.time = time
        self.packets = packets
        self.peakRate = peakRate
        self.dropped = dropped
        self.threshold = threshold
    }
}

/// What telling sources apart came to, in packets of one flood.
public struct SieveFigures: Sendable, Equatable {
    /// SYNs that were answered with a challenge; that passed because it was answered; that passed because
    /// they came again.
    public var challenged: UInt64
    public var answered: UInt64
    public var repeated: UInt64
    /// Packets that passed: of trusted sources, of flows known before, of unknown sources within the budget.
    public var trusted: UInt64
    public var knownFlows: UInt64
    public var unknown: UInt64
    /// Packets of single heavy sources that were refused.
    public var refused: UInt64
    /// TCP connections to the host that were made meanwhile.
    public var handshakes: UInt64

    /// By the names that status and EVE have for them.
    public var named: KeyValuePairs<String, UInt64> {
        [
            "challenged": challenged, "answered": answered, "repeated": repeated, "trusted": trusted,
            "known_flows": knownFlows, "unknown": unknown, "refused": refused, "handshakes": handshakes,
        ]
    }

    public var byName: [String: UInt64] { Dictionary(uniqueKeysWithValues: named.map { ($0.key, $0.value) }) }

    public init(
        challenged: UInt64, answered: UInt64, repeated: UInt64, trusted: UInt64, knownFlows: UInt64,
        unknown: UInt64, refused: UInt64, handshakes: UInt64
    ) {
        self.challenged = challenged
        self.answered = answered
        self.repeated = repeated
        self.trusted = trusted
        self.knownFlows = knownFlows
        self.unknown = unknown
        self.refused = refused
        self.handshakes = handshakes
    }
}
