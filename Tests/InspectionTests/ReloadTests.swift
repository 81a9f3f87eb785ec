import Configuration
import Evidence
import Foundation
import Inspection
import Sensor
import Signatures
import Testing
import Topology
import Wire

/// What a reload keeps: flows, what rules remember of them, and the streams so far.
struct ReloadTests {
    /// The program of one rule file's text, as a reload of `former` makes it.
    private func program(_ text: String, former: Program? = nil) throws -> Program {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).rules")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        var settings = Settings()
        settings.guests = [
            Settings.ProtectedGuest(guest: Guest(name: "web", addresses: Rig.home[0]), floods: settings.floods)
        ]
        settings.rules.files = [file.path]
        return try Program(settings, workers: 1, former: former)
    }

    /// The sids that match one segment of a connection, 60 bytes into `time`'s second.
    private func alerts(_ program: Program, _ segment: [UInt8], _ second: UInt64, _ tally: Tally) throws -> [UInt32] {
        var inspector = try program.inspector(for: 0, tally: tally)
        let time = 1_700_000_000_000_000_000 + second * 1_000_000_000
        _ = unsafe inspector.inspect(segment.span.bytes, .ip, Arrival(time: time))
        return (0..<inspector.findings.count).map { program.rules.rules[Int(inspector.findings[$0].code)].sid }
    }

    private func segment(_ sequence: Int, _ text: String) -> [UInt8] {
        Family.v4.ip(
            .client, .web, 6,
            big16(40_000) + big16(80) + big32(sequence) + big32(2) + [0x50, 0x18] + big16(512) + big32(0)
                + Array(text.utf8))
    }

    /// A rule whose pattern was found, but not all that it asks, matches after the reload whatever its place among
    /// the rules is then; and only it.
    @Test func rulesThatWaitForMoreGoOn() throws {
        let waiting = """
            alert tcp any any -> any any (content:"needle"; fast_pattern; content:"thread"; distance:0; sid:99; rev:1;)
            """
        let others = (10..<20).map {
            """
            alert tcp any any -> any any (content:"needle"; fast_pattern; content:"haystack\($0)"; distance:0; sid:\($0);)
            """
        }.joined(separator: "\n")
        // Farther apart than patterns are looked for where segments meet.
        let gap = String(repeating: ".", count: 500)
        for rules in [waiting, others + "\n" + waiting, "# \n" + waiting + "\n" + others] {
            let tally = Tally(workerCount: 1)
            let first = try program(waiting)
            #expect(try alerts(first, segment(1, "needle\(gap)thr"), 0, tally) == [])
            let second = try program(rules, former: first)
            #expect(try alerts(second, segment(510, "ead"), 1, tally) == [99])
            // It was told, and is not told again.
            #expect(try alerts(second, segment(513, " and more"), 2, tally) == [])
            // Twice reloaded, and nothing in between.
            let begun = try program(waiting)
            #expect(try alerts(begun, segment(1, "needle\(gap)thr"), 0, tally) == [])
            let third = try program(rules, former: try program(rules, former: begun))
            #expect(try alerts(third, segment(510, "ead"), 1, tally) == [99])
        }
    }

    @Test func flowsStreamsAndWhatRulesRememberGoOn() throws {
        let tally = Tally(workerCount: 1)
        let first = try program(
            """
            alert tcp any any -> any any (content:"hello"; flowbits:set,greeted; xbits:set,seen,track ip_src; sid:1;)
            """)
        #expect(try alerts(first, segment(1, "hello sec"), 0, tally) == [1])
        let second = try program(
            """
            alert tcp any any -> any any (content:"again"; sid:9;)
            alert tcp any any -> any any (flow:established; flowbits:isset,greeted; content:"bye"; sid:2;)
            alert tcp any any -> any any (content:"secret"; sid:3;)
            alert tcp any any -> any any (xbits:isset,seen,track ip_src; content:"bye"; sid:4;)
            """, former: first)
        #expect(second.generation == first.generation + 1)
        // "secret" began before the reload; nothing of "hello" is told again.
        #expect(try Set(alerts(second, segment(10, "ret bye"), 1, tally)) == [2, 3, 4])
        // One that is not a successor knows nothing.
        let stranger = try program("alert tcp any any -> any any (content:\"secret\"; sid:3;)")
        #expect(try alerts(stranger, segment(10, "ret bye"), 1, tally) == [])
    }
}
