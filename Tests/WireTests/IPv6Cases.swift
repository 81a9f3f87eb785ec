import Wire

extension Tables {
    private static func hopByHop(_ next: UInt8, _ body: String) -> [UInt8] {
        extensionHeader(next, hex(body))
    }
    private static func chain(_ kinds: [UInt8], then next: UInt8) -> [UInt8] {
        zip(kinds.dropFirst() + [next], kinds).flatMap { following, kind in
            kind == 51 ? [following, 4] + [UInt8](repeating: 0, count: 22) : extensionHeader(following)
        }
    }
    private static let big = [UInt8](repeating: 0x41, count: 65_536)

    static let ipv6Header: [DecodeCase] = [
        .init("39 bytes", Array(ipv6(6, tcp()).prefix(39)), .malformed, .ipv6TooShort),
        .init("39 bytes, cut", Array(ipv6(6, tcp()).prefix(39)), cut: true, .other, .cutByCapture),
        .init("40 bytes, no next header", ipv6(59, []), .otherIP, payload: [40, 0]),
        .init(
            "padding after no next header", ethernet(0x86DD, ipv6(59, []) + data), as: .ethernet, .otherIP,
            payload: [54, 0]),
        .init(
            "length below the bytes", ethernet(0x86DD, ipv6(17, udp()) + data), as: .ethernet, .udp,
            payload: [62, 16]),
        .init("length beyond the bytes", ipv6(17, udp(), length: 25), .udp, .ipv6Truncated),
        .init("length of the bytes", ipv6(17, udp(), length: 24), .udp),
        .init("length beyond the bytes, cut", ipv6(17, udp(), length: 25), cut: true, .udp, .cutByCapture),
        .init("length 0", ipv6(6, tcp(), length: 0), .tcp, .ipv6LengthZero, payload: [60, 16]),
        .init("length 0, cut", ipv6(6, tcp(), length: 0), cut: true, .tcp, [.ipv6LengthZero, .cutByCapture]),
        .init("length 0, UDP length 0", ipv6(17, udp(length: 0), length: 0), .udp, .ipv6LengthZero),
        .init("length 0 and no byte more", ipv6(6, []), .malformed, .tcpTooShort),
        .init(
            "mapped source", ipv6(6, tcp(), source: "00000000 00000000 0000ffff 0a000001"), .tcp,
            .ipv6MappedAddress),
        .init("compatible source", ipv6(6, tcp(), source: "00000000 00000000 00000000 0a000001"), .tcp),
        .init("ICMP in IPv6", ipv6(1, echo(8)), .otherIP, .icmpInIPv6),
        .init("ICMPv6 in IPv6", ipv6(58, echo(128)), .icmp6, payload: [48, 16]),
        .init("ESP", ipv6(50, data), .otherIP, payload: [48, 8]),

        .init("jumbogram", ipv6(0, hopByHop(6, "c204 0001001c") + tcp(big), length: 0), .tcp, .ipv6Jumbogram),
        .init(
            "jumbogram beyond the bytes", ipv6(0, hopByHop(6, "c204 0001001d") + tcp(big), length: 0), .tcp,
            [.ipv6Jumbogram, .ipv6Truncated]),
        .init(
            "jumbogram of UDP", ipv6(0, hopByHop(17, "c204 00010010") + udp(big, length: 0), length: 0),
            .udp, .ipv6Jumbogram, payload: [56, 65_536]),
        .init(
            "jumbo option stating 65,535", ipv6(0, hopByHop(6, "c204 0000ffff") + tcp(big), length: 0), .tcp,
            .ipv6BadJumbo),
        .init(
            "jumbo option beside a length", ipv6(0, hopByHop(6, "c204 0001001c") + tcp()), .tcp,
            .ipv6BadJumbo),
        .init(
            "jumbo option of 3 bytes", ipv6(0, hopByHop(6, "c203 000100 00") + tcp(), length: 0), .tcp,
            [.ipv6BadJumbo, .ipv6LengthZero]),
        .init(
            "jumbogram in fragments",
            ipv6(
                0, hopByHop(44, "c204 0001001c") + fragmentHeader(6, offset: 0, more: true) + tcp(big),
                length: 0),
            .tcp, [.ipv6Jumbogram, .ipv6BadJumbo, .fragmentUneven, .fragmentTooLarge]),
    ]

