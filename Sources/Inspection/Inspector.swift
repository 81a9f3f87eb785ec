import Conformance
import Evidence
import Floods
import Flows
import Policy
import Signatures
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
    private var matcher: Matcher
    private let policies: PolicyTable.View
    private let tally: Tally.Writer
    private let mode: InspectionMode
    private let owner: Owner

    /// Which program this inspector is of; goes into its events.
    public let generation: UInt32

    /// The last packet that came, those inspected for it, and what was found on them.
    public var packet: Packet { packets[0].packet }
    public private(set) var packets = InspectedPackets()
    public private(set) var findings = Findings()
    /// Index of the guest whose policy decided; -1 for none.
    public private(set) var guest: Int32 = -1
    /// Slots of the last packet's ends; negative for one that is not protected.
    var destination: HostSlot = -1
    var source: HostSlot = -1

    /// Keeps alive what the views point into. Never touched on the packet path.
    private final class Owner {
        let hosts: HostTable
        let floods: FloodTable
        let policies: PolicyTable
        let tally: Tally
        let memory: FlowMemory

        init(
            _ hosts: HostTable, _ floods: FloodTable, _ policies: PolicyTable, _ tally: Tally,
            _ memory: FlowMemory
        ) {
            self.hosts = hosts
            self.floods = floods
            self.policies = policies
            self.tally = tally
            self.memory = memory
        }
    }

    /// For worker `worker` of those that `floods` was made for. Throws when the matcher's scratch cannot
    /// be had.
    public init(
        worker: Int, generation: UInt32, hosts: HostTable, floods: FloodTable, rules: RuleSet,
        policies: PolicyTable, tally: Tally, memory: FlowMemory, mode: InspectionMode = .live
    ) throws(RuleLoadError) {
        precondition(floods.slotCount == hosts.slotCount && policies.guestCount == hosts.guests.count)
        matcher = try Matcher(rules, hostBits: memory.hostBits)
        unsafe flows = memory.flows(worker)
        unsafe sieve = memory.floods.sieve(worker)
        self.generation = generation
        self.mode = mode
        self.hosts = hosts.view
        self.floods = floods.worker(worker)
        self.policies = policies.view
        self.tally = tally.writer(worker)
        owner = Owner(hosts, floods, policies, tally, memory)
    }

    /// The verdict on one packet. `bytes` start as `link` says, and are not all of the packet if
    /// `capturedShort`; the clock is `arrival.time`.
    public mutating func inspect(
        _ bytes: RawSpan, _ link: LinkLayer, _ arrival: Arrival, capturedShort: Bool = false
    ) -> Decision {
        findings.removeAll()
        packets.begin(bytes, link, etherType: arrival.hardwareProtocol, capturedShort: capturedShort)

        destination = hosts.slot(of: packets[0].packet.destination)
        source = hosts.slot(of: packets[0].packet.source)
        guest = hosts.guest(of: destination >= 0 ? destination : source)
        let policy = policies[guest]

        let size = UInt64(truncatingIfNeeded: packets[0].packet.statedLength)
        var advice = FloodAdvice.none
        if destination >= 0 {
            let floodClass = FloodClass(packets[0].packet)
            let outcome = floods.arrive(destination, floodClass, bytes: size, time: arrival.time)
            advice = FloodAdvice(outcome)
            if let floodClass, outcome == .sifted || floods.sketch(destination, floodClass) != 0 {
                advice = sift(floodClass, outcome, bytes, arrival, isShadow: policy.shadow)
            }
            if packets[0].packet.tcpFlags.contains(.rst), floods.challenges(destination),
                takesAnswer(bytes, arrival)
            {
                advice = .refuse
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
            if policy.malformed != .pass { Conformance.inspect(packets[0].packet, into: &findings) }
            if packets[0].packet.tunnel != .none { packets.unwrap(bytes, capturedShort: capturedShort) }
            for layer in 0..<packets.count { match(layer, bytes, arrival, &asked) }
        }

        let decision = policy.decide(
            flood: advice, ruleDrops: asked.drops, streamRefuses: asked.streamRefuses,
            sort: PacketSort(packets[0].packet))
        // Only what is dropped in earnest stays dropped.
        if asked.dropsFlow, decision.verdict == .drop, decision.reason == .rule {
            unsafe asked.flow?.pointee.flags.insert(.drop)
        }
        tally.count(decision)
        if findings.count > 0 { countFindings(destination, source) }
        return decision
    }

    /// What the rules ask of all packets inspected for a captured one.
    @safe
    private struct Asked {
        var drops = false
        var streamRefuses = false
        var dropsFlow = false
        /// The flow that is to be dropped.
        var flow: UnsafeMutablePointer<Flow>?
        var rejects: RejectSides = []
    }

    /// What came by a tunnel is asked about like what did not, the outer packet before the inner.
    @inline(__always)
    private mutating func match(_ layer: Int, _ frame: RawSpan, _ arrival: Arrival, _ asked: inout Asked) {
        let bytes = packets.bytes(of: layer, in: frame)
        let isGood = !mode.verifiesChecksums || hasGoodChecksums(layer, frame, arrival)
        var step = unsafe flows.pointee.track(
            packets[layer].packet, bytes, vlan: vlan(layer, arrival), time: arrival.time, checksumIsGood: isGood)
        if layer == 0, let flow = unsafe step.flow { unsafe learn(flow, arrival.time) }
        // What its receiver throws away is no part of the stream.
        if !isGood { step.isAdded = true }
        if step.mustDrop { asked.streamRefuses = true }
        if let flow = unsafe step.flow, unsafe !flow.pointee.flags.isDisjoint(with: [.drop, .pass]) {
            if unsafe flow.pointee.flags.contains(.drop) { asked.drops = true }
            return
        }
        let before = findings.count
        let context = MatchContext(
            time: arrival.time, outerTag: layer == 0 && arrival.hasTag ? Int32(arrival.tag) : -1)
        let outcome = unsafe matcher.inspect(
            packets[layer].packet, bytes, context, step, &flows.pointee, into: &findings)
        if let flow = unsafe step.flow {
            unsafe flow.pointee.flags.insert(step.toServer ? .askedToServer : .askedToClient)
            if outcome.passesFlow { unsafe flow.pointee.flags.insert(.pass) }
        }
        if outcome.drops {
            asked.drops = true
            asked.rejects.formUnion(outcome.rejects)
            if outcome.dropsFlow {
                asked.dropsFlow = true
                unsafe asked.flow = unsafe step.flow
            }
        }
        if layer > 0, findings.count > before { findings.place(from: before, layer: UInt8(layer)) }
    }

    /// The identifiers of all tags around a packet.
    @inline(__always)
    func vlan(_ layer: Int, _ arrival: Arrival) -> UInt32 {
        var key: UInt32 = arrival.hasTag ? UInt32(arrival.tag & 0xFFF) : 0
        let count = packets[layer].packet.vlanCount
        if count > 0 { key = key << 12 | UInt32(packets[layer].packet.outerTag & 0xFFF) }
        if count > 1 { key = key << 12 ^ UInt32(packets[layer].packet.innerTag & 0xFFF) }
        return key
    }

    @inline(__always)
    private func hasGoodChecksums(_ layer: Int, _ frame: RawSpan, _ arrival: Arrival) -> Bool {
        arrival.checksum != .present
            || packets[layer].packet.hasValidTransportChecksum(in: packets.bytes(of: layer, in: frame)) != false
    }

    private func countFindings(_ destination: HostSlot, _ source: HostSlot) {
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
        case .malformed: self = .malformed
        case .otherIP, .other: self = .unknownProtocol
        default: self = .ordinary
        }
    }
}
