import Wire

extension Tables {
    /// Copied flag and number of the record-route option, 7 bytes, and one of padding.
    private static let route = hex("07 07 04 00000000 00")

    static let ipv4Header: [DecodeCase] = [
        .init("19 bytes", Array(ipv4(6, tcp()).prefix(19)), .malformed, .ipv4TooShort),
        .init("19 bytes, cut", Array(ipv4(6, tcp()).prefix(19)), cut: true, .other, .cutByCapture),
        .init("20 bytes, no upper header", ipv4(99, []), .otherIP, payload: [20, 0]),
        .init("header of 16 bytes", ipv4(6, tcp(), headerWords: 4), .malformed, .ipv4HeaderTooSmall),
        .init("header of 0 bytes", ipv4(6, tcp(), headerWords: 0), .malformed, .ipv4HeaderTooSmall),
        .init("header beyond the bytes", ipv4(6, data, headerWords: 15), .malformed, .ipv4HeaderBeyondPacket),
        .init(
            "header beyond the bytes, cut", ipv4(6, data, headerWords: 15, length: 90), cut: true, .otherIP,
            .cutByCapture),
        .init(
            "header of 60 bytes, all there", ipv4(99, [], options: [UInt8](repeating: 1, count: 40)),
            .otherIP),
        .init("length below the header", ipv4(6, tcp(), length: 19), .malformed, .ipv4LengthTooSmall),
        .init(
            "length below the options", ipv4(6, tcp(), options: route, length: 27), .malformed,
            .ipv4LengthTooSmall),
        .init(
            "length of the header", ipv4(99, data, options: route, length: 28), .otherIP, .ipv4RecordsRoute,
            payload: [28, 0]),
        .init("length below the bytes", ipv4(6, tcp() + data), .tcp, payload: [40, 32]),
        .init(
            "length beyond the bytes", ipv4(6, tcp(), length: 57), .tcp, .ipv4Truncated,
            payload: [40, 16]),
        .init("length of the bytes", ipv4(6, tcp(), length: 56), .tcp, payload: [40, 16]),
        .init("length beyond the bytes, cut", ipv4(6, tcp(), length: 1500), cut: true, .tcp, .cutByCapture),
        .init("whole, although the frame was cut", ipv4(6, tcp()), cut: true, .tcp),
        .init("length 0", ipv4(6, tcp(), length: 0), .tcp, .ipv4LengthZero, payload: [40, 16]),
        .init("length 0, cut", ipv4(6, tcp(), length: 0), cut: true, .tcp, [.ipv4LengthZero, .cutByCapture]),

        .init("record route", ipv4(6, tcp(), options: route), .tcp, .ipv4RecordsRoute, payload: [48, 16]),
        .init(
            "timestamps", ipv4(6, tcp(), options: hex("4408 0500 00000000")), .tcp, .ipv4RecordsRoute,
            payload: [48, 16]),
        .init("loose source route", ipv4(6, tcp(), options: hex("8307 040a 000003 00")), .tcp, .ipv4SourceRoute),
        .init("strict source route", ipv4(6, tcp(), options: hex("8907 040a 000003 00")), .tcp, .ipv4SourceRoute),
        .init("option length 0", ipv4(6, tcp(), options: hex("0700 0000")), .tcp, .ipv4BadOptionLength),
        .init("option length 1", ipv4(6, tcp(), options: hex("0701 0000")), .tcp, .ipv4BadOptionLength),
        .init("option length 2", ipv4(6, tcp(), options: hex("0702 0000")), .tcp, .ipv4RecordsRoute),
        .init("option fills the header", ipv4(6, tcp(), options: hex("0704 0000")), .tcp, .ipv4RecordsRoute),
        .init(
            "option beyond the header", ipv4(6, tcp(), options: hex("0705 0000")), .tcp,
            .ipv4BadOptionLength),
        .init("option without length", ipv4(6, tcp(), options: hex("0101 0107")), .tcp, .ipv4BadOptionLength),
        .init("anything after the end of options", ipv4(6, tcp(), options: hex("0007 01ff")), .tcp),

        .init("ICMPv6 in IPv4", ipv4(58, echo(128)), .otherIP, .icmp6InIPv4),
        .init("ICMP in IPv4", ipv4(1, echo(8)), .icmp, payload: [28, 16]),
        .init("GRE", ipv4(47, data), .otherIP, payload: [20, 16]),
        .init("authentication header in IPv4 is not walked", ipv4(51, data), .otherIP),
    ]
}
