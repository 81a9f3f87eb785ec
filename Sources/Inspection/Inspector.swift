import Behaviour
import Conformance
import Evidence
import Floods
import Flows
import Policy
public import Signatures
import Topology
import Wire

/// Bytes in, verdict and findings out: all that Flinch thinks of a packet, in reading order.
///
/// One worker owns one inspector. What it reads is shared and does not change while it lives (hosts,
/// rules, policies); what it writes is its own (counters, scratch, findings). A reload makes a new one.
@safe
public struct Inspector: ~Copyable {
    let hosts: HostTable.View
    let floods: FloodCounters
    let flows: UnsafeMutablePointer<FlowTable>
    let sieve: UnsafeMutablePointer<Sieve>
    /// The flows of all workers, to be looked into.
    let readers: UnsafeBufferPointer<FlowReader>
    /// When the first packet came.
    var firstTime = UInt64.max
    /// Where is told what becomes of conversations; and whose are refused.
    let contacts: UnsafeMutablePointer<Ring<Contact>.Writer>
    let refusals: UnsafeMutablePointer<Refusals>
    let denied: UnsafeMutablePointer<Refusals>
    let fragments: UnsafeMutablePointer<FragmentTable>
    var matcher: Matcher
    let policies: PolicyTable.View
    let checks: CheckTable.View
    let senders: SenderTable.View
    let relations: RelationTable.View
    /// Whose conversations do not come here.
    let unseen: RelationTable.View
    let handlings: RuleHandlingTable.View
    /// The last flow that there was before `relations` were first asked: of those, another table may have spoken.
    var lastUnasked = UInt64.max
    let neighbours: UnsafeMutablePointer<NeighbourMemory>
    /// Where is told which addresses guests have.
    let sightings: UnsafeMutablePointer<Ring<Sighting>.Writer>
    let tally: Tally.Writer
    let mode: InspectionMode
    private let owner: Owner
    /// How much may be said of what is found.
    public let eventLimits: EventLimits.View

    /// Which program this inspector is of; goes into its events.
    public let generation: UInt32

    /// The last packet that came, those inspected for it, and what was found on them.
    public var packet: Packet { packets[0].packet }
    public internal(set) var packets = InspectedPackets()
    public internal(set) var findings = Findings()
    /// Who is to be told if the last packet was dropped for a rule.
    public internal(set) var rejects: RejectSides = []
    /// A rule asked to drop the last packet, and its guest is not in shadow mode. Who listens cannot, but may end the
    /// connection.
    public internal(set) var isDropAsked = false
    /// Index of the guest whose policy decided; -1 for none.
    public internal(set) var guest: Int32 = -1
    /// The guest that sent a packet which says that it is from somebody else; -1 for none.
    var accused: Int32 = -1
    /// Listening: the last packet was left to those who inspect it inline.
    public internal(set) var isElsewhere = false
    /// What `keepPacket` said of the last packet.
    public internal(set) var evidence: UInt64 = 0
    /// Packets of this batch that the sieve was asked about.
    var siftedInBatch = 0
    /// Slots of the last packet's ends; negative for one that is not protected.
    var destination: HostSlot = -1
    var source: HostSlot = -1

    /// Keeps alive what the views point into. Never touched on the packet path.
    private final class Owner {
        let hosts: HostTable
        let floods: FloodTable
        let policies: PolicyTable
        let checks: CheckTable
        let senders: SenderTable
        let relations: RelationTable
        let unseen: RelationTable
        let handlings: RuleHandlingTable
        let tally: Tally
        let memory: FlowMemory
        let eventLimits: EventLimits

        init(
            _ hosts: HostTable, _ floods: FloodTable, _ policies: PolicyTable, _ checks: CheckTable,
            _ senders: SenderTable, _ relations: RelationTable, _ unseen: RelationTable,
            _ handlings: RuleHandlingTable, _ tally: Tally, _ memory: FlowMemory,
            _ eventLimits: EventLimits
        ) {
            self.eventLimits = eventLimits
            self.hosts = hosts
            self.floods = floods
            self.policies = policies
            self.checks = checks
            self.senders = senders
            self.relations = relations
            self.unseen = unseen
            self.handlings = handlings
            self.tally = tally
            self.memory = memory
        }
    }

