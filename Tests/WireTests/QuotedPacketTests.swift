import Testing
import Wire

/// What an ICMP error says of the packet that it is about.
struct QuotedPacketTests {
    private static let v4: [UInt8] =
        [3, 3, 0, 0, 0, 0, 0, 0] + [0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2]
        + [0x9C, 0x40, 0, 53, 0, 20, 0, 0]
    private static let v6: [UInt8] =
        [1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 20, 6, 64] + [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11)
        + [1] + [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [2] + [0x9C, 0x40, 1, 0xBB, 0, 0, 0, 0]

    private func quoted(_ bytes: some Collection<UInt8>) -> QuotedPacket? { quoted(Array(bytes)) }
    private func quoted(_ bytes: [UInt8]) -> QuotedPacket? { unsafe QuotedPacket(bytes.span.bytes) }

    @Test func whomItWasFromAndTo() throws {
        let v4 = try #require(quoted(Self.v4))
        #expect(v4.source == Address("192.0.2.1") && v4.destination == Address("198.51.100.2"))
        #expect(v4.ipProtocol == IPProtocol.udp && v4.sourcePort == 40_000 && v4.destinationPort == 53)
        let v6 = try #require(quoted(Self.v6))
        #expect(v6.source == Address("2001:db8::1") && v6.destination == Address("2001:db8::2"))
        #expect(v6.ipProtocol == IPProtocol.tcp && v6.sourcePort == 40_000 && v6.destinationPort == 443)
    }

    @Test func whatItWas() throws {
        var bytes = Self.v6
        bytes.replaceSubrange(52..<56, with: [0, 0, 4, 0xD2])
        #expect(try #require(quoted(bytes)).sequence == 1_234)
        #expect(try #require(quoted(bytes.dropLast())).sequence == nil)
        #expect(try #require(quoted(Self.v4)).sequence == nil)
        #expect(try #require(quoted(Self.v4)).isFragment == false)
        bytes = Self.v4
        bytes[14] = 0x20
        #expect(try #require(quoted(bytes)).isFragment)
        bytes[17] = 1
        bytes.replaceSubrange(28..<36, with: [8, 0, 0, 0, 0, 7, 0, 1])
        #expect(try #require(quoted(bytes)).echoIdentifier == 7)
        bytes[28] = 0
        #expect(try #require(quoted(bytes)).echoIdentifier == nil)
    }

    /// Cut anywhere: the ports are there whole or not at all, and so is the header.
    @Test func cutShort() {
        for (bytes, header) in [(Self.v4, 28), (Self.v6, 48)] {
            for length in 0...bytes.count {
                let packet = quoted(Array(bytes.prefix(length)))
                #expect((packet != nil) == (length >= header), "\(length)")
                #expect((packet?.destinationPort ?? 0 != 0) == (length >= header + 4), "\(length)")
            }
        }
    }

    @Test func whatIsNone() {
        var bytes = Self.v4
        bytes[8] = 0x55
        #expect(quoted(bytes) == nil)
        // A header length beyond the message, a later fragment, a protocol without ports.
        bytes[8] = 0x4F
        #expect(quoted(bytes)?.destinationPort == 0)
        bytes[8] = 0x45
        bytes[15] = 1
        #expect(quoted(bytes) == nil)
        bytes[15] = 0
        bytes[17] = 47
        #expect(quoted(bytes)?.destinationPort == 0)
    }
}
