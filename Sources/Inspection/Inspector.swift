import Behaviour
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
    /// Where is told what becomes of conversations; and whose are refused.
    let contacts: UnsafeMutablePointer<Ring<Contact>.Writer>
    private let refusals: UnsafeMutablePointer<Refusals>
    private let fragments: UnsafeMutablePointer<FragmentTable>
    private var matcher: Matcher
    private let policies: PolicyTable.View
    private let checks: CheckTable.View
    private let senders: SenderTable.View
    let relations: RelationTable.View
    private let handlings: RuleHandlingTable.View
    /// The last flow that there was before `relations` were first asked: of those, another table may have spoken.
    var lastUnasked = UInt64.max
    private let neighbours: UnsafeMutablePointer<NeighbourMemory>
    private let tally: Tally.Writer
    private let mode: InspectionMode
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
    public private(set) var rejects: RejectSides = []
    /// Index of the guest whose policy decided; -1 for none.
    public private(set) var guest: Int32 = -1
    /// What `keepPacket` said of the last packet.
    public internal(set) var evidence: UInt64 = 0
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
        let handlings: RuleHandlingTable
        let tally: Tally
        let memory: FlowMemory
        let eventLimits: EventLimits

        init(
            _ hosts: HostTable, _ floods: FloodTable, _ policies: PolicyTable, _ checks: CheckTable,
            _ senders: SenderTable, _ relations: RelationTable,
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
            self.handlings = handlings
            self.tally = tally
            self.memory = memory
        }
    }

    /// For worker `worker` of those that `floods` was made for. Throws when the matcher's scratch cannot
    /// be had. Without `checks` every guest has the table's defaults; without `senders` no guest is known by its
    /// port or hardware address; without `relations` everybody may talk to everybody; without `handlings` rules do as
    /// they are written.
    public init(
        worker: Int, generation: UInt32, hosts: HostTable, floods: FloodTable, rules: RuleSet,
        policies: PolicyTable, checks: CheckTable? = nil, senders: SenderTable? = nil,
        relations: RelationTable? = nil, handlings: RuleHandlingTable? = nil, tally: Tally, memory: FlowMemory,
        mode: InspectionMode = .live, eventLimits: EventLimits = EventLimits(period: 0, standard: .max, rules: [])
    ) throws(RuleLoadError) {
        precondition(floods.slotCount == hosts.slotCount && policies.guestCount == hosts.guests.count)
        let defaults = mode.isInline ? CheckSettings() : CheckSettings().alertOnly
        let checks = checks ?? CheckTable(guestCount: hosts.guests.count, defaults)
        let senders = senders ?? SenderTable([]) { _ in nil }
        let relations = relations ?? RelationTable([])
        let handlings = handlings ?? RuleHandlingTable(guestCount: hosts.guests.count)
        precondition(handlings.guestCount == hosts.guests.count)
        precondition(checks.guestCount == hosts.guests.count)
        matcher = try Matcher(
            rules, hostBits: memory.hostBits, thresholds: memory.thresholds, tags: memory.tags)
        unsafe flows = memory.flows(worker)
        unsafe fragments = memory.fragments(worker)
        unsafe sieve = memory.floods.sieve(worker)
        unsafe contacts = memory.behaviour.contacts(worker)
        unsafe refusals = memory.behaviour.refusals
        self.generation = generation
        self.mode = mode
        self.hosts = hosts.view
        self.floods = floods.worker(worker)
        self.policies = policies.view
        self.checks = checks.view
        self.senders = senders.view
        self.relations = relations.view
        self.handlings = handlings.view
        unsafe neighbours = memory.neighbours(worker)
        self.tally = tally.writer(worker)
        self.eventLimits = eventLimits.view
        owner = Owner(hosts, floods, policies, checks, senders, relations, handlings, tally, memory, eventLimits)
    }

    /// The verdict on one packet. `bytes` start as `link` says, and are not all of the packet if
    /// `capturedShort`; the clock is `arrival.time`.
    public mutating func inspect(
        _ bytes: RawSpan, _ link: LinkLayer, _ arrival: Arrival, capturedShort: Bool = false
    ) -> Decision {
        inspect(bytes, link, arrival, capturedShort, AskingRules())
    }

    /// The same, and what each rule cost.
    public mutating func profile(
        _ bytes: RawSpan, _ link: LinkLayer, _ arrival: Arrival, capturedShort: Bool, _ costs: RuleCosts
    ) -> Decision {
        inspect(bytes, link, arrival, capturedShort, ProfilingRules(costs: costs))
    }

    @inline(__always)
    private mutating func inspect<Asking: RuleAsking>(
        _ bytes: RawSpan, _ link: LinkLayer, _ arrival: Arrival, _ capturedShort: Bool, _ asking: Asking
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
            if floodClass == .syn, outcome == .open, floods.challenges(destination) {
                unsafe sieve.pointee.observe(request: packets[0].packet, bytes)
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
            if packets[0].packet.leadsOn {
                asked.hasFragments = true
                asked.fragment = unsafe packets.unfold(
                    bytes, arrival, capturedShort: capturedShort, &fragments.pointee)
            }
            if mode.verifiesChecksums { verifyChecksums(bytes, arrival) }
            asked.form = checkForm(bytes, arrival, source, &asked.recorded)
            asked.isRefused = asked.form != .none && !policy.shadow
            for layer in 0..<packets.count where !asked.isForbidden || policy.shadow {
                match(layer, bytes, arrival, &asked, asking)
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
        rejects = asked.rejects
        tally.count(decision)
        if findings.count > asked.tagged { countFindings(destination, source) }
        return decision
    }

    /// What the rules ask of all packets inspected for a captured one.
    @safe
    private struct Asked {
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

    /// What is wrong with the form of the captured packet, and of the datagram that it makes whole. Returns why it is
    /// to be dropped; `none` if it is not. `recorded` is the same where that is only to be recorded.
    @inline(__always)
    private mutating func checkForm(
        _ frame: RawSpan, _ arrival: Arrival, _ source: HostSlot, _ recorded: inout Reason
    ) -> Reason {
        var around = Surroundings(time: arrival.time)
        around.sourceGuest = hosts.guest(of: source)
        around.sourceMAC = arrival.sourceMAC
        // Of a capture, the frame says what a queue would.
        if packets[0].packet.linkOffset >= 0, arrival.sourceMAC == 0,
            let header = EthernetHeader(frame.extracting(packets[0].packet.linkHeader))
        {
            around.sourceMAC = header.source
        }
        // From no port and nobody: a capture of a loopback device, or of one without frames.
        around.isLoopback = around.sourceMAC | UInt64(arrival.port | arrival.bridge) == 0
        if !senders.isEmpty { identifySender(arrival, &around) }
        around.hasChecksums = mode.verifiesHeaders
        around.isTransportChecksumBad = packets[0].isChecksumBad
        let failed = unsafe Conformance.examine(
            packets[0].packet, frame, around, checks, &neighbours.pointee)
        var reason = failed.isEmpty ? Reason.none : report(failed, around.sender, &recorded)
        if packets.whole > 0 { checkWhole(frame, around, failed, &reason) }
        return reason
    }

    /// Who a packet says that it is from is what its sender is told by, and so it is the sender's policy that counts
    /// for that, not that of whom it names.
    @inline(never)
    private mutating func report(_ failed: CheckSet, _ sender: Int32, _ recorded: inout Reason) -> Reason {
        guard sender >= 0, sender != guest, !failed.isDisjoint(with: Checks.ofSender) else {
            return checks.report(failed, guest: guest, into: &findings)
        }
        var rest = failed
        rest.subtract(Checks.ofSender)
        var own = failed
        own.subtract(rest)
        let reason = checks.report(rest, guest: guest, into: &findings)
        let asked = checks.report(own, guest: sender, into: &findings)
        if asked != .none, policies[sender].shadow {
            recorded = asked
            return reason
        }
        return reason == .none ? asked : reason
    }

    /// Of the datagram that fragments make, only what the last of them does not fail already.
    @inline(never)
    private mutating func checkWhole(
        _ frame: RawSpan, _ last: Surroundings, _ known: CheckSet, _ reason: inout Reason
    ) {
        var around = last
        around.sender = -1
        around.hasChecksums = false
        around.isTransportChecksumBad = packets[packets.whole].isChecksumBad
        var failed = unsafe Conformance.examine(
            packets[packets.whole].packet, packets.bytes(of: packets.whole, in: frame), around, checks,
            &neighbours.pointee)
        failed.subtract(known)
        let before = findings.count
        let asked = checks.report(failed, guest: guest, into: &findings)
        findings.place(from: before, layer: UInt8(packets.whole))
        if reason == .none { reason = asked }
    }

    @inline(__always)
    private mutating func checkStream(_ step: FlowStep, _ time: UInt64, _ asked: inout Asked) {
        if step.window.freshLength > 0, step.window.offset == 0, step.window.historyLength == 0 {
            checkStart(step, time, &asked)
        }
    }

    /// What is wrong with the form of what an application says first in a stream.
    @inline(never)
    private mutating func checkStart(_ step: FlowStep, _ time: UInt64, _ asked: inout Asked) {
        guard let flow = unsafe step.flow, unsafe !flow.pointee.flags.contains(.midstream),
            let start = unsafe step.window.fresh
        else { return }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(step.window.freshLength)).bytes
        let login = Login(bytes)
        if login != .none { unsafe tell(login, flow, time) }
        let application = unsafe ApplicationForm(
            firstBytes: bytes, serverPort: flow.pointee.serverPort, toServer: step.toServer)
        let failed = Conformance.examine(streamStart: bytes, application, toServer: step.toServer)
        guard !failed.isEmpty else { return }
        let reason = checks.report(failed, guest: guest, into: &findings)
        guard reason != .none, asked.form == .none else { return }
        asked.form = reason
        asked.isStartRefused = true
        unsafe asked.flow = unsafe flow
    }

    /// A conversation that nobody has answered yet goes no further if its client is refused.
    @inline(never)
    private func checkClient(_ step: FlowStep, _ arrival: Arrival, _ asked: inout Asked) {
        guard let flow = unsafe step.flow, unsafe !flow.pointee.flags.contains(.answered) else { return }
        let server = hosts.guest(of: step.toServer ? destination : source)
        if unsafe refusals.pointee.refuse(flow.pointee.client, at: server, time: arrival.time) {
            asked.behaviourRefuses = true
        }
    }

    @inline(never)
    private mutating func identifySender(_ arrival: Arrival, _ around: inout Surroundings) {
        let byMAC = senders.guest(ofMAC: around.sourceMAC)
        let byPort = senders.guest(atPort: arrival.port)
        around.sender = byPort >= 0 ? byPort : byMAC
        guard byPort >= 0 else { return }
        around.port = arrival.port
        around.isMACForeign = byMAC != byPort && senders.knowsMACs(of: byPort) && around.sourceMAC != 0
    }

    /// What came by a tunnel is asked about like what did not, the outer packet before the inner.
    @inline(__always)
    private mutating func match<Asking: RuleAsking>(
        _ layer: Int, _ frame: RawSpan, _ arrival: Arrival, _ asked: inout Asked, _ asking: Asking
    ) {
        let whole = packets.bytes(of: layer, in: frame)
        let isGood = !packets[layer].isChecksumBad
        var step = unsafe flows.pointee.track(
            packets[layer].packet, whole, vlan: packets.tags(around: layer, arrival), time: arrival.time,
            checksumIsGood: isGood && !asked.isRefused)
        if layer == 0, let flow = unsafe step.flow { unsafe learn(flow, arrival.time) }
        if !relations.isEmpty, layer == 0 || layer == packets.whole, !asked.isForbidden, !isUnrelated(layer, step) {
            asked.isForbidden = relate(layer, step)
        }
        // Who may not talk is not listened to, unless it passes all the same.
        if asked.isForbidden, !policies[guest].shadow { return }
        if layer == packets.whole {
            if !step.changes.isEmpty { tell(step, layer, arrival) }
            if unsafe refusals.pointee.isActive(arrival.time) { checkClient(step, arrival, &asked) }
        }
        // What its receiver throws away is no part of the stream, and nothing is asked of its contents. What the
        // receiver never gets because of its form is no part either, but a rule may know it.
        if !isGood { step.isAdded = true }
        unsafe packets[layer].flow = unsafe step.flow
        packets[layer].toServer = step.toServer
        if step.mustDrop {
            asked.streamRefuses = true
            repair(layer, frame, &step)
        }
        if let flow = unsafe step.flow, unsafe !flow.pointee.flags.isDisjoint(with: [.drop, .pass]) {
            if unsafe flow.pointee.flags.contains(.drop) { asked.drops = true }
            return
        }
        let bytes = packets.bytes(of: layer, in: frame)
        let before = findings.count
        checkStream(step, arrival.time, &asked)
        let context = MatchContext(
            time: arrival.time, outerTag: packets[layer].depth == 0 && arrival.hasTag ? Int32(arrival.tag) : -1,
            trustsChecksums: !mode.verifiesChecksums || arrival.checksum != .present, handlings: handlings[guest])
        let outcome = unsafe asking.ask(
            &matcher, packets[layer].packet, bytes, context, step, &flows.pointee, into: &findings)
        take(outcome, layer, step, &asked)
        if step.hasMore { matchRest(layer, bytes, context, &step, before, &asked, asking) }
        if unsafe matcher.isTagged(
            packets[layer].packet, bytes: bytes.byteCount, step, &flows.pointee, time: arrival.time)
        {
            findings.append(Finding(.tag, code: 0, concern: .low, asks: .accept))
            asked.tagged += 1
        }
        if findings.count > before { unsafe note(before, layer, step.flow) }
    }

    /// Where findings from `before` on were made.
    @inline(never)
    private mutating func note(_ before: Int, _ layer: Int, _ flow: UnsafeMutablePointer<Flow>?) {
        if layer > 0 { findings.place(from: before, layer: UInt8(layer)) }
        guard let flow = unsafe flow else { return }
        for index in before..<findings.count where findings[index].source == .signature {
            unsafe flow.pointee.flags.insert(.alerted)
        }
    }

    /// A segment that contradicts its stream is refused; what rules are asked about is what stands in its place
    /// (Suricata's StreamTcpInlineSegmentReplacePacket, which lets it pass like that).
    @inline(never)
    private mutating func repair(_ layer: Int, _ frame: RawSpan, _ step: inout FlowStep) {
        guard step.events.contains(.reassemblyOverlapDifferentData),
            let copy = unsafe packets.copyBytes(of: layer, in: frame),
            unsafe flows.pointee.repair(packets[layer].packet, copy, &step)
        else { return }
        unsafe packets[layer].packet.finishTransportChecksum(in: copy)
    }

    /// What else a packet gives to inspect of its stream, where there is more than one part.
    @inline(never)
    private mutating func matchRest<Asking: RuleAsking>(
        _ layer: Int, _ bytes: RawSpan, _ context: MatchContext, _ step: inout FlowStep, _ before: Int,
        _ asked: inout Asked, _ asking: Asking
    ) {
        step.isStreamOnly = true
        while unsafe flows.pointee.nextWindow(&step) {
            checkStream(step, context.time, &asked)
            let known = findings.count
            let outcome = unsafe asking.ask(
                &matcher, packets[layer].packet, bytes, context, step, &flows.pointee, into: &findings)
            findings.removeRepeats(from: known, since: before)
            take(outcome, layer, step, &asked)
            if outcome.passes { return }
        }
    }

    @inline(__always)
    private mutating func take(_ outcome: MatchOutcome, _ layer: Int, _ step: FlowStep, _ asked: inout Asked) {
        if let flow = unsafe step.flow {
            unsafe flow.pointee.flags.insert(step.toServer ? .askedToServer : .askedToClient)
            if outcome.passesFlow { unsafe flow.pointee.flags.insert(.pass) }
        }
        if outcome.drops {
            asked.drops = true
            if layer == 0 { asked.rejects = outcome.rejects }
            if outcome.dropsFlow {
                asked.dropsFlow = true
                unsafe asked.flow = unsafe step.flow
            }
        }
    }

    /// The flow of packet `index`, that packet counted.
    public func course(of index: Int) -> FlowCourse {
        var course = FlowCourse()
        guard let flow = unsafe packets[index].flow else { return course }
        course.direction = packets[index].toServer ? .toServer : .toClient
        course.packetsToServer = unsafe UInt64(flow.pointee.packetsToServer)
        course.packetsToClient = unsafe UInt64(flow.pointee.packetsToClient)
        course.bytesToServer = unsafe flow.pointee.bytesToServer
        course.bytesToClient = unsafe flow.pointee.bytesToClient
        course.start = unsafe flow.pointee.firstTime
        return course
    }

    public var flowFigures: FlowFigures { unsafe FlowFigures(flows.pointee) }

    // MARK: - The end of a stream

    /// Ends all flows (where they are told of, some of them), or those that have been silent for too long.
    public func endFlows(before time: UInt64 = .max) { unsafe flows.pointee.endFlows(before: time) }

    /// Listening only, after each captured packet until it gives nil: what is left of a flow that is over is
    /// inspected as a packet of its own, by the clock of `arrival`. The next for which there are findings.
    public mutating func inspectEnding(_ arrival: Arrival) -> Decision? {
        while var step = unsafe flows.pointee.nextEnding(), let flow = unsafe step.flow {
            findings.removeAll()
            unsafe packets.begin(endOf: flow, toServer: step.toServer)
            let destination = hosts.slot(of: packets[0].packet.destination)
            let source = hosts.slot(of: packets[0].packet.source)
            guest = hosts.guest(of: destination >= 0 ? destination : source)
            var asked = Asked()
            if unsafe flow.pointee.flags.isDisjoint(with: [.drop, .pass]) {
                let bytes = packets.bytes(of: 0, in: RawSpan())
                let context = MatchContext(time: arrival.time, handlings: handlings[guest])
                matchRest(0, bytes, context, &step, 0, &asked, AskingRules())
            }
            // Whoever passes the rest passes all of it.
            while unsafe flows.pointee.nextWindow(&step) {}
            guard findings.count > 0 else { continue }
            unsafe note(0, 0, flow)
            countFindings(destination, source)
            return policies[guest].decide(
                flood: .none, ruleDrops: asked.drops, streamRefuses: false, sort: .ordinary)
        }
        return nil
    }

    /// What is kept of the stream that packet `index` is of, where bytes are missing with a word on it; empty
    /// for none. Not for the packet path.
    public func keptStream(of index: Int) -> [UInt8] {
        guard let flow = unsafe packets[index].flow else { return [] }
        let kept = unsafe flows.pointee.kept(flow, toServer: packets[index].toServer)
        var bytes = unsafe Array(kept.first)
        // In Suricata's words (AlertJsonStreamDataCallback).
        if unsafe kept.missing > 0 { bytes += Array("[\(unsafe kept.missing) bytes missing]".utf8) }
        return unsafe bytes + Array(kept.second)
    }

    /// Once for each packet, before anything asks.
    @inline(never)
    private mutating func verifyChecksums(_ frame: RawSpan, _ arrival: Arrival) {
        guard arrival.checksum == .present else { return }
        for layer in 0..<packets.count {
            let bytes = packets.bytes(of: layer, in: frame)
            packets[layer].isChecksumBad = packets[layer].packet.hasValidTransportChecksum(in: bytes) == false
        }
    }

    private mutating func countFindings(_ destination: HostSlot, _ source: HostSlot) {
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
