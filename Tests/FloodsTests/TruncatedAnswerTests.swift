import Evidence
import Testing
import Wire

@testable import Floods

@Suite("Answers that send resolvers to TCP, as they are sent")
struct TruncatedAnswerTests {
    private static let message: [UInt8] =
        [0xAB, 0xCD, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1, 3] + Array("wWw".utf8) + [3] + Array("lab".utf8)
        + [0, 0, 28, 0, 1] + [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
    private static let datagram = [UInt8]([0x9C, 0x40, 0, 53, 0, UInt8(8 + message.count), 0, 0]) + message
    private static let v4: [UInt8] =
        [0x45, 0, 0, UInt8(20 + datagram.count), 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 9] + datagram
    private static let v6: [UInt8] =
        [0x60, 0, 0, 0, 0, UInt8(datagram.count), 17, 64, 0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        + [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + datagram

    @Test(
        "The query comes back with QR and TC, right checksums, and no longer than it went", arguments: [v4, v6],
        [nil, UInt16(0x6064)])
    func frame(_ bytes: [UInt8], _ tag: UInt16?) throws {
        let asked = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        var arrival = Arrival(time: 1)
        arrival.port = 7
        arrival.sourceMAC = 0x0200_0000_0064
        if let tag { (arrival.tag, arrival.hasTag) = (tag, true) }
        var buffer = ChallengeBuffer()
        let start = Int(asked.payloadOffset)
        guard let query = unsafe DNSQuery(bytes.span.bytes.extracting(start..<bytes.count)) else {
            Issue.record("no query")
            return
        }
        buffer.append(truncating: query, asked, arrival, guestMAC: 0x0200_0000_0002)
        let frame = unsafe buffer.withFrame(0) { unsafe Array($0) }

        let packet = unsafe Decoder.decode(frame.span.bytes, as: .ethernet)
        #expect(packet.kind == .udp && packet.anomalies == Anomalies())
        #expect(packet.source == asked.destination && packet.destination == asked.source)
        #expect(packet.sourcePort == 53 && packet.destinationPort == 40_000)
        #expect(packet.tag(0) == tag)
        #expect(packet.statedLength <= asked.statedLength)
        let isGood = unsafe packet.hasValidTransportChecksum(in: frame.span.bytes)
        #expect(isGood == true)
        if asked.source.isV4 {
            let header = unsafe frame.span.bytes.extracting(packet.networkHeader)
            #expect(IPv4Header(header)?.hasValidChecksum == true)
        }
        let payload = frame[Int(packet.payloadOffset)...]
        #expect(Array(payload) == [0xAB, 0xCD, 0x83, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Self.message[12..<25])
    }

    @Test("The longest query has room")
    func longest() {
        let label = [UInt8(63)] + [UInt8](repeating: 0x61, count: 63)
        let message =
            Self.message[..<12] + label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0, 0, 1, 0, 1]
        var packet = Packet()
        packet.source = Address("2001:db8::1")!
        packet.destination = Address("2001:db8::9")!
        var arrival = Arrival(time: 1)
        (arrival.tag, arrival.hasTag) = (5, true)
        var buffer = ChallengeBuffer()
        let bytes = Array(message)
        guard let query = unsafe DNSQuery(bytes.span.bytes) else {
            Issue.record("no query")
            return
        }
        buffer.append(truncating: query, packet, arrival, guestMAC: 2)
        let count = unsafe buffer.withFrame(0) { $0.count }
        #expect(count == 18 + 40 + 8 + DNSQuery.longest)
    }
}
