import Evidence
import Signatures
import Testing

/// What Snort's rules mean where they differ from Suricata's, after the source of Snort 3 (src/ips_options,
/// src/parser/parse_stream.cc) and the users manual of Snort 2.9.
@Suite struct SnortTests {
    static let tcp = "alert tcp any any -> any any "

    static let refusals: [(options: String, reason: String)] = [
        ("flowbits:setx,a,g;", "flowbits:setx is not supported: name the bits to set and to unset"),
        ("flowbits:reset;", "flowbits:reset is not supported: name the bits to set and to unset"),
        ("flowbits:reset,g;", "flowbits:reset is not supported: name the bits to set and to unset"),
        ("flowbits:isset,any,g;", "flowbits knows no any or all of a group: name the bits"),
        ("flowbits:unset,all,g;", "flowbits knows no any or all of a group: name the bits"),
        (
            "metadata:engine shared, soid 3|1;",
            "so is not supported: Flinch runs no shared objects, and the text alone is not the rule"
        ),
        ("so:x;", "so is not supported: Flinch runs no shared objects, and the text alone is not the rule"),
        ("soid:3|1;", "soid is not supported: Flinch runs no shared objects, and the text alone is not the rule"),
        ("enable:no;", "the rule is switched off: enable:no"),
        ("sha256:\"aa\",length 4;", "sha256 is not supported: Flinch computes no digests of payloads"),
        (
            "stream_reassemble:disable,client;",
            "stream_reassemble is not supported: every stream is reassembled, in both directions"
        ),
        ("appids:\"http\";", "needs the application buffer appids"),
        ("opcua_msg_type:hello;", "needs the application buffer opcua.msg_type"),
        (#"regex:!"/a/";"#, "regex cannot be negated: write pcre"),
        (#"regex:"/a/",odd;"#, "regex does not take odd"),
    ]

    @Test(arguments: refusals)
    func refused(_ options: String, _ reason: String) throws {
        #expect(try compile("\(Self.tcp)(\(options) sid:1;)").problems.map(\.reason) == [reason])
    }

    @Test(arguments: [
        ("ipvar HOME_NET any", "ipvar belongs into snort.conf: write the variable under rules.variables"),
        ("include local.rules", "include is not followed: name that file to Flinch as well"),
        ("file_id (msg:\"x\"; file_meta:type PDF; sid:1;)", "needs the application buffer file"),
    ])
    func linesThatAreNoRules(_ line: String, _ reason: String) throws {
        #expect(try compile(line).problems.map(\.reason) == [reason])
    }

    @Test func targetOfSnort3() throws {
        #expect(try compile(Self.tcp + "(target:dst_ip; sid:1;)").rules.map(\.target) == [.destination])
    }

    /// `service` says that a rule is Snort 3's; without it the same words are Suricata's.
    @Test(arguments: [
        (#"content:"a"; isdataat:1,relative;"#, Sample.tcp(1, 80, "ab"), true, false),
        (#"content:"a"; isdataat:1,relative;"#, Sample.tcp(1, 80, "abc"), true, true),
        (#"content:"a"; isdataat:!1,relative;"#, Sample.tcp(1, 80, "ab"), false, true),
        (#"content:"a"; isdataat:1;"#, Sample.tcp(1, 80, "a"), false, false),
        (#"content:"a"; isdataat:1;"#, Sample.tcp(1, 80, "ab"), true, true),
        ("flags:!SA;", Sample.tcp(1, 80, flags: 0x02), true, false),
        ("flags:!SA;", Sample.tcp(1, 80, flags: 0x01), true, true),
    ])
    func readAsItsDialectReadsIt(_ options: String, _ sample: Sample, suricata: Bool, snort3: Bool) throws {
        #expect(try compile("\(Self.tcp)(\(options) sid:1;)").alerts(sample) == (suricata ? [1] : []))
        #expect(try compile("\(Self.tcp)(\(options) service:x; sid:1;)").alerts(sample) == (snort3 ? [1] : []))
    }

    /// What makes a rule Snort 3's.
    @Test(arguments: [
        #"alert tcp (content:"a"; isdataat:1,relative; sid:1;)"#,
        tcp + #"(content:"a",nocase; isdataat:1,relative; sid:1;)"#,
        tcp + #"(content:"a"; isdataat:1,relative; rem:"x"; sid:1;)"#,
        tcp + #"(regex:"/a/"; isdataat:1,relative; sid:1;)"#,
    ])
    func isToldBySyntax(_ rule: String) throws {
        let rules = try compile(rule)
        #expect(rules.problems.isEmpty)
        #expect(try rules.alerts(.tcp(1, 80, "ab")) == [])
        #expect(try rules.alerts(.tcp(1, 80, "abc")) == [1])
    }

    @Test(arguments: [
        (#"content:"a;b";"#, "a;b", true), (#"content:"a;b";"#, "a b", false),
        (#"content:!"a;b";"#, "a b", true), (#"content:"a;b",nocase;"#, "A;B", true),
        (#"content:"a\";b";"#, #"a";b"#, true), (#"pcre:"/a;b/";"#, "a;b", true),
        (#"regex:"/a.b/i",dotall;"#, "A\nB", true), (#"regex:"/a.b/";"#, "a\nb", false),
        (#"content:"x"; regex:"/a/",relative;"#, "xa", true), (#"content:"x"; regex:"/a/",relative;"#, "ax", false),
    ])
    func strings(_ options: String, _ payload: String, matches: Bool) throws {
        let rules = try compile("\(Self.tcp)(\(options) sid:1;)")
        #expect(rules.problems.isEmpty)
        #expect(try rules.alerts(.tcp(1, 80, payload)) == (matches ? [1] : []))
    }

    @Test func rulesOverSeveralLines() throws {
        let rules = try compile(
            """
            alert tcp any any -> any any
            (
                msg:"a # b"; # why it is there
                # content:"none";
                content:"x", nocase;
                sid:1;
            )
            alert tcp any any -> any any (content:"#y"; sid:2;)
            """)
        #expect(rules.problems.isEmpty)
        #expect(rules.rules.map(\.line) == [1, 8])
        #expect(rules.rules.first?.message == "a # b")
        #expect(try rules.alerts(.tcp(1, 80, "X#y")) == [1, 2])
    }

    /// The next rule ends one that is not closed, and is read.
    @Test func anOpenRuleTakesNoOtherWithIt() throws {
        let rules = try compile("\(Self.tcp)(sid:1;\n\(Self.tcp)(sid:2;)")
        #expect(rules.problems.map(\.line) == [1])
        #expect(rules.rules.map(\.sid) == [2])
    }

    @Test func commentsOverSeveralLines() throws {
        let rules = try compile(
            """
            /* \(Self.tcp)(sid:1;)
            \(Self.tcp)(sid:2;) */ \(Self.tcp)(sid:3;)
            #Begin of what is not ready
            \(Self.tcp)(sid:4;)
            #end of it
            \(Self.tcp)(content:"/*"; sid:5;)
            #begin
            /* does not end
            \(Self.tcp)(sid:6;)
            """)
        #expect(rules.rules.map(\.sid) == [3, 5, 6])
        #expect(rules.rules.map(\.line) == [2, 6, 9])
        #expect(rules.problems.map(\.line) == [4, 8])
        #expect(
            rules.problems.first?.reason
                == "it stands between #begin and #end, a comment to Snort 3: take those lines away")
    }

    /// Snort 3's ips_flowbits.cc: `isnotset` is the contrary of `isset`.
    @Test(arguments: [
        ("isnotset,a&b", "", true), ("isnotset,a&b", "a", true), ("isnotset,a&b", "ab", false),
        ("isnotset,a|b", "", true), ("isnotset,a|b", "a", false), ("isnotset,a|b", "ab", false),
        ("isset,a&b", "a", false), ("isset,a&b", "ab", true), ("isset,a|b", "a", true),
    ])
    func severalBits(_ bits: String, _ set: String, matches: Bool) throws {
        let setters = set.enumerated().map { "\(Self.tcp)(flowbits:set,\($1); flowbits:noalert; sid:\(10 + $0);)\n" }
        let rules = try compile(setters.joined() + "\(Self.tcp)(flowbits:\(bits); service:x; sid:99;)")
        #expect(rules.problems.isEmpty)
        #expect(try rules.alerts(.tcp(1, 80, "x")) == (matches ? [99] : []))
    }
}
