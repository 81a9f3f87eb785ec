import Conformance
import Wire

/// What 10.0.0.2 sent, and what somebody else did.
private let own = ipv4(17, udp(), from: "10.0.0.2", to: "10.0.0.1")
private let foreign = ipv4(17, udp(), from: "10.0.0.3", to: "10.0.0.1")
private let own6 = ipv6(17, udp(), from: two, to: one)
private let foreign6 = ipv6(17, udp(), from: linkLocal, to: one)

private func error(_ type: UInt8, _ code: UInt8 = 0, _ quoted: [UInt8]) -> [UInt8] {
    ipv4(1, icmp(type, code, rest: zeros(4), quoted))
}
private func error6(_ type: UInt8, _ quoted: [UInt8]) -> [UInt8] { ipv6(58, icmp(type, rest: zeros(4), quoted)) }

private func discovery(
    _ type: UInt8, _ body: [UInt8], from: [UInt8] = linkLocal, to: [UInt8] = allNodes, hops: UInt8 = 255
) -> [UInt8] {
    ipv6(58, icmp(type, rest: zeros(4), body), from: from, to: to, hops: hops)
}
private let lifetimes = zeros(8)
private let address = hex("0101 0200 0000 000a")

extension CheckTests {
    static let controlCases: [CheckCase] = [
        CheckCase(.icmpTooShort, ipv4(1, Array(icmp(8).prefix(7))), ipv4(1, icmp(8))),
        CheckCase(.icmp6TooShort, ipv6(58, Array(icmp(128).prefix(7))), ipv6(58, icmp(128))),
        CheckCase(.icmpBadChecksum, ipv4(1, icmp(8)).dropLast() + [0], ipv4(1, icmp(8))),
        CheckCase(.icmpBadChecksum, ipv6(58, icmp(128)).dropLast() + [0], ipv6(58, icmp(128))),
        CheckCase(.icmpUnknownType, ipv4(1, icmp(200)), ipv4(1, icmp(8))),
        CheckCase(.icmpUnknownCode, ipv4(1, icmp(8, 1)), ipv4(1, icmp(8))),
        CheckCase(.icmp6UnknownType, ipv6(58, icmp(100)), ipv6(58, icmp(128))),
        CheckCase(.icmp6UnknownCode, ipv6(58, icmp(128, 1)), ipv6(58, icmp(128))),
        CheckCase(.icmpQuoteMalformed, error(3, 1, Array(own.prefix(19))), error(3, 1, Array(own.prefix(28)))),
        CheckCase(.icmp6QuoteMalformed, error6(1, Array(own6.prefix(39))), error6(1, own6)),
        CheckCase(.icmpErrorWithoutPacket, error(3, 1, []), error(3, 1, own)),
        CheckCase(.icmpErrorWithoutPacket, error6(3, []), error6(3, own6)),
        CheckCase(.icmpErrorAboutOthers, error(11, 0, foreign), error(11, 0, own)),
        CheckCase(.icmpErrorAboutOthers, error6(3, foreign6), error6(3, own6)),
        CheckCase(.icmpBlackNurse, error(3, 3, []), error(3, 3, own)),
        CheckCase(.icmpBlackNurse, error(3, 3, foreign), error(3, 1, foreign)),
        CheckCase(.icmpErrorTooLong, error(3, 1, own + zeros(600)), error(3, 1, own + zeros(500))),
        CheckCase(.icmpErrorTooLong, error6(1, own6 + zeros(1300)), error6(1, own6 + zeros(1100))),
        CheckCase(
            .icmpOversize, ipv4(1, icmp(8, 0, zeros(1473))), ipv4(1, icmp(8, 0, zeros(1472)))),
        CheckCase(
            .icmpOversize, ipv4(1, icmp(8, 0, zeros(1472)), fragment: 0x2000), ipv4(1, icmp(8, 0, zeros(1472)))),
        CheckCase(.icmpRedirect, error(5, 1, own), error(3, 1, own)),
        CheckCase(
            .icmpRedirect, discovery(137, two + two, to: two), discovery(136, two, to: two)),
        CheckCase(.icmpEchoToGroup, ipv4(1, icmp(8), to: "255.255.255.255"), ipv4(1, icmp(8), to: "10.0.0.255")),
        CheckCase(.icmpEchoToGroup, ipv4(1, icmp(8), to: "224.0.0.1"), ipv4(1, icmp(0), to: "224.0.0.1")),
        CheckCase(
            .mldHopLimit, ipv6(58, icmp(131, rest: zeros(4), allNodes), from: linkLocal, to: allNodes, hops: 2),
            ipv6(58, icmp(131, rest: zeros(4), allNodes), from: linkLocal, to: allNodes, hops: 1)),

        CheckCase(.ndHopLimit, discovery(135, two, hops: 254), discovery(135, two)),
        CheckCase(.ndTooShort, discovery(135, Array(two.prefix(15))), discovery(135, two)),
        CheckCase(.ndTooShort, discovery(134, zeros(7)), discovery(134, lifetimes)),
        CheckCase(.ndOptionLength, discovery(135, two + hex("0100 0200 0000 000a")), discovery(135, two + address)),
        CheckCase(.ndOptionLength, discovery(135, two + hex("0102 0200 0000 000a")), discovery(135, two + address)),
        CheckCase(.ndSource, discovery(134, lifetimes, from: one), discovery(134, lifetimes)),
        CheckCase(.ndSource, discovery(137, two + two, from: one, to: two), discovery(136, two, from: one, to: two)),
        CheckCase(.ndTarget, discovery(135, allNodes), discovery(135, two)),
        CheckCase(
            .ndFragmented,
            ipv6(
                44, fragmentHeader(58, offset: 0, more: true) + icmp(135, rest: zeros(4), two), from: linkLocal,
                to: allNodes, hops: 255),
            discovery(135, two)),
    ]
}
