/// ICMP for IPv4 (RFC 792) and for IPv6 (RFC 4443).
extension Decoder {
    static func readICMP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = ICMPHeader(bytes) else {
            return packet.stopUpper(.icmpTooShort, .icmpv4PktTooSmall, cut: cut)
        }
        packet.kind = .icmp
        packet.icmpType = header.type
        packet.icmpCode = header.code
        var length = ICMPHeader.size
        if !packet.moreFragments, !cut { length = checkICMP(bytes, header.type, header.code, &packet) }
        packet.transportLength = UInt16(truncatingIfNeeded: length)
        packet.setPayload(start + length, end: start + bytes.byteCount)
    }

    /// Checks type, code and what is quoted, and returns how long the header is.
    private static func checkICMP(
        _ bytes: RawSpan, _ type: UInt8, _ code: UInt8, _ packet: inout Packet
    ) -> Int {
        let highestCode: UInt8
        var quotes = false
        var length = ICMPHeader.size
        switch type {
        case 0, 8, 15, 16, 17, 18: highestCode = 0
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
        case 3: (highestCode, quotes) = (15, true)
        case 4, 12: (highestCode, quotes) = (0, true)
        case 5: (highestCode, quotes) = (3, true)
        case 11: (highestCode, quotes) = (1, true)
        case 13, 14:
            highestCode = 0
            // Three timestamps.
            if bytes.byteCount < length + 12 { packet.note(.icmpv4Ipv4TruncPkt) } else { length += 12 }
        case 9:
            highestCode = 255
            // Router advertisement (RFC 1256): how many addresses, and of how many words each.
            let addresses = Int(bytes.be8(4)) * Int(bytes.be8(5)) * 4
            if bytes.byteCount < length + addresses {
                packet.note(.icmpv4Ipv4TruncPkt)
            } else {
                length += addresses
            }
        default:
            packet.note(.icmpv4UnknownType)
            return length
        }
        if code > highestCode {
            packet.note(.icmpv4UnknownCode)
        } else if quotes, bytes.byteCount > ICMPHeader.size || type == 4 {
            let quoted = bytes.from(ICMPHeader.size)
            if quoted.byteCount < IPv4Header.minimumSize {
                packet.fault(.icmpv4Ipv4TruncPkt)
            } else if quoted.be8(0) >> 4 != 4 {
                packet.fault(.icmpv4Ipv4UnknownVer)
            }
        }
        return length
    }

    static func readICMPv6(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = ICMPHeader(bytes) else {
            return packet.stopUpper(.icmp6TooShort, .icmpv6PktTooSmall, cut: cut)
        }
        packet.kind = .icmp6
        packet.icmpType = header.type
        packet.icmpCode = header.code
        packet.transportLength = UInt16(truncatingIfNeeded: ICMPHeader.size)
        packet.setPayload(start + ICMPHeader.size, end: start + bytes.byteCount)
        // Of other messages than errors and echoes, what follows the checksum is data already.
        if !(1...4).contains(header.type), header.type & 0xFE != 128 {
            packet.setPayload(start + 4, end: start + bytes.byteCount)
        }
        if !packet.moreFragments, !cut { checkICMPv6(bytes, header.type, header.code, &packet) }
    }

    private static func checkICMPv6(
        _ bytes: RawSpan, _ type: UInt8, _ code: UInt8, _ packet: inout Packet
    ) {
        let isCodeKnown: Bool
        switch type {
        // Errors, which quote the packet: unreachable, too big, time exceeded, parameter problem.
        case 1...4:
            isCodeKnown = code <= [6, 0, 1, 2][Int(type) - 1]
            if isCodeKnown { checkQuoted(bytes, &packet) }
        case 130, 131, 132:
            isCodeKnown = code == 0
            if packet.hopLimit != 1 { packet.note(.icmpv6MldMessageWithInvalidHl) }
        case 138: isCodeKnown = code <= 2 || code == 255
        case 139, 140: isCodeKnown = code <= 2
        case 128, 129, 133...137, 141...149, 154, 156...159: isCodeKnown = code == 0
        case 150...153: isCodeKnown = true
        case 155: isCodeKnown = code <= 3 || (128...132).contains(code)
        case 100, 101, 200, 201: return packet.note(.icmpv6ExperimentationType)
        case 5..<127, 160...: return packet.note(.icmpv6UnassignedType)
        default: return packet.note(.icmpv6UnknownType)
        }
        if !isCodeKnown { packet.note(.icmpv6UnknownCode) }
    }

    private static func checkQuoted(_ bytes: RawSpan, _ packet: inout Packet) {
        let quoted = bytes.from(ICMPHeader.size)
        if quoted.byteCount < IPv6Header.size {
            packet.fault(.icmpv6Ipv6TruncPkt)
        } else if quoted.be8(0) >> 4 != 6 {
            packet.fault(.icmpv6Ipv6UnknownVersion)
        }
    }
}
