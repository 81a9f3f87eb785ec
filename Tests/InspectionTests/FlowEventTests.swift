import Configuration
import Evidence
import Foundation
import Inspection
import Testing
import Wire

/// `flow` events of a replay.
@Suite struct FlowEventTests {
    private func flows(_ capture: Capture, inline: Bool, _ rules: String = "") throws -> [[String: Any]] {
        let file = NSTemporaryDirectory() + "flinch-flows-\(UUID().uuidString).rules"
        try rules.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let mode = InspectionMode(isInline: inline, verifiesChecksums: false)
        let replayed = try capture.written {
            try replay([$0], home: ["10.0.0.2", "2001:db8::2"], mode: mode) {
                $0.events.flows = true
                $0.rules.files = [file]
            }
        }
        return try replayed.events()
    }

    /// One conversation of each kind: what is counted is what was captured, and alerts have the same `flow_id`.
    @Test(arguments: [false, true]) func eachConversationOnce(inline: Bool) throws {
        for family in Family.allCases {
            var capture = Capture()
            capture.add(family.tcp(.client, .web, flags: .syn))
            capture.time += 1_000_000
            capture.add(family.ping(.client, .web))
            let datagram = family.udp(.stranger, .web, "evil")
            capture.add(datagram, count: 3, aSecond: 1)
            let events = try flows(
                capture, inline: inline, #"alert udp any any -> any any (msg:"evil"; content:"evil"; sid:1;)"#)
            let ended = events.filter { $0["event_type"] as? String == "flow" }
            #expect(ended.count == 3)
            for (proto, packets, alerted) in [("TCP", 1, false), ("UDP", 3, true)] {
                let event = try #require(ended.first { $0["proto"] as? String == proto })
                let flow = try #require(event["flow"] as? [String: Any])
                #expect(flow["pkts_toserver"] as? Int == packets && flow["pkts_toclient"] as? Int == 0)
                #expect(flow["alerted"] as? Bool == alerted)
                #expect(flow["state"] as? String == "new" && flow["reason"] as? String == "shutdown")
                let source = (event["src_ip"] as? String).flatMap { Address($0) }
                #expect(source == family.address(of: proto == "TCP" ? .client : .stranger))
                #expect((event["flinch"] as? [String: Any])?["guest"] as? String == "home")
                #expect((event["tcp"] != nil) == (proto == "TCP"))
                if alerted {
                    #expect(flow["bytes_toserver"] as? Int == 3 * datagram.count)
                    #expect(flow["age"] as? Int == 2)
                    let alerts = events.filter { $0["event_type"] as? String == "alert" }
                    #expect(alerts.count == 3)
                    #expect(alerts.allSatisfy { $0["flow_id"] as? Int == event["flow_id"] as? Int })
                }
            }
        }
    }

    /// All packets of conversations are in some flow, and no conversation is forgotten, however many end at once.
    @Test(arguments: [false, true]) func manyEndAtTheEnd(inline: Bool) throws {
        var capture = Capture()
        for port in 1...9000 { capture.add(Family.v4.tcp(.client, .web, port: port, flags: .syn)) }
        let ended = try flows(capture, inline: inline).filter { $0["event_type"] as? String == "flow" }
        #expect(Set(ended.compactMap { $0["dest_port"] as? Int }).count == 9000 && ended.count == 9000)
    }

    @Test func noneUnlessWanted() throws {
        var capture = Capture()
        capture.add(Family.v4.ping(.client, .web))
        let result = try capture.written { try replay([$0], home: ["10.0.0.2"]) }
        #expect(try !result.events().contains { $0["event_type"] as? String == "flow" })
    }
}
