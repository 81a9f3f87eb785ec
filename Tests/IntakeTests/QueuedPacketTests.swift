import Testing

@testable import Intake

@Suite struct QueuedPacketTests {
    @Test(arguments: MessageTable.all)
    func reads(_ row: MessageCase) {
        #expect(read(row.bytes, truncated: row.truncated) == row.expected)
    }

    /// Whatever came before, also where the attributes stand in the same places and are longer or shorter.
    @Test(arguments: MessageTable.all)
    func readsAfterAnyOther(_ row: MessageCase) {
        for other in MessageTable.all {
            var layouts = AttributeLayouts()
            for (turn, next) in [other, row, row, other, row].enumerated() {
                let reading = read(next.bytes, truncated: next.truncated, &layouts)
                #expect(reading == next.expected, "\(turn): \(next) with \(other)")
            }
        }
    }

    /// The payload's length is each packet's own, and is held against the message's.
    @Test func aPayloadOfAnotherLengthStandsInTheSamePlace() {
        func packet(_ count: Int, says length: Int? = nil) -> [UInt8] {
            message(
                packetHeader(), attribute(5, big32(3)),
                attribute(10, (0..<count).map { UInt8($0) }, length: length))
        }
        var layouts = AttributeLayouts()
        for count in [20, 60, 1, 20, 61, 3] {
            let reading = read(packet(count), &layouts)
            #expect(reading?.payload == (0..<count).map { UInt8($0) } && reading?.bridge == 3)
        }
        // Longer than the message is, and shorter than a header.
        for length in [29, 3, 0] {
            let reading = read(packet(20, says: length), &layouts)
            #expect(reading?.payload == [] && reading?.bridge == 3, "\(length)")
        }
        // Shorter than the message: what follows is read as an attribute.
        let shorter = read(packet(20, says: 8), &layouts)
        #expect(shorter?.payload == [0, 1, 2, 3])
    }

    /// What stands whole before the cut is read; without the packet header there is no packet.
    @Test func survivesACutAtEveryByte() throws {
        let complete = try #require(read(wholeMessage))
        for count in 0..<wholeMessage.count {
            let reading = read(wholeMessage.prefix(count), truncated: true)
            guard count >= 20 + 11 else {
                #expect(reading == nil, "\(count) bytes")
                continue
            }
            let found = try #require(reading, "\(count) bytes")
            #expect(found.identifier == complete.identifier && found.isCut, "\(count) bytes")
            // The payload is the last attribute, and ends 3 bytes of padding before the message.
            #expect(
                found.payload == (count >= wholeMessage.count - 3 ? complete.payload : []), "\(count) bytes")
            #expect([0, complete.sourceMAC].contains(found.sourceMAC), "\(count) bytes")
            #expect([nil, complete.tag].contains(found.tag), "\(count) bytes")
        }
    }

    /// Nothing that is not in the message may be read or make it trap, whatever the bytes.
    @Test func survivesDamage() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = wholeMessage
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            var layouts = AttributeLayouts()
            let known = read(wholeMessage, &layouts)
            #expect(known != nil)
            // What the message before looked like changes nothing.
            let reading = read(bytes)
            #expect(read(bytes, &layouts) == reading)
            guard let reading else {
                continue
            }
            #expect(reading.payload.count <= bytes.count - 24, "\(bytes)")
        }
    }
}
