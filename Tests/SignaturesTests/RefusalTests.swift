import Signatures
import Testing

/// What is wrong with a rule is said with its file, its line and a reason; the rules around it load.
@Suite struct RefusalTests {
    static let tcp = "alert tcp any any -> any any "

    static let cases: [(rule: String, reason: String)] = [
        // Actions, protocols, directions.
        ("reject tcp any any -> any any (sid:1;)", "action reject is not supported yet"),
        ("alarm tcp any any -> any any (sid:1;)", "unknown action alarm: expected alert, drop or pass"),
        ("alert http any any -> any any (sid:1;)", "application protocol http is not recognised yet"),
        ("alert http (sid:1;)", "application protocol http is not recognised yet"),
        ("alert pkthdr any any -> any any (sid:1;)", "protocol pkthdr is not supported yet"),
        ("alert tcp-stream any any -> any any (sid:1;)", "protocol tcp-stream is not supported yet"),
        (
            "alert tcpp any any -> any any (sid:1;)",
            "unknown protocol tcpp: expected tcp, udp, icmp or ip"
        ),
        ("alert tcp any any <- any any (sid:1;)", "direction <-: expected -> or <>"),
        ("alert tcp any any -> any (sid:1;)", "the header ends where a destination port should stand"),
        ("alert", "the header ends where a protocol should stand"),
        // Addresses and ports.
        ("alert tcp 192.0.2.256 any -> any any (sid:1;)", "192.0.2.256 is no address"),
        ("alert tcp 192.0.2.0/33 any -> any any (sid:1;)", "192.0.2.0/33 is no address"),
        (
            "alert tcp 192.0.2.0/255.0.255.0 any -> any any (sid:1;)",
            "192.0.2.0/255.0.255.0 is no address"
        ),
        ("alert tcp 192.0.2.9-192.0.2.1 any -> any any (sid:1;)", "192.0.2.9-192.0.2.1 is no address"),
        (
            "alert tcp [192.0.2.1 any -> any any (sid:1;)",
            "the brackets of [192.0.2.1 any -> any any do not pair"
        ),
        ("alert tcp [192.0.2.1,] any -> any any (sid:1;)", "address missing in a list"),
        ("alert tcp !any any -> any any (sid:1;)", "address !any excludes everything"),
        (
            "alert tcp [192.0.2.1,!192.0.2.0/24] any -> any any (sid:1;)",
            "address [192.0.2.1,!192.0.2.0/24] excludes everything"
        ),
        ("alert tcp $NOBODY any -> any any (sid:1;)", "address variable $NOBODY is not defined"),
        ("alert tcp $A any -> any any (sid:1;)", "address variable $A is defined by itself"),
        ("alert tcp any 65536 -> any any (sid:1;)", "65536 is no port"),
        ("alert tcp any 90:80 -> any any (sid:1;)", "90:80 is no port"),
        ("alert tcp any : -> any any (sid:1;)", ": is no port"),
        ("alert tcp any http -> any any (sid:1;)", "http is no port"),
        ("alert tcp any !any -> any any (sid:1;)", "port !any excludes everything"),
        ("alert tcp any $P -> any any (sid:1;)", "port variable $P is not defined"),
        ("alert icmp any any -> any 80 (sid:1;)", "ports need protocol tcp, udp or ip"),
        // The options as a whole.
        (tcp, "the options of a rule stand in parentheses, and nothing follows them"),
        (tcp + "(sid:1;) x", "the options of a rule stand in parentheses, and nothing follows them"),
        (tcp + "(sid:1)", "the last option has no semicolon"),
        (tcp + "(msg:\"x\";)", "sid is missing"),
        (tcp + "(pcre:\"/a/\"; sid:1;)", "keyword pcre is not supported yet"),
        (tcp + "(flow:established; sid:1;)", "keyword flow is not supported yet"),
        (tcp + "(http.uri; content:\"x\"; sid:1;)", "keyword http.uri is not supported yet"),
        (tcp + "(contnet:\"x\"; sid:1;)", "keyword contnet is not supported yet"),
        (tcp + "(sid:1; sid:2;)", "sid is given twice"),
        (tcp + "(sid:0;)", "sid is not a number of 1…4294967295"),
        (tcp + "(sid:4294967296;)", "sid is not a number of 1…4294967295"),
        (tcp + "(sid:-1;)", "sid is not a number of 1…4294967295"),
        (tcp + "(sid;)", "sid needs a value"),
        (tcp + "(sid:1; rev:x;)", "rev is not a number of 0…4294967295"),
        (tcp + "(sid:1; priority:0;)", "priority is not a number of 1…255"),
        (tcp + "(sid:1; msg:x;)", "msg is not in double quotes"),
        (tcp + "(sid:1; reference:;)", "reference needs a value"),
        // Contents.
        (tcp + "(content:abc; sid:1;)", "content is not in double quotes"),
        (tcp + "(content:\"\"; sid:1;)", "content is empty"),
        (tcp + "(content:\"abc; sid:1;)", "content is not closed by a quote"),
        (tcp + "(content:\"a|6 ; sid:1;)", "hex in content is not closed by |"),
        (tcp + "(content:\"a|6|\"; sid:1;)", "odd number of hex digits in content"),
        (tcp + "(content:\"a|6g|\"; sid:1;)", "bad hex digit in content"),
        (tcp + #"(content:"a\d"; sid:1;)"#, #"content escapes something other than " ; : and \"#),
        (
            tcp + #"(content:"a"b"; sid:1;)"#,
            #"text follows the closing quote of content: write an inner quote as \""#
        ),
        (tcp + "(nocase; content:\"a\"; sid:1;)", "nocase has no content before it"),
        (tcp + "(depth:3; sid:1;)", "depth has no content before it"),
        (
            tcp + "(content:\"a\"; nocase; nocase; sid:1;)",
            "nocase is given twice or with a value it does not take"
        ),
        (tcp + "(content:\"abc\"; depth:2; sid:1;)", "depth is smaller than the content"),
        (tcp + "(content:\"abc\"; within:2; sid:1;)", "within is smaller than the content"),
        (tcp + "(content:\"abc\"; offset:-1; sid:1;)", "offset is not a number of 0…65535"),
        (tcp + "(content:\"abc\"; depth:x; sid:1;)", "depth is not a number of 0…65535"),
        (
            tcp + "(content:\"abc\"; distance:1048577; sid:1;)",
            "distance is not a number of -1048576…1048576"
        ),
        (
            tcp + "(content:\"a\"; offset:1; distance:1; sid:1;)",
            "distance or within on the same content as offset or depth"
        ),
        (
            tcp + "(content:\"a\"; fast_pattern:only; content:\"b\"; distance:1; sid:1;)",
            "distance or within after a content that is fast_pattern:only"
        ),
        (
            tcp + "(content:\"a\"; fast_pattern; content:\"b\"; fast_pattern; sid:1;)",
            "fast_pattern on more than one content"
        ),
        (
            tcp + "(content:\"a\"; offset:1; fast_pattern:only; sid:1;)",
            "fast_pattern:only on a content that is negated or bound to a place"
        ),
        (tcp + "(content:\"a\",startswith; sid:1;)", "keyword startswith is not supported yet"),
        // Numbers and flags.
        (tcp + "(dsize:x; sid:1;)", "dsize:x: expected a number of 0…65535"),
        (tcp + "(dsize:65536; sid:1;)", "dsize:65536: expected a number of 0…65535"),
        (tcp + "(dsize:3<>4; sid:1;)", "dsize:3<>4: no number lies between"),
        (tcp + "(dsize:<0; sid:1;)", "dsize:<0: no number lies between"),
        (tcp + "(dsize:!>=0; sid:1;)", "dsize:!>=0: every number is excluded"),
        (tcp + "(dsize:2; content:\"abc\"; sid:1;)", "dsize leaves no room for the content"),
        (tcp + "(itype:8; sid:1;)", "itype and icode need protocol icmp"),
        ("alert icmp any any -> any any (itype:256; sid:1;)", "itype:256: expected a number of 0…255"),
        ("alert udp any any -> any any (flags:S; sid:1;)", "flags needs protocol tcp"),
        (tcp + "(flags:X; sid:1;)", "flags:X: expected letters of FSRPAUCE120 and one of + * !"),
        (tcp + "(flags:+!S; sid:1;)", "flags:+!S: only one of + * ! may be given"),
        (tcp + "(flags:+; sid:1;)", "flags:+: no flag is named"),
        (tcp + "(flags:S,; sid:1;)", "flags:S,: no flag follows the comma"),
    ]

    @Test(arguments: cases)
    func refused(_ rule: String, _ reason: String) throws {
        var variables = RuleVariables.stock(home: home)
        variables.addresses["A"] = "[10.0.0.1,$B]"
        variables.addresses["B"] = "!$A"
        let text = "# a comment\n\(RefusalTests.tcp)(sid:900;)\n\(rule)\n\(RefusalTests.tcp)(sid:901;)\n"
        let rules = try compile(text, variables: variables)
        #expect(rules.rules.map(\.sid) == [900, 901])
        #expect(rules.problems.map(\.reason) == [reason])
        #expect(rules.problems.map(\.line) == [3])
        #expect(rules.problems.map(\.file) == ["test.rules"])
    }

    @Test func theSidOfARefusedRuleIsNamed() throws {
        let rules = try compile(
            "alert http any any -> any any (msg:\"sid:7\\; x\"; sid:42; rev:1;)\nalert http any any")
        #expect(rules.problems.map(\.sid) == [42, nil])
        #expect(
            "\(rules.problems[0])"
                == "test.rules:1: sid 42: application protocol http is not recognised yet")
        #expect(
            "\(rules.problems[1])" == "test.rules:2: application protocol http is not recognised yet")
    }

    @Test func theSecondOfTwoEqualSidsIsRefused() throws {
        let rules = try compile(
            "\(RefusalTests.tcp)(sid:5;)\n\n\(RefusalTests.tcp)(sid:5; gid:2;)\n\(RefusalTests.tcp)(sid:5; rev:9;)"
        )
        #expect(rules.rules.map(\.gid) == [1, 2])
        #expect(
            rules.problems == [
                RuleProblem(
                    file: "test.rules", line: 4, sid: 5,
                    reason: "sid 5 of gid 1 stands in test.rules:1 already")
            ])
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "[", count: 5_000) + "any" + String(repeating: "]", count: 5_000)
        let rules = try compile("alert tcp \(deep) any -> any any (sid:1;)")
        #expect(rules.problems.map(\.reason) == ["address lists or variables nested deeper than 32"])
        let bangs = String(repeating: "!", count: 5_000) + "80"
        let ports = try compile("alert tcp any \(bangs) -> any any (sid:1;)")
        #expect(ports.problems.map(\.reason) == ["port lists or variables nested deeper than 32"])
    }
}
