import Evidence
import Foundation
import Testing
import Wire

@testable import Events

struct CommunityIDTests {
    struct Case: CustomTestStringConvertible {
        var proto: UInt8
        var source: String
        var destination: String
        /// Ports, or type and code of ICMP.
        var first: UInt16 = 0
        var second: UInt16 = 0
        var expected: String
        var testDescription: String { "\(proto) \(source) \(first) \(destination) \(second)" }
    }

    /// The baseline of the specification.
    @Test(arguments: [
        Case(
            proto: 6, source: "128.232.110.120", destination: "66.35.250.204", first: 34_855, second: 80,
            expected: "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        Case(
            proto: 6, source: "66.35.250.204", destination: "128.232.110.120", first: 80, second: 34_855,
            expected: "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        Case(
            proto: 17, source: "192.168.1.52", destination: "8.8.8.8", first: 54_585, second: 53,
            expected: "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        Case(
            proto: 1, source: "192.168.0.89", destination: "192.168.0.1", first: 8, second: 0,
            expected: "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        Case(
            proto: 1, source: "192.168.0.1", destination: "192.168.0.89", first: 0, second: 0,
            expected: "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        Case(
            proto: 58, source: "fe80::200:86ff:fe05:80da", destination: "fe80::260:97ff:fe07:69ea", first: 135,
            second: 0, expected: "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
        Case(
            proto: 132, source: "192.168.170.8", destination: "192.168.170.56", first: 7, second: 80,
            expected: "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
    ])
    func baseline(_ test: Case) throws {
        var packet = Packet()
        packet.ipProtocol = test.proto
        packet.source = try #require(Address(test.source))
        packet.destination = try #require(Address(test.destination))
        packet.ipVersion = packet.source.isV4 ? 4 : 6
        switch test.proto {
        case 6: packet.kind = .tcp
        case 17: packet.kind = .udp
        case 1: packet.kind = .icmp
        case 58: packet.kind = .icmp6
        default: packet.kind = .otherIP
        }
        if test.proto == 1 || test.proto == 58 {
            packet.icmpType = UInt8(test.first)
            packet.icmpCode = UInt8(test.second)
        } else {
            packet.sourcePort = test.first
            packet.destinationPort = test.second
        }
        let digest = try #require(CommunityID.digest(packet))
        #expect("1:" + Data(digest).base64EncodedString() == test.expected)
        var encoder = EVEEncoder(names: sampleNames, communityID: true)
        encoder.encode(sampleEvent { $0.packet = packet })
        #expect(String(decoding: encoder.bytes, as: UTF8.self).contains("\"community_id\":\"\(test.expected)\""))
    }
}
