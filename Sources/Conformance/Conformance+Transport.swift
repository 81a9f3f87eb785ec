import Wire

extension Conformance {
    @inline(__always)
    static func examineTCP(_ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ failed: inout CheckSet) {
        let header = bytes.clamped(Int(packet.transportOffset), bytes.byteCount)
        let flags = packet.tcpFlags
        let (from, to) = (packet.sourcePort, packet.destinationPort)
        let (size, destination) = (packet.payloadLength, packet.destination)
        let isOdd =
            !flags.isOrdinary
            // Data offset and reserved bits; the lowest is Accurate ECN's (RFC 9768).
            || header.be8(12) & 0x0E != 0
            || header.be16(18) != 0
            || flags.contains(.syn) && size > 0
            || from == 0 || to == 0
            || !destination.isOfAHost
        if isOdd { examineOddTCP(packet, header, &failed) }
    }

    /// `header` begins with a whole TCP header, options included.
    @inline(never)
    private static func examineOddTCP(
        _ packet: borrowing @_addressable Packet, _ header: RawSpan, _ failed: inout CheckSet
    ) {
        let flags = packet.tcpFlags
        if flags.isDisjoint(with: [.syn, .rst, .ack]) {
            if flags.intersection([.fin, .psh, .urg]).isEmpty {
                failed.insert(.tcpNoFlags)
            } else if flags.isSuperset(of: [.fin, .psh, .urg]) {
                failed.insert(.tcpXmas)
            } else {
                failed.insert(.tcpNoACK)
            }
        }
        if flags.isSuperset(of: [.syn, .fin]) { failed.insert(.tcpSYNFIN) }
        if flags.isSuperset(of: [.syn, .rst]) { failed.insert(.tcpSYNRST) }
        if header.be8(12) & 0x0E != 0 { failed.insert(.tcpReservedBits) }
        if flags.contains(.syn), packet.payloadLength > 0, !offersFastOpen(header) { failed.insert(.tcpDataInSYN) }
        let pointer = header.be16(18)
        if !flags.contains(.urg) {
            if pointer != 0 { failed.insert(.tcpUrgentWithoutFlag) }
        } else if pointer == 0 {
            failed.insert(.tcpUrgentZero)
        } else if Int32(pointer) > packet.payloadLength, !packet.moreFragments, packet.isWhole {
            failed.insert(.tcpUrgentBeyond)
        }
        let (from, to) = (packet.sourcePort, packet.destinationPort)
        if from == 0 || to == 0 { failed.insert(.tcpPortZero) }
        let destination = packet.destination
        if destination.isOfAGroup || destination.isBroadcast { failed.insert(.tcpToGroup) }
    }

    /// RFC 7413, and the option's number before it had one (RFC 6994).
    private static func offersFastOpen(_ bytes: RawSpan) -> Bool {
        guard let header = TCPHeader(bytes) else { return false }
        var options = header.options
        while let option = options.next() {
            if option.kind == 34 { return true }
            if option.kind >= 253, option.length >= 2, options.bytes.be16(option.offset) == 0xF989 { return true }
        }
        return false
    }

    @inline(__always)
    static func examineUDP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        let (from, to) = (packet.sourcePort, packet.destinationPort)
        if to == 0 { failed.insert(.udpPortZero) }
        if packet.ipVersion == 6, packet.tunnel == .none,
            bytes.clamped(Int(packet.transportOffset), bytes.byteCount).be16(6) == 0
        {
            examineMissingChecksum(packet, &failed)
        }
        let end = Int(packet.payloadOffset) + Int(packet.payloadLength)
        if end < packet.statedEnd { examineTrailingData(packet, end, &failed) }
        if from == 67 || from == 547 { examineDHCP(packet, bytes, around, &failed) }
    }

    /// The checks that a datagram fails which is known to be DNS, or expected to be.
    public static func examine(dnsIn packet: Packet, _ bytes: RawSpan) -> CheckSet {
        var failed = CheckSet()
        // Multicast DNS has other rules: its answers do not repeat the question (RFC 6762 §6).
        guard packet.sourcePort != 5353, packet.destinationPort != 5353, !packet.moreFragments, packet.isWhole else {
            return failed
        }
        let start = Int(packet.payloadOffset)
        DNSMessage.examine(bytes.clamped(start, start + Int(packet.payloadLength)), overTCP: false, &failed)
        return failed
    }

    /// Tunnels may do without (RFC 6935, RFC 7510, RFC 8086), and what offload has yet to cut up has none.
    @inline(never)
    private static func examineMissingChecksum(_ packet: borrowing @_addressable Packet, _ failed: inout CheckSet) {
        let tunnels: [UInt16] = [2152, 3544, 4341, 4342, 4754, 4789, 4790, 6081, 6635]
        guard packet.anomalies.isDisjoint(with: [.ipv6Jumbogram, .ipv6LengthZero]),
            !tunnels.contains(packet.destinationPort)
        else { return }
        failed.insert(.udpNoChecksum)
    }

    @inline(never)
    private static func examineTrailingData(
        _ packet: borrowing @_addressable Packet, _ end: Int, _ failed: inout CheckSet
    ) {
        guard !packet.moreFragments, packet.isWhole, !packet.anomalies.contains(.udpLengthTooSmall) else { return }
        failed.insert(.udpTrailingData)
    }

    /// Who gives out addresses: BOOTP's reply (RFC 2131 §2), DHCPv6's advertise, reply and reconfigure (RFC 8415
    /// §7.3).
    @inline(never)
    private static func examineDHCP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ failed: inout CheckSet
    ) {
        guard packet.payloadLength > 0, around.sender >= 0 || around.sourceGuest >= 0 else { return }
        let kind = bytes.be8(Int(packet.payloadOffset))
        let to = packet.destinationPort
        if packet.sourcePort == 67 ? kind == 2 : to == 546 && [2, 7, 10].contains(kind) { failed.insert(.rogueDHCP) }
    }
}

extension TCPFlags {
    /// What nearly every segment has: ACK with or without PSH or FIN, SYN, SYN with ACK, RST with or without ACK;
    /// ECE and CWR with any of them.
    @inline(__always)
    var isOrdinary: Bool {
        // One bit for each combination of the six lower flags, in the order of their values.
        let ordinary: UInt64 =
            1 << 0x10 | 1 << 0x18 | 1 << 0x11 | 1 << 0x19 | 1 << 0x02 | 1 << 0x12 | 1 << 0x04 | 1 << 0x14
            | 1 << 0x1C
        return ordinary >> UInt64(rawValue & 0x3F) & 1 != 0
    }
}
