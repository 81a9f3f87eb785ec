/// Writes what tells one side that its packet is not delivered: a TCP reset, or an ICMP message that the
/// destination is administratively prohibited.
///
/// Writes IP packets, without a link header.
public enum RejectPacket {
    /// The side that is told.
    @frozen
    public enum Side: Sendable { case source, destination }

    /// No packet is longer: what fits into the smallest IPv6 link (RFC 8200 §5, RFC 4443 §2.4 (c)).
    public static var largest: Int { 1_280 }

    /// Bytes of an IPv4 packet about another one (RFC 1812 §4.3.2.3).
    private static var largestIPv4: Int { 576 }

    private static var hopLimit: UInt8 { 64 }

    /// Writes the packet to the start of `buffer`, which has room for `largest` bytes. Returns its length in
    /// bytes; 0 where none may be sent: an answer to a reset, to an ICMP error, to a later fragment, to or from
    /// a group (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)), or to a side that sent nothing which it could be about.
    /// `isDelivered`: the packet has arrived, and a reset is to be what its receiver expects next.
    public static func write(
        about packet: borrowing Packet, _ bytes: RawSpan, to side: Side, isDelivered: Bool = false,
        into buffer: inout MutableRawSpan
    ) -> Int {
        guard packet.isIP, packet.fragmentOffset == 0, packet.source.isUnicast, packet.destination.isUnicast,
            buffer.byteCount >= largest
        else { return 0 }
        switch packet.kind {
        case .tcp: return reset(packet, bytes, side, isDelivered, &buffer)
        case .udp, .icmp, .icmp6, .otherIP:
            guard side == .source, !packet.isICMPError else { return 0 }
            return unreachable(packet, bytes, &buffer)
        case .other, .arp, .laterFragment, .malformed: return 0
        }
    }

    // MARK: - TCP

    private static func reset(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ side: Side, _ isDelivered: Bool,
        _ buffer: inout MutableRawSpan
    ) -> Int {
        guard let header = TCPHeader(bytes.clamped(Int(packet.transportOffset), bytes.byteCount)),
            !header.flags.contains(.rst)
        else { return 0 }
        let isAcknowledging = header.flags.contains(.ack)
        // Who is asked for a connection and never hears of it has nothing to reset.
        if side == .destination, header.flags.contains(.syn), !isAcknowledging, !isDelivered { return 0 }
        var next = header.sequence &+ UInt32(truncatingIfNeeded: max(0, packet.payloadLength))
        if header.flags.contains(.syn) { next &+= 1 }
        if header.flags.contains(.fin) { next &+= 1 }
        let start = packet.ipVersion == 4 ? IPv4Header.minimumSize : IPv6Header.size
        let length = start + TCPHeader.minimumSize
        for offset in stride(from: 0, to: length, by: 4) { buffer.put(0 as UInt32, at: offset) }
        switch side {
        case .source:
            // RFC 9293 §3.10.7.1: as the closed end of a connection answers.
            buffer.put(packet.destinationPort, at: start)
            buffer.put(packet.sourcePort, at: start + 2)
            if isAcknowledging {
                buffer.put(header.acknowledgement, at: start + 4)
            } else {
                buffer.put(next, at: start + 8)
            }
        case .destination:
            // In the sender's name, in place of the segment that does not come; or behind it (RFC 5961 §3.2: only what
            // is exactly expected resets at once).
            buffer.put(packet.sourcePort, at: start)
            buffer.put(packet.destinationPort, at: start + 2)
            buffer.put(isDelivered ? next : header.sequence, at: start + 4)
            if isAcknowledging { buffer.put(header.acknowledgement, at: start + 8) }
        }
        let acknowledges = side == .source ? !isAcknowledging : isAcknowledging
        let flags: TCPFlags = acknowledges ? [.rst, .ack] : .rst
        buffer.put(UInt16(TCPHeader.minimumSize / 4) << 12 | UInt16(flags.rawValue), at: start + 12)
        let (from, to) = side == .source ? (packet.destination, packet.source) : (packet.source, packet.destination)
        buffer.putIP(from, to, IPProtocol.tcp, length: length, hopLimit: hopLimit)
        var checksum = InternetChecksum(
            source: from, destination: to, protocol: IPProtocol.tcp, length: length - start)
        checksum.add(buffer.bytes.clamped(start, length))
        buffer.put(checksum.value, at: start + 16)
        return length
    }

