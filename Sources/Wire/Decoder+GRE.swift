/// Generic Routing Encapsulation, and what mirrors wrap in it.
extension Decoder {
    /// RFC 2784, RFC 2890 and RFC 1701's routing (version 0), RFC 2637 §4.1 (version 1). `start` is where `bytes`
    /// begin in the packet.
    static func readGRE(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard bytes.byteCount >= 4 else { return packet.halt(.grePktTooSmall, cut: cut) }
        guard packet.enterLayer() else { return }
        packet.transportLength = 4
        let flags = GREFlags(rawValue: bytes.be16(0))
        let type = bytes.be16(2)
        let length: Int?
        switch flags.version {
        case 0: length = lengthOfGRE(bytes, flags, cut, &packet)
        case 1: length = lengthOfPPTP(bytes, flags, type, cut, &packet)
        default: return packet.fault(.greWrongVersion)
        }
        guard let length else { return }
        packet.transportLength = UInt16(truncatingIfNeeded: min(length, Int(UInt16.max)))
        let next = start + length
        switch type {
        case EtherType.ipv4: packet.carry(.gre, .ipv4, at: next)
        case EtherType.ipv6: packet.carry(.gre, .ipv6, at: next)
        case EtherType.arp: packet.carry(.gre, .arp, at: next)
        case EtherType.customerTag: packet.carry(.gre, .vlan, at: next)
        case EtherType.bridging: packet.carry(.gre, .ethernet, at: next)
        case EtherType.ppp:
            // PPTP acknowledges by packets without a payload.
            if flags.version == 0 || bytes.be16(4) != 0 { packet.carry(.gre, .ppp, at: next) }
        // Type I has no header of its own, and no sequence number.
        case EtherType.erspan: packet.carry(.gre, flags.contains(.sequence) ? .erspan : .ethernet, at: next)
        case EtherType.erspanIII: packet.carry(.gre, .erspanIII, at: next)
        default: break
        }
    }

    /// nil for a header that is not possible.
    private static func lengthOfGRE(
        _ bytes: RawSpan, _ flags: GREFlags, _ cut: Bool, _ packet: inout Packet
    ) -> Int? {
        if !flags.isDisjoint(with: .recursion) {
            packet.fault(.greVersion0Recur)
            return nil
        }
        if !flags.isDisjoint(with: .reserved) {
            packet.fault(.greVersion0Flags)
            return nil
        }
        var length = 4
        if flags.contains(.key) { length += 4 }
        if flags.contains(.sequence) { length += 4 }
        if !flags.isDisjoint(with: [.checksum, .routing]) { length += 4 }
        guard length <= bytes.byteCount else {
            packet.halt(.greVersion0HdrTooBig, cut: cut)
            return nil
        }
        guard flags.contains(.routing) else { return length }
        // Source route entries (RFC 1701): address family, offset, length; an empty one ends them.
        while true {
            guard length + 4 <= bytes.byteCount else { break }
            let size = Int(bytes.be8(length + 3))
            let isLast = bytes.be16(length) == 0 && size == 0
            length += 4
            if isLast { return length }
            length += size
            guard length <= bytes.byteCount else { break }
        }
        packet.halt(.greVersion0MalformedSreHdr, cut: cut)
        return nil
    }

    private static func lengthOfPPTP(
        _ bytes: RawSpan, _ flags: GREFlags, _ type: UInt16, _ cut: Bool, _ packet: inout Packet
    ) -> Int? {
        let problem: DecodeEvent? =
            if flags.contains(.checksum) {
                .greVersion1Chksum
            } else if flags.contains(.routing) {
                .greVersion1Route
            } else if flags.contains(.strictRoute) {
                .greVersion1Ssr
            } else if !flags.isDisjoint(with: .recursion) {
                .greVersion1Recur
            } else if !flags.isDisjoint(with: .reserved) {
                .greVersion1Flags
            } else if type != EtherType.ppp {
                .greVersion1WrongProtocol
            } else if !flags.contains(.key) {
                .greVersion1NoKey
            } else {
                nil
            }
        if let problem {
            packet.fault(problem)
            return nil
        }
        var length = 8
        if flags.contains(.sequence) { length += 4 }
        if flags.contains(.acknowledgement) { length += 4 }
        guard length <= bytes.byteCount else {
            packet.halt(.greVersion1HdrTooBig, cut: cut)
            return nil
        }
        return length
    }

    /// ERSPAN type II (draft-foschiano-erspan-03 §4.2): version 4 bits, the VLAN of the mirrored frame 12 bits,
    /// then what concerns the session, and the frame.
    static func readERSPAN(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(0, end: bytes.byteCount)
        guard bytes.byteCount >= 8 else {
            packet.isUndecodable = true
            return packet.note(.erspanHeaderTooSmall)
        }
        guard packet.enterLayer() else { return }
        let word = bytes.be16(0)
        guard word >> 12 == 1 else {
            packet.isUndecodable = true
            return packet.note(.erspanUnsupportedVersion)
        }
        if word & 0x0FFF != 0 { packet.append(tag: word & 0x0FFF) }
        readEthernet(bytes, at: 8, cut, &packet)
    }

    /// ERSPAN type III (draft-foschiano-erspan-03 §4.3): 12 bytes, of which the last two say what kind of frame
    /// follows (5 bits, 0 Ethernet and 2 IP) and whether 8 bytes of the platform's own come before it.
    static func readERSPANIII(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(0, end: bytes.byteCount)
        guard bytes.byteCount >= 12, bytes.byteCount >= (bytes.be16(10) & 1 == 0 ? 12 : 20) else {
            packet.isUndecodable = true
            return packet.note(.erspanHeaderTooSmall)
        }
        guard packet.enterLayer() else { return }
        let word = bytes.be16(0)
        guard word >> 12 == 2 else {
            packet.isUndecodable = true
            return packet.note(.erspanUnsupportedVersion)
        }
        if word & 0x0FFF != 0 { packet.append(tag: word & 0x0FFF) }
        let kind = bytes.be16(10)
        let start = kind & 1 == 0 ? 12 : 20
        switch kind >> 10 & 0x1F {
        case 0: readEthernet(bytes, at: start, cut, &packet)
        case 2: readIP(bytes, at: start, cut, &packet)
        default: packet.setPayload(start, end: bytes.byteCount)
        }
    }
}

/// The first 16 bits of a GRE header, high bit first; the version is in the last three.
private struct GREFlags: OptionSet {
    let rawValue: UInt16
    var version: UInt16 { rawValue & 7 }

    static var checksum: GREFlags { GREFlags(rawValue: 0x8000) }
    static var routing: GREFlags { GREFlags(rawValue: 0x4000) }
    static var key: GREFlags { GREFlags(rawValue: 0x2000) }
    static var sequence: GREFlags { GREFlags(rawValue: 0x1000) }
    static var strictRoute: GREFlags { GREFlags(rawValue: 0x0800) }
    static var recursion: GREFlags { GREFlags(rawValue: 0x0700) }
    /// Of version 1.
    static var acknowledgement: GREFlags { GREFlags(rawValue: 0x0080) }
    static var reserved: GREFlags { GREFlags(rawValue: 0x0078) }
}
