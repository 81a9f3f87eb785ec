import Evidence
import Testing
import Wire

@testable import Intake

/// A message, and what is to be read of it; nil for what is no packet.
struct MessageCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let truncated: Bool
    let expected: Reading?

    init(
        _ name: String, _ bytes: [UInt8], truncated: Bool = false, _ expect: ((inout Reading) -> Void)?
    ) {
        testDescription = name
        self.bytes = bytes
        self.truncated = truncated
        guard let expect else {
            expected = nil
            return
        }
        var reading = Reading()
        expect(&reading)
        expected = reading
    }
}

private let data: [UInt8] = [0x45, 0, 0, 20, 0xAA]

/// One of everything, in the kernel's order (nfqnl_build_packet_message), as a bridge's forward hook sends it.
let wholeMessage: [UInt8] = message(
    packetHeader(), attribute(5, big32(4)), attribute(7, big32(11)), attribute(6, big32(4)),
    attribute(8, big32(12)), attribute(3, big32(0x0100_0000)),
    attribute(9, big16(6) + [0, 0, 2, 0, 0, 0, 0, 0x0B, 0, 0]),
    attribute(19, attribute(2, big16(0x6064)) + attribute(1, big16(0x8100))),
    attribute(20, [2, 0, 0, 0, 0, 0x0A, 2, 0, 0, 0, 0, 0x0B, 8, 0]),
    attribute(14, big32(1)), attribute(10, data))

func readsWhole(_ reading: inout Reading) {
    reading.bridge = 4
    reading.port = 11
    reading.outPort = 12
    reading.mark = 0x0100_0000
    reading.tag = 0x6064
    reading.sourceMAC = 0x0200_0000_000B
    reading.destinationMAC = 0x0200_0000_000A
    reading.checksum = .unfinished
    reading.payload = data
}

enum MessageTable {
    static let all = attributes + padded + tags + lies + others

