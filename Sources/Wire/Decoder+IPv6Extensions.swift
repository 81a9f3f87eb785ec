extension Decoder {
    /// RFC 8200 §4.1 lists seven extension headers of which one may come twice, the registry has added
    /// three since.
    static var extensionLimit: Int { 10 }

    /// Walks the extension headers in `start..<end`, which lie within `bytes` and of which `packet.ipProtocol`
    /// names the first, and reads what follows them. `statedEnd` is where the packet ends as stated.
    static func readExtensions(
        _ bytes: RawSpan, _ start: Int, _ end: Int, _ statedEnd: Int, _ cut: Bool, _ packet: inout Packet
    ) {
        var offset = start
        var kind = packet.ipProtocol
        var seen = SeenExtensions()
        var rank: UInt8 = 0
        // What is odd about the beginning of a datagram is found in the whole of it.
        var known: (DecodeEvents, isInvalid: Bool)?
        defer { if let known { (packet.events, packet.isInvalid) = known } }
        for _ in 0..<extensionLimit {
            packet.ipProtocol = kind
            packet.transportOffset = Int32(truncatingIfNeeded: offset)
            packet.setPayload(offset, end: end)
            guard let header = IPv6Extension(bytes.between(offset, end)) else {
                return packet.stopUpper(.ipv6ExtensionTruncated, .ipv6TruncExthdr, cut: cut)
            }
            let length = header.length(as: kind)
            guard length <= end - offset else {
                return packet.stopUpper(.ipv6ExtensionTruncated, .ipv6TruncExthdr, cut: cut)
            }
            if seen.hasNoRoom(for: kind) {
                packet.anomalies.insert(.ipv6DuplicateExtension)
                packet.noteDuplicate(of: kind)
                // Which of two fragment headers a host would go by cannot be known.
                if kind == IPProtocol.fragment {
                    if !packet.isFragment { packet.setFragment(header) }
                    return packet.refuse(.ipv6DuplicateExtension)
                }
            }
            if let place = placeInOrder(kind) {
                if place < rank { packet.anomalies.insert(.ipv6ExtensionOrder) }
                rank = place
            }
            switch kind {
            case IPProtocol.hopByHop:
                if offset != start { packet.anomalies.insert(.ipv6HopByHopNotFirst) }
                if readOptions(header.options, of: kind, &packet) != nil,
                    !packet.anomalies.contains(.ipv6Jumbogram)
                {
                    packet.anomalies.insert(.ipv6BadJumbo)
                }
            case IPProtocol.destinationOptions:
                _ = readOptions(header.options, of: kind, &packet)
            case IPProtocol.routing where header.routingType == 0:
                packet.note(.ipv6RhType0)
                packet.anomalies.insert(.ipv6RoutingType0)
            case IPProtocol.authentication where header.reserved != 0:
                packet.note(.ipv6ExthdrAhResNotNull)
            case IPProtocol.fragment:
                packet.setFragment(header)
                packet.ipProtocol = header.nextHeader
                if bytes.be8(offset + 1) != 0 { packet.note(.ipv6FhNonZeroReservedField) }
                if packet.isFragment {
                    packet.checkFragment(length: statedEnd - offset - length, ahead: offset - start)
                    if packet.anomalies.contains(.ipv6Jumbogram) { packet.anomalies.insert(.ipv6BadJumbo) }
                    if packet.moreFragments, (statedEnd - offset) & 7 != 0 {
                        packet.note(.ipv6FragInvalidLength)
                    }
                    known = (packet.events, packet.isInvalid)
                } else {
                    packet.note(.ipv6ExthdrUselessFh)
                }
            default: break
            }
            kind = header.nextHeader
            offset += length
            if packet.fragmentOffset != 0 || !IPProtocol.isExtension(kind) {
                packet.ipProtocol = kind
                let events = packet.events
                readUpper(bytes, offset, end, cut, &packet)
                // That the upper header is missing is the fault of the chain, and no other.
                if end - offset < 2, !packet.isFragment, kind != IPProtocol.noNextHeader, !cut {
                    packet.events = events
                    packet.fault(.ipv6TruncExthdr)
                }
                return
            }
        }
        packet.refuse(.ipv6TooManyExtensions)
    }

    /// Where a header stands in the order of RFC 8200 §4.1. nil for those that have a check of their own (hop-by-hop
    /// options) or two places (destination options).
    private static func placeInOrder(_ kind: UInt8) -> UInt8? {
        switch kind {
        case IPProtocol.hopByHop, IPProtocol.destinationOptions: nil
        case IPProtocol.routing: 1
        case IPProtocol.fragment: 2
        case IPProtocol.authentication: 3
        default: 4
        }
    }

    /// Checks options of a header of kind `kind`, and returns what a jumbo payload option among them states.
    static func readOptions(
        _ options: consuming IPv6Options, of kind: UInt8, _ packet: inout Packet
    ) -> Int? {
        let isHopByHop = kind == IPProtocol.hopByHop
        var jumbo: Int?
        var others = 0
        while let option = options.next() {
            switch option.kind {
            case 0xC2:
                if option.length == 4 {
                    jumbo = Int(options.bytes.be32(option.offset))
                } else {
                    packet.anomalies.insert(.ipv6BadJumbo)
                    if option.length < 4 { packet.fault(.ipv6ExthdrInvalidOptlen) }
                }
            // Router alert (RFC 2711) and home address (RFC 6275 §6.3).
            case 0x05:
                others += 1
                if option.length < 2 { packet.fault(.ipv6ExthdrInvalidOptlen) }
            case 0xC9:
                others += 1
                if option.length < 16 { packet.fault(.ipv6ExthdrInvalidOptlen) }
            default:
                others += 1
                packet.note(isHopByHop ? .ipv6HopoptsUnknownOpt : .ipv6DstoptsUnknownOpt)
            }
        }
        if options.hasEmptyPadding { packet.note(.ipv6ZeroLenPadn) }
        if options.hasPadding, others == 0 {
            packet.note(isHopByHop ? .ipv6HopoptsOnlyPadding : .ipv6DstoptsOnlyPadding)
        }
        if options.isMalformed {
            packet.anomalies.insert(.ipv6BadOptionLength)
            packet.fault(.ipv6ExthdrInvalidOptlen)
        }
        if options.isTooLong { packet.anomalies.insert(.ipv6TooManyOptions) }
        return jumbo
    }
}

