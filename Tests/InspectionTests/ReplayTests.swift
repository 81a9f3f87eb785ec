import Configuration
import Evidence
import Floods
import Flows
import Foundation
import Inspection
import Sensor
import Testing
import Wire

@Suite struct ReplayTests {
    private func limits(_ floodClass: FloodClass, _ entry: UInt32, _ action: FloodAction) -> FloodLimits {
        var limits = FloodLimits()
        limits[floodClass] = FloodLimit(entry: entry, action: action)
        return limits
    }

    private func floods(_ events: [[String: Any]], _ phase: String) -> [[String: Any]] {
        events.compactMap { ($0["flinch"] as? [String: Any])?["flood"] as? [String: Any] }
            .filter { $0["phase"] as? String == phase }
    }

    /// Two seconds of it between quiet ones, in the capture's time: one alarm, and its end.
    @Test(arguments: Family.allCases) func aFloodOpensAndClosesOnce(_ family: Family) throws {
        var capture = Capture()
        let quiet = family.ping(.client, .web)
        capture.add(quiet, count: 20, aSecond: 10)
        let start = capture.time
        capture.add(family.tcp(.stranger, .web, flags: .syn), count: 2000, aSecond: 1000)
        capture.add(quiet, count: 60, aSecond: 10)
        let result = try capture.written {
            try replay([$0], home: ["\(family.address(of: .web))"], floods: limits(.syn, 100, .deny))
        }
        let events = try result.events()
        let opened = floods(events, "open")
        let closed = floods(events, "close")
        #expect(opened.count == 1 && closed.count == 1)
        #expect(opened.first?["class"] as? String == "syn" && opened.first?["action"] as? String == "deny")
        #expect(opened.first?["id"] as? Int == closed.first?["id"] as? Int)
        #expect(closed.first?["packets"] as? Int == 2000)
        // The alarm comes in the first step of 100 ms in which a hundred were seen, or the next.
        let dropped = try #require(closed.first?["dropped"] as? Int)
        #expect((1800...1900).contains(dropped))
        // Its end: the rate falls below 50 within a second of silence, and stays so for two.
        let duration = try #require(closed.first?["duration"] as? Double)
        #expect((4.5...5.2).contains(duration), "opened \(start)")

        #expect(result.packets == 2080)
        let stats = try #require(events.last)
        #expect(stats["event_type"] as? String == "stats")
        let counters = try #require(stats["stats"] as? [String: Any])
        #expect((counters["decoder"] as? [String: Any])?["pkts"] as? Int == 2080)
        #expect((counters["ips"] as? [String: Any])?["blocked"] as? Int == dropped)
        #expect((counters["ips"] as? [String: Any])?["accepted"] as? Int == 2080 - dropped)
        #expect((counters["flood"] as? [String: Any])?["syn"] as? Int == 1)
        #expect(events.count == 3)
    }

    /// A flood that the capture ends in is closed before the statistics.
    @Test func aFloodThatIsStillOpenIsClosedAtTheEnd() throws {
        var capture = Capture()
        capture.add(Family.v4.udp(.stranger, .web), count: 3000, aSecond: 1000)
        let events = try capture.written {
            try replay([$0], home: ["10.0.0.2"], floods: limits(.udp, 100, .alert)).events()
        }
        #expect(events.map { $0["event_type"] as? String } == ["alert", "flood", "stats"])
        #expect(floods(events, "close").first?["dropped"] as? Int == 0)
    }

    /// What is over before the first step of 100 ms was due.
    @Test func aFloodOfFiftyMillisecondsIsOne() throws {
        var capture = Capture()
        capture.add(Family.v4.udp(.stranger, .web), count: 500, aSecond: 10_000)
        let events = try capture.written {
            try replay([$0], home: ["10.0.0.2"], floods: limits(.udp, 100, .alert)).events()
        }
        #expect(events.map { $0["event_type"] as? String } == ["alert", "flood", "stats"])
    }

