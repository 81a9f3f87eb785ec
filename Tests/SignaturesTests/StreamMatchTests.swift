import Evidence
import Flows
import Testing
import Wire

@testable import Signatures

/// Patterns in a stream, wherever its segments are cut.
@Suite struct StreamMatchTests {
    /// How often a rule matches when the text comes in two segments, cut at `cut`.
    private func matches(_ options: String, _ text: String, cut: Int, of transport: String = "tcp") throws -> Int {
        let rules = try compile("alert \(transport) any any -> any any (\(options) sid:1;)")
        try #require(rules.problems == [])
        var followed = try ApplicationTests.Followed(rules)
        let bytes = text.raw
        var count = 0
        count += followed.sids(.tcp(seq: 1, Array(bytes[..<cut])), rules).count
        count += followed.sids(.tcp(seq: 1 + cut, Array(bytes[cut...])), rules).count
        return count
    }

    static let rules = [
        "content:\"needle\";", "content:\"needle\"; content:\"more\"; distance:1;", "content:\"needle\"; nocase;",
        "pcre:\"/needle.+more/\";", "content:\"needle\"; pcre:\"/^ and more/R\";",
        "content:\"needle\"; isdataat:4,relative;", "content:\"needle\"; byte_test:1,=,0x72,7,relative;",
        "content:\"needle\"; byte_jump:1,1,relative,bitmask 0x01,from_beginning;", "content:\"needle\"; isdataat:30;",
        "content:\"needle\"; content:!\"hay\"; within:4;",
        "content:\"b=\"; base64_decode:relative; base64_data; content:\"needle\";",
    ]

    /// Found once, not again in the next segment and not missed between two.
    @Test(arguments: rules)
    func foundOnceWhereverItIsCut(_ options: String) throws {
        let text = "some hay, a needle and more hay, b=bmVlZGxl."
        for cut in 1..<text.utf8.count {
            #expect(try matches(options, text, cut: cut) == 1, "cut at \(cut)")
        }
    }

    /// What asks for a flow's age or counts looks at packets, not at streams (detect-flow-pkts.c, detect-flow-age.c);
    /// so do a header's bytes and `ip_proto`.
    @Test(arguments: [
        "flow.age:<9;", "flow.pkts:toserver,<9;", "flow.bytes:toserver,<999;", "flow.pkts_toserver:<9;",
        "flow.bytes_toclient:<999;", "ipv4.hdr; content:\"|45|\"; pkt_data;", "ip_proto:6;",
    ]) func whatIsOfPackets(_ options: String) throws {
        #expect(try matches("content:\"needle\";", "a needle", cut: 5, of: "ip") == 1)
        let rule = options + " content:\"needle\";"
        #expect(try matches(rule, "a needle", cut: 1, of: "ip") == 1)
        #expect(try matches(rule, "a needle", cut: 5, of: "ip") == 0)
    }

    /// A checksum binds no rule to packets (detect-csum.c): it is that of the segment which completes the match.
    @Test func aChecksumIsAskedOfStreams() throws {
        #expect(try matches("tcpv4-csum:valid; content:\"needle\";", "a needle", cut: 5) == 1)
        #expect(try matches("tcpv4-csum:invalid; content:\"needle\";", "a needle", cut: 5) == 0)
    }

    /// The patterns of a match that was found come again, at a place where the rule does not want them.
    @Test(arguments: [
        "content:\"some\"; depth:4;", "content:\"some\"; startswith; content:\"hay\"; within:5;",
        "content:\"s\"; depth:1; content:\"m\"; offset:2; depth:1;",
    ])
    func notFoundAgainWhenItsPatternsComeAgain(_ options: String) throws {
        let text = "some hay, some straw and some more hay"
        for cut in 1..<text.utf8.count {
            #expect(try matches("flow:only_stream; " + options, text, cut: cut) == 1, "cut at \(cut)")
        }
    }

    /// Two matches, in three segments: each is told with the segment that completes it, wherever the other is.
    @Test(arguments: [
        ("content:\"needle\";", "needle"), ("content:\"NEEDLE\"; nocase;", "needle"),
        ("content:\"needle\"; content:\"hay\"; distance:0;", "needle in hay"),
        ("content:\"needle\"; content:\"hay\"; distance:1; within:9;", "needle in hay"),
        ("content:\"hay\"; fast_pattern; content:\"needle\"; distance:0;", "hay with needle"),
        ("pcre:\"/need\\w+ in hay/\";", "needle in hay"),
        ("pcre:\"/n[^n]{80}y/\";", "n" + String(repeating: ".", count: 80) + "y"),
        ("content:\"needle\"; content:\"hay\"; distance:0;", "needle" + String(repeating: ".", count: 100) + "hay"),
        ("content:\"need\"; pcre:\"/^le in hay/R\";", "needle in hay"),
    ]) func ofTwoMatchesEachIsFound(_ options: String, _ match: String) throws {
        let rules = try compile("alert tcp any any -> any any (flow:only_stream; \(options) sid:1;)")
        try #require(rules.problems == [])
        let text = "ab" + match + "--" + match + "cd"
        let bytes = text.raw
        let ends = [2 + match.utf8.count, 4 + 2 * match.utf8.count]
        let places = Array(stride(from: 1, to: bytes.count, by: max(1, bytes.count / 40)))
        for first in places {
            for second in places where second > first {
                var followed = try ApplicationTests.Followed(rules)
                let cuts = [0, first, second, bytes.count]
                for (low, high) in zip(cuts, cuts.dropFirst()) {
                    let found = followed.sids(.tcp(seq: 1 + low, Array(bytes[low..<high])), rules).count
                    let expected = ends.contains { $0 > low && $0 <= high } ? 1 : 0
                    #expect(found == expected, "cut at \(first) and \(second): \(low)..<\(high)")
                }
            }
        }
    }

    /// How far apart the parts of a match may lie: 2,560 bytes before the segment that completes it.
    @Test(arguments: ["content:\"needle\"; content:\"hay\"; distance:0;", "pcre:\"/needle.+hay/s\";"])
    func whatIsKeptBoundsAMatch(_ options: String) throws {
        let rules = try compile("alert tcp any any -> any any (flow:only_stream; \(options) sid:1;)")
        for (gap, isFound) in [(StreamWindow.historyLimit - 6, 1), (StreamWindow.historyLimit - 5, 0)] {
            var followed = try ApplicationTests.Followed(rules)
            #expect(followed.sids(.tcp(seq: 1, "needle".raw), rules) == [])
            let filler = Array(repeating: UInt8(ascii: "."), count: gap)
            #expect(followed.sids(.tcp(seq: 7, Array(filler[..<1_000])), rules) == [])
            #expect(followed.sids(.tcp(seq: 1_007, Array(filler[1_000...])), rules) == [])
            #expect(followed.sids(.tcp(seq: 7 + gap, "hay".raw), rules).count == isFound)
        }
    }

    /// A second match of its own is told.
    @Test func foundAgainWhereAllOfItComesAgain() throws {
        let options = "flow:only_stream; content:\"some\"; content:\"hay\"; distance:1;"
        #expect(try matches(options, "some hay, and some hay", cut: 12) == 2)
        #expect(try matches(options, "some hay, and hay again", cut: 12) == 1)
    }
}
