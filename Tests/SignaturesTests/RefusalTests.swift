import Signatures
import Testing

/// What is wrong with a rule is said with its file, its line and a reason; the rules around it load.
@Suite struct RefusalTests {
    static let tcp = "alert tcp any any -> any any "

    static let cases: [(rule: String, reason: String)] = [
        // Actions, protocols, directions.
        ("rewrite tcp any any -> any any (sid:1;)", "action rewrite is not supported"),
        (
            "alarm tcp any any -> any any (sid:1;)",
            "unknown action alarm: expected alert, drop, reject or pass"
        ),
        ("accept:hook tcp:all any any -> any any (sid:1;)", "action accept is of Suricata's firewall mode: write pass"),
        (
            "drop:flow tcp any any -> any any (sid:1;)",
            "the scope of an action cannot be said: write the action alone"
        ),
        ("alert tcp:all any any -> any any (sid:1;)", "rules have no hooks here: write the protocol alone"),
        (
            "alert dns:request_complete any any -> any any (sid:1;)",
            "rules have no hooks here: write the protocol alone"
        ),
        (
            "alert http any any => any any (sid:1;)",
            "direction => is of transactions, which only the parser of an application knows"
        ),
        ("alert websocket any any -> any any (sid:1;)", "needs the application buffer websocket"),
        ("alert websocket (sid:1;)", "needs the application buffer websocket"),
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
        (
            "alert tcp any ![1:80,!22] -> any any (sid:1;)",
            "a negated port in a negated list: write the ports that are meant"
        ),
        (
            "alert tcp [$EXTERNAL_NET,$HOME_NET] any -> any any (sid:1;)",
            "address [$EXTERNAL_NET,$HOME_NET] excludes everything"
        ),
        ("alert tcp any $P -> any any (sid:1;)", "port variable $P is not defined"),
        ("alert icmp any any -> any 80 (sid:1;)", "ports need protocol tcp, udp or ip"),
        // The options as a whole.
        (tcp, "the options of a rule stand in parentheses, and nothing follows them"),
        (tcp + "(sid:1;) x", "the options of a rule stand in parentheses, and nothing follows them"),
        (tcp + "(sid:1)", "the last option has no semicolon"),
        (tcp + "(msg:\"x\";)", "sid is missing"),
        (tcp + "(pcre:\"/a/U\"; sid:1;)", "needs the application buffer http.uri"),
        (tcp + "(pcre:\"/a/Ri!\"; sid:1;)", "pcre does not know the flag !"),
        (tcp + "(pcre:\"/(a/\"; sid:1;)", "pcre: missing closing parenthesis at 2"),
        (tcp + "(pcre:\"/a/; sid:1;)", "pcre is not closed by a quote"),
        (
            tcp + "(pcre:\"/(a)/i, flow:name\"; sid:1;)",
            "pcre keeps nothing of what it matched under a name (flow:, pkt:, alert:): leave the name out"
        ),
        (
            tcp + "(pcre:\"/(?P<pkt_name>a)/\"; sid:1;)",
            "pcre keeps nothing of what it matched under a name (flow:, pkt:, alert:): leave the name out"
        ),
        (tcp + "(pktvar:a,b; sid:1;)", "pktvar is not supported: nothing is kept of what pcre matched"),
        (tcp + "(bsize:4; sid:1;)", "bsize needs a buffer before it: dsize is the payload's"),
        (tcp + "(tcp.hdr; content:\"a\"; ipv4.hdr; sid:1;)", "ipv4.hdr has no test behind it"),
        (tcp + "(tcp.hdr; ipv4.hdr; content:\"a\"; sid:1;)", "tcp.hdr has no test behind it"),
        (tcp + "(udp.hdr; content:\"a\"; sid:1;)", "udp.hdr is of packets that the protocol of the rule excludes"),
        (tcp + "(tcp.hdr; absent; sid:1;)", "absent is not supported: it asks whether an application buffer is there"),
        (
            tcp + "(flow:only_stream; ttl:1; sid:1;)",
            "what only single packets have is asked of a rule for streams alone"
        ),
        (
            "alert tcp-stream any any -> any any (flow.age:>1; content:\"a\"; sid:1;)",
            "what only single packets have is asked of a rule for streams alone"
        ),
        (
            "alert tcp-pkt any any -> any any (flow:only_stream; content:\"a\"; sid:1;)",
            "what only single packets have is asked of a rule for streams alone"
        ),
        (tcp + "(ip_proto:6; sid:1;)", "ip_proto needs protocol ip"),
        ("alert ip any any -> any any (ip_proto:>20; ip_proto:<20; sid:1;)", "ip_proto leaves no protocol"),
        ("alert ip any any -> any any (ip_proto:6; ip_proto:17; sid:1;)", "ip_proto leaves no protocol"),
        (
            tcp + "(tcp.hdr; byte_extract:1,12,n; pkt_data; content:\"x\"; offset:n; sid:1;)",
            "a variable is of a buffer that is looked at later: the payload is first"
        ),
        (tcp + "(byte_test:4,>,1,0,hex; sid:1;)", "byte_test: hex, dec and oct need string"),
        (tcp + "(byte_jump:4,0,dec; sid:1;)", "byte_jump: hex, dec and oct need string"),
        (tcp + "(byte_jump:4,0,from_end,from_beginning; sid:1;)", "byte_jump goes from the beginning or from the end"),
        (
            tcp + "(byte_math:bytes 5,offset 0,oper +,rvalue 1,result a; sid:1;)",
            "byte_math reads more than 4 bytes"
        ),
        (tcp + "(byte_extract:15,0,a,string,hex; sid:1;)", "byte_extract reads more than 14 bytes"),
        (tcp + "(byte_test:24,>,1,0,string,dec; sid:1;)", "byte_test's bytes is not a number of 1…23"),
        (
            tcp + "(entropy:value >= 9; sid:1;)",
            "entropy: value takes a number of 0…8, or two of which the second is higher"
        ),
        (
            tcp + "(entropy:value -1; sid:1;)",
            "entropy: value takes a number of 0…8, or two of which the second is higher"
        ),
        (
            tcp + "(entropy:value 5-5; sid:1;)",
            "entropy: value takes a number of 0…8, or two of which the second is higher"
        ),
        (tcp + "(entropy:value =>5; sid:1;)", "entropy: value does not know =>5"),
        (tcp + "(entropy:bytes 5; sid:1;)", "entropy needs value"),
        (tcp + "(entropy:7; sid:1;)", "entropy takes bytes, offset and value"),
        (tcp + "(entropy:value 1, value 2; sid:1;)", "entropy: value is given twice"),
        (tcp + "(entropy:bytes -1, value 2; sid:1;)", "entropy: bytes is not a number of 0…65535"),
        (tcp + "(flow:to_server,to_client; sid:1;)", "flow's options contradict each other"),
        (tcp + "(flow:sideways; sid:1;)", "flow does not know sideways"),
        (tcp + "(http.uri; content:\"x\"; sid:1;)", "needs the application buffer http.uri"),
        (tcp + "(content:\"x\"; http_header; sid:1;)", "needs the application buffer http.header"),
        (tcp + "(uricontent:\"x\"; sid:1;)", "needs the application buffer http.uri"),
        (
            tcp + "(content:\"x\"; replace:\"y\"; sid:1;)",
            "replace is not supported: Flinch passes or drops packets and changes none"
        ),
        (tcp + "(geoip:src,DE; sid:1;)", "geoip is not supported: Flinch has no table of countries"),
        (
            tcp + "(byte_test:1,>,n,0; sid:1;)",
            "byte_test's value names a variable that no byte_extract or byte_math before it defines"
        ),
        (tcp + "(byte_test:1,~,1,0; sid:1;)", "byte_test does not know the operator ~"),
        (tcp + "(byte_test:9,>,1,0; sid:1;)", "byte_test reads more than 8 bytes"),
        (tcp + "(byte_jump:4; sid:1;)", "byte_jump needs bytes and an offset"),
        (tcp + "(byte_extract:4,0; sid:1;)", "byte_extract needs bytes, an offset and a name"),
        (tcp + "(byte_math:bytes 4,offset 0; sid:1;)", "byte_math needs bytes, offset, oper, rvalue and result"),
        (tcp + "(isdataat:x; sid:1;)", "isdataat names a variable that no byte_extract or byte_math before it defines"),
        (tcp + "(flowbits:put,a; sid:1;)", "flowbits does not know put"),
        (tcp + "(flowbits:set; sid:1;)", "flowbits takes what to do and a name"),
        (tcp + "(flowint:a,**,1; sid:1;)", "flowint does not know **"),
        (tcp + "(xbits:set,a,track tx; sid:1;)", "xbits cannot track tx: there are no transactions"),
        (tcp + "(stream_size:nobody,>,1; sid:1;)", "stream_size knows server, client, both and either"),
        (tcp + "(ipopts:zz; sid:1;)", "ipopts does not know zz"),
        (tcp + "(fragbits:X; sid:1;)", "fragbits takes letters of MDR and one of + * !"),
        (tcp + "(vlan.id:1,9; sid:1;)", "vlan.id's layer is any, all or a number of -3…2"),
        (tcp + "(decode-event:ipv4.odd; sid:1;)", "unknown decoder event ipv4.odd"),
        (tcp + "(stream-event:odd; sid:1;)", "unknown stream event odd"),
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
            tcp + "(content:\"a\"; nocase:1; sid:1;)",
            "nocase is given twice or with a value it does not take"
        ),
        (tcp + "(asn1:sideways; sid:1;)", "asn1 does not take sideways"),
        (tcp + "(asn1:oversize_length x; sid:1;)", "asn1 takes a number of 0…4294967295 there"),
        (tcp + "(ber_data:256; sid:1;)", "ber_data needs a type of 0…255"),
        (tcp + "(ber_data:1,optional; sid:1;)", "ber_data takes a type and no more"),
        (tcp + "(base64_decode:bytes x; sid:1;)", "base64_decode takes a number of 0…65535 there"),
        (tcp + "(base64_data; content:\"x\"; sid:1;)", "base64_data needs base64_decode before it"),
        (tcp + "(ipv4-csum:odd; sid:1;)", "a checksum is valid or invalid"),
        (tcp + "(target:me; sid:1;)", "target is src_ip or dest_ip"),
        (tcp + "(target:src_ip; target:dest_ip; sid:1;)", "target says both sides"),
        (tcp + "(requires:version >= 7, version < 9; sid:1;)", "requires takes one version"),
        (tcp + "(hostbits:set,a,both; sid:1;)", "hostbits does not track both: write xbits, with track ip_pair"),
        (tcp + "(requires:version >= 9; sid:1;)", "requires another version of Suricata"),
        (tcp + "(requires:version < 8; sid:1;)", "requires another version of Suricata"),
        (tcp + "(requires:keyword odd; sid:1;)", "requires a keyword that Flinch has not"),
        (tcp + "(requires:feature lua; sid:1;)", "requires what Flinch has not"),
        (tcp + "(l3_proto:arp; sid:1;)", "l3_proto is ipv4 or ipv6"),
        (tcp + "(content:\"abc\"; depth:2; sid:1;)", "depth is smaller than the content"),
        (tcp + "(content:\"abc\"; within:2; sid:1;)", "within is smaller than the content"),
        (tcp + "(content:\"abc\"; offset:-1; sid:1;)", "offset is not a number of 0…65535"),
        (
            tcp + "(content:\"abc\"; depth:x; sid:1;)",
            "depth names a variable that no byte_extract or byte_math before it defines"
        ),
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
        (
            tcp + "(content:\"a\"; offset:1; startswith; sid:1;)",
            "startswith on a content that has another place"
        ),
        // Numbers and flags.
        (tcp + "(dsize:x; sid:1;)", "dsize:x: expected a number of 0…65535"),
        (tcp + "(dsize:65536; sid:1;)", "dsize:65536: expected a number of 0…65535"),
        (tcp + "(dsize:3<>4; sid:1;)", "dsize:3<>4: no number lies between"),
        (tcp + "(dsize:<0; sid:1;)", "dsize:<0: no number lies between"),
        (tcp + "(dsize:!>=0; sid:1;)", "dsize:!>=0: every number is excluded"),
        (tcp + "(dsize:>=0; sid:1;)", "dsize:>=0: every number is meant"),
        (tcp + "(ttl:<=255; sid:1;)", "ttl:<=255: every number is meant"),
        (tcp + "(dsize:2; content:\"abc\"; sid:1;)", "dsize leaves no room for the content"),
        (
            tcp + "(dsize:9; content:\"abcd\"; offset:2; content:\"efgh\"; distance:0; sid:1;)",
            "dsize leaves no room for the content"
        ),
        (
            tcp + "(tcp.hdr; content:\"a\"; content:\"b\"; distance:4; bsize:<6; sid:1;)",
            "bsize leaves no room for the content"
        ),
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
            "alert websocket any any -> any any (msg:\"sid:7\\; x\"; sid:42; rev:1;)\nalert websocket any any")
        #expect(rules.problems.map(\.sid) == [42, nil])
        #expect(
            "\(rules.problems[0])"
                == "test.rules:1: sid 42: needs the application buffer websocket")
        #expect(
            "\(rules.problems[1])" == "test.rules:2: needs the application buffer websocket")
    }

    @Test func ofTwoEqualSidsTheHigherRevisionCounts() throws {
        let tcp = RefusalTests.tcp
        let rules = try compile(
            "\(tcp)(sid:5;)\n\n\(tcp)(sid:5; gid:2;)\n\(tcp)(sid:5; rev:9;)\n\(tcp)(sid:5; rev:8;)\n\(tcp)(dsize:1; sid:5; rev:9;)"
        )
        #expect(rules.rules.map(\.gid) == [1, 2])
        #expect(rules.rules.map(\.rev) == [9, 0])
        func problem(_ line: Int, _ reason: String) -> RuleProblem {
            RuleProblem(file: "test.rules", line: line, sid: 5, reason: reason, detail: "test.rules:4")
        }
        #expect(
            rules.problems == [
                problem(1, "a newer revision of it is loaded"), problem(5, "a newer revision of it is loaded"),
                problem(6, "another rule has its gid, sid and rev"),
            ])
    }

    /// One for each version of Suricata, with one number: what is not for this one is not in the other's way.
    @Test(arguments: [
        ("version >= 8", "version < 8"), ("version >= 7.0.3 < 8 | >= 8.0.3", "version >= 8.0.7"),
        ("keyword entropy", "keyword absent"), ("version > 8.0.5, keyword bsize", "version <= 8.0.5"),
    ]) func ofTwoThatRequireOneLoads(_ met: String, _ unmet: String) throws {
        let tcp = RefusalTests.tcp
        for (first, second) in [(met, unmet), (unmet, met)] {
            let rules = try compile("\(tcp)(requires:\(first); sid:5;)\n\(tcp)(requires:\(second); sid:5;)")
            #expect(rules.rules.count == 1)
            #expect(rules.problems.map(\.line) == [first == met ? 2 : 1])
        }
    }

    @Test func theSameRuleAgainIsNoProblem() throws {
        let rules = try compile("\(RefusalTests.tcp)(sid:5;)\n\(RefusalTests.tcp)(sid:5;)")
        #expect(rules.rules.count == 1 && rules.problems == [] && rules.repeated == 1)
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
