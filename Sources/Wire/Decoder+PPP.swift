/// The Point-to-Point Protocol, alone and over Ethernet.
extension Decoder {
    /// RFC 1662 §3.1: address and control, which may be left out, then a protocol whose first byte, if it is 0,
    /// may be left out too (RFC 1661 §6.5).
    static func readPPP(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(offset, end: bytes.byteCount)
        guard bytes.byteCount > offset else { return packet.haltPPP(.pppPktTooSmall, cut: cut) }
        let start = bytes.be8(offset) == 0xFF ? offset + 2 : offset
        readPPPContents(bytes, at: start, .pppPktTooSmall, cut, &packet)
    }

    /// RFC 2516 §4, §6: version and type, code, session, length, then the protocol of PPP.
    static func readPPPoESession(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard bytes.byteCount - offset >= 7 else { return packet.haltPPP(.pppoePktTooSmall, cut: cut) }
        guard bytes.be16(offset + 4) > 0 else { return }
        readPPPContents(bytes, at: offset + 6, .pppoePktTooSmall, cut, &packet)
    }

    /// RFC 2516 §5: the packets by which a session is found.
    static func readPPPoEDiscovery(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard bytes.byteCount - offset >= 6 else { return packet.halt(.pppoePktTooSmall, cut: cut) }
        switch bytes.be8(offset + 1) {
        // PADI, PADO, PADR, PADS, PADT.
        case 0x09, 0x07, 0x19, 0x65, 0xA7:
            if Int(bytes.be16(offset + 4)) > bytes.byteCount - offset - 6 {
                packet.halt(.pppoeMalformedTags, cut: cut)
            }
        default: packet.fault(.pppoeWrongCode)
        }
    }

    /// A protocol number of one byte if that is odd, else of two, and what follows it.
    private static func readPPPContents(
        _ bytes: RawSpan, at start: Int, _ short: DecodeEvent, _ cut: Bool, _ packet: inout Packet
    ) {
        guard bytes.byteCount > start else { return packet.haltPPP(short, cut: cut) }
        let isCompressed = bytes.be8(start) & 1 != 0
        let next = start + (isCompressed ? 1 : 2)
        guard bytes.byteCount >= next else { return packet.haltPPP(short, cut: cut) }
        guard packet.enterLayer() else { return }
        let left = bytes.byteCount - next
        switch isCompressed ? UInt16(bytes.be8(start)) : bytes.be16(start) {
        case 0x0021:
            guard left >= IPv4Header.minimumSize else {
                return packet.haltPPP(isCompressed ? .pppVjuPktTooSmall : .pppIp4PktTooSmall, cut: cut)
            }
            _ = readNetwork(bytes, EtherType.ipv4, at: next, cut, &packet)
        case 0x0057:
            guard left >= IPv6Header.size else { return packet.haltPPP(.pppIp6PktTooSmall, cut: cut) }
            _ = readNetwork(bytes, EtherType.ipv6, at: next, cut, &packet)
        case 0x002F:
            // TCP over IPv4 whose protocol number was replaced by the number of its slot (RFC 1144 §3.2.3).
            guard left >= IPv4Header.minimumSize else {
                return packet.haltPPP(.pppVjuPktTooSmall, cut: cut)
            }
            if bytes.be8(next) >> 4 == 4 { _ = readNetwork(bytes, EtherType.ipv4, at: next, cut, &packet) }
        // The protocols by which the ends configure, authenticate and measure the link.
        case 0x8021, 0x8057, 0xC021, 0xC023, 0xC223, 0x80FD, 0xC025, 0xC029, 0x00FD, 0x8207: break
        case 0x002D, 0x002B, 0x0023, 0x0025, 0x0027, 0x0029, 0x0031, 0x0033, 0x0035, 0x0201, 0x0231, 0x0233,
            0x0281, 0x0283, 0x8023, 0x8025, 0x8027, 0x8029, 0x802B, 0x8033, 0x8035, 0x8281:
            packet.note(.pppUnsupProto)
        default:
            if isCompressed { packet.note(.pppUnsupProto) } else { packet.fault(.pppWrongType) }
        }
    }
}

extension Packet {
    fileprivate mutating func haltPPP(_ event: DecodeEvent, cut: Bool) {
        isUndecodable = !cut
        halt(event, cut: cut)
    }
}
