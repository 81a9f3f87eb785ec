import Conformance
import Wire

private let loopback = hex("00000000 00000000 00000000 00000001")
private let mapped = hex("00000000 00000000 0000ffff 0a000001")
private let sound4 = ipv4(6, tcp())
private let sound6 = ipv6(6, tcp())
private let jumbo = hex("c204 00010000")
private let padding = extensionHeader(6, hex("0104 00000000"))

private func hopByHop(_ options: String) -> [UInt8] { ipv6(0, extensionHeader(6, hex(options)) + tcp()) }

/// A fragment of `count` bytes at byte `offset`.
private func fragment4(_ offset: Int, more: Bool, count: Int = 16, number: UInt8 = 17, bits: Int = 0) -> [UInt8] {
    ipv4(number, udp() + zeros(count - 8), length: 20 + count, fragment: offset / 8 | (more ? 0x2000 : 0) | bits)
        .prefix(20 + count).map { $0 }
}

extension CheckTests {
    static let internetCases: [CheckCase] = [
        CheckCase(.ipUnknownVersion, [0x75] + sound4.dropFirst(), sound4),
        CheckCase(
            .ipLand, ipv4(6, tcp(), from: "10.0.0.2"), ipv4(6, tcp(), from: "10.0.0.3")),
        CheckCase(.ipLand, ipv4(17, udp(), from: "10.0.0.2"), ipv4(17, udp(to: 3785), from: "10.0.0.2")),
        CheckCase(
            .ipSourceLoopback, Sample(ipv6(6, tcp(), from: loopback)),
            Sample(ipv6(6, tcp(), from: loopback)) { $0.isLoopback = true }),
        CheckCase(.ipSourceLoopback, ipv4(6, tcp(), from: "127.0.0.1"), ipv4(6, tcp(), from: "126.255.255.255")),
        CheckCase(.ipSourceGroup, ipv4(17, udp(), from: "224.0.0.1"), ipv4(17, udp(), from: "223.255.255.255")),
        CheckCase(.ipSourceGroup, ipv6(17, udp(), from: allNodes), ipv6(17, udp(), from: linkLocal)),
        CheckCase(.ipSourceGroup, ipv4(17, udp(), from: "255.255.255.255"), ipv4(17, udp(), to: "255.255.255.255")),
        CheckCase(.ipSourceReserved, ipv4(17, udp(), from: "240.0.0.1"), ipv4(17, udp(), from: "192.0.2.1")),
        CheckCase(.ipSourceReserved, ipv4(17, udp(), from: "0.0.0.1"), ipv4(17, udp(), from: "1.0.0.1")),
        CheckCase(
            .ipSourceUnspecified, ipv4(6, tcp(), from: "0.0.0.0"),
            ipv4(17, udp([1] + zeros(239), from: 68, to: 67), from: "0.0.0.0", to: "255.255.255.255")),
        CheckCase(
            .ipSourceUnspecified, ipv6(6, tcp(), from: zeros(16)),
            ipv6(58, icmp(135, rest: zeros(4), two), from: zeros(16), to: allNodes, hops: 255)),
        CheckCase(.ipDestinationLoopback, ipv4(6, tcp(), to: "127.0.0.1"), ipv4(6, tcp(), to: "128.0.0.1")),
        CheckCase(
            .ipDestinationLoopback, ipv4(17, udp(), to: "127.0.0.1"), ipv4(17, udp(to: 3503), to: "127.0.0.1")),
        CheckCase(.ipDestinationInvalid, ipv4(17, udp(), to: "0.0.0.0"), ipv4(17, udp(), to: "239.1.2.3")),
        CheckCase(
            .ipDestinationInvalid, ipv6(17, udp(), to: zeros(16)),
            ipv6(17, udp(), to: hex("0064ff9b 00000000 00000000 01020304"))),
        CheckCase(.ipHopLimitZero, ipv4(6, tcp(), ttl: 0), ipv4(6, tcp(), ttl: 1)),
        CheckCase(.ipHopLimitZero, ipv6(6, tcp(), hops: 0), ipv6(6, tcp(), hops: 1)),

        CheckCase(.ipv4TooShort, Array(sound4.prefix(19)), sound4),
        CheckCase(
            .ipv4WrongVersion, Sample(ethernet(0x0800, [0x55] + sound4.dropFirst()), .ethernet),
            Sample(ethernet(0x0800, sound4), .ethernet)),
        CheckCase(.ipv4HeaderTooSmall, ipv4(6, tcp(), headerWords: 4), sound4),
        CheckCase(
            .ipv4HeaderBeyondPacket, ipv4(6, [], headerWords: 6, length: 24), ipv4(6, zeros(4), headerWords: 6)),
        CheckCase(.ipv4LengthTooSmall, ipv4(6, tcp(), length: 19), ipv4(6, tcp(), length: 40)),
        CheckCase(.ipv4LengthZero, ipv4(6, tcp(), length: 0), sound4),
        CheckCase(.ipv4Truncated, ipv4(6, tcp(), length: 57), sound4),
        CheckCase(.ipv4BadChecksum, ipv4(6, tcp(), checksum: 0x1234), sound4),
        CheckCase(
            .ipv4BadChecksum, Sample(ipv4(6, tcp(), checksum: 0x1234)),
            Sample(ipv4(6, tcp(), checksum: 0x1234)) { $0.hasChecksums = false }),
        CheckCase(.ipv4ReservedBit, ipv4(6, tcp(), fragment: 0x8000), ipv4(6, tcp(), fragment: 0x4000)),
        CheckCase(
            .ipv4DontFragment, fragment4(16, more: true, bits: 0x4000), fragment4(16, more: true)),
        CheckCase(
            .ipv4SourceRoute, ipv4(6, tcp(), options: hex("83 07 04 0a000003 00")),
            ipv4(6, tcp(), options: hex("07 07 04 00000000 00"))),
        CheckCase(
            .ipv4SourceRoute, ipv4(6, tcp(), options: hex("89 07 04 0a000003 00")),
            ipv4(6, tcp(), options: hex("01010101"))),
        CheckCase(
            .ipv4RecordsRoute, ipv4(6, tcp(), options: hex("44 08 05 00 00000000")),
            ipv4(6, tcp(), options: hex("94 04 0000"))),
        CheckCase(
            .ipv4BadOptionLength, ipv4(6, tcp(), options: hex("94 05 0000")), ipv4(6, tcp(), options: hex("94 04 0000"))
        ),
        CheckCase(
            .ipv4BadOptionLength, ipv4(6, tcp(), options: hex("94 03 00 00")),
            ipv4(6, tcp(), options: hex("94 04 0000"))),
        CheckCase(
            .ipv4OptionMalformed, ipv4(6, tcp(), options: hex("07 07 03 00000000 00")),
            ipv4(6, tcp(), options: hex("07 07 04 00000000 00"))),
        CheckCase(
            .ipv4OptionDuplicate, ipv4(6, tcp(), options: hex("94 04 0000 94 04 0000")),
            ipv4(6, tcp(), options: hex("94 04 0000 01010101"))),
        CheckCase(
            .ipv4OptionUnknown, ipv4(6, tcp(), options: hex("5e 04 0000")), ipv4(6, tcp(), options: hex("94 04 0000"))),
        CheckCase(
            .ipv4OptionPadding, ipv4(6, tcp(), options: hex("94 04 0000")),
            ipv4(6, tcp(), options: hex("94 04 0000 00000000"))),
        CheckCase(.ipv4UnknownProtocol, ipv4(253, data), sound4),
        CheckCase(.icmp6InIPv4, ipv4(58, icmp(128), seal: false), ipv4(1, icmp(8))),

        CheckCase(.ipv6TooShort, Array(sound6.prefix(39)), sound6),
        CheckCase(
            .ipv6WrongVersion, Sample(ethernet(0x86DD, [0x50] + sound6.dropFirst()), .ethernet),
            Sample(ethernet(0x86DD, sound6), .ethernet)),
        CheckCase(.ipv6Truncated, ipv6(6, tcp(), length: 37), sound6),
        CheckCase(.ipv6LengthZero, ipv6(6, tcp(), length: 0), sound6),
        CheckCase(
            .ipv6Jumbogram, ipv6(0, [6, 0] + jumbo + zeros(65_528), length: 0), ipv6(0, padding + tcp())),
        CheckCase(.ipv6BadJumbo, ipv6(0, [6, 0] + hex("c204 00000010") + tcp(), length: 0), ipv6(0, padding + tcp())),
        CheckCase(.ipv6MappedAddress, ipv6(6, tcp(), from: mapped), sound6),
        CheckCase(.ipv6ExtensionTruncated, ipv6(0, [6, 1] + zeros(6)), ipv6(0, padding + tcp())),
        CheckCase(
            .ipv6TooManyExtensions,
            ipv6(60, (0..<11).flatMap { _ in extensionHeader(60) } + extensionHeader(6) + tcp()),
            ipv6(60, extensionHeader(60) + extensionHeader(6) + tcp())),
        CheckCase(
            .ipv6DuplicateExtension, ipv6(60, extensionHeader(60) + extensionHeader(60) + extensionHeader(6) + tcp()),
            ipv6(60, extensionHeader(60) + extensionHeader(6) + tcp())),
        CheckCase(
            .ipv6ExtensionOrder, ipv6(44, fragmentHeader(43, offset: 0, more: false) + routing(6) + tcp()),
            ipv6(43, routing(44) + fragmentHeader(6, offset: 0, more: false) + tcp())),
        CheckCase(
            .ipv6HopByHopNotFirst, ipv6(60, extensionHeader(0) + extensionHeader(6) + tcp()),
            ipv6(0, extensionHeader(60) + extensionHeader(6) + tcp())),
        CheckCase(.ipv6BadOptionLength, hopByHop("0505 00000000"), hopByHop("0502 0000 0100")),
        CheckCase(
            .ipv6TooManyOptions, ipv6(60, extensionHeader(6, (0..<35).flatMap { _ in [0x1E, 0] as [UInt8] }) + tcp()),
            ipv6(60, extensionHeader(6, (0..<15).flatMap { _ in [0x1E, 0] as [UInt8] }) + tcp())),
        CheckCase(.ipv6OptionUnknown, hopByHop("1e04 00000000"), hopByHop("0502 0000 0100")),
        CheckCase(.ipv6OptionPadding, hopByHop("0104 00000000"), hopByHop("0502 0000 0100")),
        CheckCase(.ipv6EmptyPadding, hopByHop("0502 0000 0100"), hopByHop("0502 0000 0000")),
        CheckCase(.ipv6RoutingType0, ipv6(43, routing(6, type: 0) + tcp()), ipv6(43, routing(6) + tcp())),
        CheckCase(
            .ipv6AuthenticationReserved, ipv6(51, hex("0604 0001") + zeros(20) + tcp()),
            ipv6(51, hex("0604 0000") + zeros(20) + tcp())),
        CheckCase(
            .ipv6FragmentReserved, ipv6(44, fragmentHeader(17, offset: 0, more: true, reserved: 1) + zeros(16)),
            ipv6(44, fragmentHeader(17, offset: 0, more: true) + zeros(16))),
        CheckCase(
            .ipv6UselessFragment, ipv6(44, fragmentHeader(6, offset: 0, more: false) + tcp()),
            ipv6(44, fragmentHeader(17, offset: 0, more: true) + zeros(16))),
        CheckCase(.ipv6DataAfterNoNext, ipv6(59, [1]), ipv6(59, [])),
        CheckCase(.ipv6UnknownNextHeader, ipv6(253, data), sound6),
        CheckCase(.icmpInIPv6, ipv6(1, icmp(8), seal: false), ipv6(58, icmp(128))),
        CheckCase(.ipv6InnerMalformed, ipv6(4, zeros(19)), ipv6(4, sound4)),

        CheckCase(
            .fragmentTooLarge, fragment4(65_512, more: false, count: 24), fragment4(65_488, more: false, count: 24)),
        CheckCase(.fragmentEmpty, ipv4(17, [], fragment: 0x2001), fragment4(8, more: true)),
        CheckCase(.fragmentUneven, fragment4(16, more: true, count: 15), fragment4(16, more: false, count: 15)),
        CheckCase(
            .fragmentTiny, ipv4(6, Array(tcp().prefix(16)), fragment: 0x2000),
            ipv4(6, tcp() + zeros(4), fragment: 0x2000)),
        CheckCase(
            .fragmentTiny, fragment4(16, more: false, number: 6), fragment4(24, more: false, number: 6)),
        CheckCase(
            .fragmentOverlap, .event(.ipv4FragOverlap, fragment4(16, more: true)), Sample(fragment4(16, more: true))),
        CheckCase(
            .fragmentIgnored, .event(.ipv6FragIgnored, fragment4(16, more: true)), Sample(fragment4(16, more: true))),
    ]

    /// Type 2 (RFC 6275 §6.4), nothing left to visit.
    private static func routing(_ next: UInt8, type: UInt8 = 2) -> [UInt8] { [next, 0, type, 0] + zeros(4) }
}
