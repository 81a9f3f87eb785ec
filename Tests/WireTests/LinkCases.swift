import Wire

extension Tables {
    private static let padding = [UInt8](repeating: 0, count: 6)
    private static func tags(_ count: Int) -> [(type: Int, control: Int)] {
        Array(repeating: (type: 0x8100, control: 1), count: count)
    }

    static let link: [DecodeCase] = [
        .init("nothing", [], as: .ethernet, .malformed, .ethernetTooShort),
        .init("13 bytes", Array(ethernet(0, []).dropLast()), as: .ethernet, .malformed, .ethernetTooShort),
        .init(
            "13 bytes, cut", Array(ethernet(0, []).dropLast()), as: .ethernet, cut: true, .other,
            .cutByCapture),
        .init("14 bytes", ethernet(0x88CC, []), as: .ethernet, .other, payload: [14, 0]),
        .init("LLDP", ethernet(0x88CC, data), as: .ethernet, .other, payload: [14, 16]),
        .init("802.3 length", ethernet(16, data), as: .ethernet, .other, payload: [14, 16]),
        .init(
            "padding is not payload", ethernet(0x0800, ipv4(17, udp([1])) + padding), as: .ethernet, .udp,
            payload: [42, 1]),
        .init("one tag", ethernet(0x0800, tags: tags(1), ipv4(6, tcp())), as: .ethernet, .tcp),
        .init("two tags", ethernet(0x86DD, tags: tags(2), ipv6(6, tcp())), as: .ethernet, .tcp),
        .init(
            "an old QinQ tag", ethernet(0x0800, tags: [(0x9100, 5)] + tags(1), ipv4(6, tcp())),
            as: .ethernet, .tcp),
        .init("three tags", ethernet(0x0800, tags: tags(3), ipv4(6, tcp())), as: .ethernet, .tcp),
        .init(
            "four tags", ethernet(0x0800, tags: tags(4), ipv4(6, tcp())), as: .ethernet, .other,
            .vlanTooMany),
        .init("a tag of 3 bytes", ethernet(0x8100, [0, 1, 8]), as: .ethernet, .malformed, .vlanTooShort),
        .init(
            "a tag of 3 bytes, cut", ethernet(0x8100, [0, 1, 8]), as: .ethernet, cut: true, .other,
            .cutByCapture),
        .init("a tag and no more", ethernet(0x8100, [0, 1, 0x88, 0xCC]), as: .ethernet, .other),
        .init(
            "a tag and a length", ethernet(0x8100, [0, 1, 0, 3, 0x42, 0x42, 3]), as: .ethernet, .other,
            payload: [18, 3]),

        .init("ARP", ethernet(0x0806, arp()), as: .ethernet, .arp, payload: [42, 0]),
        .init("ARP of 27 bytes", ethernet(0x0806, arp().dropLast()), as: .ethernet, .malformed, .arpTooShort),
        .init("ARP cut", ethernet(0x0806, arp().dropLast()), as: .ethernet, cut: true, .other, .cutByCapture),
        .init(
            "ARP, hardware length 7", ethernet(0x0806, arp(lengths: [7, 4])), as: .ethernet, .malformed,
            .arpBadLengths),
        .init(
            "ARP, protocol length 16", ethernet(0x0806, arp(lengths: [6, 16])), as: .ethernet, .malformed,
            .arpBadLengths),
        .init("ARP, frame relay", ethernet(0x0806, arp(hardware: 15)), as: .ethernet, .arp, .arpUnsupported),
        .init(
            "ARP, not IPv4", ethernet(0x0806, arp(protocolType: 0x86DD)), as: .ethernet, .arp,
            .arpUnsupported),

        .init("IP: nothing", [], .malformed, .ipv4TooShort),
        .init("IP: version 0", [0x00] + data, .malformed, .ipUnknownVersion, payload: [0, 17]),
        .init("IP: version 5", [0x55] + data, .malformed, .ipUnknownVersion),
        .init("IP: version 4", ipv4(6, tcp()), .tcp),
        .init("IP: version 6", ipv6(6, tcp()), .tcp),
        .init(
            "EtherType IPv4, version 6", ethernet(0x0800, ipv6(6, tcp())), as: .ethernet, .malformed,
            .ipv4WrongVersion),
        .init(
            "EtherType IPv6, version 4", ethernet(0x86DD, ipv4(6, tcp())), as: .ethernet, .malformed,
            .ipv6WrongVersion),
    ]
}
