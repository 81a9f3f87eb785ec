import Events
import Evidence
import Foundation
import Testing
import Wire

/// What replay adds to a line: the bytes of the packet, and what is read from them.
@Suite struct EVEBytesTests {
    private static func line(
        _ bytes: [UInt8], as link: LinkLayer = .ip, linkType: Int32 = 12, payload: [UInt8]? = nil,
        _ change: (inout Event) -> Void = { _ in }
    ) throws -> [String: Any] {
        var event = sampleEvent()
        event.packet = unsafe Decoder.decode(bytes.span.bytes, as: link)
        change(&event)
        var encoder = EVEEncoder(names: sampleNames)
        let place = CapturePlace(file: "a.pcap", number: 3, linkType: linkType)
        if let payload {
            unsafe encoder.encode(event, at: place, packet: bytes.span.bytes, payload: payload.span.bytes)
        } else {
            unsafe encoder.encode(event, at: place, packet: bytes.span.bytes)
        }
        return try #require(
            try JSONSerialization.jsonObject(with: Data(encoder.bytes)) as? [String: Any])
    }

    private static func ip(
        _ number: UInt8, _ payload: [UInt8], hops: UInt8 = 64, to destination: [UInt8] = [10, 0, 0, 2]
    )
        -> [UInt8]
    {
        [0x45, 0, 0, UInt8(20 + payload.count), 0, 1, 0, 0, hops, number, 0, 0, 10, 0, 0, 1] + destination + payload
    }

    private static func udp(_ text: [UInt8]) -> [UInt8] { ip(17, [0, 7, 0, 9, 0, UInt8(8 + text.count), 0, 0] + text) }

    private static let frame: [UInt8] = [2, 0, 0, 0, 0, 0xB, 2, 0, 0, 0, 0, 0xA, 8, 0]

    @Test func packetAndPayload() throws {
        let text: [UInt8] = Array("a\r\n\"\\\t".utf8) + [0x7F, 0xC3]
        let bytes = Self.frame + Self.udp(text)
        let line = try Self.line(bytes, as: .ethernet, linkType: 1)
        #expect(line["packet"] as? String == Data(bytes).base64EncodedString())
        #expect(line["payload"] as? String == Data(text).base64EncodedString())
        #expect(line["payload_printable"] as? String == "a\r\n\"\\...")
        #expect(line["stream"] as? Int == 0)
        let info = line["packet_info"] as? [String: Any]
        #expect(info?["linktype"] as? Int == 1 && info?["linktype_name"] as? String == "EN10MB")
        #expect(line["pcap_filename"] as? String == "a.pcap" && line["pcap_cnt"] as? Int == 3)
        let ether = line["ether"] as? [String: Any]
        #expect(ether?["src_mac"] as? String == "02:00:00:00:00:0a")
        #expect(ether?["dest_mac"] as? String == "02:00:00:00:00:0b")
        #expect(ether?["ether_type"] as? Int == 0x0800)
    }

    @Test(arguments: 0...7) func base64OfEveryLength(_ count: Int) throws {
        let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 83 &+ 251) }
        #expect(try Self.line(Self.udp(text))["payload"] as? String == Data(text).base64EncodedString())
    }

    @Test func theStreamStandsForThePacket() throws {
        let line = try Self.line(Self.udp([1]), payload: Array("VERY[4 bytes missing]DATA".utf8)) {
            $0.finding.matchedStream = true
            $0.origin.source = .streamEnd
        }
        #expect(line["payload_printable"] as? String == "VERY[4 bytes missing]DATA")
        #expect(line["stream"] as? Int == 1 && line["pkt_src"] as? String == "stream (flow timeout)")
        #expect(line["tunnel"] == nil)
    }

    @Test func whatCameOutOfATunnelIsBareIP() throws {
        let line = try Self.line(Self.udp([1]), linkType: 1) {
            $0.origin = Origin(.gre, depth: 1, outer: sampleEvent().packet)
        }
        let info = line["packet_info"] as? [String: Any]
        #expect(info?["linktype"] as? Int == 12 && info?["linktype_name"] as? String == "RAW")
        let tunnel = line["tunnel"] as? [String: Any]
        #expect(tunnel?["src_ip"] as? String == "198.51.100.9" && tunnel?["pcap_cnt"] as? Int == 3)
        // A datagram put together has the link header of its fragments.
        let whole = try Self.line(Self.udp([1]), linkType: 228) {
            $0.origin = Origin(.defragmented, depth: 0, outer: sampleEvent().packet)
        }
        let wholeInfo = whole["packet_info"] as? [String: Any]
        #expect(wholeInfo?["linktype_name"] as? String == "IPv4" && whole["tunnel"] != nil)
    }

    @Test func undecodablePacketsHaveBytesAndNoPayload() throws {
        let line = try Self.line(Array(Self.udp([1, 2]).dropLast()))
        #expect(line["src_ip"] == nil && line["dest_port"] == nil && line["proto"] == nil && line["ip_v"] == nil)
        #expect(line["payload"] == nil && line["stream"] == nil && line["packet"] != nil)
    }

    @Test func sctpTellsItsChunks() throws {
        let data: [UInt8] = [0, 3, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 65, 66, 0, 0]
        let line = try Self.line(
            Self.ip(132, [19, 136, 19, 137, 0, 0, 0, 7, 0, 0, 0, 0, 3, 0, 0, 4, 99, 0, 0, 4] + data))
        let sctp = try #require(line["sctp"] as? [String: Any])
        #expect(sctp["vtag"] as? Int == 7 && sctp["chunk_cnt"] as? Int == 3)
        #expect(sctp["chunk_types"] as? [String] == ["sack", "unknown(99)", "data"])
        #expect(sctp["has_data"] as? Bool == true && sctp["has_init"] as? Bool == false)
        #expect(line["proto"] as? String == "SCTP" && line["src_port"] as? Int == 5000)
        #expect(line["payload_printable"] as? String == "AB")
    }

    @Test func igmpTellsItsVersion() throws {
        let query: [UInt8] = [0x11, 100, 0, 0, 224, 0, 0, 1]
        let line = try Self.line(Self.ip(2, query))
        let igmp = line["igmp"] as? [String: Any]
        #expect(igmp?["type"] as? Int == 17 && igmp?["version"] as? Int == 2 && line["rgmp"] == nil)
        let routers = try Self.line(Self.ip(2, [255, 0, 0, 0, 0, 0, 0, 0], hops: 1, to: [224, 0, 0, 25]))
        let rgmp = routers["rgmp"] as? [String: Any]
        #expect(rgmp?["type"] as? Int == 255 && routers["igmp"] == nil)
    }

    @Test func anomaliesHaveNoBytes() throws {
        let line = try Self.line(Self.udp([1])) {
            $0.finding = Finding(.conformance, code: 4, concern: .medium, asks: .accept)
        }
        #expect(line["packet"] == nil && line["payload"] == nil && line["verdict"] == nil)
    }
}
