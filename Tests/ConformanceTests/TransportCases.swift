import Conformance
import Wire

private let sound = ipv4(6, tcp())

private func segment(_ flags: TCPFlags) -> [UInt8] { ipv4(6, tcp([], flags: flags)) }

private func offering(_ options: String, flags: TCPFlags = .syn) -> [UInt8] {
    ipv4(6, tcp([], flags: flags, options: hex(options)))
}

extension CheckTests {
    static let transportCases: [CheckCase] = [
        CheckCase(.tcpTooShort, ipv4(6, Array(tcp().prefix(19))), sound),
        CheckCase(.tcpHeaderTooSmall, ipv4(6, tcp(words: 4)), sound),
        CheckCase(.tcpHeaderBeyondPacket, ipv4(6, tcp([], words: 6)), ipv4(6, tcp(zeros(4), words: 6))),
        CheckCase(.tcpBadChecksum, damaged(sound), sound),
        CheckCase(.tcpNoFlags, segment([]), segment(.ack)),
        CheckCase(.tcpNoFlags, segment([.ece]), segment([.ece, .cwr, .syn])),
        CheckCase(.tcpXmas, segment([.fin, .psh, .urg]), segment([.fin, .psh, .urg, .ack])),
        CheckCase(.tcpSYNFIN, segment([.syn, .fin]), segment([.fin, .ack])),
        CheckCase(.tcpSYNRST, segment([.syn, .rst, .ack]), segment([.rst, .ack])),
        CheckCase(.tcpNoACK, segment(.fin), segment(.rst)),
        CheckCase(.tcpNoACK, segment([.psh, .urg]), segment([.psh, .ack])),
        CheckCase(.tcpReservedBits, ipv4(6, tcp(reserved: 8)), ipv4(6, tcp(reserved: 1))),
        CheckCase(
            .tcpDataInSYN, ipv4(6, tcp(flags: .syn)), ipv4(6, tcp(flags: .syn, options: hex("2206 01020304 0101")))),
        CheckCase(
            .tcpDataInSYN, ipv4(6, tcp(flags: .syn, options: hex("fd04 0000"))),
            ipv4(6, tcp(flags: .syn, options: hex("fe04 f989")))),
        CheckCase(
            .tcpUrgentZero, ipv4(6, tcp(flags: [.urg, .ack])), ipv4(6, tcp(flags: [.urg, .ack], urgent: 1))),
        CheckCase(.tcpUrgentWithoutFlag, ipv4(6, tcp(urgent: 1)), ipv4(6, tcp(flags: [.urg, .ack], urgent: 1))),
        CheckCase(
            .tcpUrgentBeyond, ipv4(6, tcp(flags: [.urg, .ack], urgent: 17)),
            ipv4(6, tcp(flags: [.urg, .ack], urgent: 16))),
        CheckCase(.tcpPortZero, ipv4(6, tcp(to: 0)), ipv4(6, tcp(to: 1))),
        CheckCase(.tcpPortZero, ipv4(6, tcp(from: 0)), ipv4(6, tcp(from: 1))),
        CheckCase(.tcpToGroup, ipv4(6, tcp(), to: "224.0.0.5"), ipv4(6, tcp(), to: "223.0.0.5")),
        CheckCase(.tcpToGroup, ipv4(6, tcp(), to: "255.255.255.255"), sound),
        CheckCase(.tcpBadOptionLength, offering("0205 0102"), offering("0204 05b4")),
        CheckCase(.tcpBadOptionLength, offering("0304 0801"), offering("0303 0801")),
        CheckCase(.tcpBadOptionLength, offering("0403 0001"), offering("0402 0101")),
        CheckCase(.tcpOptionDuplicate, offering("0204 05b4 0204 05b4"), offering("0204 05b4 0101 0101")),
        CheckCase(.tcpSegmentSizeZero, offering("0204 0000"), offering("0204 0218")),
        CheckCase(.tcpSegmentSizeSmall, offering("0204 002f"), offering("0204 0030")),
        CheckCase(.tcpWindowScale, offering("0303 0f01"), offering("0303 0e01")),
        CheckCase(.tcpOfferOutsideSYN, offering("0204 05b4", flags: .ack), offering("0204 05b4", flags: [.syn, .ack])),
        CheckCase(
            .tcpEchoWithoutACK, offering("080a 00000001 00000001 0101"),
            offering("080a 00000001 00000001 0101", flags: [.syn, .ack])),

        CheckCase(.udpTooShort, ipv4(17, Array(udp().prefix(7))), ipv4(17, udp())),
        CheckCase(.udpLengthTooSmall, ipv4(17, udp(length: 7)), ipv4(17, udp([]))),
        CheckCase(.udpLengthBeyondPacket, ipv4(17, udp(length: 25)), ipv4(17, udp())),
        CheckCase(.udpTrailingData, ipv4(17, udp(length: 23), seal: false), ipv4(17, udp())),
        CheckCase(.udpBadChecksum, damaged(ipv4(17, udp())), ipv4(17, udp())),
        CheckCase(.udpNoChecksum, ipv6(17, udp(), seal: false), ipv4(17, udp(), seal: false)),
        CheckCase(.udpNoChecksum, ipv6(17, udp(), seal: false), ipv6(17, udp(to: 4789), seal: false)),
        CheckCase(.udpPortZero, ipv4(17, udp(to: 0)), ipv4(17, udp(from: 0))),

        CheckCase(.sctpMalformed, ipv4(132, sctp([0, 3, 0])), ipv4(132, sctp([4, 0, 0, 4]))),
        CheckCase(
            .sctpBundling, ipv4(132, sctp(tag: 0, [1, 0, 0, 4, 4, 0, 0, 4])), ipv4(132, sctp(tag: 0, [1, 0, 0, 4]))),
        CheckCase(.sctpTooManyChunks, ipv4(132, sctp(chunks(17))), ipv4(132, sctp(chunks(3)))),
        CheckCase(.espTooShort, ipv4(50, zeros(7)), ipv4(50, zeros(8))),
        CheckCase(.igmpMalformed, ipv4(2, hex("16000000 e00000")), ipv4(2, hex("16000000 e0000005"))),
    ]

    /// The last byte of the payload changed.
    private static func damaged(_ packet: [UInt8]) -> [UInt8] { packet.dropLast() + [packet.last! ^ 0xFF] }

    private static func sctp(tag: Int = 7, _ chunks: [UInt8]) -> [UInt8] {
        big16(40000) + big16(80) + big32(tag) + zeros(4) + chunks
    }

    private static func chunks(_ count: Int) -> [UInt8] { Array(repeating: [4, 0, 0, 4], count: count).flatMap { $0 } }
}
