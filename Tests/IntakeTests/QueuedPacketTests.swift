import Testing

@testable import Intake

@Suite struct QueuedPacketTests {
    @Test(arguments: MessageTable.all)
    func reads(_ row: MessageCase) {
        #expect(read(row.bytes, truncated: row.truncated) == row.expected)
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
            guard let reading = read(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))) else {
                continue
            }
            #expect(reading.payload.count <= bytes.count - 24, "\(bytes)")
        }
    }
}
