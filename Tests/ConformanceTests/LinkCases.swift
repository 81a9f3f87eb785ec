import Conformance
import Wire

private let ask = ethernet(0x0806, arp(1, from: "10.0.0.1", to: "10.0.0.2"))
private let otherMAC = hex("0200 0000 000c")
private let sound = ipv4(6, tcp())

private func of(_ guest: Int32, _ bytes: [UInt8], _ change: @escaping @Sendable (inout Surroundings) -> Void) -> Sample
{
    Sample(bytes) {
        $0.sender = 0
        $0.sourceGuest = guest
        $0.port = 7
        $0.sourceMAC = 0x0200_0000_000A
        change(&$0)
    }
}

/// The second frame of a guest's port, from the same or another hardware address.
private func second(_ mac: [UInt8]) -> Sample {
    var sample = Sample.frame(ethernet(0x0800, sound, from: mac), before: [ethernet(0x0800, sound)])
    sample.change = {
        $0.sender = 0
        $0.sourceGuest = 0
        $0.port = 7
    }
    return sample
}

extension CheckTests {
    static let linkCases: [CheckCase] = [
        CheckCase(.cutByCapture, .cut(Array(sound.dropLast())), .cut(sound)),
        CheckCase(.ethernetTooShort, Sample(zeros(13), .ethernet), Sample(ethernet(0x0800, sound), .ethernet)),
        CheckCase(
            .ethernetGroupSource, .frame(ethernet(0x0800, sound, from: hex("0300 0000 000a"))),
            .frame(ethernet(0x0800, sound))),
        CheckCase(.linkTooShort, Sample(zeros(15), .linuxSLL), Sample(zeros(14) + big16(0x0800) + sound, .linuxSLL)),
        CheckCase(.linkUnknownType, .frame(ethernet(0x88CC, [2, 7, 4])), .frame(ethernet(0x0800, sound))),
        CheckCase(.vlanTooShort, .frame(ethernet(0x8100, [0, 1])), .frame(ethernet(0x8100, hex("0001 0800") + sound))),
        CheckCase(
            .vlanTooMany, .frame(ethernet(0x8100, hex("0001 8100 0001 8100 0001 8100 0001 0800") + sound)),
            .frame(ethernet(0x8100, hex("0001 8100 0001 8100 0001 0800") + sound))),
        CheckCase(
            .tooManyLayers, .frame(ethernet(0x8903, fabric(20))), .frame(ethernet(0x8903, fabric(2)))),
        CheckCase(.pppTooShort, Sample([0xFF], .ppp), Sample(hex("ff03 0021") + sound, .ppp)),
        CheckCase(.pppUnknownProtocol, Sample(hex("ff03 9999") + sound, .ppp), Sample(hex("ff03 0021") + sound, .ppp)),
        CheckCase(
            .pppoeMalformed, .frame(ethernet(0x8864, hex("1100 0001"))),
            .frame(ethernet(0x8864, hex("1100 0001") + big16(2 + sound.count) + hex("0021") + sound))),
        CheckCase(.mplsMalformed, .frame(ethernet(0x8847, [0, 1])), .frame(ethernet(0x8847, hex("00010140") + sound))),
        CheckCase(.greMalformed, ipv4(47, hex("0007 0800") + sound), ipv4(47, hex("0000 0800") + sound)),
        CheckCase(
            .tunnelUnknownPayload, ipv4(17, udp(hex("08000000 00000100") + ethernet(0x9999, sound), to: 4789)),
            ipv4(17, udp(hex("08000000 00000100") + ethernet(0x0800, sound), to: 4789))),
        CheckCase(
            .erspanMalformed, Sample(zeros(3), .erspan),
            Sample(hex("10010000 00000000") + ethernet(0x0800, sound), .erspan)),
        CheckCase(
            .nshMalformed, .frame(ethernet(0x894F, zeros(3))),
            .frame(ethernet(0x894F, hex("00020201 00000102") + sound))),

        CheckCase(
            .guestMACSpoofed, of(0, sound) { $0.isMACForeign = true }, of(0, sound) { _ in }),
        CheckCase(.guestMACChanged, second(otherMAC), second(hostMAC)),
        CheckCase(.guestAddressSpoofed, of(1, sound) { _ in }, of(0, sound) { _ in }),
        CheckCase(.arpTooShort, Sample(zeros(27), .arp), Sample(arp(1, from: "10.0.0.1", to: "10.0.0.2"), .arp)),
        CheckCase(
            .arpBadLengths, Sample(arp(1, from: "10.0.0.1", to: "10.0.0.2", lengths: [6, 16]), .arp),
            Sample(arp(1, from: "10.0.0.1", to: "10.0.0.2"), .arp)),
        CheckCase(
            .arpUnsupported, Sample(arp(1, from: "10.0.0.1", to: "10.0.0.2", hardware: 6), .arp),
            Sample(arp(1, from: "10.0.0.1", to: "10.0.0.2"), .arp)),
        CheckCase(
            .arpUnsupportedOperation, Sample(arp(9, from: "10.0.0.1", to: "10.0.0.2"), .arp),
            Sample(arp(3, from: "10.0.0.1", to: "10.0.0.2"), .arp)),
        CheckCase(
            .arpSenderMismatch, .frame(ethernet(0x0806, arp(1, from: "10.0.0.1", mac: otherMAC, to: "10.0.0.2"))),
            .frame(ask)),
        CheckCase(
            .arpGroupSender,
            .frame(ethernet(0x0806, arp(1, from: "10.0.0.1", mac: hex("ffff ffff ffff"), to: "10.0.0.2"))), .frame(ask)),
        CheckCase(
            .arpSenderAddress, .frame(ethernet(0x0806, arp(2, from: "0.0.0.0", to: "10.0.0.2"))),
            .frame(ethernet(0x0806, arp(1, from: "0.0.0.0", to: "10.0.0.2")))),
        CheckCase(
            .arpConflict,
            .frame(
                ethernet(0x0806, arp(1, from: "10.0.0.1", mac: otherMAC, to: "10.0.0.1"), from: otherMAC), before: [ask]
            ),
            .frame(ethernet(0x0806, arp(1, from: "10.0.0.1", to: "10.0.0.1")), before: [ask])),
        CheckCase(
            .arpUnsolicitedReply,
            .frame(
                ethernet(0x0806, arp(2, from: "10.0.0.3", mac: otherMAC, to: "10.0.0.1"), from: otherMAC), before: [ask]
            ),
            .frame(
                ethernet(0x0806, arp(2, from: "10.0.0.2", mac: otherMAC, to: "10.0.0.1"), from: otherMAC), before: [ask]
            )),
        CheckCase(
            .rogueRouter, of(0, advertisement) { _ in }, Sample(advertisement)),
        CheckCase(
            .rogueDHCP, of(0, ipv4(17, udp([2] + zeros(239), from: 67, to: 68))) { _ in },
            of(0, ipv4(17, udp([1] + zeros(239), from: 68, to: 67))) { _ in }),
    ]

    static let advertisement = ipv6(
        58, icmp(134, rest: hex("40000708"), zeros(8)), from: linkLocal, to: allNodes, hops: 255)

    /// FabricPath around Ethernet, so often.
    private static func fabric(_ depth: Int) -> [UInt8] {
        depth == 0 ? [0, 0] + ethernet(0x0800, sound) : [0, 0] + ethernet(0x8903, fabric(depth - 1))
    }
}