    static let attributes: [MessageCase] = [
        MessageCase("all attributes of a bridged packet", wholeMessage, readsWhole),
        MessageCase("header alone", message(packetHeader())) { _ in },
        MessageCase("identifier with the high bit", message(packetHeader(-2))) {
            $0.identifier = 0xFFFF_FFFE
        },
        MessageCase("IPv6", message(packetHeader(1, 0x86DD))) {
            $0.identifier = 1
            $0.hardwareProtocol = 0x86DD
        },
        MessageCase("ARP", message(packetHeader(1, 0x0806))) {
            $0.identifier = 1
            $0.hardwareProtocol = 0x0806
            $0.link = .arp
        },
        MessageCase("LLDP", message(packetHeader(1, 0x88CC))) {
            $0.identifier = 1
            $0.hardwareProtocol = 0x88CC
            $0.link = .other
        },
        MessageCase("no checksum attribute: to be verified", message(packetHeader(), attribute(10, data))) {
            $0.payload = data
        },
        MessageCase("checksum verified", message(packetHeader(), attribute(14, big32(0)))) {
            $0.checksum = .verified
        },
        MessageCase("checksum not verified", message(packetHeader(), attribute(14, big32(4)))) {
            $0.checksum = .present
        },
        MessageCase(
            "checksum unfinished, GSO, not verified", message(packetHeader(), attribute(14, big32(7)))
        ) {
            $0.checksum = .unfinished
        },
        MessageCase(
            "hardware address of 8 bytes",
            message(packetHeader(), attribute(9, big16(8) + [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
        ) {
            _ in
        },
        MessageCase(
            "flags of the attribute types",
            message(packetHeader(), attribute(0x8003, big32(5)), attribute(0x4007, big32(6)))
        ) {
            $0.mark = 5
            $0.port = 6
        },
        MessageCase(
            "unknown attributes are passed over",
            message(attribute(0x1234, data), packetHeader(), attribute(99, []))
        ) { _ in },
        MessageCase(
            "the packet header last", message(attribute(3, big32(9)), attribute(10, data), packetHeader())
        ) {
            $0.mark = 9
            $0.payload = data
        },
        MessageCase(
            "copied in part: NFQA_CAP_LEN",
            message(packetHeader(), attribute(13, big32(9000)), attribute(10, data))
        ) {
            $0.payload = data
            $0.isCut = true
        },
        MessageCase(
            "the socket cut it: MSG_TRUNC", message(packetHeader(), attribute(10, data)), truncated: true
        ) {
            $0.payload = data
            $0.isCut = true
        },
        MessageCase("empty payload", message(packetHeader(), attribute(10, []))) { _ in },
    ]

    static let padded: [MessageCase] =
        (1...8).map { count in
            let bytes = Array(UInt8(1)...UInt8(count))
            return MessageCase(
                "payload of \(count) before another attribute",
                message(packetHeader(), attribute(10, bytes), attribute(3, big32(7)))
            ) {
                $0.payload = bytes
                $0.mark = 7
            }
        } + [
            MessageCase(
                "last attribute without its padding",
                Array(message(packetHeader(), attribute(10, data), length: 20 + 12 + 9).prefix(41))
            ) {
                $0.payload = data
            }
        ]

    static let tags: [MessageCase] =
        ([
            ("tag alone", attribute(2, big16(100)), 100),
            ("protocol alone", attribute(1, big16(0x8100)), nil),
            ("tag 0 is a tag", attribute(2, big16(0)), 0),
            ("empty", [], nil),
            ("nested flag", attribute(0x8002, big16(5)), 5),
            ("tag of one byte", attribute(2, [7]), nil),
            ("tag beyond its parent", [9, 0, 2, 0, 0, 5, 0, 0], nil),
            ("attribute of length 0 before it", [0, 0, 1, 0] + attribute(2, big16(5)), nil),
            ("two tags: the last", attribute(2, big16(5)) + attribute(2, big16(6)), 6),
        ] as [(String, [UInt8], UInt16?)]).map { name, nested, tag in
            MessageCase(
                "VLAN: \(name)", message(packetHeader(), attribute(19, nested), attribute(3, big32(1)))
            ) {
                $0.tag = tag
                $0.mark = 1
            }
        }

    static let lies: [MessageCase] = [
        MessageCase(
            "the header states more than there is",
            message(packetHeader(), attribute(3, big32(1)), length: 4000)
        ) {
            $0.mark = 1
        },
        MessageCase(
            "the header states less: the rest is not read",
            message(packetHeader(), attribute(3, big32(1)), length: 32)
        ) {
            _ in
        },
        MessageCase("the header states nothing", message(packetHeader(), length: 0), nil),
        MessageCase("the header states 19 bytes", message(packetHeader(), length: 19), nil),
        MessageCase("the header states 4 GiB", message(packetHeader(), length: -1)) { _ in },
        MessageCase(
            "an attribute of length 0 ends the list",
            message(packetHeader(), attribute(3, big32(1), length: 0), attribute(7, big32(2)))
        ) { _ in },
        MessageCase(
            "an attribute of length 3 ends the list",
            message(packetHeader(), attribute(3, big32(1), length: 3), attribute(7, big32(2)))
        ) { _ in },
        MessageCase(
            "an attribute of length 4 is empty",
            message(packetHeader(), attribute(3, []), attribute(7, big32(2)))
        ) { $0.port = 2 },
        MessageCase(
            "an attribute beyond the message ends the list",
            message(packetHeader(), attribute(10, data, length: 4000))
        ) { _ in },
        MessageCase(
            "an attribute of 65,535 bytes",
            message(packetHeader(), attribute(10, data, length: 65_535), attribute(3, big32(1)))
        ) { _ in },
        MessageCase(
            "numbers of three bytes are not read",
            message(
                packetHeader(), attribute(3, [1, 2, 3]), attribute(5, [1, 2, 3]), attribute(7, [1, 2, 3]),
                attribute(8, [1, 2, 3]), attribute(13, [1, 2, 3]), attribute(14, [0, 0, 0]))
        ) { _ in },
        MessageCase(
            "link header of 13 bytes", message(packetHeader(), attribute(20, Array(repeating: 1, count: 13)))
        ) { _ in },
        MessageCase(
            "hardware address of 9 bytes",
            message(packetHeader(), attribute(9, big16(6) + Array(repeating: 1, count: 7)))
        ) { _ in },
        MessageCase("packet header of 6 bytes", message(attribute(1, big32(1) + big16(0x0800))), nil),
        MessageCase("no packet header", message(attribute(3, big32(1)), attribute(10, data)), nil),
        MessageCase("no attribute", message(), nil),
    ]

    static let others: [MessageCase] = [
        MessageCase("nothing", [], nil),
        MessageCase("NLMSG_ERROR", message(host32(-2), packetHeader(), type: 2), nil),
        MessageCase("NLMSG_DONE", message(packetHeader(), type: 3), nil),
        MessageCase("a verdict", message(packetHeader(), type: 0x0301), nil),
        MessageCase("a configuration message", message(packetHeader(), type: 0x0302), nil),
        MessageCase("another subsystem: nfnetlink_log", message(packetHeader(), type: 0x0400), nil),
    ]
}
