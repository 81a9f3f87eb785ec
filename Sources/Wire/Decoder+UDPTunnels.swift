/// The UDP ports at which tunnels are looked for.
enum TunnelPort {
    static var teredo: UInt16 { 3544 }
    static var vxlan: UInt16 { 4789 }
    static var geneve: UInt16 { 6081 }

    @inline(__always)
    static func isOne(_ port: UInt16) -> Bool { port == teredo || port == vxlan || port == geneve }
}

extension Decoder {
    /// Looks for a tunnel in the payload of a UDP packet of a port that has one; `start` is where `bytes` begin in
    /// the packet. Anybody may use the ports for something else, so what does not look right is none.
    @inline(never)
    static func findTunnel(_ bytes: RawSpan, _ start: Int, _ packet: inout Packet) {
        // What a first fragment carries is looked at when it is whole.
        guard !packet.moreFragments else { return }
        let ports = (packet.sourcePort, packet.destinationPort)
        if ports.0 == TunnelPort.teredo || ports.1 == TunnelPort.teredo {
            findTeredo(bytes, start, &packet)
        } else if ports.0 == TunnelPort.geneve || ports.1 == TunnelPort.geneve {
            findGeneve(bytes, start, &packet)
        } else if ports.1 == TunnelPort.vxlan {
            findVXLAN(bytes, start, &packet)
        }
    }

    /// RFC 4380 §5.1.1: perhaps where the packet came from, then IPv6. There is nothing to tell it by, but that
    /// it is exactly one IPv6 packet.
    private static func findTeredo(_ bytes: RawSpan, _ start: Int, _ packet: inout Packet) {
        guard bytes.byteCount >= IPv6Header.size else { return }
        var offset = 0
        if bytes.be8(0) == 0 {
            guard bytes.be8(1) == 0 else { return }
            offset = 8
        }
        guard let header = IPv6Header(bytes.from(offset)), header.version == 6, header.hopLimit != 0,
            header.nextHeader != IPProtocol.hopByHop || header.payloadLength >= 8,
            bytes.byteCount == offset + IPv6Header.size + header.payloadLength
        else { return }
        packet.carry(.teredo, .ipv6, at: start + offset)
    }

    /// RFC 7348 §5: a flag, the network's identifier, the rest 0; then a frame.
    private static func findVXLAN(_ bytes: RawSpan, _ start: Int, _ packet: inout Packet) {
        guard bytes.byteCount >= 8 + EthernetHeader.size, packet.enterLayer(),
            bytes.be32(0) == 0x0800_0000, bytes.be8(7) == 0
        else { return }
        switch bytes.be16(8 + 12) {
        case EtherType.ipv4, EtherType.ipv6, EtherType.arp, EtherType.customerTag, EtherType.serviceTag,
            EtherType.legacyServiceTag:
            packet.carry(.vxlan, .ethernet, at: start + 8)
        default: packet.fault(.vxlanUnknownPayloadType)
        }
    }

    /// RFC 8926 §3.4: version 2 bits, length of the options in words 6 bits, flags, EtherType, the network's
    /// identifier, 0; then options of 4 to 128 bytes.
    private static func findGeneve(_ bytes: RawSpan, _ start: Int, _ packet: inout Packet) {
        guard bytes.byteCount >= 8, packet.enterLayer() else { return }
        let first = bytes.be8(0)
        let length = 8 + Int(first & 0x3F) * 4
        guard first >> 6 == 0, length <= bytes.byteCount, bytes.be8(1) & 0x3F == 0, bytes.be8(7) == 0 else {
            return
        }
        var offset = 8
        while offset < length { offset += 4 + Int(bytes.be8(offset + 3) & 0x1F) * 4 }
        guard offset == length else { return }
        switch bytes.be16(2) {
        case EtherType.ipv4: packet.carry(.geneve, .ipv4, at: start + length)
        case EtherType.ipv6: packet.carry(.geneve, .ipv6, at: start + length)
        case EtherType.bridging: packet.carry(.geneve, .ethernet, at: start + length)
        case EtherType.arp: break
        default: packet.fault(.geneveUnknownPayloadType)
        }
    }
}
