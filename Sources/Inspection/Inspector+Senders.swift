import Conformance
import Evidence
import Topology
import Wire

/// Which guest a packet comes from, and what it says of that guest's addresses.
extension Inspector {
    @inline(never)
    mutating func identifySender(_ frame: RawSpan, _ arrival: @_addressable Arrival, _ around: inout Surroundings) {
        let byMAC = senders.guest(ofMAC: around.sourceMAC)
        let byPort = senders.guest(atPort: arrival.port)
        around.sender = byPort >= 0 ? byPort : byMAC
        guard byPort >= 0 else {
            // Leases are believed of those alone who are no guests.
            if byMAC < 0, packets[0].packet.isFromDHCPServer { noteLease(frame, arrival) }
            return
        }
        around.port = arrival.port
        around.isMACForeign = byMAC != byPort && senders.knowsMACs(of: byPort) && around.sourceMAC != 0
        let learning = senders.learning(of: byPort)
        // Nearly all packets come from an address that is known, and claim none.
        guard !learning.isEmpty, !around.isMACForeign,
            around.sourceGuest != byPort || packets[0].packet.kind == .arp || packets[0].packet.kind == .icmp6
        else { return }
        noteSource(frame, arrival, learning, &around)
    }

    /// A packet from the port of a guest whose addresses are not all known.
    @inline(never)
    private mutating func noteSource(
        _ frame: RawSpan, _ arrival: @_addressable Arrival, _ learning: AddressLearning, _ around: inout Surroundings
    ) {
        guard let (address, isClaim) = claim(frame, around.sourceMAC) else { return }
        guard learning.contains(address.isV4 ? .v4 : .v6) else { return }
        let owner = hosts.guest(ofAddress: address)
        around.isSourceUnsettled =
            owner < 0
            && (isClaim || learning.contains(.anyPacket) || !senders.hasAddress(around.sender, isV4: address.isV4))
        // What is another's is told by a check. A claim is told again, so that it is known to be of today.
        guard isClaim ? owner < 0 || owner == around.sender : owner < 0 && learning.contains(.anyPacket) else { return }
        let kind: Sighting.Kind = isClaim ? .claimed : .used
        unsafe sightings.pointee.append(
            Sighting(kind, address, port: arrival.port, mac: around.sourceMAC, time: arrival.time))
    }

    /// The address that a packet says is its sender's, and whether it says so by ARP (RFC 826) or neighbour discovery
    /// (RFC 4861 §4.3, §4.4), which are answers to who has it.
    private func claim(_ frame: RawSpan, _ mac: UInt64) -> (address: Address, isClaim: Bool)? {
        let packet = packets[0].packet
        guard !packet.isUndecodable else { return nil }
        if packet.kind == .arp {
            let offset = Int(packet.networkOffset)
            guard let message = ARPMessage(frame.extracting(offset..<frame.byteCount)),
                message.senderMAC == mac, message.sender.isLearnable
            else { return nil }
            return (message.sender, true)
        }
        guard packet.isIP else { return nil }
        let isDiscovery =
            packet.kind == .icmp6 && (packet.icmpType == 135 || packet.icmpType == 136) && packet.hopLimit == 255
        guard isDiscovery, !packet.isFragment else {
            return packet.source.isLearnable ? (packet.source, false) : nil
        }
        if packet.icmpType == 135, packet.source.isLearnable { return (packet.source, true) }
        // Who asks from no address whether it may have one (RFC 4862 §5.4), and who says that he has it.
        guard packet.icmpType == 136 || packet.source == .none else { return nil }
        let target = Int(packet.transportOffset) + 8
        guard target + 16 <= frame.byteCount else { return nil }
        let address = Address(high: frame.be64(target), low: frame.be64(target + 8))
        return address.isLearnable && !address.isV4 ? (address, true) : nil
    }

    /// DHCPACK to a client (RFC 2131 §2, §3; its type is option 53, RFC 2132 §9.6).
    @inline(never)
    private mutating func noteLease(_ frame: RawSpan, _ arrival: @_addressable Arrival) {
        let packet = packets[0].packet
        let start = Int(packet.payloadOffset)
        let end = min(frame.byteCount, start + Int(packet.payloadLength))
        // BOOTREPLY, Ethernet, with the magic cookie before the options.
        guard !packet.isUndecodable, !packet.isFragment, end - start > 240, frame.be8(start) == 2,
            frame.be8(start + 1) == 1, frame.be32(start + 236) == 0x6382_5363
        else { return }
        let address = Address(v4: frame.be32(start + 16))
        let mac = frame.be48(start + 28)
        guard address.isLearnable, senders.learning(of: senders.guest(ofMAC: mac)).contains(.v4) else { return }
        var offset = start + 240
        while offset + 3 <= end, frame.be8(offset) != 255 {
            guard frame.be8(offset) != 0 else {
                offset += 1
                continue
            }
            if frame.be8(offset) == 53 {
                if frame.be8(offset + 2) == 5 {
                    unsafe sightings.pointee.append(Sighting(.leased, address, port: 0, mac: mac, time: arrival.time))
                }
                return
            }
            offset += 2 + Int(frame.be8(offset + 1))
        }
    }
}

extension Packet {
    /// From a DHCP server to a client.
    fileprivate var isFromDHCPServer: Bool { kind == .udp && sourcePort == 67 && destinationPort == 68 }
}
