import Evidence
import Testing

@testable import Signatures

/// What Suricata's documentation says of keywords that ask for a number (rules/integer-keywords.rst,
/// header-keywords.rst, vlan-keywords.rst): every form, at both sides of its borders.
@Suite struct DocumentedNumberTests {
    /// What is written, and which numbers match it.
    struct Form: Sendable, CustomTestStringConvertible {
        var text: String
        var holds: @Sendable (Int) -> Bool
        var testDescription: String { text }

        init(_ text: String, _ holds: @escaping @Sendable (Int) -> Bool) {
            self.text = text
            self.holds = holds
        }
    }

    static let forms = [
        Form("19") { $0 == 19 }, Form("=0x13") { $0 == 19 }, Form("!0x14") { $0 != 20 }, Form("!=20") { $0 != 20 },
        Form(">21") { $0 > 21 }, Form(">=21") { $0 >= 21 }, Form("<22") { $0 < 22 }, Form("<=22") { $0 <= 22 },
        Form("19-22") { $0 == 20 || $0 == 21 }, Form("19<>22") { $0 == 20 || $0 == 21 },
        Form("19<=>22") { (19...22).contains($0) }, Form("!19-22") { $0 <= 19 || $0 >= 22 },
        Form("!19<>22") { $0 <= 19 || $0 >= 22 }, Form("&0x1c=0x14") { $0 & 0x1C == 0x14 },
        Form("&0x14!=0") { $0 & 0x14 != 0 }, Form(" 19 ") { $0 == 19 }, Form("19 - 22") { $0 == 20 || $0 == 21 },
    ]

    private static func bytes(_ count: Int) -> [UInt8] { Array(repeating: 0x61, count: count) }

    /// A packet whose field is this number.
    static let fields: [(name: String, transport: String, packet: @Sendable (Int) -> RawPacket)] = [
        ("ttl", "ip", { .ipv4(ttl: $0, proto: 99, []) }), ("tos", "ip", { .ipv4(tos: $0, proto: 99, []) }),
        ("id", "ip", { .ipv4(id: $0, proto: 99, []) }),
        ("fragoffset", "ip", { .ipv4(offset: $0, proto: 99, [1]) }), ("ip_proto", "ip", { .ipv4(proto: $0 + 120, []) }),
        ("itype", "icmp", { .icmp($0) }), ("icode", "icmp", { .icmp(3, $0) }),
        ("icmp_id", "icmp", { .icmp(8, id: $0) }), ("icmp_seq", "icmp", { .icmp(8, seq: $0) }),
        ("seq", "tcp", { .tcp(seq: $0) }), ("tcp.seq", "tcp", { .tcp(seq: $0) }), ("ack", "tcp", { .tcp(ack: $0) }),
        ("window", "tcp", { .tcp(window: $0) }),
        ("tcp.mss", "tcp", { .tcp(flags: 2, options: [2, 4, 0, UInt8($0)]) }),
        ("tcp.wscale", "tcp", { .tcp(flags: 2, options: [3, 3, UInt8($0), 1]) }),
        ("dsize", "udp", { .udp(bytes($0)) }), ("bufferlen", "udp", { .udp(bytes($0)) }),
    ]

    @Test(arguments: fields.indices) func everyForm(_ index: Int) throws {
        let field = Self.fields[index]
        // Protocol numbers below are those of other headers.
        let shift = field.name == "ip_proto" ? 120 : 0
        for form in Self.forms where shift == 0 {
            let rules = try compile("alert \(field.transport) any any -> any any (\(field.name):\(form.text); sid:1;)")
            try #require(rules.problems == [], "\(field.name):\(form.text)")
            var matcher = try Matcher(rules)
            for number in 16...24 {
                let packet = field.packet(number)
                let isFound = matcher.findings(packet.bytes, as: packet.link).count == 1
                #expect(isFound == form.holds(number), "\(field.name):\(form.text) of \(number)")
            }
        }
    }

    /// A protocol's number or its name, and what it may be compared with.
    @Test func protocols() throws {
        for (text, matching) in [
            ("udp", [17]), ("UDP", [17]), ("!udp", [6, 99]), ("!=17", [6, 99]), (">17", [99]), ("<17", [6]),
            ("99", [99]),
        ] {
            let rules = try compile("alert ip any any -> any any (ip_proto:\(text); sid:1;)")
            try #require(rules.problems == [])
            var matcher = try Matcher(rules)
            for packet in [(6, RawPacket.tcp()), (17, .udp()), (99, .ipv4(proto: 99, []))] {
                let isFound = matcher.findings(packet.1.bytes, as: packet.1.link).count == 1
                #expect(isFound == matching.contains(packet.0), "\(text) of \(packet.0)")
            }
        }
    }