extension Packet {
    fileprivate mutating func setFragment(_ header: borrowing IPv6Extension) {
        fragmentOffset = header.fragmentOffset
        moreFragments = header.moreFragments
    }

    fileprivate mutating func noteDuplicate(of kind: UInt8) {
        switch kind {
        // Behind the header of a real fragment stands what will be read of the whole datagram.
        case IPProtocol.fragment: if !isFragment { note(.ipv6ExthdrDuplFh) }
        case IPProtocol.routing: note(.ipv6ExthdrDuplRh)
        case IPProtocol.hopByHop: note(.ipv6ExthdrDuplHh)
        case IPProtocol.destinationOptions: note(.ipv6ExthdrDuplDh)
        case IPProtocol.authentication: note(.ipv6ExthdrDuplAh)
        default: break
        }
    }
}

/// Which extension headers a packet has had.
private struct SeenExtensions {
    private var once: UInt8 = 0
    private var destinationTwice = false

    /// Destination options may come twice, before a routing header and at the end.
    mutating func hasNoRoom(for kind: UInt8) -> Bool {
        let bit: UInt8 =
            switch kind {
            case IPProtocol.hopByHop: 0x01
            case IPProtocol.routing: 0x02
            case IPProtocol.fragment: 0x04
            case IPProtocol.authentication: 0x08
            case IPProtocol.destinationOptions: 0x10
            case IPProtocol.mobility: 0x20
            case IPProtocol.hostIdentity: 0x40
            default: 0x80
            }
        guard once & bit != 0 else {
            once |= bit
            return false
        }
        guard bit == 0x10, !destinationTwice else { return true }
        destinationTwice = true
        return false
    }
}
