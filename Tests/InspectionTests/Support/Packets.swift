import Wire

func big16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
}
func big32(_ number: Int) -> [UInt8] { big16(number >> 16) + big16(number) }

/// RFC 1071, of bytes whose checksum is 0.
func checksum(_ bytes: [UInt8]) -> Int {
    var sum = 0
    for (index, byte) in bytes.enumerated() { sum += index & 1 == 0 ? Int(byte) << 8 : Int(byte) }
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return ~sum & 0xFFFF
}

/// Who speaks in the tests. Two are guests, each with an address of either family.
enum Party: Int, Sendable, CaseIterable {
    case web = 2
    case dns = 3
    case client = 100
    case stranger = 101
}

/// The same packets in IPv4 and IPv6: what holds of one must hold of the other.
enum Family: Int, Sendable, CaseIterable {
    case v4 = 4
    case v6 = 6

    func bytes(of party: Party) -> [UInt8] {
        switch self {
        case .v4: [10, 0, 0, UInt8(party.rawValue)]
        case .v6: [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [UInt8(party.rawValue)]
        }
    }

    func address(of party: Party) -> Address {
        switch self {
        case .v4: Address("10.0.0.\(party.rawValue)")!
        case .v6: Address("2001:db8::\(String(party.rawValue, radix: 16))")!
        }
    }

    /// Bytes of the IP header.
    var headerSize: Int { self == .v4 ? 20 : 40 }

    /// `length` is the packet's length as stated, with the header; the truth if not given.
    func ip(
        _ from: Party, _ to: Party, _ number: UInt8, _ payload: some Collection<UInt8>, length: Int? = nil,
        fragment: Int = 0
    ) -> [UInt8] {
        let addresses = bytes(of: from) + bytes(of: to)
        switch self {
        case .v4:
            var header = [0x45, 0] + big16(length ?? 20 + payload.count) + big16(1) + big16(fragment)
            header += [64, number, 0, 0] + addresses
            header.replaceSubrange(10..<12, with: big16(checksum(header)))
            return header + payload
        case .v6:
            var payload = Array(payload)
            // IPv6 has no UDP without a checksum.
            if number == 17, payload.count >= 8 {
                payload.replaceSubrange(
                    6..<8, with: big16(checksum(addresses + [0, 17] + big16(payload.count) + payload)))
            }
            return [0x60, 0, 0, 0] + big16((length ?? 40 + payload.count) - 40) + [number, 64] + addresses + payload
        }
    }

    func tcp(_ from: Party, _ to: Party, port: Int = 80, flags: TCPFlags = [.psh, .ack], _ text: String = "")
        -> [UInt8]
    {
        ip(
            from, to, 6,
            // A SYN takes the number before the first byte's.
            big16(40_000) + big16(port) + big32(flags.contains(.syn) ? 0 : 1) + big32(2) + [0x50, flags.rawValue]
                + big16(512) + big32(0)
                + Array(text.utf8))
    }

    /// The answer to a SYN of `to`.
    func answer(_ from: Party, _ to: Party, port: Int = 80) -> [UInt8] {
        ip(
            from, to, 6,
            big16(port) + big16(40_000) + big32(1) + big32(1) + [0x50, TCPFlags([.syn, .ack]).rawValue] + big16(512)
                + big32(0))
    }

    /// TCP whose data offset is below 20 bytes: where the payload starts cannot be known.
    func badTCP(_ from: Party, _ to: Party, _ text: String = "") -> [UInt8] {
        var packet = tcp(from, to, text)
        packet[headerSize + 12] = 0x40
        return packet
    }

    func udp(_ from: Party, _ to: Party, port: Int = 9000, length: Int? = nil, _ text: String = "") -> [UInt8] {
        ip(
            from, to, 17,
            big16(40_000) + big16(port) + big16(length ?? 8 + text.utf8.count) + big16(0) + Array(text.utf8))
    }

    func ping(_ from: Party, _ to: Party, _ text: String = "") -> [UInt8] {
        ip(
            from, to, self == .v4 ? 1 : 58,
            [self == .v4 ? 8 : 128, 0, 0, 0] + big16(7) + big16(1) + Array(text.utf8))
    }

    /// A fragment of a UDP datagram at byte `offset`, of 16 bytes.
    func fragment(_ from: Party, _ to: Party, offset: Int, more: Bool, _ text: String = "") -> [UInt8] {
        let head = offset == 0 ? big16(40_000) + big16(9000) + big16(32) + big16(0x1234) : []
        let data = head + Array(text.utf8) + Array(repeating: 0, count: 16 - head.count - text.utf8.count)
        switch self {
        case .v4: return ip(from, to, 17, data, fragment: offset / 8 | (more ? 0x2000 : 0))
        case .v6:
            return ip(from, to, 44, [17, 0] + big16(offset | (more ? 1 : 0)) + big32(1) + data)
        }
    }

    func ethernet(tag: Int? = nil, _ packet: [UInt8]) -> [UInt8] {
        frame(self == .v4 ? 0x0800 : 0x86DD, tag: tag, packet)
    }
}

/// An Ethernet frame.
func frame(_ type: Int, tag: Int? = nil, _ payload: some Sequence<UInt8>) -> [UInt8] {
    [2, 0, 0, 0, 0, 0x0B, 2, 0, 0, 0, 0, 0x0A] + (tag.map { big16(0x8100) + big16($0) } ?? []) + big16(type)
        + payload
}

/// A request from `from` for the hardware address of `to`.
func arp(_ from: Party, _ to: Party, protocolLength: UInt8 = 4) -> [UInt8] {
    big16(1) + big16(0x0800) + [6, protocolLength] + big16(1) + [2, 0, 0, 0, 0, 0x0A]
        + Family.v4.bytes(of: from)
        + [0, 0, 0, 0, 0, 0] + Family.v4.bytes(of: to)
}
