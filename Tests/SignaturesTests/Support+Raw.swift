import Wire

/// Packets field by field, for keywords about headers. Checksums are right unless `badChecksums`.
struct RawPacket: Sendable {
    var link: LinkLayer = .ip
    var bytes: [UInt8]

    static func be16(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
    static func be32(_ number: Int) -> [UInt8] { be16(number >> 16 & 0xFFFF) + be16(number & 0xFFFF) }

    private static func sum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~sum & 0xFFFF
    }

    /// From 198.51.100.7 to 192.0.2.10. `bits` are reserved, don't fragment, more fragments; `offset` counts in 8
    /// bytes.
    static func ipv4(
        tos: Int = 0, id: Int = 1, bits: Int = 0, offset: Int = 0, ttl: Int = 64, proto: Int, options: [UInt8] = [],
        _ body: [UInt8], badChecksum: Bool = false
    ) -> RawPacket {
        let words = 5 + options.count / 4
        var header =
            [UInt8(0x40 | words), UInt8(tos)] + be16(words * 4 + body.count) + be16(id) + be16(bits << 13 | offset)
            + [UInt8(ttl), UInt8(proto), 0, 0] + [198, 51, 100, 7, 192, 0, 2, 10] + options
        header.replaceSubrange(10..<12, with: be16(badChecksum ? 0x1234 : sum(header)))
        return RawPacket(bytes: header + body)
    }

    static func ipv6(trafficClass: Int = 0, next: Int, _ body: [UInt8]) -> RawPacket {
        let source: [UInt8] = [0x20, 1, 13, 0xB8, 0, 9] + Array(repeating: 0, count: 9) + [1]
        let destination: [UInt8] = [0x20, 1, 13, 0xB8, 0, 1] + Array(repeating: 0, count: 9) + [1]
        return RawPacket(
            bytes: be32(6 << 28 | trafficClass << 20) + be16(body.count) + [UInt8(next), 64] + source + destination
                + body)
    }

    private static let pseudo: [UInt8] = [198, 51, 100, 7, 192, 0, 2, 10]

    static func tcp(
        seq: Int = 1, ack: Int = 0, flags: UInt8 = 0x18, window: Int = 512, options: [UInt8] = [],
        _ payload: [UInt8] = [], badChecksum: Bool = false
    ) -> RawPacket {
        let words = 5 + options.count / 4
        var segment =
            be16(40_000) + be16(80) + be32(seq) + be32(ack) + [UInt8(words << 4), flags] + be16(window)
            + [0, 0, 0, 0] + options + payload
        let whole = pseudo + [0, 6] + be16(segment.count) + segment
        segment.replaceSubrange(16..<18, with: be16(badChecksum ? 0x1234 : sum(whole)))
        return ipv4(proto: 6, segment)
    }

    static func udp(_ payload: [UInt8] = [], checksum: Int? = nil) -> RawPacket {
        var datagram = be16(40_000) + be16(53) + be16(8 + payload.count) + [0, 0] + payload
        let whole = pseudo + [0, 17] + be16(datagram.count) + datagram
        datagram.replaceSubrange(6..<8, with: be16(checksum ?? sum(whole)))
        return ipv4(proto: 17, datagram)
    }

    static func icmp(_ type: Int, _ code: Int = 0, id: Int = 0, seq: Int = 0, badChecksum: Bool = false) -> RawPacket {
        var message = [UInt8(type), UInt8(code), 0, 0] + be16(id) + be16(seq)
        message.replaceSubrange(2..<4, with: be16(badChecksum ? 0x1234 : sum(message)))
        return ipv4(proto: 1, message)
    }

    static func igmp(_ type: Int, badChecksum: Bool = false) -> RawPacket {
        var message = [UInt8(type), 0, 0, 0, 224, 0, 0, 9]
        message.replaceSubrange(2..<4, with: be16(badChecksum ? 0x1234 : sum(message)))
        return ipv4(ttl: 1, proto: 2, options: [0x94, 4, 0, 0], message)
    }

    /// In a frame, with tags.
    func framed(tags: [Int] = [], source: UInt8 = 0xAA) -> RawPacket {
        var frame: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, source]
        for tag in tags { frame += [0x81, 0] + RawPacket.be16(tag) }
        return RawPacket(link: .ethernet, bytes: frame + [8, 0] + bytes)
    }
}

extension String {
    var raw: [UInt8] { Array(utf8) }
}
