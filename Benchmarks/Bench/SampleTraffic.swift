import Wire

/// Ordinary packets of a protected web server, with correct checksums, as a queue hands them up: each
/// starts with its IP header. What is found in them is nothing.
struct SampleTraffic {
    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []

    static let guest: [UInt8] = [10, 77, 0, 10]
    static let guest6: [UInt8] = [0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10]

    /// Sixty-four clients, sixteen packets of each: half small, half large, three of four TCP, one of
    /// eight IPv6, one fragment.
    static let mixed: SampleTraffic = {
        var traffic = SampleTraffic()
        for client in UInt8(0)..<64 {
            let address: [UInt8] = [192, 0, 2, client]
            let address6: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, client]
            let port = 40000 + UInt16(client)
            let large = [UInt8](repeating: 0x66, count: 1348)
            traffic.v4(address, guest, 6, tcp(port, 443, flags: 0x02, []))
            for _ in 0..<4 { traffic.v4(address, guest, 6, tcp(port, 443, flags: 0x10, [])) }
            for _ in 0..<5 { traffic.v4(guest, address, 6, tcp(443, port, flags: 0x18, large)) }
            traffic.v4(address, guest, 17, udp(port, 443, [UInt8](repeating: 0x66, count: 32)))
            traffic.v4(guest, address, 17, udp(443, port, large))
            traffic.v4(
                address, guest, 1, [8, 0, 0, 0, client, 1, 0, 1] + [UInt8](repeating: 0x61, count: 56))
            traffic.v6(address6, guest6, 6, tcp(port, 443, flags: 0x10, []))
            traffic.v6(guest6, address6, 6, tcp(443, port, flags: 0x18, large))
            traffic.v4(address, guest, 17, [UInt8](repeating: 0x66, count: 512), fragmentOffset: 1480)
        }
        return traffic
    }()

    /// UDP of one size from many sources to the guest: what a generator sends. `size` of the Ethernet frame.
    static func udp(frame size: Int) -> SampleTraffic {
        var traffic = SampleTraffic()
        let payload = [UInt8](repeating: 0x66, count: size - 14 - 20 - 8)
        for client in 0..<1024 {
            let address: [UInt8] = [10, 128, UInt8(client >> 8), UInt8(client & 255)]
            traffic.v4(address, guest, 17, udp(1024 + UInt16(client), 9, payload))
        }
        return traffic
    }

    /// A SYN to the guest, without options.
    static let syn: [UInt8] = {
        var traffic = SampleTraffic()
        traffic.v4([192, 0, 2, 1], guest, 6, tcp(40_000, 80, flags: 0x02, []))
        return traffic.bytes
    }()

    // MARK: Writing

    private mutating func append(_ packet: [UInt8]) {
        ranges.append(bytes.count..<bytes.count + packet.count)
        bytes += packet
    }

    private mutating func v4(
        _ source: [UInt8], _ destination: [UInt8], _ upper: UInt8, _ segment: [UInt8], fragmentOffset: Int = 0
    ) {
        var segment = segment
        if fragmentOffset == 0 { Self.seal(&segment, upper, source + destination, isV6: false) }
        var header: [UInt8] = [0x45, 0]
        header += Self.big(20 + segment.count) + [0, 1] + Self.big(fragmentOffset / 8) + [64, upper, 0, 0]
        header += source + destination
        header.replaceSubrange(10..<12, with: Self.big(Self.checksum(header)))
        append(header + segment)
    }

    private mutating func v6(_ source: [UInt8], _ destination: [UInt8], _ upper: UInt8, _ segment: [UInt8]) {
        var segment = segment
        Self.seal(&segment, upper, source + destination, isV6: true)
        append([0x60, 0, 0, 0] + Self.big(segment.count) + [upper, 64] + source + destination + segment)
    }

    private static func udp(_ source: UInt16, _ destination: UInt16, _ payload: [UInt8]) -> [UInt8] {
        big(Int(source)) + big(Int(destination)) + big(8 + payload.count) + [0, 0] + payload
    }

    /// With the timestamp option that today's hosts send (RFC 7323).
    private static func tcp(_ source: UInt16, _ destination: UInt16, flags: UInt8, _ payload: [UInt8])
        -> [UInt8]
    {
        let fixed = big(Int(source)) + big(Int(destination)) + [0, 0, 0, 1, 0, 0, 0, flags == 2 ? 0 : 1]
        return fixed + [0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, flags == 2 ? 0 : 1]
            + payload
    }

    /// Fills in the checksum of the upper header (RFC 9293 §3.1, RFC 768, RFC 792).
    private static func seal(_ segment: inout [UInt8], _ upper: UInt8, _ addresses: [UInt8], isV6: Bool) {
        let place = upper == 6 ? 16 : upper == 17 ? 6 : 2
        let pseudo = upper == 1 ? [] : addresses + [0, upper] + big(segment.count)
        segment.replaceSubrange(place..<place + 2, with: big(checksum(pseudo + segment)))
    }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += index & 1 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~sum & 0xffff
    }

    private static func big(_ value: Int) -> [UInt8] {
        [UInt8(value >> 8 & 255), UInt8(value & 255)]
    }
}
