import Configuration
import Foundation
import Inspection
import Sensor
import Testing
import Wire

/// From the files to the lines: what thresholds and tags come to in a replay.
@Suite struct ThresholdReplayTests {
    private func lines(
        _ rules: String, thresholds: String, _ packets: [[UInt8]], mode: InspectionMode = .live
    ) throws -> [[String: Any]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flinch-thresholds-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let ruleFile = folder.appending(path: "a.rules").path
        let thresholdFile = folder.appending(path: "threshold.config").path
        try rules.write(toFile: ruleFile, atomically: true, encoding: .utf8)
        try thresholds.write(toFile: thresholdFile, atomically: true, encoding: .utf8)
        var capture = Capture()
        for packet in packets { capture.add(packet, count: 1, aSecond: 1) }
        return try capture.written {
            try replay([$0], home: ["10.0.0.2"], mode: mode) {
                $0.rules.files = [ruleFile]
                $0.rules.thresholds = thresholdFile
            }.events()
        }.dropLast()
    }

    private func action(_ line: [String: Any]) -> String? { (line["alert"] as? [String: Any])?["action"] as? String }

    /// The third packet from a host is the first that is dropped, and the next guest's is not.
    @Test func aRateFilterDrops() throws {
        let from = { (party: Party) in Family.v4.udp(party, .web, "EVIL") }
        let events = try lines(
            #"alert udp any any -> any any (content:"EVIL"; sid:1;)"#,
            thresholds:
                "rate_filter gen_id 1, sig_id 1, track by_src, count 2, seconds 60, new_action drop, timeout 60",
            [from(.client), from(.client), from(.client), from(.stranger), from(.client)])
        #expect(events.map(action) == ["allowed", "allowed", "blocked", "allowed", "blocked"])
    }

    /// Replay gives every alert: it is not limited as a sensor is.
    @Test func nothingIsHeldBack() throws {
        let events = try lines(
            #"alert udp any any -> any any (content:"EVIL"; sid:1;)"#, thresholds: "",
            Array(repeating: Family.v4.udp(.client, .web, "EVIL"), count: 100))
        #expect(events.count == 100)
        #expect(events.allSatisfy { ($0["flinch"] as? [String: Any])?["count"] == nil })
    }

    /// What follows is written with its bytes, and is no alert of the guest.
    @Test func taggedPacketsAreWritten() throws {
        let events = try lines(
            #"alert udp any any -> any any (content:"EVIL"; tag:session,3,packets; sid:1;)"#, thresholds: "",
            [
                Family.v4.udp(.client, .web, "EVIL"), Family.v4.udp(.client, .web, "more"),
                Family.v4.udp(.stranger, .web, "other"), Family.v4.udp(.client, .web, "last"),
                Family.v4.udp(.client, .web, "over"),
            ])
        #expect(events.map { $0["event_type"] as? String } == ["alert", "packet", "packet"])
        #expect(events.map { $0["pcap_cnt"] as? Int } == [1, 2, 4])
        let bytes = Data(base64Encoded: try #require(events[1]["packet"] as? String))
        #expect(bytes.map(Array.init) == Family.v4.udp(.client, .web, "more"))
        #expect(events[1]["alert"] == nil && events[1]["packet_info"] != nil)
    }

    /// A rule is about the packet in a tunnel, and so is its tag.
    @Test func tagsInATunnel() throws {
        let inner = { (text: String) in Family.v4.ip(.stranger, .dns, 4, Family.v4.udp(.client, .web, text)) }
        let events = try lines(
            #"alert udp any any -> any any (content:"EVIL"; tag:session,2,packets; sid:1;)"#, thresholds: "",
            [inner("EVIL"), inner("more"), inner("over")])
        #expect(events.map { $0["event_type"] as? String } == ["alert", "packet"])
        #expect(events.last?["src_ip"] as? String == "10.0.0.100")
    }
}