    // MARK: - ICMP

    private static func unreachable(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ buffer: inout MutableRawSpan
    ) -> Int {
        let isV4 = packet.ipVersion == 4
        let start = isV4 ? IPv4Header.minimumSize : IPv6Header.size
        let end = Int(packet.payloadOffset + packet.payloadLength)
        let quoted = bytes.clamped(Int(packet.networkOffset), end)
        let count = min(quoted.byteCount, (isV4 ? largestIPv4 : largest) - start - 8)
        let length = start + 8 + count
        for offset in stride(from: 0, to: start + 8, by: 4) { buffer.put(0 as UInt32, at: offset) }
        for offset in 0..<count { buffer.put(quoted.be8(offset), at: start + 8 + offset) }
        // Type 3 code 13 (RFC 1812 §5.2.7.1); type 1 code 1 (RFC 4443 §3.1).
        buffer.put(isV4 ? 0x030D as UInt16 : 0x0101, at: start)
        let number = isV4 ? IPProtocol.icmp : IPProtocol.icmp6
        buffer.putIP(packet.destination, packet.source, number, length: length, hopLimit: hopLimit)
        var checksum = InternetChecksum()
        if !isV4 {
            checksum = InternetChecksum(
                source: packet.destination, destination: packet.source, protocol: number, length: length - start)
        }
        checksum.add(buffer.bytes.clamped(start, length))
        buffer.put(checksum.value, at: start + 2)
        return length
    }
}

extension Packet {
    /// ICMP that is no query or answer to one: nobody answers it (RFC 1122 §3.2.2).
    fileprivate var isICMPError: Bool {
        switch kind {
        case .icmp: icmpType != 8 && icmpType != 0 && !(13...18).contains(icmpType)
        case .icmp6: icmpType < 128
        default: false
        }
    }
}

extension Address {
    /// Not a group, a broadcast or nobody.
    fileprivate var isUnicast: Bool {
        if isV4 {
            let first = UInt8(truncatingIfNeeded: low >> 24)
            return first != 0 && first < 224
        }
        return self != .none && high >> 56 != 0xFF
    }
}

extension MutableRawSpan {
    @inline(__always)
    fileprivate mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
        storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
    }

    fileprivate mutating func put(_ address: Address, at offset: Int) {
        if address.isV4 {
            put(UInt32(truncatingIfNeeded: address.low), at: offset)
        } else {
            put(address.high, at: offset)
            put(address.low, at: offset + 8)
        }
    }

    /// The IP header at 0, for a packet of `length` bytes in all.
    fileprivate mutating func putIP(
        _ source: Address, _ destination: Address, _ number: UInt8, length: Int, hopLimit: UInt8
    ) {
        if source.isV4 {
            put(0x4500 as UInt16, at: 0)
            put(UInt16(truncatingIfNeeded: length), at: 2)
            // Do not fragment, which makes an identification of 0 right (RFC 6864 §4.1).
            put(0x4000 as UInt16, at: 6)
            put(UInt16(hopLimit) << 8 | UInt16(number), at: 8)
            put(source, at: 12)
            put(destination, at: 16)
            var checksum = InternetChecksum()
            checksum.add(bytes.clamped(0, IPv4Header.minimumSize))
            put(checksum.value, at: 10)
        } else {
            put(0x6000 as UInt16, at: 0)
            put(UInt16(truncatingIfNeeded: length - IPv6Header.size), at: 4)
            put(UInt16(number) << 8 | UInt16(hopLimit), at: 6)
            put(source, at: 8)
            put(destination, at: 24)
        }
    }
}
