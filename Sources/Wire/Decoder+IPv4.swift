extension Decoder {
    static func readIPv4(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        let captured = bytes.byteCount - offset
        packet.networkOffset = Int32(truncatingIfNeeded: offset)
        packet.setPayload(offset, end: bytes.byteCount)
        guard packet.enterLayer() else { return }
        guard let header = IPv4Header(bytes.from(offset)) else {
            packet.isUndecodable = !cut
            return packet.stop(.ipv4TooShort, .ipv4PktTooSmall, cut: cut)
        }
        guard header.version == 4 else {
            packet.isUndecodable = true
            return packet.refuse(.ipv4WrongVersion, .ipv4WrongIpVersion)
        }
        packet.ipVersion = 4
        packet.source = header.source
        packet.destination = header.destination
        packet.hopLimit = header.timeToLive
        packet.ipProtocol = header.protocol

        var stated = header.totalLength
        packet.statedLength = Int32(truncatingIfNeeded: stated)
        let headerLength = header.headerLength
        guard headerLength >= IPv4Header.minimumSize else {
            packet.isUndecodable = true
            return packet.refuse(.ipv4HeaderTooSmall, .ipv4HlenTooSmall)
        }
        guard headerLength <= captured else {
            packet.isUndecodable = !cut
            return packet.stop(.ipv4HeaderBeyondPacket, .ipv4TruncPkt, cut: cut)
        }
        if stated < headerLength {
            packet.fault(.ipv4IplenSmallerThanHlen)
            guard stated == 0 else {
                packet.isUndecodable = true
                return packet.refuse(.ipv4LengthTooSmall)
            }
            packet.anomalies.insert(cut ? [.ipv4LengthZero, .cutByCapture] : .ipv4LengthZero)
            stated = captured
            packet.statedLength = Int32(truncatingIfNeeded: stated)
        } else if stated > captured {
            packet.fault(.ipv4TruncPkt)
            // A receiver drops it; what only the capture cut off was whole when it came by.
            packet.isUndecodable = !cut
            packet.anomalies.insert(cut ? .cutByCapture : .ipv4Truncated)
        }
        var events = packet.isUndecodable ? packet.events : nil
        if headerLength > IPv4Header.minimumSize {
            readIPv4Options(header.optionBytes, &packet)
            if packet.isUndecodable, events == nil { events = packet.events }
        }

        let start = offset + headerLength
        let end = offset + min(stated, captured)
        let fragment = header.fragmentWord
        if fragment & 0x3FFF != 0 {
            packet.fragmentOffset = header.fragmentOffset
            packet.moreFragments = header.moreFragments
            packet.checkFragment(length: stated - headerLength, ahead: headerLength)
        }
        // Only what lies beyond the bytes can have been cut off by the capture.
        readUpper(bytes, start, end, cut && packet.anomalies.contains(.cutByCapture), &packet)
        if let events { packet.disown(since: events) }
    }
}
