import Evidence
import Signatures
import Testing

/// How often rules alert and act, packet by packet (Suricata's detect-engine-threshold.c).
@Suite struct ThresholdTests {
    struct Case: CustomTestStringConvertible {
        /// The option of a rule that drops UDP.
        var option = ""
        /// A line of the threshold file.
        var line = ""
        var action = "drop"
        /// Seconds from the beginning.
        var times: [Double]
        /// By packet, as `Timeline.Seen.letter` has it.
        var expected: String
        var testDescription: String { "\(action) \(option)\(line)" }
    }

    static let cases: [Case] = [
        // The last moment of a time is part of it.
        Case(
            option: "threshold:type limit, track by_src, count 2, seconds 10;",
            times: [0, 1, 2, 10, 10.000001, 11, 12], expected: "DDddDDd"),
        Case(
            option: "threshold: type threshold, track by_dst,count 3, seconds 10;", times: [0, 1, 2, 3, 4, 5, 6],
            expected: "..D..D."),
        Case(
            option: "threshold: seconds 10, count 2, track by_rule, type threshold;", times: [0, 11, 12, 13],
            expected: "..D."),
        Case(
            option: "threshold: type threshold, track by_src, count 1, seconds 10;", times: [0, 0, 9], expected: "DDD"),
        Case(
            option: "threshold:type both, track by_both, count 2, seconds 10;", times: [0, 1, 2, 3, 11, 12, 13],
            expected: ".Ddd.Dd"),
        Case(option: "threshold:type both, track by_src, count 1, seconds 10;", times: [0, 1, 11], expected: "DdD"),
        Case(
            option: "threshold:type backoff, track by_flow, count 1, multiplier 10;",
            times: (0..<12).map(Double.init), expected: "DddddddddDdd"),
        Case(
            option: "threshold:type backoff, track by_flow, count 2, multiplier 2;",
            times: (0..<9).map(Double.init), expected: ".DdDdddDd"),
        Case(
            option: "detection_filter:track by_src,count 2,seconds 10;", times: [0, 1, 2, 3, 10, 11, 12, 13],
            expected: "..DDD..D"),
        Case(
            option: "detection_filter: track by_flow, count 1, seconds 5;", times: [0, 5, 5.1, 6],
            expected: ".D.D"),
        Case(
            option: "detection_filter: track by_rule, count 1, seconds 5;", times: [0, 5, 5.1, 6], expected: ".D.D"),
        Case(
            option: "detection_filter: track by_both, count 2, seconds 10;", times: [0, 1, 2, 3], expected: "..DD"),
        // The file: another word for the same, and the new action of a rate filter.
        Case(
            line: "event_filter gen_id 1, sig_id 7, type limit, track by_src, count 1, seconds 60",
            times: [0, 1, 61], expected: "DdD"),
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_src, count 2, seconds 10, new_action drop, timeout 5",
            action: "alert", times: [0, 1, 2, 3, 7.9, 8, 8.5], expected: "aaDDDaD"),
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_rule, count 1, seconds 2, new_action drop, timeout 60",
            action: "alert", times: [0, 1, 30, 61, 62, 63], expected: "aDDDaa"),
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_flow, count 1, seconds 10, new_action alert, timeout 9",
            times: [0, 1, 2], expected: "Daa"),
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_dst, count 1, seconds 10, new_action pass, timeout 9",
            times: [0, 1, 2], expected: "Dpp"),
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_both, count 1, seconds 10, new_action sdrop, timeout 9",
            action: "alert", times: [0, 1, 2], expected: "add"),
        // Only who is named.
        Case(
            line: "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 10, new_action drop, timeout 9,"
                + " apply_to 203.0.113.0/24", action: "alert", times: [0, 1, 2], expected: "aaa"),
        Case(line: "suppress gen_id 1, sig_id 7", times: [0, 1], expected: "dd"),
        Case(line: "suppress gen_id 1, sig_id 0", action: "alert", times: [0], expected: "."),
        Case(line: "suppress gen_id 0, sig_id 0", times: [0], expected: "d"),
        Case(line: "suppress gen_id 2, sig_id 0", times: [0], expected: "D"),
        Case(line: "suppress gen_id 1, sig_id 7, track by_src, ip 198.51.100.0/24", times: [0], expected: "d"),
        Case(line: "suppress gen_id 1, sig_id 7, track by_dst, ip 198.51.100.0/24", times: [0], expected: "D"),
        Case(line: "suppress gen_id 1, sig_id 7, track by_either, ip $HOME_NET", times: [0], expected: "d"),
        Case(line: "suppress gen_id 1, sig_id 7, track by_src, ip !$HOME_NET", times: [0], expected: "d"),
        Case(
            line: "suppress gen_id 1, sig_id 7, track by_src, ip [198.51.100.0/24,!198.51.100.7]", times: [0],
            expected: "D"),
        Case(
            line: "suppress gen_id 1, sig_id 7, track by_src, ip 203.0.113.9, 198.51.100.7", times: [0],
            expected: "d"),
        // Lines add up, whatever they are about.
        Case(
            line: """
                suppress gen_id 0, sig_id 0, track by_src, ip 203.0.113.1
                suppress gen_id 1, sig_id 0, track by_src, ip 203.0.113.2
                suppress gen_id 1, sig_id 7, track by_src, ip 203.0.113.3
                suppress gen_id 1, sig_id 0, track by_src, ip 198.51.100.7
                """, times: [0], expected: "d"),
        // Who is suppressed is not counted.
        Case(
            option: "detection_filter:track by_src,count 1,seconds 60;",
            line: "suppress gen_id 1, sig_id 7, track by_src, ip 198.51.100.7", times: [0, 1, 2], expected: "ddd"),
        // The file's threshold for this rule stands in place of the rule's own; one for all does not, nor does
        // a rate filter.
        Case(
            option: "threshold:type limit, track by_src, count 1, seconds 60;",
            line: "threshold gen_id 1, sig_id 7, type threshold, track by_src, count 2, seconds 60",
            times: [0, 1, 2], expected: ".D."),
        Case(
            option: "threshold:type limit, track by_src, count 1, seconds 60;",
            line: "threshold gen_id 1, sig_id 0, type threshold, track by_src, count 2, seconds 60",
            times: [0, 1, 2], expected: "Ddd"),
        Case(
            option: "threshold:type limit, track by_src, count 1, seconds 60;",
            line: "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 60, new_action alert, timeout 9",
            times: [0, 1, 2], expected: "Ddd"),
        Case(
            line: "threshold gen_id 0, sig_id 0, type limit, track by_src, count 1, seconds 60", times: [0, 1],
            expected: "Dd"),
    ]

    @Test(arguments: cases)
    func countsInTime(_ test: Case) throws {
        var timeline = try Timeline(
            "\(test.action) udp any any -> any any (msg:\"x\"; content:\"x\"; \(test.option) sid:7;)",
            thresholds: test.line)
        var seen = ""
        for time in test.times { seen.append(timeline.at(time, .udp("x")).letter) }
        #expect(seen == test.expected)
    }

    /// Whose packets are counted together: each case is the second packet after one from A to B, and whether it
    /// is the second of the same.
    @Test(arguments: [
        ("by_src", "A", "C", true), ("by_src", "C", "B", false), ("by_dst", "C", "B", true),
        ("by_dst", "A", "C", false), ("by_both", "B", "A", true), ("by_both", "A", "C", false),
        ("by_rule", "D", "C", true), ("by_flow", "B", "A", false), ("by_flow", "A", "C", false),
        ("by_src", "A6", "B6", false),
    ])
    func tracks(_ track: String, _ source: String, _ destination: String, _ isSame: Bool) throws {
        let hosts = [
            "A": "198.51.100.1", "B": "192.0.2.1", "C": "203.0.113.1", "D": "203.0.113.2", "A6": "2001:db8::1",
            "B6": "2001:db8::2",
        ]
        var timeline = try Timeline(
            "alert udp any any -> any any (threshold:type threshold, track \(track), count 2, seconds 60; sid:7;)")
        #expect(timeline.at(0, .udp("x").from(hosts["A"]!, to: hosts["B"]!)).told == [])
        let second = timeline.at(1, .udp("x").from(hosts[source]!, to: hosts[destination]!))
        #expect(second.told == (isSame ? [7] : []))
    }

    /// Both directions of a flow are one; a later fragment belongs to none, and so is nothing.
    @Test func countsByFlow() throws {
        var timeline = try Timeline(
            "alert ip any any -> any any (threshold:type limit, track by_flow, count 1, seconds 60; sid:7;)")
        #expect(timeline.at(0, .udp(1_000, 2_000, "x")).told == [7])
        let answer = Sample.udp(2_000, 1_000, "y").from("192.0.2.10", to: "198.51.100.7")
        #expect(timeline.at(1, answer).told == [])
        #expect(timeline.at(2, .udp(1_001, 2_000, "x")).told == [7])
        #expect(timeline.at(3, .udp(1_001, 2_000, "x").fragment(at: 64)).told == [])
    }

    @Test(arguments: [
        // Ports that differ, and the letters that follow.
        ("dst_port", [80, 80, 81, 80, 82, 82, 80], "....DDD"),
        ("src_port", [80, 80, 81, 80, 82, 82, 80], "......."),
    ])
    func countsDistinctPorts(_ port: String, _ ports: [UInt16], _ expected: String) throws {
        var timeline = try Timeline(
            "drop udp any any -> any any (detection_filter:track by_src, count 2, seconds 60, unique_on \(port);"
                + " sid:7;)")
        var seen = ""
        for (index, port) in ports.enumerated() { seen.append(timeline.at(Double(index), .udp(40_000, port)).letter) }
        #expect(seen == expected)
    }

    /// A new time begins with the port that it begins with.
    @Test func distinctPortsBeginAnew() throws {
        var timeline = try Timeline(
            "drop udp any any -> any any (detection_filter:track by_src, count 1, seconds 10, unique_on dst_port;"
                + " sid:7;)")
        let packets: [(Double, UInt16)] = [(0, 80), (1, 81), (2, 80), (20, 81), (21, 81), (22, 80), (23, 80)]
        var seen = ""
        for (time, port) in packets { seen.append(timeline.at(time, .udp(40_000, port)).letter) }
        #expect(seen == ".DD..DD")
    }

    @Test func rejectAnswersTheSource() throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (sid:7;)",
            thresholds: "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 9, new_action reject, timeout 9"
        )
        #expect(timeline.at(0, .udp("x")).outcome.rejects == [])
        let second = timeline.at(1, .udp("x"))
        #expect(second.outcome.rejects == .source && second.asksDrop)
    }

    /// What a rule does to the state it does whether it is told of or not.
    @Test func flowbitsAreSetAllTheSame() throws {
        var timeline = try Timeline(
            """
            alert udp any any -> any any (flowbits:set,a; content:"x"; sid:7;)
            alert udp any any -> any any (flowbits:isset,a; content:"y"; sid:8;)
            """, thresholds: "threshold gen_id 1, sig_id 7, type threshold, track by_src, count 9, seconds 60")
        #expect(timeline.at(0, .udp("x")).told == [])
        #expect(timeline.at(1, .udp("y")).told == [8])
    }

    /// A reload makes another matcher; what was counted of the same rule goes on, of another revision does not.
    @Test func outlivesAReload() throws {
        let table = ThresholdTable(capacity: 64)
        func rule(_ rev: Int) -> String {
            "alert udp any any -> any any (threshold:type threshold, track by_src, count 2, seconds 60; sid:7;"
                + " rev:\(rev);)"
        }
        var first = try Timeline("alert udp any any -> any 1 (sid:6;)\n" + rule(1), table: table)
        #expect(first.at(0, .udp("x")).told == [])
        var second = try Timeline(rule(1), table: table)
        #expect(second.at(1, .udp("x")).told == [7])
        #expect(second.at(2, .udp("x")).told == [])
        var third = try Timeline(rule(2), table: table)
        #expect(third.at(3, .udp("x")).told == [])
    }

    /// A million spoofed sources: the table stays as it is, and says what it lost.
    @Test func memoryIsBounded() throws {
        let table = ThresholdTable(capacity: 64)
        var timeline = try Timeline(
            "alert udp any any -> any any (threshold:type threshold, track by_src, count 2, seconds 60; sid:7;)",
            table: table)
        let before = table.memoryBytes
        for number in 0..<1_000 {
            _ = timeline.at(
                Double(number) / 1_000, .udp("x").from("10.0.\(number / 250).\(number % 250)", to: "192.0.2.1"))
        }
        #expect(table.memoryBytes == before && before == 64 * 32)
        #expect(table.evicted == 1_000 - 64)
        // The newest are still known.
        #expect(timeline.at(1, .udp("x").from("10.0.3.249", to: "192.0.2.1")).told == [7])
        // What is over makes room without a loss.
        for number in 0..<8 { _ = timeline.at(200, .udp("x").from("10.1.0.\(number)", to: "192.0.2.1")) }
        #expect(table.evicted == 1_000 - 64)
    }
}

extension Sample {
    fileprivate static func udp(_ payload: String) -> Sample { .udp(40_000, 53, payload) }
}
