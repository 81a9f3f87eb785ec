import Testing

@testable import Signatures

/// The examples of Suricata's rules/flow-keywords.rst and xbits.rst: what is told of one packet after the other.
@Suite struct DocumentedFlowTests {
    /// Texts of packets of one connection, and the rules that each is told by.
    private func told(_ rules: [String], _ packets: [(String, [UInt32])]) throws {
        var line = try Timeline(
            rules.enumerated().map { "alert tcp any any -> any any (\($1) sid:\($0 + 1);)" }.joined(separator: "\n"))
        for (number, packet) in packets.enumerated() {
            let seen = line.at(Double(number), .tcp(40_000, 80, packet.0)).told
            #expect(seen.sorted() == packet.1, "packet \(number): \(packet.0)")
        }
    }

    @Test func flowbits() throws {
        try told(
            [
                "content:\"userlogin\"; flowbits:set,userlogin; flowbits:noalert;",
                "content:\"next\"; flowbits:isset,userlogin;", "content:\"or\"; flowbits:isset,user1|userlogin;",
                "content:\"and\"; flowbits:isset,user1&userlogin;", "content:\"case\"; flowbits:isset,UserLogin;",
                "content:\"flip\"; flowbits:toggle,userlogin; noalert;",
                "content:\"none\"; flowbits:isnotset,userlogin;",
                "content:\"away\"; flowbits: unset, userlogin;",
            ],
            [
                ("next", []), ("none", [7]), ("userlogin", []), ("next", [2]), ("or", [3]), ("and", []), ("case", []),
                ("none", []), ("flip", []), ("next", []), ("flip", []), ("next", [2]), ("away", [8]), ("next", []),
                ("or", []),
            ])
    }

    /// A rule that sets in the packet that another asks about is first.
    @Test func whatIsSetIsAskedInTheSamePacket() throws {
        try told(
            ["content:\"both\"; flowbits:isset,a;", "content:\"both\"; flowbits:set,a; noalert;"], [("both", [1])])
    }

    @Test func flowintCounts() throws {
        let counted = "content:\"jonkman\"; flowint: usernamecount,"
        try told(
            [
                "\(counted) +, 1; noalert;", "\(counted) >, 5;",
                "content:\"logout jonkman\"; flowint:usernamecount,-,2;",
            ],
            Array(repeating: ("jonkman", []), count: 5) + [("jonkman", [2]), ("logout jonkman", [3]), ("jonkman", [2])])
    }

    @Test func flowintIsSet() throws {
        try told(
            [
                "content:\"login failed\"; flowint:loginfail, notset; flowint:loginfail, =, 1; noalert;",
                "content:\"how\"; flowint:loginfail, isset;", "content:\"how\"; flowint:loginfail, isnotset;",
                "content:\"how\"; flowint:loginfail,==,1;", "content:\"how\"; flowint:loginfail,!=,1;",
                "content:\"how\"; flowint:loginfail,<=,1;", "content:\"how\"; flowint:loginfail,>=,2;",
                "content:\"how\"; flowint:loginfail,<,2;",
                "content:\"max\"; flowint:maxvar,=,1; noalert;", "content:\"how\"; flowint:loginfail,==,maxvar;",
            ], [("how", [3]), ("login failed", []), ("how", [2, 4, 6, 8]), ("max", []), ("how", [2, 4, 6, 8, 10])])
    }

    /// detect-flowint.c: what was never set is 0 as the other number, and cannot be taken from; 32 bits wrap round.
    @Test func flowintsThatWereNeverSet() throws {
        try told(
            [
                "content:\"less\"; flowint:n,-,1; noalert;", "content:\"more\"; flowint:n,+,1; noalert;",
                "content:\"copy\"; flowint:m,=,nothing; noalert;",
                "content:\"how\"; flowint:n,isset;", "content:\"how\"; flowint:n,==,4294967295;",
                "content:\"how\"; flowint:n,>,nothing;", "content:\"how\"; flowint:m,==,0;",
                "content:\"how\"; flowint:nothing,==,0;",
            ],
            [
                ("less", []), ("how", []), ("more", []), ("how", [4, 6]), ("less", []), ("less", []),
                ("how", [4, 5, 6]), ("more", []), ("how", [4]), ("copy", []), ("how", [4, 7]),
            ])
    }

    /// Of `noalert` and `alert` the last stands.
    @Test func theLastWordStands() throws {
        try told(
            [
                "content:\"x\"; noalert; alert;", "content:\"x\"; alert; noalert;",
                "content:\"x\"; flowbits:noalert; alert;",
            ], [("x", [1, 3])])
    }

