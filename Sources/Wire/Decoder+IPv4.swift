extension Decoder {
    /// `offset <= bytes.byteCount` is the caller's promise.
    static func readIPv4(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        let captured = bytes.byteCount - offset
        packet.setPayload(offset, end: bytes.byteCount)
        guard let header = IPv4Header(bytes.from(offset)) else {
            return packet.stop(.ipv4TooShort, cut: cut)
        }
        guard header.version == 4 else { return packet.refuse(.ipv4WrongVersion) }
        packet.ipVersion = 4
        packet.source = header.source
        packet.destination = header.destination
        packet.hopLimit = header.timeToLive
        packet.ipProtocol = header.protocol

        var stated = header.totalLength
        packet.statedLength = Int32(truncatingIfNeeded: stated)
        let headerLength = header.headerLength
        guard headerLength >= IPv4Header.minimumSize else { return packet.refuse(.ipv4HeaderTooSmall) }
        guard headerLength <= captured else { return packet.stop(.ipv4HeaderBeyondPacket, cut: cut) }
        if stated < headerLength {
            guard stated == 0 else { return packet.refuse(.ipv4LengthTooSmall) }
            packet.anomalies.insert(cut ? [.ipv4LengthZero, .cutByCapture] : .ipv4LengthZero)
            stated = captured
            packet.statedLength = Int32(truncatingIfNeeded: stated)
        } else if stated > captured {
            packet.anomalies.insert(cut ? .cutByCapture : .ipv4Truncated)
        }
        if headerLength > IPv4Header.minimumSize, !HeaderOptions.areWellFormed(header.optionBytes) {
            packet.anomalies.insert(.ipv4BadOptionLength)
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
    }
}
