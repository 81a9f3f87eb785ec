import Testing
import Wire

/// What is written about a packet, decoded again.
@Suite("Resets and ICMP messages about refused packets")
struct RejectPacketTests {
    private func answer(_ bytes: [UInt8], to side: RejectPacket.Side) -> [UInt8] {
        var packet = Packet()
        unsafe Decoder.decode(bytes.span.bytes, as: .ip, capturedShort: false, into: &packet)
        var buffer = [UInt8](repeating: 0xEE, count: RejectPacket.largest)
        var span = buffer.mutableSpan
        var raw = unsafe span.mutableBytes
        let count = unsafe RejectPacket.write(about: packet, bytes.span.bytes, to: side, into: &raw)
        return Array(buffer[..<count])
    }

    private func decoded(_ bytes: [UInt8]) -> Packet {
        var packet = Packet()
        unsafe Decoder.decode(bytes.span.bytes, as: .ip, capturedShort: false, into: &packet)
        return packet
    }

    private func hasGoodChecksum(_ bytes: [UInt8]) -> Bool? {
        unsafe decoded(bytes).hasValidTransportChecksum(in: bytes.span.bytes)
    }

    private static let v4: @Sendable ([UInt8], UInt8) -> [UInt8] = { payload, number in
        hex("45 00") + big16(20 + payload.count) + hex("0001 0000 40") + [number] + hex("0000 0a000001 0a000002")
            + payload
    }
    private static let v6: @Sendable ([UInt8], UInt8) -> [UInt8] = { payload, number in
        hex("60000000") + big16(payload.count) + [number] + hex("40 20010db8000000000000000000000001")
            + hex("20010db8000000000000000000000002") + payload
    }

    private static func tcp(_ flags: UInt8, _ text: String = "") -> [UInt8] {
        hex("9c40 0050 00000064 000000c8 50") + [flags] + hex("0200 0000 0000") + Array(text.utf8)
    }

    @Test(arguments: [
        // Flags, side, and the answer's ports, sequence, acknowledgement and flags; nil for none.
        (0x18 as UInt8, "abc", RejectPacket.Side.source, "0050 9c40 000000c8 00000000 5004" as String?),
        (0x02, "", .source, "0050 9c40 00000000 00000065 5014"),
        (0x03, "abc", .source, "0050 9c40 00000000 00000069 5014"),
        (0x18, "abc", .destination, "9c40 0050 00000064 000000c8 5014"),
        (0x02, "", .destination, nil),
        (0x04, "", .source, nil),
        (0x14, "", .destination, nil),
    ])
    func resets(_ flags: UInt8, _ text: String, _ side: RejectPacket.Side, _ expected: String?) {
        for make in [RejectPacketTests.v4, RejectPacketTests.v6] {
            let question = make(RejectPacketTests.tcp(flags, text), 6)
            let bytes = answer(question, to: side)
            guard let expected else {
                #expect(bytes.isEmpty)
                continue
            }
            let packet = decoded(bytes)
            #expect(packet.kind == .tcp)
            #expect(packet.anomalies == Anomalies())
            #expect(hasGoodChecksum(bytes) == true)
            #expect(Array(bytes[Int(packet.transportOffset)...].prefix(14)) == hex(expected))
            let asked = decoded(question)
            #expect((packet.source == asked.destination) == (side == .source))
            #expect((packet.destination == asked.source) == (side == .source))
        }
    }

    @Test func datagramsAreAnsweredByICMP() {
        for (make, kind, code) in [
            (RejectPacketTests.v4, PacketKind.icmp, [3, 13] as [UInt8]), (RejectPacketTests.v6, .icmp6, [1, 1]),
        ] {
            let question = make(
                hex("9c40 0035") + big16(8 + 2_000) + hex("0000") + Array(repeating: 7, count: 2_000), 17)
            let bytes = answer(question, to: .source)
            let packet = decoded(bytes)
            #expect(packet.kind == kind)
            #expect([packet.icmpType, packet.icmpCode] == code)
            #expect(hasGoodChecksum(bytes) == true)
            #expect(bytes.count == (kind == .icmp ? 576 : 1_280))
            let quoted = bytes[(Int(packet.transportOffset) + 8)...]
            #expect(Array(quoted) == Array(question.prefix(quoted.count)))
            #expect(answer(question, to: .destination).isEmpty)
            // Nobody answers an ICMP error.
            #expect(answer(bytes, to: .source).isEmpty)
        }
    }

    @Test(arguments: ["e0000001", "ffffffff", "00000000"])
    func groupsAreNotAnswered(_ address: String) {
        var question = RejectPacketTests.v4(RejectPacketTests.tcp(0x18), 6)
        question.replaceSubrange(16..<20, with: hex(address))
        #expect(answer(question, to: .source).isEmpty)
    }

    @Test func laterFragmentsAreNotAnswered() {
        var question = RejectPacketTests.v4(hex("9c40 0035 0010 0000") + Array(repeating: 0, count: 8), 17)
        question.replaceSubrange(6..<8, with: hex("0010"))
        #expect(answer(question, to: .source).isEmpty)
    }
}
