extension Decoder {
    static func readIPv6(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        let captured = bytes.byteCount - offset
        packet.networkOffset = Int32(truncatingIfNeeded: offset)
        packet.setPayload(offset, end: bytes.byteCount)
        guard packet.enterLayer() else { return }
        guard let header = IPv6Header(bytes.from(offset)) else {
            packet.isUndecodable = !cut
            return packet.stop(.ipv6TooShort, .ipv6PktTooSmall, cut: cut)
        }
        guard header.version == 6 else {
            packet.isUndecodable = true
            return packet.refuse(.ipv6WrongVersion, .ipv6WrongIpVersion)
        }
        packet.ipVersion = 6
        packet.source = header.source
        packet.destination = header.destination
        packet.hopLimit = header.hopLimit
        let next = header.nextHeader
        packet.ipProtocol = next
        if packet.source.isV4 || packet.destination.isV4 { packet.anomalies.insert(.ipv6MappedAddress) }

        var stated = IPv6Header.size + header.payloadLength
        if stated == IPv6Header.size, next != IPProtocol.noNextHeader, captured > IPv6Header.size || cut {
            stated = statedWithoutPayloadLength(bytes.from(offset), next, cut, &packet)
        }
        packet.statedLength = Int32(truncatingIfNeeded: stated)
        if stated > captured {
            packet.fault(.ipv6TruncPkt)
            packet.isUndecodable = !cut
            packet.anomalies.insert(cut ? .cutByCapture : .ipv6Truncated)
        }

        let events = packet.isUndecodable ? packet.events : nil
        let start = offset + IPv6Header.size
        let end = offset + min(stated, captured)
        let cutHere = cut && packet.anomalies.contains(.cutByCapture)
        if IPProtocol.isExtension(next) {
            readExtensions(bytes, start, end, offset + stated, cutHere, &packet)
        } else {
            readUpper(bytes, start, end, cutHere, &packet)
        }
        if let events { packet.disown(since: events) }
    }

    /// The length of a packet, counted from its IPv6 header, whose payload length is 0.
    private static func statedWithoutPayloadLength(
        _ bytes: RawSpan, _ next: UInt8, _ cut: Bool, _ packet: inout Packet
    ) -> Int {
        if next == IPProtocol.hopByHop, let header = IPv6Extension(bytes.from(IPv6Header.size)),
            let length = readOptions(header.options, of: next, &packet)
        {
            packet.anomalies.insert(length > 65_535 ? .ipv6Jumbogram : .ipv6BadJumbo)
            return IPv6Header.size + length
        }
        packet.anomalies.insert(cut ? [.ipv6LengthZero, .cutByCapture] : .ipv6LengthZero)
        return bytes.byteCount
    }
}
