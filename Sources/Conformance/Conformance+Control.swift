import Wire

/// ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861).
extension Conformance {
    @inline(__always)
    static func examineICMP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        // Echoes that fit into a frame are what there is most of.
        let type = packet.icmpType
        let isEcho = packet.kind == .icmp ? type & 0xF7 == 0 : type & 0xFE == 128
        if isEcho, packet.statedLength <= 1500, !packet.moreFragments, packet.destination.isOfAHost { return }
        examineOddICMP(packet, bytes, around, &failed)
    }

    @inline(never)
    private static func examineOddICMP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        let isV4 = packet.kind == .icmp
        let type = packet.icmpType
        // A jumbogram's length is offload's doing, and there is none of ICMP.
        let (length, isFragment) = (packet.statedLength, packet.moreFragments)
        if length > 1500 || isFragment { failed.insert(.icmpOversize) }
        if type == (isV4 ? 5 : 137) { failed.insert(.icmpRedirect) }
        if isV4 ? [3, 4, 5, 11, 12].contains(type) : (1...4).contains(type) {
            return examineError(packet, bytes, &failed)
        }
        let destination = packet.destination
        if isV4, type == 8, destination.isOfAGroup || destination.isBroadcast {
            failed.insert(.icmpEchoToGroup)
        }
        if !isV4, (133...137).contains(type) { examineDiscovery(packet, bytes, around, &failed) }
    }

    /// An error quotes the packet that it is about, which came from whom it is sent to.
    private static func examineError(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ failed: inout CheckSet
    ) {
        let isV4 = packet.ipVersion == 4
        // A router may be asked for more (RFC 1812 §4.3.2.3), and extensions need it (RFC 4884).
        if packet.statedLength > (isV4 ? 576 : 1280) { failed.insert(.icmpErrorTooLong) }
        guard packet.isWhole, !packet.moreFragments else { return }
        let quoted = bytes.clamped(
            Int(packet.transportOffset) + ICMPHeader.size, Int(packet.payloadOffset + packet.payloadLength))
        let source = isV4 ? sourceOfIPv4(quoted) : sourceOfIPv6(quoted)
        // What is quoted in part, or is no IP, has a check of its own.
        guard quoted.byteCount == 0 || source != nil else { return }
        guard source != packet.destination else { return }
        if isV4, packet.icmpType == 3, packet.icmpCode == 3 {
            failed.insert(.icmpBlackNurse)
        } else {
            failed.insert(source == nil ? .icmpErrorWithoutPacket : .icmpErrorAboutOthers)
        }
    }

    private static func sourceOfIPv4(_ bytes: RawSpan) -> Address? {
        guard let header = IPv4Header(bytes), header.version == 4 else { return nil }
        return header.source
    }

    private static func sourceOfIPv6(_ bytes: RawSpan) -> Address? {
        guard let header = IPv6Header(bytes), header.version == 6 else { return nil }
        return header.source
    }

    private static func examineDiscovery(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        let type = packet.icmpType
        if packet.hopLimit != 255 { failed.insert(.ndHopLimit) }
        if type == 134, around.sender >= 0 || around.sourceGuest >= 0 { failed.insert(.rogueRouter) }
        // Redirects have an odd number, but so do advertisements of neighbours.
        if type == 134 || type == 137, !packet.source.isLinkLocal { failed.insert(.ndSource) }
        guard !packet.moreFragments else { return failed.insert(.ndFragmented) }
        guard packet.isWhole else { return }
        let message = bytes.clamped(
            Int(packet.transportOffset), Int(packet.payloadOffset + packet.payloadLength))
        // Router solicitation, router advertisement, neighbour solicitation and advertisement, redirect.
        let fixed = [8, 16, 24, 24, 40][Int(type) - 133]
        guard message.byteCount >= fixed else { return failed.insert(.ndTooShort) }
        // Where there is a target address, it begins at byte 8.
        if fixed >= 24, message.be8(8) == 0xFF { failed.insert(.ndTarget) }
        var offset = fixed
        while offset < message.byteCount {
            guard offset + 2 <= message.byteCount, message.be8(offset + 1) > 0 else {
                return failed.insert(.ndOptionLength)
            }
            offset += Int(message.be8(offset + 1)) * 8
        }
        if offset > message.byteCount { failed.insert(.ndOptionLength) }
    }
}
