extension Decoder {
    /// Reads what the IP packet carries in `start..<end`, which lie within `bytes`. `cut` says that the IP packet
    /// reaches beyond `end`, and that the capture is to blame.
    @inline(__always)
    static func readUpper(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ cut: Bool, _ packet: inout Packet
    ) {
        packet.transportOffset = Int32(truncatingIfNeeded: start)
        packet.setPayload(start, end: end)
        guard !packet.isFragment else { return readFragment(bytes, start, end, cut, &packet) }
        readProtocol(bytes, start, end, cut, &packet)
    }

    /// What a first fragment has of the upper header is read for those who count and check packets. What is odd
    /// about it, and what it carries, is found in the whole datagram.
    @inline(never)
    private static func readFragment(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ cut: Bool, _ packet: inout Packet
    ) {
        guard packet.fragmentOffset == 0 else {
            packet.kind = .laterFragment
            return
        }
        let (events, isInvalid) = (packet.events, packet.isInvalid)
        readProtocol(bytes, start, end, cut, &packet)
        packet.disown(since: events)
        packet.isInvalid = isInvalid
    }

    @inline(__always)
    private static func readProtocol(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ cut: Bool, _ packet: inout Packet
    ) {
        let upper = bytes.between(start, end)
        switch packet.ipProtocol {
        case IPProtocol.tcp: readTCP(upper, start, cut, &packet)
        case IPProtocol.udp: readUDP(upper, start, cut, &packet)
        case IPProtocol.icmp where packet.ipVersion == 4: readICMP(upper, start, cut, &packet)
        case IPProtocol.icmp6 where packet.ipVersion == 6: readICMPv6(upper, start, cut, &packet)
        default: readOther(upper, start, cut, &packet)
        }
    }

    @inline(__always)
    private static func readTCP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = TCPHeader(bytes) else {
            return packet.stopUpper(.tcpTooShort, .tcpPktTooSmall, cut: cut)
        }
        packet.sourcePort = header.sourcePort
        packet.destinationPort = header.destinationPort
        packet.tcpFlags = header.flags
        let length = header.headerLength
        guard length >= TCPHeader.minimumSize else {
            return packet.refuse(.tcpHeaderTooSmall, .tcpInvalidOptlen)
        }
        guard length <= bytes.byteCount else {
            return packet.stopUpper(.tcpHeaderBeyondPacket, .tcpHlenTooSmall, cut: cut)
        }
        packet.kind = .tcp
        packet.transportLength = UInt16(truncatingIfNeeded: length)
        packet.setPayload(start + length, end: start + bytes.byteCount)
        if length > TCPHeader.minimumSize, !header.hasTimestampOnly { readTCPOptions(header.optionBytes, &packet) }
    }

    @inline(__always)
    private static func readUDP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let header = UDPHeader(bytes) else {
            return packet.stopUpper(.udpTooShort, .udpHlenTooSmall, cut: cut)
        }
        packet.kind = .udp
        packet.transportLength = UInt16(truncatingIfNeeded: UDPHeader.size)
        packet.sourcePort = header.sourcePort
        packet.destinationPort = header.destinationPort
        var length = header.length
        if length < UDPHeader.size {
            // A jumbogram's UDP length may be 0 (RFC 2675 §4), and so is that of a tunnel's packet which the
            // offload of a virtual card made longer than 64 KiB.
            if length != 0
                || packet.anomalies.isDisjoint(with: [.ipv6Jumbogram, .ipv6LengthZero, .ipv4LengthZero])
            {
                packet.anomalies.insert(.udpLengthTooSmall)
                if !packet.moreFragments { packet.fault(.udpLenInvalid) }
            }
            length = bytes.byteCount
        } else if length > bytes.byteCount {
            // A first fragment has less than the whole; so has a packet cut short.
            if !packet.moreFragments, !cut {
                packet.anomalies.insert(.udpLengthBeyondPacket)
                packet.fault(.udpPktTooSmall)
            }
            length = bytes.byteCount
        }
        packet.setPayload(start + UDPHeader.size, end: start + length)
        if TunnelPort.isOne(header.sourcePort) || TunnelPort.isOne(header.destinationPort) {
            findTunnel(bytes.between(UDPHeader.size, length), start + UDPHeader.size, &packet)
        }
    }

    /// Everything without ports of TCP or UDP, and not ICMP of the right family.
    @inline(never)
    private static func readOther(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        packet.kind = .otherIP
        // What a first fragment carries is read when it is whole.
        guard !packet.moreFragments else { return }
        switch (packet.ipProtocol, packet.ipVersion) {
        case (IPProtocol.sctp, _): readSCTP(bytes, start, cut, &packet)
        case (IPProtocol.esp, _):
            guard bytes.byteCount >= 8 else { return packet.halt(.espPktTooSmall, cut: cut) }
            packet.transportLength = 8
            packet.setPayload(start + 8, end: start + bytes.byteCount)
        case (IPProtocol.gre, _): readGRE(bytes, start, cut, &packet)
        case (IPProtocol.igmp, 4): readIGMP(bytes, start, cut, &packet)
        case (IPProtocol.ipv4, 4): packet.carry(.ip, .ipv4, at: start)
        case (IPProtocol.ipv6, 4): packet.carry(.ip, .ipv6, at: start)
        case (IPProtocol.ipv4, _):
            guard bytes.byteCount >= IPv4Header.minimumSize else {
                return packet.halt(.ipv6Ipv4InIpv6TooSmall, cut: cut)
            }
            guard bytes.be8(0) >> 4 == 4 else { return packet.fault(.ipv6Ipv4InIpv6WrongVersion) }
            packet.carry(.ip, .ipv4, at: start)
        case (IPProtocol.ipv6, _):
            guard bytes.byteCount >= IPv6Header.size else {
                return packet.halt(.ipv6Ipv6InIpv6TooSmall, cut: cut)
            }
            guard bytes.be8(0) >> 4 == 6 else { return packet.fault(.ipv6Ipv6InIpv6WrongVersion) }
            packet.carry(.ip, .ipv6, at: start)
        case (IPProtocol.icmp6, _):
            packet.anomalies.insert(.icmp6InIPv4)
            packet.fault(.ipv4Icmpv6)
        case (IPProtocol.icmp, _):
            packet.anomalies.insert(.icmpInIPv6)
            packet.note(.ipv6Icmpv4)
        case (IPProtocol.noNextHeader, 6):
            if bytes.byteCount > 0 { packet.note(.ipv6DataAfterNoneHeader) }
        // What the slot of a compressed header stands for (`readPPP`), or nothing.
        case (0, 4): break
        case (_, 4): packet.note(.ipv4UnknownProtocol)
        default: packet.note(.ipv6UnknownNextHeader)
        }
    }
}
