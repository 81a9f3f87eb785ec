extension Decoder {
    /// Reads what the IP packet carries in `start..<end`, which lie within `bytes`. `cut` says that the IP packet reaches beyond
    /// `end`, and that the capture is to blame.
    @inline(__always)
    static func readUpper(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ cut: Bool, _ packet: inout Packet
    ) {
        packet.transportOffset = Int32(truncatingIfNeeded: start)
        packet.setPayload(start, end: end)
        guard packet.fragmentOffset == 0 else {
            packet.kind = .laterFragment
            return
        }
        let upper = bytes.between(start, end)
        switch packet.ipProtocol {
        case IPProtocol.tcp: readTCP(upper, start, cut, &packet)
        case IPProtocol.udp: readUDP(upper, start, cut, &packet)
        case IPProtocol.icmp where packet.ipVersion == 4: readICMP(upper, start, cut, &packet)
        case IPProtocol.icmp6 where packet.ipVersion == 6: readICMPv6(upper, start, cut, &packet)
        case IPProtocol.icmp:
            packet.anomalies.insert(.icmpInIPv6)
            packet.kind = .otherIP
        case IPProtocol.icmp6:
            packet.anomalies.insert(.icmp6InIPv4)
            packet.kind = .otherIP
        default: packet.kind = .otherIP
        }
    }

    @inline(__always)
    private static func readTCP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = TCPHeader(bytes) else { return packet.stopUpper(.tcpTooShort, cut: cut) }
        packet.sourcePort = header.sourcePort
        packet.destinationPort = header.destinationPort
        packet.tcpFlags = header.flags
        let length = header.headerLength
        guard length >= TCPHeader.minimumSize else { return packet.refuse(.tcpHeaderTooSmall) }
        guard length <= bytes.byteCount else { return packet.stopUpper(.tcpHeaderBeyondPacket, cut: cut) }
        packet.kind = .tcp
        packet.setPayload(start + length, end: start + bytes.byteCount)
        if length > TCPHeader.minimumSize, !header.hasTimestampOnly,
            !HeaderOptions.areWellFormed(header.optionBytes)
        {
            packet.anomalies.insert(.tcpBadOptionLength)
        }
    }

    @inline(__always)
    private static func readUDP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = UDPHeader(bytes) else { return packet.stopUpper(.udpTooShort, cut: cut) }
        packet.kind = .udp
        packet.sourcePort = header.sourcePort
        packet.destinationPort = header.destinationPort
        var length = header.length
        if length < UDPHeader.size {
            // A jumbogram's UDP length may be 0 (RFC 2675 §4).
            if length != 0 || !packet.anomalies.contains(.ipv6Jumbogram) {
                packet.anomalies.insert(.udpLengthTooSmall)
            }
            length = bytes.byteCount
        } else if length > bytes.byteCount {
            // A first fragment has less than the whole; so has a packet cut short.
            if !packet.moreFragments, !cut { packet.anomalies.insert(.udpLengthBeyondPacket) }
            length = bytes.byteCount
        }
        packet.setPayload(start + UDPHeader.size, end: start + length)
    }

    private static func readICMP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = ICMPHeader(bytes) else { return packet.stopUpper(.icmpTooShort, cut: cut) }
        packet.kind = .icmp
        packet.icmpType = header.type
        packet.icmpCode = header.code
        packet.setPayload(start + ICMPHeader.size, end: start + bytes.byteCount)
    }

    private static func readICMPv6(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = ICMPv6Header(bytes) else { return packet.stopUpper(.icmp6TooShort, cut: cut) }
        packet.kind = .icmp6
        packet.icmpType = header.type
        packet.icmpCode = header.code
        packet.setPayload(start + ICMPv6Header.size, end: start + bytes.byteCount)
    }
}
