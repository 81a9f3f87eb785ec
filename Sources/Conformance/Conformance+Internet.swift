import Wire

/// The IP header: who speaks to whom, and what the fixed fields say.
extension Conformance {
    @inline(__always)
    static func examineIP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        if packet.hopLimit == 0 { failed.insert(.ipHopLimitZero) }
        let (source, destination) = (packet.source, packet.destination)
        if source == destination || !source.isOfAHost { examineSource(packet, around, &failed) }
        if !destination.isOfAHost, !destination.isOfAGroup {
            examineDestination(packet, around, &failed)
        }
        if packet.ipVersion == 4 { examineIPv4(packet, bytes, around, &failed) }
    }

    @inline(__always)
    private static func examineIPv4(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        let start = Int(packet.networkOffset)
        // Where the header was not whole, nothing more is to be said of it.
        guard Int(packet.transportOffset) - start >= IPv4Header.minimumSize,
            let header = IPv4Header(bytes.clamped(start, bytes.byteCount))
        else { return }
        let word = header.fragmentWord
        if word & 0x8000 != 0 { failed.insert(.ipv4ReservedBit) }
        if word & 0x4000 != 0, word & 0x3FFF != 0 { failed.insert(.ipv4DontFragment) }
        // What has a length of 0 was not yet cut into the packets that the checksums will be of.
        if around.hasChecksums, !header.hasValidChecksum, !packet.anomalies.contains(.ipv4LengthZero) {
            failed.insert(.ipv4BadChecksum)
        }
    }

    @inline(never)
    private static func examineSource(
        _ packet: borrowing @_addressable Packet, _ around: @_addressable Surroundings, _ failed: inout CheckSet
    ) {
        let source = packet.source
        if source.isLoopback {
            if !around.isLoopback { failed.insert(.ipSourceLoopback) }
            return
        }
        if source.isOfAGroup || source.isBroadcast {
            failed.insert(.ipSourceGroup)
        } else if source.isUnspecified {
            if !isForFindingAnAddress(packet) { failed.insert(.ipSourceUnspecified) }
            return
        } else if source.isReserved {
            failed.insert(.ipSourceReserved)
        }
        if source == packet.destination, !around.isLoopback, !isEchoOfForwarding(packet) { failed.insert(.ipLand) }
    }

    @inline(never)
    private static func examineDestination(
        _ packet: borrowing @_addressable Packet, _ around: @_addressable Surroundings, _ failed: inout CheckSet
    ) {
        let destination = packet.destination
        if destination.isLoopback {
            // What a host says to itself is told by its source.
            if !around.isLoopback, !packet.source.isLoopback, !isOfALabelPath(packet) {
                failed.insert(.ipDestinationLoopback)
            }
        } else if destination.isUnspecified || destination.isReserved {
            failed.insert(.ipDestinationInvalid)
        }
    }

    /// What tries a label-switched path goes to 127.0.0.0/8, so that no router passes it on (RFC 8029 §2.1, RFC 5884
    /// §7).
    private static func isOfALabelPath(_ packet: borrowing @_addressable Packet) -> Bool {
        guard packet.kind == .udp else { return false }
        let port = packet.destinationPort
        return port == 3503 || port == 3784
    }

    /// Bidirectional forwarding detection sends packets to itself by way of its neighbour (RFC 5881 §4).
    private static func isEchoOfForwarding(_ packet: borrowing @_addressable Packet) -> Bool {
        packet.kind == .udp ? packet.destinationPort == 3785 : false
    }

    /// Hosts that have no address yet ask for one (DHCP, RFC 2131), look whether it is free (RFC 4862 §5.4), or
    /// say which groups they listen to (RFC 3376 §4.2.13, RFC 3590).
    private static func isForFindingAnAddress(_ packet: borrowing @_addressable Packet) -> Bool {
        switch packet.ipProtocol {
        case IPProtocol.udp: packet.isFragment ? true : packet.destinationPort == 67
        case IPProtocol.igmp: packet.ipVersion == 4
        case IPProtocol.icmp6: [131, 132, 133, 135, 143].contains(packet.icmpType)
        default: false
        }
    }
}

extension Address {
    /// What nearly every packet has: IPv4 of class A to C but for 0/8 and 127/8; IPv6 of 2000::/3, fc00::/7 and
    /// fe80::/10.
    @inline(__always)
    var isOfAHost: Bool {
        if isV4 {
            let first = UInt8(truncatingIfNeeded: low >> 24)
            return first &- 1 < 223 && first != 127
        }
        return high >> 61 == 1 || high >> 57 == 0x7E || high >> 54 == 0x3FA
    }

    /// 224.0.0.0/4 (RFC 5771), ff00::/8 (RFC 4291 §2.7).
    @inline(__always)
    var isOfAGroup: Bool {
        isV4 ? UInt8(truncatingIfNeeded: low >> 28) & 15 == 14 : high >> 56 == 0xFF
    }

    var isBroadcast: Bool { isV4 && UInt32(truncatingIfNeeded: low) == .max }

    /// 127.0.0.0/8, ::1.
    var isLoopback: Bool { isV4 ? UInt8(truncatingIfNeeded: low >> 24) == 127 : high == 0 && low == 1 }

    /// 0.0.0.0, ::.
    var isUnspecified: Bool { isV4 ? UInt32(truncatingIfNeeded: low) == 0 : self == .none }

    /// 0.0.0.0/8 and 240.0.0.0/4, but for what has a meaning. Of IPv6 nothing: what is not given out today may be
    /// tomorrow.
    var isReserved: Bool {
        guard isV4, !isUnspecified, !isBroadcast else { return false }
        let first = UInt8(truncatingIfNeeded: low >> 24)
        return first == 0 || first >= 240
    }

    /// An address that a host gives itself: 169.254.0.0/16 (RFC 3927), fe80::/10.
    var isLinkLocal: Bool {
        isV4 ? UInt16(truncatingIfNeeded: low >> 16) == 0xA9FE : high >> 54 == 0x3FA
    }
}