    static let extensions: [DecodeCase] = [
        .init("each kind once", ipv6(0, chain([0, 60, 51, 135, 139, 140, 60], then: 6) + tcp()), .tcp),
        .init(
            "fragment before routing",
            ipv6(44, fragmentHeader(43, offset: 0, more: false) + extensionHeader(6, hex("0201 00000000")) + tcp()),
            .tcp,
            .ipv6ExtensionOrder),
        .init(
            "routing before fragment",
            ipv6(43, extensionHeader(44, hex("0201 00000000")) + fragmentHeader(6, offset: 0, more: false) + tcp()),
            .tcp),
        .init("routing type 2", ipv6(43, extensionHeader(6, hex("0201 00000000")) + tcp()), .tcp),
        .init(
            "routing type 0", ipv6(43, extensionHeader(6, hex("0001 00000000")) + tcp()), .tcp,
            .ipv6RoutingType0),
        .init(
            "7 bytes of a header", ipv6(60, Array(extensionHeader(6).dropLast())), .malformed,
            .ipv6ExtensionTruncated),
        .init(
            "header beyond the packet", ipv6(60, [6, 1, 1, 4, 0, 0, 0, 0] + data.prefix(7)), .malformed,
            .ipv6ExtensionTruncated),
        .init(
            "header fills the packet", ipv6(60, [59, 1, 1, 12] + [UInt8](repeating: 0, count: 12)),
            .otherIP, payload: [56, 0]),
        .init(
            "header beyond the packet, cut", ipv6(60, [6, 1, 1, 4, 0, 0, 0, 0], length: 90), cut: true,
            .otherIP, .cutByCapture),
        .init(
            "header beyond the stated length", ipv6(60, extensionHeader(6) + tcp(), length: 7), .malformed,
            .ipv6ExtensionTruncated),
        .init(
            "ten headers", ipv6(60, chain([60, 60, 43, 51, 135, 139, 140, 60, 60, 60], then: 6) + tcp()),
            .tcp,
            [.ipv6DuplicateExtension]),
        .init(
            "eleven headers",
            ipv6(60, chain([60, 60, 43, 51, 135, 139, 140, 60, 60, 60, 60], then: 6) + tcp()), .malformed,
            [.ipv6DuplicateExtension, .ipv6TooManyExtensions]),
        .init("destination options twice", ipv6(60, chain([60, 60], then: 6) + tcp()), .tcp),
        .init(
            "destination options thrice", ipv6(60, chain([60, 60, 60], then: 6) + tcp()), .tcp,
            .ipv6DuplicateExtension),
        .init("mobility twice", ipv6(135, chain([135, 135], then: 59)), .otherIP, .ipv6DuplicateExtension),
        .init("hop-by-hop second", ipv6(60, chain([60, 0], then: 6) + tcp()), .tcp, .ipv6HopByHopNotFirst),
        .init(
            "two fragment headers",
            ipv6(
                44,
                fragmentHeader(44, offset: 0, more: false) + fragmentHeader(6, offset: 0, more: false) + tcp()
            ),
            .malformed, .ipv6DuplicateExtension),
        .init("atomic fragment", ipv6(44, fragmentHeader(6, offset: 0, more: false) + tcp()), .tcp),

        .init("option fills the header", ipv6(0, hopByHop(6, "0504 00000000") + tcp()), .tcp),
        .init(
            "option beyond the header", ipv6(0, hopByHop(6, "0505 00000000") + tcp()), .tcp,
            .ipv6BadOptionLength),
        .init(
            "option without length", ipv6(0, hopByHop(6, "0000 000000 05") + tcp()), .tcp,
            .ipv6BadOptionLength),
        .init("padding only", ipv6(0, hopByHop(6, "0000 00000000") + tcp()), .tcp),
        .init(
            "32 options",
            ipv6(
                60,
                extensionHeader(
                    6, [UInt8](repeating: 0, count: 28) + hex("0100 0100 0100 010a 00000000 00000000 0000"))
                    + tcp()), .tcp),
        .init(
            "38 options", ipv6(60, extensionHeader(6, [UInt8](repeating: 0, count: 38)) + tcp()), .tcp,
            .ipv6TooManyOptions),
    ]
}
