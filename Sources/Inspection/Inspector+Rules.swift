import Behaviour
import Evidence
import Flows
import Policy
import Signatures
import Topology
import Wire

/// What the rules say of a packet and of what it adds to its stream.
extension Inspector {
    /// A conversation that nobody has answered yet goes no further if its client is refused.
    @inline(never)
    mutating func checkClient(_ step: @_addressable FlowStep, _ arrival: @_addressable Arrival, _ asked: inout Asked) {
        guard let flow = unsafe step.flow, unsafe !flow.pointee.flags.contains(.answered) else { return }
        let server = hosts.guest(of: step.toServer ? destination : source)
        if unsafe refusals.pointee.refuse(flow.pointee.client, at: server, time: arrival.time) {
            asked.behaviourRefuses = true
        }
    }

    /// Whether nothing of the packet's source passes to a guest.
    @inline(never)
    mutating func isDenied(_ time: UInt64) -> Bool {
        unsafe denied.pointee.refuse(packets[0].packet.source, at: -1, time: time)
    }

    /// Listening: the end of the last packet's connection that is no guest's, where the other is; if it has shown that it
    /// receives what is sent to it, so that nobody else can have forged it. nil for all others.
    public var accusable: Address? {
        guard let flow = unsafe packets[0].flow, unsafe flow.pointee.flags.contains(.announced),
            unsafe flow.pointee.ipProtocol == IPProtocol.tcp, (source >= 0) != (destination >= 0)
        else { return nil }
        return source >= 0 ? packets[0].packet.destination : packets[0].packet.source
    }

    /// What came by a tunnel is asked about like what did not, the outer packet before the inner.
    @inline(__always)
    mutating func match(_ layer: Int, _ frame: RawSpan, _ arrival: @_addressable Arrival, _ asked: inout Asked) {
        let whole = packets.bytes(of: layer, in: frame)
        let isGood = !packets[layer].isChecksumBad
        var step = FlowStep()
        unsafe flows.pointee.track(
            packets[layer].packet, whole, vlan: packets.tags(around: layer, arrival), time: arrival.time,
            checksumIsGood: isGood && !asked.isRefused, into: &step)
        if layer == 0, let flow = unsafe step.flow { unsafe learn(flow, arrival.time) }
        if !relations.isEmpty, layer == 0 || layer == packets.whole, !asked.isForbidden, !isUnrelated(layer, step) {
            asked.isForbidden = relate(layer, step)
        }
        // Who may not talk is not listened to, unless it passes all the same.
        if asked.isForbidden, !policies[guest].shadow { return }
        if step.changes.contains(.began), let flow = unsafe step.flow {
            unsafe flows.pointee.note(flow, port: arrival.port != 0 ? arrival.port : arrival.bridge)
        }
        if layer == packets.whole {
            if !step.changes.isEmpty { tell(step, layer, arrival) }
            if mode.isInline, unsafe refusals.pointee.isActive(arrival.time) { checkClient(step, arrival, &asked) }
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
        // What was repaired lies elsewhere now.
        let bytes = step.mustDrop ? packets.bytes(of: layer, in: frame) : whole
        let before = findings.count
        if layer == packets.whole { checkSession(step, &asked) }
        let context = MatchContext(
            time: arrival.time, outerTag: packets[layer].depth == 0 && arrival.hasTag ? Int32(arrival.tag) : -1,
            isReassembled: packets[layer].source == .defragmented,
            trustsChecksums: !mode.verifiesChecksums || arrival.checksum != .present, handlings: handlings[guest])
        let place = unsafe packets.pointer(to: layer)
        let outcome = unsafe matcher.inspect(
            place.pointee.packet, bytes, context, step, &flows.pointee, into: &findings)
        take(outcome, layer, step, &asked)
        checkApplication(layer, bytes, step, arrival.time, &asked)
        if step.hasMore { matchRest(layer, bytes, context, &step, before, &asked) }
        if unsafe matcher.isTagged(
            place.pointee.packet, bytes: bytes.byteCount, step, &flows.pointee, time: arrival.time)
        {
            findings.append(Finding(.tag, code: 0, concern: .low, asks: .accept))
            asked.tagged += 1
        }
        if findings.count > before { unsafe note(before, layer, step.flow) }
    }

    /// Where findings from `before` on were made.
    @inline(never)
    mutating func note(_ before: Int, _ layer: Int, _ flow: UnsafeMutablePointer<Flow>?) {
        if layer > 0 { findings.place(from: before, layer: UInt8(layer)) }
        guard let flow = unsafe flow else { return }
        for index in before..<findings.count where findings[index].source == .signature {
            unsafe flow.pointee.flags.insert(.alerted)
        }
    }

    /// A segment that contradicts its stream is refused; what rules are asked about is what stands in its place
    /// (Suricata's StreamTcpInlineSegmentReplacePacket, which lets it pass like that).
    @inline(never)
    mutating func repair(_ layer: Int, _ frame: RawSpan, _ step: inout FlowStep) {
        guard step.events.contains(.reassemblyOverlapDifferentData),
            let copy = unsafe packets.copyBytes(of: layer, in: frame),
            unsafe flows.pointee.repair(packets[layer].packet, copy, &step)
        else { return }
        unsafe packets[layer].packet.finishTransportChecksum(in: copy)
    }

    /// What else a packet gives to inspect of its stream, where there is more than one part.
    @inline(never)
    mutating func matchRest(
        _ layer: Int, _ bytes: RawSpan, _ context: @_addressable MatchContext, _ step: inout FlowStep,
        _ before: Int, _ asked: inout Asked
    ) {
        step.isStreamOnly = true
        let place = unsafe packets.pointer(to: layer)
        while unsafe flows.pointee.nextWindow(&step) {
            let known = findings.count
            let outcome = unsafe matcher.inspect(
                place.pointee.packet, bytes, context, step, &flows.pointee, into: &findings)
            findings.removeRepeats(from: known, since: before)
            take(outcome, layer, step, &asked)
            if step.reading == 0 { checkApplication(layer, bytes, step, context.time, &asked) }
            if outcome.passes { return }
        }
    }

    @inline(__always)
    mutating func take(_ outcome: MatchOutcome, _ layer: Int, _ step: @_addressable FlowStep, _ asked: inout Asked) {
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
}
