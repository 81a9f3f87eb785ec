import Wire

extension Tables {
    private static let timestamps = hex("0101 080a 00000001 00000002")

    static let upper: [DecodeCase] = [
        .init("TCP of 19 bytes", ipv4(6, Array(tcp([]).dropLast())), .malformed, .tcpTooShort),
        .init("TCP of 20 bytes", ipv4(6, tcp([])), .tcp, payload: [40, 0]),
        .init(
            "TCP of 19 bytes, cut", ipv4(6, Array(tcp([]).dropLast()), length: 40), cut: true, .otherIP,
            .cutByCapture),
        .init(
            "TCP of 19 bytes, a cut elsewhere", ipv4(6, Array(tcp([]).dropLast())) + data, cut: true,
            .malformed, .tcpTooShort),
        .init("TCP offset 16", ipv4(6, tcp(words: 4)), .malformed, .tcpHeaderTooSmall),
        .init("TCP offset beyond the packet", ipv4(6, tcp([], words: 6)), .malformed, .tcpHeaderBeyondPacket),
        .init("TCP offset to the end", ipv4(6, tcp([1, 1, 1, 1], words: 6)), .tcp, payload: [44, 0]),
        .init(
            "TCP offset beyond the stated length", ipv4(6, tcp([1, 1, 1, 1], words: 6), length: 43),
            .malformed, .tcpHeaderBeyondPacket),
        .init(
            "TCP offset beyond the packet, cut", ipv4(6, tcp([], words: 6), length: 44), cut: true,
            .otherIP, .cutByCapture),
        .init("TCP timestamps", ipv4(6, tcp(options: timestamps)), .tcp, payload: [52, 16]),
        .init(
            "TCP SYN options",
            ipv4(6, tcp([], options: hex("020405b4 0402080a 00000001 00000000 01030307"), flags: .syn)),
            .tcp),
        .init(
            "TCP segments of 0 bytes", ipv4(6, tcp(options: hex("02040000"), flags: .syn)), .tcp, .tcpSegmentSizeZero),
        .init(
            "TCP segments of 47 bytes", ipv4(6, tcp(options: hex("0204002f"), flags: .syn)), .tcp, .tcpSegmentSizeSmall),
        .init("TCP segments of 48 bytes", ipv4(6, tcp(options: hex("02040030"), flags: .syn)), .tcp),
        .init("TCP window scale 15", ipv4(6, tcp(options: hex("03030f00"), flags: .syn)), .tcp, .tcpWindowScale),
        .init("TCP window scale 14", ipv4(6, tcp(options: hex("03030e00"), flags: .syn)), .tcp),
        .init("TCP segment size, not in a SYN", ipv4(6, tcp(options: hex("020405b4"))), .tcp, .tcpOfferOutsideSYN),
        .init(
            "TCP echo in a SYN", ipv4(6, tcp(options: hex("080a 00000001 00000001 0000"), flags: .syn)), .tcp,
            .tcpEchoWithoutACK),
        .init("TCP option length 0", ipv4(6, tcp(options: hex("0300 0000"))), .tcp, .tcpBadOptionLength),
        .init("TCP option length 2", ipv4(6, tcp(options: hex("0402 0000"), flags: .syn)), .tcp),
        .init(
            "TCP option beyond the header", ipv4(6, tcp(options: hex("0101 0203"))), .tcp,
            .tcpBadOptionLength),
        .init(
            "TCP option without length", ipv4(6, tcp(options: hex("0101 0102"))), .tcp,
            .tcpBadOptionLength),
        .init(
            "timestamps, then a bad option", ipv4(6, tcp(options: timestamps + hex("0301 0000"))), .tcp,
            .tcpBadOptionLength),

        .init("UDP of 7 bytes", ipv4(17, Array(udp([]).dropLast())), .malformed, .udpTooShort),
        .init("UDP of 8 bytes", ipv4(17, udp([])), .udp, payload: [28, 0]),
        .init(
            "UDP of 7 bytes, cut", ipv4(17, Array(udp([]).dropLast()), length: 28), cut: true, .otherIP,
            .cutByCapture),
        .init("UDP length 7", ipv4(17, udp(length: 7)), .udp, .udpLengthTooSmall, payload: [28, 16]),
        .init("UDP length 0", ipv4(17, udp(length: 0)), .udp, .udpLengthTooSmall),
        .init("UDP length 8", ipv4(17, udp(length: 8)), .udp, payload: [28, 0]),
        .init("UDP length of the packet", ipv4(17, udp(length: 24)), .udp, payload: [28, 16]),
        .init(
            "UDP length beyond the packet", ipv4(17, udp(length: 25)), .udp, .udpLengthBeyondPacket,
            payload: [28, 16]),
        .init(
            "UDP length beyond the packet, cut", ipv4(17, udp(length: 25), length: 45), cut: true, .udp,
            .cutByCapture),
        .init(
            "UDP length beyond the packet, which is whole", ipv4(17, udp(length: 25)), cut: true, .udp,
            .udpLengthBeyondPacket),

        .init("ICMP of 7 bytes", ipv4(1, Array(echo(8, []).dropLast())), .malformed, .icmpTooShort),
        .init("ICMP of 8 bytes", ipv4(1, echo(8, [])), .icmp, payload: [28, 0]),
        .init("ICMPv6 of 7 bytes", ipv6(58, Array(echo(128, []).dropLast())), .malformed, .icmp6TooShort),
        .init("ICMPv6 of 8 bytes", ipv6(58, echo(128, [])), .icmp6, payload: [48, 0]),
    ]
}