    /// For worker `worker` of those that `floods` was made for. Throws when the matcher's scratch cannot
    /// be had. Without `checks` every guest has the table's defaults; without `senders` no guest is known by its
    /// port or hardware address; without `relations` everybody may talk to everybody; `unseen` has a relation for those
    /// whose conversations do not come here, and without it all do; without `handlings` rules do as they are written.
    public init(
        worker: Int, generation: UInt32, hosts: HostTable, floods: FloodTable, rules: RuleSet,
        policies: PolicyTable, checks: CheckTable? = nil, senders: SenderTable? = nil,
        relations: RelationTable? = nil, unseen: RelationTable? = nil, handlings: RuleHandlingTable? = nil,
        tally: Tally, memory: FlowMemory,
        mode: InspectionMode = .live, eventLimits: EventLimits = EventLimits(period: 0, standard: .max, rules: [])
    ) throws(RuleLoadError) {
        precondition(floods.slotCount == hosts.slotCount && policies.guestCount == hosts.guests.count)
        let defaults = mode.isInline ? CheckSettings() : CheckSettings().alertOnly
        let checks = checks ?? CheckTable(guestCount: hosts.guests.count, defaults)
        let senders = senders ?? SenderTable([]) { _ in nil }
        let relations = relations ?? RelationTable([])
        let unseen = unseen ?? RelationTable([])
        let handlings = handlings ?? RuleHandlingTable(guestCount: hosts.guests.count)
        precondition(handlings.guestCount == hosts.guests.count)
        precondition(checks.guestCount == hosts.guests.count)
        matcher = try Matcher(
            rules, generation: generation, hostBits: memory.hostBits, thresholds: memory.thresholds, tags: memory.tags)
        unsafe flows = memory.flows(worker)
        unsafe readers = memory.readers
        unsafe fragments = memory.fragments(worker)
        unsafe sieve = memory.floods.sieve(worker)
        unsafe contacts = memory.behaviour.contacts(worker)
        unsafe refusals = memory.behaviour.refusals
        unsafe denied = memory.behaviour.denied
        self.generation = generation
        self.mode = mode
        self.hosts = hosts.view
        self.floods = floods.worker(worker)
        self.policies = policies.view
        self.checks = checks.view
        self.senders = senders.view
        self.relations = relations.view
        self.unseen = unseen.view
        self.handlings = handlings.view
        unsafe neighbours = memory.neighbours(worker)
        unsafe sightings = memory.sightings(worker)
        self.tally = tally.writer(worker)
        self.eventLimits = eventLimits.view
        owner = Owner(
            hosts, floods, policies, checks, senders, relations, unseen, handlings, tally, memory, eventLimits)
    }

    /// Where is taken down what each rule costs, if anybody asks.
    public var ruleCosts: RuleCosts? {
        get { matcher.costs }
        set { matcher.costs = newValue }
    }

