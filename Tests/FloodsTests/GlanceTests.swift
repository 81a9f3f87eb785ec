import Testing
import Wire

@testable import Floods

@Suite("A glance at a packet that is not decoded yet")
struct GlanceTests {
    /// A SYN, from port 4,660 to port 80, sequence number 0x11223344.
    private static let segment: [UInt8] =
        [0x12, 0x34, 0, 80, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, 0x50, 0x02, 2, 0, 0, 0, 0, 0]
    private static let v4: [UInt8] =
        [0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 9, 1, 1, 1, 0] + segment
    private static let v6: [UInt8] =
        [0x60, 0, 0, 0, 0, 20, 6, 64, 0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]
        + [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + segment

    @Test("It sees in plain headers what the decoder sees", arguments: [v4, v6])
    func agrees(_ bytes: [UInt8]) throws {
        let packet = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        #expect(packet.kind == .tcp)
        let glance = try #require(unsafe Glance(bytes.span.bytes))
        #expect(glance.tuple == FourTuple(packet))
        #expect(glance.tuple.sourcePort == 4_660)
        #expect(glance.isRequest && glance.sequence == 0x1122_3344)
        var reset = bytes
        reset[reset.count - 7] = 0x12
        let other = try #require(unsafe Glance(reset.span.bytes))
        #expect(!other.isRequest)
    }

    @Test("What is cut off anywhere is no more than not foreseen", arguments: [v4, v6])
    func cut(_ bytes: [UInt8]) {
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            let glance = unsafe Glance(part.span.bytes)
            #expect(glance?.isRequest != true, "\(count) bytes")
        }
        // A header that claims to be longer than what there is, and one that claims to be shorter than it can be.
        for length in [UInt8(0x4F), 0x40] {
            var lie = Self.v4
            lie[0] = length
            let glance = unsafe Glance(lie.span.bytes)
            #expect(glance != nil)
        }
    }
}
