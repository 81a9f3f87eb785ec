/// TCP options (RFC 9293 §3.1): their lengths, and that those which are agreed on once come once.
extension Decoder {
    @inline(never)
    static func readTCPOptions(_ bytes: RawSpan, _ packet: inout Packet) {
        var options = HeaderOptions(bytes)
        var seen: UInt64 = 0
        let flags = packet.tcpFlags
        while let option = options.next() {
            let length = option.length + 2
            let isPossible: Bool
            // What a duplicate is told by; 0 for options of which there may be several.
            var mark = option.kind
            switch option.kind {
            case 2:
                isPossible = length == 4
                if isPossible { packet.checkSegmentSize(bytes.be16(option.offset)) }
            case 3:
                isPossible = length == 3
                if isPossible, bytes.be8(option.offset) > 14 { packet.anomalies.insert(.tcpWindowScale) }
            case 4: isPossible = length == 2
            case 5:
                // Empty ones are useless, but common.
                if length == 2 { mark = 0 }
                isPossible = length == 2 || (10...34).contains(length) && (length - 2) & 7 == 0
            case 8:
                isPossible = length == 10
                if isPossible, flags.isDisjoint(with: [.ack, .rst]), bytes.be32(option.offset + 4) != 0 {
                    packet.anomalies.insert(.tcpEchoWithoutACK)
                }
            // MD5 signature (RFC 2385), authentication (RFC 5925).
            case 19:
                isPossible = length == 18
                mark = 0
            case 29:
                isPossible = length >= 4
                mark = 0
            // Fast open (RFC 7413), and its number before it had one (RFC 6994).
            case 34: isPossible = length == 2 || (4...18).contains(length) && length & 1 == 0
            case 253, 254:
                isPossible = length == 4 || length == 12
                mark = isPossible && bytes.be16(option.offset) == 0xF989 ? 34 : 0
            default: continue
            }
            guard isPossible else {
                // Suricata takes a packet with a bad signature for invalid, and others for odd.
                if option.kind == 19 || option.kind == 29 {
                    packet.faultUpper(.tcpOptInvalidLen)
                } else {
                    packet.noteUpper(.tcpOptInvalidLen)
                }
                continue
            }
            if !flags.contains(.syn), (2...4).contains(option.kind) {
                packet.anomalies.insert(.tcpOfferOutsideSYN)
            }
            guard mark != 0 else { continue }
            let bit = 1 as UInt64 &<< UInt64(mark)
            if seen & bit != 0 { packet.noteUpper(.tcpOptDuplicate) }
            seen |= bit
        }
        guard options.isMalformed else { return }
        packet.anomalies.insert(.tcpBadOptionLength)
        if !options.endsInKind { packet.faultUpper(.tcpOptInvalidLen) }
    }
}

extension Packet {
    /// What a peer says that a segment may hold (RFC 9293 §3.7.1).
    fileprivate mutating func checkSegmentSize(_ size: UInt16) {
        if size == 0 {
            anomalies.insert(.tcpSegmentSizeZero)
        } else if size < TCPHeader.smallestSegment {
            anomalies.insert(.tcpSegmentSizeSmall)
        }
    }

    /// An upper header in a first fragment is looked at again when the datagram is whole.
    mutating func noteUpper(_ event: DecodeEvent) {
        if !moreFragments { note(event) }
    }

    mutating func faultUpper(_ event: DecodeEvent) {
        if !moreFragments { fault(event) }
    }
}