    /// The verdict on one packet. `bytes` start as `link` says, and are not all of the packet if
    /// `capturedShort`; the clock is `arrival.time`.
    public mutating func inspect(
        _ bytes: RawSpan, _ link: LinkLayer, _ arrival: @_addressable Arrival, capturedShort: Bool = false
    ) -> Decision {
        findings.removeAll()
        firstTime = min(firstTime, arrival.time)
        packets.begin(bytes, link, etherType: arrival.hardwareProtocol, capturedShort: capturedShort)

        destination = hosts.slot(of: packets[0].packet.destination)
        source = hosts.slot(of: packets[0].packet.source)
        guest = hosts.guest(of: destination >= 0 ? destination : source)
        let policy = policies[guest]
        accused = -1
        if !mode.isInline, leavesToOthers() { return .accept }

        let size = UInt64(truncatingIfNeeded: packets[0].packet.statedLength)
        var advice = FloodAdvice.none
        if destination >= 0 {
            let floodClass = FloodClass(packets[0].packet)
            let outcome = floods.arrive(destination, floodClass, bytes: size, time: arrival.time)
            advice = FloodAdvice(outcome)
            if let floodClass, outcome == .sifted || floods.sketch(destination, floodClass) != 0 {
                advice = sift(floodClass, outcome, bytes, arrival, isShadow: policy.shadow)
            }
            if floodClass == .syn, outcome == .open, floods.challenges(destination) {
                advice = meet(bytes, arrival, isShadow: policy.shadow)
            }
            if packets[0].packet.tcpFlags.contains(.rst), floods.challenges(destination),
                takesAnswer(bytes, arrival)
            {
                advice = .refuse
            }
            if unsafe mode.isInline && denied.pointee.isActive(arrival.time), advice == .none, isDenied(arrival.time) {
                advice = .denied
            }
        }
        if source >= 0 {
            floods.leave(source, bytes: size)
            // Without the frame's header, whom to answer for is known from what the guest itself sent.
            if arrival.destinationMAC == 0, arrival.sourceMAC != 0 {
                floods.learn(source, hardwareAddress: arrival.sourceMAC)
            }
        }

        var asked = Asked()
        // What a flood verdict stops needs no second opinion; in shadow mode it goes on, so it gets one.
        if advice == .none || policy.shadow {
            if packets[0].packet.leadsOn {
                asked.hasFragments = true
                asked.fragment = unsafe packets.unfold(
                    bytes, arrival, capturedShort: capturedShort, &fragments.pointee)
            }
            if mode.verifiesChecksums { verifyChecksums(bytes, arrival) }
            asked.form = checkForm(bytes, arrival, source, &asked.recorded)
            asked.isRefused = asked.form != .none && !policy.shadow
            for layer in 0..<packets.count where !asked.isForbidden || policy.shadow {
                match(layer, bytes, arrival, &asked)
            }
            if packets[0].packet.isUnreachable { tellUnreachable(bytes, arrival) }
        }

        var decision = policy.decide(
            flood: advice, relationDenies: asked.isForbidden, ruleDrops: asked.drops,
            streamRefuses: asked.streamRefuses,
            fragmentRefuses: asked.fragment == .forbidden || asked.fragment == .noRoom && !policy.passesFragments,
            behaviourRefuses: asked.behaviourRefuses, form: asked.form, sort: PacketSort(packets[packets.whole].packet))
        if asked.recorded != .none, decision.reason == .none {
            decision = Decision(verdict: .accept, intended: .drop, reason: asked.recorded)
        }
        if asked.fragment == .noRoom, decision.verdict != .drop { tally.countPassedFragment() }
        if asked.hasFragments {
            unsafe fragments.pointee.settle(isDropped: decision.verdict == .drop)
            unsafe tally.publish(fragments.pointee.counters)
        }
        // Only what is dropped in earnest stays dropped.
        if decision.verdict == .drop,
            asked.dropsFlow && decision.reason == .rule || asked.isStartRefused && decision.reason == asked.form
        {
            unsafe asked.flow?.pointee.flags.insert(.drop)
        }
        // Of a packet that names no guest, its sender's policy decided.
        if guest < 0 { guest = accused }
        rejects = asked.rejects
        isDropAsked = asked.drops && !policy.shadow
        tally.count(decision)
        if findings.count > asked.tagged { countFindings(destination, source) }
        return decision
    }

    /// What the rules ask of all packets inspected for a captured one.
    @safe
    struct Asked {
        var drops = false
        /// Why a check of its form drops it, and whether it will be gone.
        var form = Reason.none
        /// Why a check of who it is from would have dropped it, were its sender not in shadow mode.
        var recorded = Reason.none
        var isRefused = false
        /// The check is about the beginning of a stream, which must not get through when it is sent again.
        var isStartRefused = false
        /// Its sender may not talk to its receiver.
        var isForbidden = false
        var streamRefuses = false
        var behaviourRefuses = false
        var fragment = FragmentStep.Refusal.none
        var hasFragments = false
        var dropsFlow = false
        /// The flow that is to be dropped.
        var flow: UnsafeMutablePointer<Flow>?
        /// Only of the captured packet: who sent what came by tunnel is not told.
        var rejects: RejectSides = []
        /// Findings that say no more than that a packet follows one that a rule tagged.
        var tagged = 0
    }

    /// Once for each packet, before anything asks.
    @inline(never)
    mutating func verifyChecksums(_ frame: RawSpan, _ arrival: @_addressable Arrival) {
        guard arrival.checksum == .present else { return }
        for layer in 0..<packets.count {
            let bytes = packets.bytes(of: layer, in: frame)
            packets[layer].isChecksumBad = packets[layer].packet.hasValidTransportChecksum(in: bytes) == false
        }
    }

    mutating func countFindings(_ destination: HostSlot, _ source: HostSlot) {
        if destination >= 0 { floods.countFinding(destination) }
        if source >= 0 { floods.countFinding(source) }
    }
}

extension FloodAdvice {
    @inlinable
    init(_ outcome: GateOutcome) {
        switch outcome {
        case .open: self = .none
        case .denied: self = .deny
        case .throttled: self = .throttle
        case .sifted: self = .refuse
        }
    }
}

extension PacketSort {
    @inlinable
    init(_ packet: Packet) {
        switch packet.kind {
        case .otherIP, .other: self = .unknownProtocol
        default: self = .ordinary
        }
    }
}
