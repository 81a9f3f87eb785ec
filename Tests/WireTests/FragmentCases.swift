import Wire

extension Tables {
    private static let more = 0x2000
    private static func sixth(_ next: UInt8, _ offset: Int, _ more: Bool, _ body: [UInt8]) -> [UInt8] {
        ipv6(44, fragmentHeader(next, offset: offset, more: more) + body)
    }
    private static let eight = [UInt8](data.prefix(8))

    static let fragments: [DecodeCase] = [
        .init("first of UDP", ipv4(17, udp(length: 4000), fragment: more), .udp, payload: [28, 16]),
        .init("first of TCP", ipv4(6, tcp(data + data.prefix(4)), fragment: more), .tcp),
        .init("later", ipv4(17, data, fragment: 3), .laterFragment, payload: [20, 16]),
        .init("later, IPv6", sixth(17, 24, true, data), .laterFragment, payload: [48, 16]),
        .init("later, next header an extension", sixth(60, 24, false, data), .laterFragment),
        .init("do not fragment, whole", ipv4(6, tcp(), fragment: 0x4000), .tcp),
        .init("reserved bit, whole", ipv4(6, tcp(), fragment: 0x8000), .tcp),

        .init("no data", ipv4(17, [], fragment: 3), .laterFragment, .fragmentEmpty),
        .init("one byte", ipv4(17, [1], fragment: 3), .laterFragment),
        .init("no data, IPv6", sixth(17, 24, true, []), .laterFragment, .fragmentEmpty),
        .init(
            "15 bytes and more", ipv4(17, Array(data.dropLast()), fragment: more | 3), .laterFragment,
            .fragmentUneven),
        .init("15 bytes, the last", ipv4(17, Array(data.dropLast()), fragment: 3), .laterFragment),
        .init(
            "15 bytes and more, IPv6", sixth(17, 24, true, data.dropLast()), .laterFragment,
            .fragmentUneven),
        .init("ends at 65,535", ipv4(17, Array(data.prefix(3)), fragment: 65_512 / 8), .laterFragment),
        .init(
            "ends at 65,536", ipv4(17, Array(data.prefix(4)), fragment: 65_512 / 8), .laterFragment,
            .fragmentTooLarge),
        .init("ends at 65,535, IPv6", sixth(17, 65_528, false, Array(data.prefix(7))), .laterFragment),
        .init("ends at 65,536, IPv6", sixth(17, 65_528, false, eight), .laterFragment, .fragmentTooLarge),
        .init(
            "beyond 65,535 with what is before it",
            ipv6(60, extensionHeader(44) + fragmentHeader(17, offset: 65_528, more: false) + [1]),
            .laterFragment, .fragmentTooLarge),

        .init(
            "8 bytes of TCP", ipv4(6, eight, fragment: more), .laterFragment, .fragmentTiny,
            payload: [20, 8]),
        .init(
            "TCP without its options", ipv4(6, tcp([], options: [1, 1, 1, 1]).dropLast(0), fragment: more),
            .tcp),
        .init(
            "TCP with half of its options",
            ipv4(6, tcp([], options: [1, 1, 1, 1], words: 8), fragment: more),
            .laterFragment, .fragmentTiny),
        .init(
            "8 bytes of TCP, cut", ipv4(6, eight, length: 36, fragment: more), cut: true, .otherIP,
            .cutByCapture),
        .init("8 bytes of UDP", ipv4(17, udp([], length: 16), fragment: more), .udp, payload: [28, 0]),
        .init(
            "no byte of UDP", ipv4(17, [], fragment: more), .laterFragment, [.fragmentEmpty, .fragmentTiny]),
        .init(
            "extension goes on in the next",
            sixth(60, 0, true, [6, 2, 1, 20, 0, 0, 0, 0]), .laterFragment, .fragmentTiny),
        .init("8 bytes of ICMPv6", sixth(58, 0, true, echo(128, [])), .icmp6),
        .init("TCP at offset 8", ipv4(6, data, fragment: 1), .laterFragment, .fragmentTiny),
        .init("TCP at offset 16", ipv4(6, data, fragment: 2), .laterFragment, .fragmentTiny),
        .init("TCP at offset 24", ipv4(6, data, fragment: 3), .laterFragment),
        .init("UDP at offset 8", ipv4(17, data, fragment: 1), .laterFragment),
    ]
}