    /// Of several, each must hold.
    @Test func severalOfAKind() throws {
        let rules = try compile("alert ip any any -> any any (ip_proto:!6; ip_proto:!17; ttl:>5; ttl:<9; sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        for (packet, matches) in [
            (RawPacket.ipv4(ttl: 7, proto: 99, []), true), (.ipv4(ttl: 9, proto: 99, []), false), (.udp(), false),
        ] {
            #expect(matcher.findings(packet.bytes, as: packet.link).count == (matches ? 1 : 0))
        }
    }

    /// Units are of 1,024, whatever they are called.
    @Test(arguments: ["1kb", "1KB", "1kib", "1KiB", "1024", "0x400"]) func units(_ text: String) throws {
        let rules = try compile("alert udp any any -> any any (bufferlen:\(text); sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        #expect(matcher.findings(RawPacket.udp(Self.bytes(1_024)).bytes).count == 1)
        #expect(matcher.findings(RawPacket.udp(Self.bytes(1_000)).bytes).count == 0)
    }

    /// That a packet has a number at all may be asked; what every one has may not (RefusalTests).
    @Test(arguments: ["vlan.id:<=4095;", "vlan.layers:<=3;", "stream_size:both,>=,0;", "fragoffset:<=8191;"])
    func whatMayBeMeantOfAll(_ options: String) throws {
        #expect(try compile("alert tcp any any -> any any (\(options) sid:1;)").problems == [])
    }

    @Test func numbersInQuotes() throws {
        let cases: [(rule: String, yes: RawPacket, no: RawPacket)] = [
            ("alert ip any any -> any any (id:\"7\";", .ipv4(id: 7, proto: 99, []), .ipv4(id: 8, proto: 99, [])),
            ("alert icmp any any -> any any (icmp_id:\" 7\";", .icmp(8, id: 7), .icmp(8, id: 8)),
            ("alert icmp any any -> any any (icmp_seq:\"7 \";", .icmp(8, seq: 7), .icmp(8, seq: 8)),
        ]
        for (rule, yes, no) in cases {
            let rules = try compile(rule + " sid:1;)")
            try #require(rules.problems == [], "\(rule)")
            var matcher = try Matcher(rules)
            #expect(matcher.findings(yes.bytes, as: yes.link).count == 1)
            #expect(matcher.findings(no.bytes, as: no.link).count == 0)
        }
    }

    @Test(arguments: ["x88", "0x88", "136", "!0", "!x89"]) func typeOfService(_ text: String) throws {
        let rules = try compile("alert ip any any -> any any (tos:\(text); sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        #expect(matcher.findings(RawPacket.ipv4(tos: 0x88, proto: 99, []).bytes).count == 1)
    }

    /// What can never or always be.
    @Test(arguments: [
        "dsize:&0xc0=2", "dsize:&0xc0", "dsize:5<>6", "ttl:256", "itype:-1", "vlan.id:4096", "vlan.layers:4",
        "tcp.wscale:x",
        "dsize:", "dsize:5<>", "dsize:!>=0",
    ]) func refused(_ text: String) throws {
        #expect(try compile("alert ip any any -> any any (\(text); sid:1;)").problems.count == 1)
    }

    /// vlan.id's layers, from without and from within, and with what none of them has.
    @Test(arguments: [
        ("666", true), ("123", true), ("124", false), ("666,0", true), ("666,1", false), ("123,-1", true),
        ("666,-2", true), ("666,-3", false), (">100,all", true), (">200,all", false), (">200,any", true),
        ("!666", true), ("!666,0", false), ("!5,all", true), ("<300,0", false), (">=123,1", true),
        ("&0x200=0x200,0", true),
    ]) func vlans(_ text: String, _ matches: Bool) throws {
        let rules = try compile("alert ip any any -> any any (vlan.id:\(text); sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        let packet = RawPacket.udp([1]).framed(tags: [666, 123])
        #expect((matcher.findings(packet.bytes, as: packet.link).count == 1) == matches)
        let plain = RawPacket.udp([1]).framed()
        #expect(matcher.findings(plain.bytes, as: plain.link).count == 0)
    }
}
