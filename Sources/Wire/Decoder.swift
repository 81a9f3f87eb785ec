/// Reads the headers of one packet, in the order in which they come: link layer here, then IP, then what
/// IP carries, each in a file of its own. Every header is checked against what was captured before it is
/// read, and what follows it against the length that it states.
public enum Decoder {
    /// Decodes the packet at the start of `bytes`.
    ///
    /// `capturedShort` says that the packet was longer than what was captured of it (a capture's snap
    /// length, a queue's copy range). What then seems to be missing is `cutByCapture` and no other anomaly,
    /// and the kind is that of the last whole header: `other` if the IP header is not whole, `otherIP` if
    /// the upper one is not.
    @inlinable @inline(__always)
    public static func decode(_ bytes: RawSpan, as link: LinkLayer, capturedShort: Bool = false) -> Packet {
        var packet = Packet()
        decode(bytes, as: link, capturedShort: capturedShort, into: &packet)
        return packet
    }

    /// The same into a fresh `Packet()`. A record that is returned by a call is copied right after it was
    /// filled in field by field, in wider moves than the fields were written with: processors stall on that
    /// for as long as the whole decoding takes.
    public static func decode(
        _ bytes: RawSpan, as link: LinkLayer, capturedShort: Bool, into packet: inout Packet
    ) {
        // Offsets are kept in 32 bits. No source hands up more than some 512 KiB (BIG TCP).
        let bytes = bytes.clamped(0, Int(Int32.max))
        packet.statedLength = Int32(truncatingIfNeeded: bytes.byteCount)
        switch link {
        case .ethernet: readEthernet(bytes, capturedShort, &packet)
        case .ip: readIP(bytes, capturedShort, &packet)
        case .arp:
            packet.etherType = EtherType.arp
            readARP(bytes, at: 0, capturedShort, &packet)
        case .other: packet.setPayload(0, end: bytes.byteCount)
        }
    }

    private static func readEthernet(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        guard let ethernet = EthernetHeader(bytes) else {
            return packet.stop(.ethernetTooShort, cut: cut)
        }
        var type = ethernet.type
        var offset = EthernetHeader.size
        while VLANTag.isIdentifier(type) {
            if packet.vlanCount == 2 {
                packet.anomalies.insert(.vlanTooMany)
                break
            }
            packet.etherType = type
            packet.setPayload(offset, end: bytes.byteCount)
            guard let tag = VLANTag(bytes.from(offset)) else {
                return packet.stop(.vlanTooShort, cut: cut)
            }
            if packet.vlanCount == 0 { packet.outerTag = tag.control } else { packet.innerTag = tag.control }
            packet.vlanCount += 1
            type = tag.type
            offset += VLANTag.size
        }
        packet.networkOffset = Int32(truncatingIfNeeded: offset)
        packet.etherType = type < EtherType.lowest ? 0 : type
        switch type {
        case EtherType.ipv4: readIPv4(bytes, at: offset, cut, &packet)
        case EtherType.ipv6: readIPv6(bytes, at: offset, cut, &packet)
        case EtherType.arp: readARP(bytes, at: offset, cut, &packet)
        default: packet.setPayload(offset, end: bytes.byteCount)
        }
    }

    private static func readIP(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        guard bytes.byteCount > 0 else { return packet.stop(.ipv4TooShort, cut: cut) }
        switch bytes.be8(0) >> 4 {
        case 4:
            packet.etherType = EtherType.ipv4
            readIPv4(bytes, at: 0, cut, &packet)
        case 6:
            packet.etherType = EtherType.ipv6
            readIPv6(bytes, at: 0, cut, &packet)
        default:
            packet.setPayload(0, end: bytes.byteCount)
            packet.refuse(.ipUnknownVersion)
        }
    }

    private static func readARP(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(offset, end: bytes.byteCount)
        guard let message = ARPMessage(bytes.from(offset)) else {
            return packet.stop(.arpTooShort, cut: cut)
        }
        packet.kind = .arp
        guard message.isEthernetIPv4 else {
            packet.anomalies.insert(.arpUnsupported)
            return
        }
        guard message.hasUsualLengths else { return packet.refuse(.arpBadLengths) }
        packet.source = message.sender
        packet.destination = message.target
        // What follows is padding.
        let end = offset + ARPMessage.size
        packet.setPayload(end, end: end)
    }
}

// MARK: - What the readers write into the record

extension Packet {
    /// The bytes `start..<end`; not below `start`.
    @inline(__always)
    mutating func setPayload(_ start: Int, end: Int) {
        payloadOffset = Int32(truncatingIfNeeded: start)
        payloadLength = Int32(truncatingIfNeeded: end - start)
    }

    /// A header contradicts itself or the bytes, and nothing behind it can be found.
    mutating func refuse(_ anomaly: Anomalies) {
        anomalies.insert(anomaly)
        kind = .malformed
    }

    /// A header is not whole.
    mutating func stop(_ anomaly: Anomalies, cut: Bool) {
        if cut {
            anomalies.insert(.cutByCapture)
            kind = isIP ? .otherIP : .other
        } else {
            refuse(anomaly)
        }
    }

    /// A header behind the IP header is not whole; in a first fragment it may go on in the next.
    mutating func stopUpper(_ anomaly: Anomalies, cut: Bool) {
        guard moreFragments, !cut else { return stop(anomaly, cut: cut) }
        anomalies.insert(.fragmentTiny)
        kind = .laterFragment
    }

    /// Checks a fragment whose data is `length` bytes long as stated, behind `ahead` bytes that count
    /// towards the datagram's 65,535.
    mutating func checkFragment(length: Int, ahead: Int) {
        if length <= 0 { anomalies.insert(.fragmentEmpty) }
        if moreFragments, length & 7 != 0 { anomalies.insert(.fragmentUneven) }
        if ahead + Int(fragmentOffset) + length > 65_535 { anomalies.insert(.fragmentTooLarge) }
        // RFC 1858 §4: a second fragment at offset 8 would overwrite the flags of the first.
        if ipProtocol == IPProtocol.tcp, (1..<20).contains(fragmentOffset) {
            anomalies.insert(.fragmentTiny)
        }
    }
}
