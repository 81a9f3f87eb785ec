/// Reads the headers of one packet, in the order in which they come: what the link puts in front, then IP, then
/// what IP carries, each in a file of its own. Every header is checked against what was captured before it is
/// read, and what follows it against the length that it states.
///
/// Tags, labels and the like that carry the same packet on are read through. Another IP packet inside is not:
/// the record says where it begins, and it is decoded into a record of its own (`Packet.tunnel`).
public enum Decoder {
    /// Headers that are read through at most, those around a tunnel counted: what is nested deeper is left
    /// alone. Suricata's `decoder.max-layers`.
    public static var layerLimit: UInt8 { 16 }

    /// Decodes the packet at the start of `bytes`.
    ///
    /// `capturedShort` says that the packet was longer than what was captured of it (a capture's snap
    /// length, a queue's copy range). What then seems to be missing is `cutByCapture` and no other anomaly,
    /// and the kind is that of the last whole header: `other` if the IP header is not whole, `otherIP` if
    /// the upper one is not. `etherType` is what stood in the header before the bytes of `.other`.
    @inlinable @inline(__always)
    public static func decode(
        _ bytes: RawSpan, as link: LinkLayer, etherType: UInt16 = 0, capturedShort: Bool = false
    ) -> Packet {
        var packet = Packet()
        decode(bytes, as: link, etherType: etherType, capturedShort: capturedShort, into: &packet)
        return packet
    }

    /// The same into a fresh `Packet()`. A record that is returned by a call is copied right after it was
    /// filled in field by field, in wider moves than the fields were written with: processors stall on that
    /// for as long as the whole decoding takes.
    public static func decode(
        _ bytes: RawSpan, as link: LinkLayer, etherType: UInt16 = 0, capturedShort: Bool,
        into packet: inout Packet
    ) {
        // Offsets are kept in 32 bits. No source hands up more than some 512 KiB (BIG TCP).
        let bytes = bytes.clamped(0, Int(Int32.max))
        packet.statedLength = Int32(truncatingIfNeeded: bytes.byteCount)
        switch link {
        case .ethernet: readEthernet(bytes, at: 0, capturedShort, &packet)
        case .ip: readIP(bytes, at: 0, capturedShort, &packet)
        default: readLink(bytes, link, etherType, capturedShort, &packet)
        }
    }

    /// `offset <= bytes.byteCount` is the caller's promise here and in all readers.
    @inline(__always)
    static func readEthernet(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let ethernet = EthernetHeader(bytes.from(offset)) else {
            packet.setPayload(offset, end: bytes.byteCount)
            return packet.stop(.ethernetTooShort, .ethernetPktTooSmall, cut: cut)
        }
        guard packet.enterLayer() else { return packet.setPayload(offset, end: bytes.byteCount) }
        packet.linkOffset = Int32(truncatingIfNeeded: offset)
        let next = offset + EthernetHeader.size
        switch ethernet.type {
        case EtherType.ipv4:
            packet.etherType = EtherType.ipv4
            readIPv4(bytes, at: next, cut, &packet)
        case EtherType.ipv6:
            packet.etherType = EtherType.ipv6
            readIPv6(bytes, at: next, cut, &packet)
        case let type: _ = readNetwork(bytes, type, at: next, cut, &packet)
        }
    }

    static func readIP(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        packet.networkOffset = Int32(truncatingIfNeeded: offset)
        guard bytes.byteCount > offset else {
            packet.setPayload(offset, end: bytes.byteCount)
            return packet.stop(.ipv4TooShort, .ipv4PktTooSmall, cut: cut)
        }
        switch bytes.be8(offset) >> 4 {
        case 4:
            packet.etherType = EtherType.ipv4
            readIPv4(bytes, at: offset, cut, &packet)
        case 6:
            packet.etherType = EtherType.ipv6
            readIPv6(bytes, at: offset, cut, &packet)
        default:
            packet.setPayload(offset, end: bytes.byteCount)
            packet.note(.iprawInvalidIpVersion)
            packet.refuse(.ipUnknownVersion)
        }
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

    /// What `tunnel` carries begins at `start`, with `link`.
    mutating func carry(_ tunnel: Tunnel, _ link: LinkLayer, at start: Int) {
        self.tunnel = tunnel
        innerLink = link
        innerOffset = Int32(truncatingIfNeeded: start)
    }

    /// Counts one header more; false if that is one too many.
    @inline(__always)
    mutating func enterLayer() -> Bool {
        layerCount &+= 1
        guard layerCount < Decoder.layerLimit else {
            fault(.tooManyLayers)
            return false
        }
        return true
    }

    /// What stands behind a header that cannot be decoded is read for those who count and check packets; no
    /// rule hears of it.
    mutating func disown(since events: DecodeEvents) {
        self.events = events
        tunnel = .none
    }

    /// Something odd.
    mutating func note(_ event: DecodeEvent) { events.insert(event) }

    /// Something that makes the packet invalid in Suricata's eyes.
    mutating func fault(_ event: DecodeEvent) {
        events.insert(event)
        isInvalid = true
    }

    /// A header contradicts itself or the bytes, and nothing behind it can be found.
    mutating func refuse(_ anomaly: Anomalies) {
        anomalies.insert(anomaly)
        kind = .malformed
    }

    mutating func refuse(_ anomaly: Anomalies, _ event: DecodeEvent) {
        fault(event)
        refuse(anomaly)
    }

    /// A header is not whole.
    mutating func stop(_ anomaly: Anomalies, _ event: DecodeEvent, cut: Bool) {
        if cut {
            anomalies.insert(.cutByCapture)
            kind = isIP ? .otherIP : .other
        } else {
            refuse(anomaly, event)
        }
    }

    /// A header that has no check of its own in Conformance's table is not whole, or not possible. What
    /// was captured of it remains as the payload.
    mutating func halt(_ event: DecodeEvent, cut: Bool) {
        if cut {
            anomalies.insert(.cutByCapture)
        } else {
            fault(event)
        }
    }

    /// A header behind the IP header is not whole; in a first fragment it may go on in the next.
    mutating func stopUpper(_ anomaly: Anomalies, _ event: DecodeEvent, cut: Bool) {
        guard moreFragments, !cut else { return stop(anomaly, event, cut: cut) }
        anomalies.insert(.fragmentTiny)
        kind = .laterFragment
    }

    /// Checks a fragment whose data is `length` bytes long as stated, behind `ahead` bytes that count
    /// towards the datagram's 65,535.
    mutating func checkFragment(length: Int, ahead: Int) {
        if length <= 0 { anomalies.insert(.fragmentEmpty) }
        if moreFragments, length & 7 != 0 { anomalies.insert(.fragmentUneven) }
        if ahead + Int(fragmentOffset) + length > 65_535 { anomalies.insert(.fragmentTooLarge) }
        // Suricata counts IPv4's header without its options, and nothing of what precedes IPv6's data.
        if ipVersion == 4 {
            if IPv4Header.minimumSize + Int(fragmentOffset) + length > 65_535 { note(.ipv4FragPktTooLarge) }
        } else if Int(fragmentOffset) + length > 65_535 {
            note(.ipv6FragPktTooLarge)
        }
        // RFC 1858 §4: a second fragment at offset 8 would overwrite the flags of the first.
        if ipProtocol == IPProtocol.tcp, (1..<20).contains(fragmentOffset) {
            anomalies.insert(.fragmentTiny)
        }
    }
}
