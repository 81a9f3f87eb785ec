import Events
import Evidence
import Foundation
import Lab
import Testing
import Wire

/// What is written, against the schema that is promised (docs/eve.schema.json).
struct SchemaTests {
    private func check(_ lines: [UInt8]) throws -> Program.Ending? {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let program = try Program.start([root + "/docs/check-eve"], input: String(decoding: lines, as: UTF8.self))
        let ending = program.wait(atMost: .seconds(30))
        if ending != .exited(0) { print(program.printed, program.complained) }
        return ending
    }

    @Test func everyKindKeepsToIt() throws {
        var encoder = EVEEncoder(names: sampleNames, sensor: "host1", communityID: true)
        encoder.encode(sampleEvent())
        encoder.encode(
            sampleEvent {
                $0.finding = Finding(.signature, code: 1, concern: .high, asks: .drop)
                $0.verdict = .drop
                $0.reason = .rule
                $0.course.direction = .toServer
                $0.course.start = sampleTime
                $0.origin.source = .gre
                $0.origin.depth = 1
                $0.arrival.sourceMAC = 0x0200_5E10_0001
            })
        encoder.encode(sampleEvent { $0.finding = Finding(.conformance, code: 4, concern: .medium, asks: .accept) })
        encoder.encode(
            sampleEvent {
                $0.finding = Finding(.relation, code: 2, concern: .high, asks: .drop)
                $0.reason = .relation
            })
        encoder.encodeDrop(sampleEvent { $0.verdict = .drop })
        encoder.encode(sampleFlood(.open))
        encoder.encode(sampleFlood(.close))
        encoder.encodeStats(
            time: sampleTime, uptime: 5, counters: ["decoder.pkts": 1, "a.b.c": 2],
            guests: [GuestRate(name: "w\"eb", packetsIn: 1, bitsIn: 2, packetsOut: 3, bitsOut: 4)])
        let frame = [UInt8](repeating: 0x41, count: 60)
        encoder.encode(
            sampleEvent { $0.packet.payloadLength = 6 },
            at: CapturePlace(file: "x.pcap", number: 3, linkType: 1), packet: unsafe frame.span.bytes)
        #expect(try check(encoder.bytes) == .exited(0))
    }

    @Test(arguments: [
        #"{"event_type":"alert"}"#, "no JSON",
        #"{"timestamp":"2026-11-26T10:00:00.000000+0000","event_type":"stats","stats":{"uptime":1},"more":1}"#,
        #"{"timestamp":"2026-11-26 10:00","event_type":"stats","stats":{"uptime":1}}"#,
        #"{"timestamp":"2026-11-26T10:00:00.000000+0000","event_type":"stats","stats":{"uptime":-1}}"#,
        #"{"timestamp":"2026-11-26T10:00:00.000000+0000","event_type":"anomaly","flinch":{"concern":"low"}}"#,
    ])
    func whatDoesNotIsSeen(_ line: String) throws {
        #expect(try check(Array((line + "\n").utf8)) == .exited(1))
    }
}
