import Evidence
import Signatures
import Testing
import Wire

/// Each option, on a packet that has what it asks and on the nearest one that does not.
@Suite struct OptionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var options: String
        var sample: Sample
        var matches: Bool
        var transport = "ip"
        var testDescription: String { "\(options) on \(sample.testDescription): \(matches)" }
    }

    static func payload(_ text: String) -> Sample { .tcp(40_000, 80, text) }

    static let contents: [Case] = [
        Case(options: "content:\"abc\";", sample: payload("xxabcxx"), matches: true),
        Case(options: "content:\"abc\";", sample: payload("xxabxcx"), matches: false),
        Case(options: "content:\"abc\";", sample: payload("xxABCxx"), matches: false),
        Case(options: "content:\"abc\"; nocase;", sample: payload("xxAbCxx"), matches: true),
        Case(options: "content:\"aBc\"; nocase;", sample: payload("xxAbCxx"), matches: true),
        Case(options: "content:\"[\"; nocase;", sample: payload("{"), matches: false),
        Case(options: "content:\"|61 62|c\";", sample: payload("abc"), matches: true),
        Case(options: "content:\"a|62|c|64|\";", sample: payload("abcd"), matches: true),
        Case(options: "content:\"|6162,63|\";", sample: payload("abc"), matches: true),
        Case(options: "content:\"|00|\";", sample: .tcp(1, 80, bytes: [1, 0, 1]), matches: true),
        Case(options: "content:\"|FF fe|\";", sample: .tcp(1, 80, bytes: [0xFF, 0xFE]), matches: true),
        Case(options: #"content:"a\"b";"#, sample: payload(#"a"b"#), matches: true),
        Case(options: #"content:"a\;b";"#, sample: payload("a;b"), matches: true),
        Case(options: #"content:"a\\b";"#, sample: payload(#"a\b"#), matches: true),
        Case(options: #"content:"a\:b";"#, sample: payload("a:b"), matches: true),
        Case(options: #"content:"a:b";"#, sample: payload("a:b"), matches: true),
        Case(options: "content:!\"abc\";", sample: payload("xxabxcx"), matches: true),
        Case(options: "content:!\"abc\";", sample: payload("xxabcxx"), matches: false),
        Case(options: "content: ! \"abc\";", sample: payload("xxabcxx"), matches: false),
        // A rule that names a content looks only at packets that have a payload.
        Case(options: "content:!\"abc\";", sample: payload(""), matches: false),
        // Offset and depth.
        Case(options: "content:\"abc\"; offset:2;", sample: payload("xxabc"), matches: true),
        Case(options: "content:\"abc\"; offset:3;", sample: payload("xxabc"), matches: false),
        Case(options: "content:\"abc\"; offset:3;", sample: payload("xxabcabc"), matches: true),
        Case(options: "content:\"abc\"; depth:5;", sample: payload("xxabcx"), matches: true),
        Case(options: "content:\"abc\"; depth:4;", sample: payload("xxabcx"), matches: false),
        Case(options: "content:\"abc\"; depth:3;", sample: payload("abc"), matches: true),
        Case(options: "content:\"abc\"; offset:2; depth:3;", sample: payload("xxabc"), matches: true),
        Case(options: "content:\"abc\"; depth:3; offset:2;", sample: payload("xxabc"), matches: true),
        Case(options: "content:\"abc\"; offset:1; depth:3;", sample: payload("xxabc"), matches: false),
        Case(options: "content:\"abc\"; offset:1; depth:4;", sample: payload("xxabc"), matches: true),
        Case(options: "content:!\"abc\"; depth:4;", sample: payload("xxabc"), matches: true),
        Case(options: "content:!\"abc\"; depth:5;", sample: payload("xxabc"), matches: false),
        Case(options: "content:!\"abc\"; offset:3;", sample: payload("xxabc"), matches: true),
        Case(options: "content:!\"abc\"; offset:9;", sample: payload("xxabc"), matches: true),
        // Distance and within.
        Case(options: "content:\"a\"; content:\"b\"; distance:0;", sample: payload("xaxxb"), matches: true),
        Case(options: "content:\"a\"; content:\"b\"; distance:0;", sample: payload("xbxxa"), matches: false),
        Case(options: "content:\"a\"; content:\"b\"; distance:2;", sample: payload("axxb"), matches: true),
        Case(options: "content:\"a\"; content:\"b\"; distance:3;", sample: payload("axxb"), matches: false),
        Case(options: "content:\"a\"; content:\"b\"; within:1;", sample: payload("ab"), matches: true),
        Case(options: "content:\"a\"; content:\"b\"; within:1;", sample: payload("axb"), matches: false),
        Case(options: "content:\"a\"; content:\"b\"; within:2;", sample: payload("axb"), matches: true),
        Case(
            options: "content:\"a\"; content:\"bc\"; distance:1; within:2;", sample: payload("axbc"),
            matches: true),
        Case(
            options: "content:\"a\"; content:\"bc\"; distance:1; within:2;", sample: payload("axxbc"),
            matches: false),
        Case(
            options: "content:\"cd\"; content:\"ab\"; distance:-4; within:2;", sample: payload("abcd"),
            matches: true),
        Case(
            options: "content:\"cd\"; content:\"ab\"; distance:-3;", sample: payload("abcd"), matches: false
        ),
        Case(
            options: "content:\"cd\"; content:\"ab\"; distance:-99;", sample: payload("abcd"), matches: true
        ),
        Case(options: "content:\"abc\"; distance:2;", sample: payload("xabc"), matches: false),
        Case(options: "content:\"abc\"; distance:1;", sample: payload("xabc"), matches: true),
        Case(options: "content:\"abc\"; within:3;", sample: payload("xabc"), matches: false),
        Case(
            options: "content:\"a\"; content:!\"b\"; within:2;", sample: payload("axxb"), matches: true),
        Case(
            options: "content:\"a\"; content:!\"b\"; within:2;", sample: payload("axb"), matches: false),
        Case(
            options: "content:\"a\"; content:!\"b\"; distance:0;", sample: payload("ba"), matches: true),
        // The match before may have to be another one.
        Case(
            options: "content:\"a\"; content:\"b\"; within:1;", sample: payload("a-a-ab"), matches: true),
        Case(
            options: "content:\"a\"; content:!\"b\"; within:1;", sample: payload("ab-ac"), matches: true),
        Case(
            options: "content:\"a\"; content:!\"b\"; within:1;", sample: payload("ab-ab"), matches: false),
        Case(
            options: "content:\"a\"; content:\"b\"; within:2; content:\"c\"; within:1;",
            sample: payload("axbx ab-b axbc"), matches: true),
        Case(
            options: "content:\"a\"; content:\"b\"; within:3; content:\"c\"; within:1;",
            sample: payload("abbc"), matches: true),
        Case(
            options: "content:\"a\"; content:\"b\"; within:2; content:\"c\"; within:1;",
            sample: payload("abbb c a c"), matches: false),
        Case(
            options: "content:\"aa\"; content:\"b\"; within:1;", sample: payload("aaab"), matches: true),
        // A content that is not relative starts anew.
        Case(
            options: "content:\"b\"; content:\"a\"; content:\"b\"; distance:0;", sample: payload("ab"),
            matches: true),
        Case(
            options: "content:\"b\"; content:\"c\"; distance:0; content:\"a\"; content:\"d\"; distance:0;",
            sample: payload("adbc"), matches: true),
        Case(
            options: "content:\"a\"; content:!\"z\"; content:\"b\"; within:1;", sample: payload("a ab"),
            matches: true),
        Case(
            options: "content:\"a\"; content:!\"z\"; content:\"b\"; within:1;", sample: payload("a abz"),
            matches: false),
        // Which pattern is looked for first does not matter.
        Case(
            options: "content:\"abcdef\"; content:\"xy\"; fast_pattern;", sample: payload("xy abcdef"),
            matches: true),
        Case(
            options: "content:\"abcdef\"; content:\"xy\"; fast_pattern:only;", sample: payload("abcdef"),
            matches: false),
        Case(
            options: "content:\"abcdef\"; fast_pattern:1,3;", sample: payload("abcdef"), matches: true),
        // Snort 3 writes the modifiers after commas.
        Case(options: "content:\"abc\",nocase,depth 3;", sample: payload("ABCx"), matches: true),
        Case(options: "content:\"abc\", offset 1, depth 3;", sample: payload("abcx"), matches: false),
        Case(
            options: "content:\"a\"; content:\"b\",distance 1,within 1,fast_pattern;",
            sample: payload("axb"), matches: true),
    ]

    static let numbers: [Case] = [
        Case(options: "dsize:3;", sample: payload("abc"), matches: true),
        Case(options: "dsize:3;", sample: payload("abcd"), matches: false),
        Case(options: "dsize:!3;", sample: payload("abcd"), matches: true),
        Case(options: "dsize:<3;", sample: payload("ab"), matches: true),
        Case(options: "dsize:<3;", sample: payload("abc"), matches: false),
        Case(options: "dsize:<=3;", sample: payload("abc"), matches: true),
        Case(options: "dsize:>3;", sample: payload("abc"), matches: false),
        Case(options: "dsize:>3;", sample: payload("abcd"), matches: true),
        Case(options: "dsize:>=3;", sample: payload("abc"), matches: true),
        Case(options: "dsize:2<>4;", sample: payload("abc"), matches: true),
        Case(options: "dsize:2<>4;", sample: payload("ab"), matches: false),
        Case(options: "dsize: 2 <> 4 ;", sample: payload("abcd"), matches: false),
        Case(options: "dsize:2<=>4;", sample: payload("abcd"), matches: true),
        Case(options: "dsize:0;", sample: .udp(1, 2), matches: true),
        Case(options: "dsize:0;", sample: .udp(1, 2, "x"), matches: false),
        Case(options: "dsize:>300;", sample: .udp(1, 2, String(repeating: "x", count: 301)), matches: true),
        Case(options: "dsize:>300;", sample: .udp(1, 2, String(repeating: "x", count: 300)), matches: false),
        Case(options: "dsize:0;", sample: .udp(1, 2).fragment(at: 8), matches: false),
        Case(options: "itype:8;", sample: .icmp(8), matches: true),
        Case(options: "itype:8;", sample: .icmp(0), matches: false),
        Case(options: "itype:8;", sample: .tcp(), matches: false),
        Case(options: "itype:0;", sample: .tcp(), matches: false),
        Case(options: "itype:>30;", sample: .icmp(31), matches: true),
        Case(options: "itype:>30;", sample: .icmp(30), matches: false),
        Case(options: "itype:<9;", sample: .icmp(8), matches: true),
        Case(options: "itype:3<>6;", sample: .icmp(5), matches: true),
        Case(options: "itype:3<>6;", sample: .icmp(6), matches: false),
        Case(options: "itype:3; icode:4;", sample: .icmp(3, 4), matches: true),
        Case(options: "itype:3; icode:4;", sample: .icmp(3, 3), matches: false),
        Case(options: "icode:>3;", sample: .icmp(3, 4), matches: true),
        Case(
            options: "itype:128;",
            sample: Sample(
                source: "2001:db8:9::1", destination: "2001:db8:1::1", upper: .icmp6(type: 128, code: 0)),
            matches: true),
    ]

    static func flagged(_ flags: UInt8) -> Sample { .tcp(1, 2, flags: flags) }

    static let flags: [Case] = [
        Case(options: "flags:S;", sample: flagged(0x02), matches: true),
        Case(options: "flags:S;", sample: flagged(0x12), matches: false),
        Case(options: "flags:s;", sample: flagged(0x02), matches: true),
        Case(options: "flags:SA;", sample: flagged(0x12), matches: true),
        Case(options: "flags:S+;", sample: flagged(0x12), matches: true),
        Case(options: "flags:+S;", sample: flagged(0x12), matches: true),
        Case(options: "flags:+SA;", sample: flagged(0x02), matches: false),
        Case(options: "flags:*SF;", sample: flagged(0x11), matches: true),
        Case(options: "flags:*SF;", sample: flagged(0x10), matches: false),
        Case(options: "flags:!S;", sample: flagged(0x10), matches: true),
        Case(options: "flags:!S;", sample: flagged(0x12), matches: false),
        Case(options: "flags:!SA;", sample: flagged(0x02), matches: true),
        Case(options: "flags:0;", sample: flagged(0), matches: true),
        Case(options: "flags:0;", sample: flagged(1), matches: false),
        Case(options: "flags:!0;", sample: flagged(1), matches: true),
        Case(options: "flags:!0;", sample: flagged(0), matches: false),
        Case(options: "flags:S;", sample: flagged(0xC2), matches: false),
        Case(options: "flags:S,12;", sample: flagged(0xC2), matches: true),
        Case(options: "flags:S,CE;", sample: flagged(0x82), matches: true),
        Case(options: "flags:S, CE;", sample: flagged(0x42), matches: true),
        Case(options: "flags:0,12;", sample: flagged(0xC0), matches: false),
        Case(options: "flags:C;", sample: flagged(0x80), matches: true),
        Case(options: "flags:1;", sample: flagged(0x80), matches: true),
        Case(options: "flags:E;", sample: flagged(0x40), matches: true),
        Case(options: "flags:2;", sample: flagged(0x40), matches: true),
        Case(options: "flags:FPU;", sample: flagged(0x29), matches: true),
        Case(options: "flags:FPU;", sample: flagged(0x39), matches: false),
        Case(options: "flags:R;", sample: flagged(0x04), matches: true),
        Case(options: "tcp.flags:S;", sample: flagged(0x02), matches: true),
        Case(options: "flags:!0;", sample: .udp(), matches: false),
    ]

    @Test(arguments: contents + numbers + flags)
    func option(_ entry: Case) throws {
        let rules = try compile("alert ip any any -> any any (\(entry.options) sid:1;)")
        #expect(rules.problems == [])
        #expect(try rules.alerts(entry.sample) == (entry.matches ? [1] : []))
    }

    @Test func messageAndClass() throws {
        let rules = try compile(
            #"alert tcp any any -> any any (msg:"a \"b\" \; c:d"; classtype:trojan-activity; "#
                + "reference:url,example.org/x?y=1; metadata:a b; metadata:c d, e f; gid:7; rev:3; sid:5;)")
        let rule = try #require(rules.rules.first)
        #expect(rule.message == "a \"b\" ; c:d")
        #expect(rule.classtype == "trojan-activity")
        #expect(rule.category == "A Network Trojan was detected")
        #expect((rule.priority, rule.gid, rule.sid, rule.rev) == (1, 7, 5, 3))
        #expect(rule.concern == .high)
        #expect((rule.file, rule.line) == ("test.rules", 1))
    }

    @Test(arguments: [
        ("classtype:misc-attack;", 2 as UInt8, Concern.medium),
        ("classtype:misc-activity;", 3, .low),
        ("classtype:tcp-connection;", 4, .low),
        ("classtype:misc-activity; priority:1;", 1, .high),
        ("priority:2; classtype:misc-activity;", 2, .medium),
        ("classtype:of-my-own;", 3, .low),
        ("", 3, .low),
    ])
    func priority(_ options: String, _ priority: UInt8, _ concern: Concern) throws {
        let rules = try compile("alert tcp any any -> any any (\(options) sid:1;)")
        #expect(rules.rules.map(\.priority) == [priority])
        let finding = try rules.findings(.tcp())[0]
        #expect(finding.concern == concern)
        #expect(finding.asks == .accept)
    }
}
