import Conformance
import Evidence
import Flows
import Topology
import Wire

/// What is wrong with the form of a packet, as it is told by the conversation that it is of, or says that it is about.
extension Inspector {
    /// What whoever follows connections found odd about the captured packet's place in one. Nothing for nearly all.
    @inline(__always)
    mutating func checkSession(_ step: @_addressable FlowStep, _ asked: inout Asked) {
        if !step.events.isEmpty || step.isResetDoubted { checkOddSegment(step, &asked) }
    }

    @inline(never)
    private mutating func checkOddSegment(_ step: @_addressable FlowStep, _ asked: inout Asked) {
        var failed = CheckSet()
        if !step.events.isDisjoint(with: StreamEvents.ofWindow) { failed.insert(.tcpOutOfWindow) }
        // A capture may lack what is acknowledged.
        if mode.isInline, step.events.contains(.pktInvalidAck) { failed.insert(.tcpAcknowledgesUnsent) }
        if step.isResetDoubted { failed.insert(.tcpResetOutOfWindow) }
        guard !failed.isEmpty else { return }
        let reason = checks.report(failed, guest: guest, into: &findings)
        if asked.form == .none { asked.form = reason }
    }

    /// Whether the packet that an ICMP error quotes may have been sent (RFC 5927 §4.1): its flow is looked for in the
    /// tables of all workers. Who has only begun to look on cannot tell, nor can who had to forget flows.
    @inline(never)
    mutating func checkQuote(_ bytes: RawSpan, _ arrival: @_addressable Arrival, _ failed: inout CheckSet) {
        let packet = packets[0].packet
        let start = Int(packet.transportOffset)
        guard arrival.time > firstTime &+ Inspector.acquaintance, !packet.isFragment, start >= 0,
            start < bytes.byteCount, unsafe flows.pointee.count < flows.pointee.capacity,
            let quoted = QuotedPacket(bytes.extracting(start..<bytes.byteCount)), !quoted.isFragment,
            quoted.source == packet.destination
        else { return }
        var isOutside = false
        for worker in unsafe 0..<readers.count {
            switch unsafe readers[worker].find(quoted, vlan: packets.tags(around: 0, arrival)) {
            case .unknown: continue
            case .mayBe: return
            case .isOutside: isOutside = true
            }
        }
        guard isOutside || unseen.relation(from: quoted.source, to: quoted.destination) < 0 else { return }
        failed.insert(isOutside ? .icmpErrorOutOfWindow : .icmpErrorWithoutFlow)
    }

    /// Nanoseconds. An error comes within a round trip of what it is about.
    private static let acquaintance: UInt64 = 10_000_000_000
}

extension StreamEvents {
    /// Segments that lie where their receiver has no room.
    fileprivate static let ofWindow: StreamEvents = {
        var set = StreamEvents()
        let events: [StreamEvent] = [
            .estPacketOutOfWindow, .finOutOfWindow, .closewaitFinOutOfWindow, .closewaitAckOutOfWindow,
            .fin1FinWrongSeq, .fin1AckWrongSeq, .fin2FinWrongSeq, .fin2AckWrongSeq, .closingAckWrongSeq,
            .lastackAckWrongSeq, .timewaitAckWrongSeq,
        ]
        for event in events { set.insert(event) }
        return set
    }()
}

extension Packet {
    /// An ICMP message that quotes a packet (RFC 792, RFC 4443 §3).
    var isICMPError: Bool {
        switch (kind, icmpType) {
        case (.icmp, 3...5), (.icmp, 11...12), (.icmp6, 1...4): true
        default: false
        }
    }
}