    /// Bits of hosts go over flows, until they expire.
    @Test func xbits() throws {
        var line = try Timeline(
            """
            alert tcp any any -> any any (content:"set"; xbits:set,badssh,track ip_src,expire 60; sid:1;)
            alert tcp any any -> any any (content:"ask"; xbits:isset,badssh,track ip_src; sid:2;)
            alert tcp any any -> any any (content:"ask"; xbits:isset,badssh,track ip_dst; sid:3;)
            alert tcp any any -> any any (content:"ask"; xbits:isnotset,badssh,track ip_src; sid:4;)
            alert tcp any any -> any any (content:"pair"; xbits:set,p,track ip_pair; noalert; sid:5;)
            alert tcp any any -> any any (content:"ask"; xbits:isset,p,track ip_pair; sid:6;)
            alert tcp any any -> any any (content:"flip"; xbits:toggle,badssh,track ip_src; noalert; sid:7;)
            """)
        let (one, other) = ("198.51.100.7", "192.0.2.10")
        #expect(line.at(0, .tcp(40_000, 80, "ask")).told == [4])
        #expect(line.at(1, .tcp(40_000, 80, "set")).told == [1])
        // Another flow of the same host; the other way round; another host.
        #expect(line.at(2, .tcp(40_001, 80, "ask")).told == [2])
        #expect(line.at(3, .tcp(80, 40_000, "ask").from(other, to: one)).told.sorted() == [3, 4])
        #expect(line.at(4, .tcp(40_000, 80, "ask").from("198.51.100.9", to: other)).told == [4])
        #expect(line.at(5, .tcp(40_002, 80, "pair")).told == [])
        #expect(line.at(6, .tcp(80, 40_000, "ask").from(other, to: one)).told.sorted() == [3, 4, 6])
        #expect(line.at(7, .tcp(40_000, 80, "ask").from("198.51.100.9", to: other)).told == [4])
        #expect(line.at(60.5, .tcp(40_000, 80, "ask")).told == [2])
        // Thirty seconds for the pair, sixty as it says for the host.
        #expect(line.at(61.5, .tcp(40_000, 80, "ask")).told == [4])
        #expect(line.at(62, .tcp(40_000, 80, "flip")).told == [])
        #expect(line.at(63, .tcp(40_000, 80, "ask")).told == [2])
        #expect(line.at(64, .tcp(40_000, 80, "flip")).told == [])
        #expect(line.at(65, .tcp(40_000, 80, "ask")).told == [4])
    }

    /// A bit's time runs from when it was set first; `hostbits` and `xbits` of a host are the same, a pair's are not.
    @Test func aBitIsNotSetAgain() throws {
        var line = try Timeline(
            """
            alert tcp any any -> any any (content:"set"; xbits:set,a,track ip_src,expire 10; noalert; sid:1;)
            alert tcp any any -> any any (content:"ask"; hostbits:isset,a; sid:2;)
            alert tcp any any -> any any (content:"ask"; xbits:isset,a,track ip_pair; sid:3;)
            alert tcp any any -> any any (content:"off"; hostbits:unset,a,src; noalert; sid:4;)
            alert tcp any any -> any any (content:"ask"; hostbits:isset,a,dst; sid:5;)
            """)
        func packet(_ text: String) -> Sample { .tcp(40_000, 80, text) }
        #expect(line.at(0.9, packet("set")).told == [])
        #expect(line.at(1, packet("ask")).told == [2])
        #expect(line.at(8, packet("set")).told == [])
        #expect(line.at(10.8, packet("ask")).told == [2])
        #expect(line.at(11.1, packet("ask")).told == [])
        #expect(line.at(12, packet("set")).told == [])
        #expect(line.at(21, packet("ask")).told == [2])
        #expect(line.at(21.1, packet("off")).told == [])
        #expect(line.at(21.2, packet("ask")).told == [])
        #expect(line.at(21.3, packet("set")).told == [])
        #expect(line.at(22, Sample.tcp(80, 40_000, "ask").from("192.0.2.10", to: "198.51.100.7")).told == [5])
    }

    @Test func flowAgePacketsAndBytes() throws {
        // 40 bytes of headers and 4 of payload each.
        try told(
            [
                "content:\"tick\"; flow.age:3;", "content:\"tick\"; flow.age:>=4;",
                "content:\"tick\"; flow.pkts:toserver,2;",
                "content:\"tick\"; flow.pkts:toclient,0;", "content:\"tick\"; flow.pkts:either,>4;",
                "content:\"tick\"; flow.bytes:toserver,<100;", "content:\"tick\"; flow.bytes:either,>=176;",
                "content:\"tick\"; flow.pkts_toserver:!3; flow.pkts_toserver:<5;",
            ],
            [
                ("tick", [4, 6, 8]), ("tick", [3, 4, 6, 8]), ("tick", [4]), ("tick", [1, 4, 7, 8]),
                ("tick", [2, 4, 5, 7]),
            ])
    }

    /// What is of no flow is of none that is established.
    @Test func notEstablished() throws {
        for (options, matches) in [
            ("flow:not_established;", true), ("flow:stateless;", true), ("flow:established;", false),
            ("flow:to_server;", false), ("flow:not_established,no_frag;", true), ("flow:only_frag;", false),
        ] {
            let rules = try compile("alert ip any any -> any any (\(options) sid:1;)")
            // A later fragment has no flow; nor was it put together.
            #expect(try rules.alerts(.udp(1, 2, "abcdefgh").fragment(at: 8)) == (matches ? [1] : []), "\(options)")
        }
    }
}