    /// Below the limit nothing is said.
    @Test func ordinaryTrafficIsNoFlood() throws {
        var capture = Capture()
        capture.add(Family.v4.udp(.stranger, .web), count: 300, aSecond: 90)
        let events = try capture.written {
            try replay([$0], home: ["10.0.0.2"], floods: limits(.udp, 100, .deny)).events()
        }
        #expect(events.map { $0["event_type"] as? String } == ["stats"])
    }

    /// Silence of an hour costs a few steps, and ends a flood.
    @Test func aLongSilenceEndsAFlood() throws {
        var capture = Capture()
        capture.add(Family.v4.udp(.stranger, .web), count: 1000, aSecond: 1000)
        capture.time += 3600 * 1_000_000_000
        capture.add(Family.v4.udp(.stranger, .web), count: 1, aSecond: 1)
        let events = try capture.written {
            try replay([$0], home: ["10.0.0.2"], floods: limits(.udp, 100, .deny)).events()
        }
        #expect(floods(events, "open").count == 1 && floods(events, "close").count == 1)
        let stats = events.last?["stats"] as? [String: Any]
        // What came after it passes.
        #expect((stats?["decoder"] as? [String: Any])?["pkts"] as? Int == 1001)
        #expect(
            (stats?["ips"] as? [String: Any])?["blocked"] as? Int == floods(events, "close").first?["dropped"]
                as? Int)
    }

    /// Same captures, same bytes: also where hosts of a large prefix are given their slots by a hash.
    @Test(arguments: ["10.0.0.0/8", "10.0.0.0/24"]) func twoRunsSayTheSame(_ home: String) throws {
        var capture = Capture()
        for round in 0..<1000 {
            for host in 1...20 {
                var packet = Family.v4.tcp(.stranger, .web, flags: .syn)
                packet[19] = UInt8(host)
                capture.add(packet)
            }
            capture.add(Family.v4.ip(.stranger, .web, 17, [0, 1, 2]))
            capture.time += 1_000_000
            if round == 500 { capture.time += 10_000_000_000 }
        }
        let runs = try capture.written { path in
            try (0..<2).map { _ in
                try replay([path], home: [home], floods: limits(.syn, 100, .deny)) {
                    $0.rules.files = [Files.starterRules]
                }.eve
            }
        }
        let text = runs.map { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
        // 20 hosts twice, opening and closing; and the one who asks 20 hosts for the same port.
        #expect(text[0].count { $0.contains("\"flood\":") && $0.contains("\"phase\"") } == 80)
        #expect(text[0].count { $0.contains("\"scan.syn\"") } == 2)
        for (first, second) in zip(text[0], text[1]) where first != second {
            Issue.record("\(first)\nis now\n\(second)")
            break
        }
        #expect(text[0].count == text[1].count)
    }

    /// The line is about the packet in which something was found, and shows its bytes.
    @Test(arguments: Family.allCases) func whatIsFoundInATunnelIsToldOfIt(_ family: Family) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flinch-tunnel-\(UUID()).rules").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "alert tcp any any -> any any (content:\"needle\"; sid:1;)\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let inner = Family.v4.tcp(.stranger, .dns, "a needle")
        var capture = Capture()
        capture.add(family.ping(.client, .web))
        capture.add(family.ip(.client, .web, 4, inner))
        let events = try capture.written {
            try replay([$0], home: ["\(family.address(of: .web))"]) { $0.rules.files = [file] }
        }.events()
        let alert = try #require(events.first { $0["event_type"] as? String == "alert" })
        #expect(alert["src_ip"] as? String == "\(Family.v4.address(of: .stranger))")
        #expect(alert["pkt_src"] as? String == "\(family == .v4 ? "ipv4" : "ipv6") tunnel")
        #expect(alert["packet"] as? String == Data(inner).base64EncodedString())
        #expect(alert["payload_printable"] as? String == "a needle")
        let tunnel = try #require(alert["tunnel"] as? [String: Any])
        #expect(tunnel["proto"] as? String == "IP-in-IP" && tunnel["depth"] as? Int == 1)
        #expect(tunnel["pcap_cnt"] as? Int == 2 && alert["pcap_cnt"] as? Int == 2)
        #expect(events.count { $0["event_type"] as? String == "alert" } == 1)
    }

    /// The line is about the whole datagram, and shows its bytes: once, however often its fragments came.
    @Test(arguments: Family.allCases) func whatIsFoundInFragmentsIsToldOfTheWhole(_ family: Family) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flinch-fragments-\(UUID()).rules").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "alert udp any any -> any 9000 (content:\"needle\"; sid:1;)\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let whole = family.udp(.client, .web, "there is a needle in here")
        var capture = Capture()
        for part in family.fragments(of: whole, at: [16, 24]).reversed().flatMap({ [$0, $0] }) {
            capture.add(part)
            capture.time += 1_000_000_000
        }
        let mode = InspectionMode(isInline: false, verifiesChecksums: false)
        let events = try capture.written {
            try replay([$0], home: ["\(family.address(of: .web))"], mode: mode) { $0.rules.files = [file] }
        }.events()
        let alerts = events.filter { $0["event_type"] as? String == "alert" }
        let alert = try #require(alerts.first)
        #expect(alerts.count == 1 && alert["pkt_src"] as? String == "defrag" && alert["pcap_cnt"] as? Int == 5)
        #expect(alert["src_port"] as? Int == 40_000 && alert["dest_port"] as? Int == 9000)
        #expect(alert["payload_printable"] as? String == "there is a needle in here")
        #expect(alert["packet"] as? String == Data(whole).base64EncodedString())
        #expect((alert["packet_info"] as? [String: Any])?["linktype"] as? Int == 12)
    }

    /// What is found depends on whom the fragments are for.
    @Test(arguments: [(FragmentOverlap?.none, 0), (.first, 0), (.last, 1)])
    func overlapsAreTheHostsWhomTheSettingNames(_ policy: FragmentOverlap?, _ count: Int) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flinch-overlaps-\(UUID()).rules").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "alert udp any any -> any 9000 (content:\"poison\"; sid:1;)\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let parts = ["some poison in here", "some things in here"].map {
            Family.v4.fragments(of: Family.v4.udp(.client, .web, $0), at: [8, 24])
        }
        var capture = Capture()
        for part in [parts[1][0], parts[1][1], parts[0][1], parts[0][2]] { capture.add(part) }
        let mode = InspectionMode(isInline: false, verifiesChecksums: false)
        let events = try capture.written {
            try replay([$0], home: ["10.0.0.2"], mode: mode) {
                $0.rules.files = [file]
                $0.flows.fragmentOverlap = policy
            }
        }.events()
        #expect(events.count { $0["event_type"] as? String == "alert" } == count)
    }

    /// What is left of a flow at the end is told of under the capture in which it began, not the one read last.
    @Test func anEndingIsOfItsOwnCapture() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flinch-endings-\(UUID()).rules").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "alert tcp any any -> any 80 (content:\"needle\"; flow:only_stream; sid:1;)\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let mode = InspectionMode(isInline: false, verifiesChecksums: false)
        var first = Capture()
        first.add(Family.v4.tcp(.client, .web, flags: .syn))
        first.add(Family.v4.answer(.web, .client))
        first.add(Family.v4.tcp(.client, .web, "a needle"))
        var others = Capture()
        others.add(Family.v4.udp(.stranger, .dns))
        let events = try first.written { first in
            try others.written { second in
                try others.written { third in
                    let events = try replay([second, first, third], home: ["10.0.0.2"], mode: mode) {
                        $0.rules.files = [file]
                    }.events()
                    let alerts = events.filter { $0["event_type"] as? String == "alert" }
                    #expect(alerts.map { $0["pkt_src"] as? String } == ["stream (flow timeout)"])
                    #expect(alerts.map { $0["pcap_filename"] as? String } == [first])
                    return events
                }
            }
        }
        #expect(events.count > 1)
    }
}
