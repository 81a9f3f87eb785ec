import Evidence
import Testing
import Wire

@testable import Signatures

/// Each keyword: that it is one, and what it means, on a packet that it is about and the nearest one that it is
/// not about.
@Suite struct KeywordTests {
    @Test(arguments: Keyword.all.map(\.name))
    func loads(_ name: String) throws {
        let keyword = try #require(Keyword.all.first { $0.name == name })
        // Each is for some protocol.
        let loaded = try ["ip", "tcp", "udp", "icmp", "igmp"].contains { transport in
            try compile("alert \(transport) any any -> any any (\(keyword.example) sid:1;)").problems.isEmpty
        }
        #expect(loaded, "\(keyword.example)")
    }

    @Test func namesAreSaidOnce() {
        #expect(Set(Keyword.all.map(\.name)).count == Keyword.all.count)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var options: String
        var yes: RawPacket
        var no: RawPacket
        var testDescription: String { options }

        init(_ options: String, _ yes: RawPacket, not no: RawPacket) {
            self.options = options
            self.yes = yes
            self.no = no
        }
    }

    static func tcp(_ text: String) -> RawPacket { .tcp(text.raw) }
    static let nop: [UInt8] = [1]

    static let headers: [Case] = [
        Case("ttl:5;", .ipv4(ttl: 5, proto: 99, []), not: .ipv4(ttl: 6, proto: 99, [])),
        Case("ttl:<5;", .ipv4(ttl: 4, proto: 99, []), not: .ipv4(ttl: 5, proto: 99, [])),
        Case("ttl:5-8;", .ipv4(ttl: 6, proto: 99, []), not: .ipv4(ttl: 8, proto: 99, [])),
        Case("tos:8;", .ipv4(tos: 8, proto: 99, []), not: .ipv4(tos: 9, proto: 99, [])),
        Case("tos:!8;", .ipv4(tos: 9, proto: 99, []), not: .ipv4(tos: 8, proto: 99, [])),
        Case("tos:8;", .ipv4(tos: 8, proto: 99, []), not: .ipv6(trafficClass: 8, next: 59, [])),
        Case("id:7;", .ipv4(id: 7, proto: 99, []), not: .ipv4(id: 8, proto: 99, [])),
        Case("ip_proto:99;", .ipv4(proto: 99, []), not: .ipv4(proto: 98, [])),
        Case("ip_proto:!udp;", .ipv4(proto: 99, []), not: .udp()),
        Case("ip_proto:>98;", .ipv4(proto: 99, []), not: .ipv4(proto: 98, [])),
        Case("fragbits:D;", .ipv4(bits: 2, proto: 99, []), not: .ipv4(bits: 3, proto: 99, [])),
        Case("fragbits:+D;", .ipv4(bits: 3, proto: 99, []), not: .ipv4(bits: 1, proto: 99, [])),
        Case("fragbits:*DR;", .ipv4(bits: 4, proto: 99, []), not: .ipv4(bits: 0, proto: 99, [])),
        Case("fragbits:!D;", .ipv4(bits: 0, proto: 99, []), not: .ipv4(bits: 2, proto: 99, [])),
        Case("fragoffset:3;", .ipv4(offset: 3, proto: 99, [1]), not: .ipv4(offset: 4, proto: 99, [1])),
        Case("fragoffset:0;", .ipv4(proto: 99, []), not: .ipv6(next: 59, [])),
        Case(
            "ipopts:rr;", .ipv4(proto: 99, options: [7, 3, 4, 0], []),
            not: .ipv4(proto: 99, options: nop + nop + nop + nop, [])),
        Case("ipopts:any;", .ipv4(proto: 99, options: [7, 3, 4, 0], []), not: .ipv4(proto: 99, [])),
        Case("l3_proto:ipv6;", .ipv6(next: 59, []), not: .ipv4(proto: 99, [])),
        Case("vlan.id:7;", udp.framed(tags: [7]), not: udp.framed(tags: [8])),
        Case("vlan.id:7,1;", udp.framed(tags: [6, 7]), not: udp.framed(tags: [7, 6])),
        Case("vlan.id:7,-1;", udp.framed(tags: [6, 7]), not: udp.framed(tags: [7, 6])),
        Case("vlan.id:7,all;", udp.framed(tags: [7, 7]), not: udp.framed(tags: [7, 6])),
        Case("vlan.id:!7;", udp.framed(tags: [8]), not: udp.framed(tags: [7])),
        Case("vlan.layers:2;", udp.framed(tags: [1, 2]), not: udp.framed(tags: [1])),
        Case("ether.hdr; content:\"|02 00 00 00 00 bb|\"; offset:6;", udp.framed(source: 0xBB), not: udp.framed()),
        Case(
            "ipv4.hdr; content:\"|40|\"; offset:8; depth:1;", .ipv4(proto: 99, []), not: .ipv4(ttl: 65, proto: 99, [])),
        Case("ipv6.hdr; content:\"|3b|\"; offset:6; depth:1;", .ipv6(next: 59, []), not: .ipv6(next: 99, [])),
        Case("udp.hdr; content:\"|00 09|\"; offset:4; depth:2;", .udp([1]), not: .udp([1, 2])),
        Case("icmpv4.hdr; content:\"|08|\"; startswith;", .icmp(8), not: .icmp(0)),
        Case("igmp.hdr; content:\"|11|\"; startswith;", .igmp(17), not: .igmp(22)),
        Case("igmp.type:17;", .igmp(17), not: .igmp(22)),
        Case("icmp_id:7;", .icmp(8, id: 7), not: .icmp(8, id: 8)),
        Case("icmp_id:0;", .icmp(8), not: .icmp(3)),
        Case("icmp_seq:7;", .icmp(0, seq: 7), not: .icmp(0, seq: 8)),
        Case("itype:3-5;", .icmp(4), not: .icmp(5)),
        Case("icode:!0;", .icmp(3, 1), not: .icmp(3)),
        Case("ipv4-csum:invalid;", .ipv4(proto: 99, [], badChecksum: true), not: .ipv4(proto: 99, [])),
        Case("ipv4-csum:valid;", .ipv4(proto: 99, []), not: .ipv4(proto: 99, [], badChecksum: true)),
        Case("tcpv4-csum:invalid;", .tcp([1], badChecksum: true), not: .tcp([1])),
        Case("udpv4-csum:invalid;", .udp([1], checksum: 0x1234), not: .udp([1], checksum: 0)),
        Case("icmpv4-csum:invalid;", .icmp(8, badChecksum: true), not: .icmp(8)),
        Case("igmp-csum:invalid;", .igmp(17, badChecksum: true), not: .igmp(17)),
    ]

    static let udp = RawPacket.udp([1, 2, 3])

    static let segments: [Case] = [
        Case("seq:7;", .tcp(seq: 7), not: .tcp(seq: 8)),
        Case("tcp.seq:7;", .tcp(seq: 7), not: .tcp(seq: 8)),
        Case("ack:7;", .tcp(ack: 7), not: .tcp(ack: 8)),
        Case("window:7;", .tcp(window: 7), not: .tcp(window: 8)),
        Case("window:!7;", .tcp(window: 8), not: .tcp(window: 7)),
        Case("tcp.mss:<500;", .tcp(flags: 2, options: [2, 4, 1, 0]), not: .tcp(flags: 2, options: [2, 4, 2, 0])),
        Case("tcp.mss:<500;", .tcp(flags: 2, options: [2, 4, 1, 0]), not: .tcp(flags: 2)),
        Case("tcp.wscale:7;", .tcp(flags: 2, options: [3, 3, 7, 1]), not: .tcp(flags: 2, options: [3, 3, 8, 1])),
        Case(
            "tcp.hdr; content:\"|02 04 01 00|\"; offset:20;", .tcp(options: [2, 4, 1, 0]),
            not: .tcp(options: [2, 4, 1, 1])),
        Case("tcp.flags:S,12;", .tcp(flags: 0xC2), not: .tcp(flags: 0x12)),
        Case("tcp.flags:!SA;", .tcp(flags: 2), not: .tcp(flags: 0x12)),
        Case("dsize:2<>5;", tcp("abc"), not: tcp("ab")),
        Case("dsize:2<=>5;", tcp("ab"), not: tcp("a")),
        Case("flow:to_server;", tcp("a"), not: .tcp(flags: 0x12, [1])),
        Case("flow.pkts:either,1;", tcp("a"), not: .ipv4(offset: 9, proto: 6, [1])),
        Case("flow.bytes:toserver,>40;", tcp("a"), not: tcp("")),
        Case("flow.bytes_toserver:<1kb;", tcp("a"), not: .tcp(Array(repeating: 1, count: 1_000))),
    ]

    static let payloads: [Case] = [
        Case("isdataat:2;", tcp("abc"), not: tcp("ab")),
        Case("isdataat:!2;", tcp("ab"), not: tcp("abc")),
        Case("content:\"a\"; isdataat:1,relative;", tcp("xab"), not: tcp("xa")),
        Case("content:\"a\"; isdataat:!1,relative;", tcp("xa"), not: tcp("xab")),
        Case("content:\"ab\"; endswith;", tcp("xab"), not: tcp("abx")),
        Case("content:!\"ab\"; endswith;", tcp("abx"), not: tcp("xab")),
        Case("content:\"ab\"; startswith;", tcp("abx"), not: tcp("xab")),
        Case("bufferlen:3;", tcp("abc"), not: tcp("ab")),
        Case("bufferlen:>2;", tcp("abc"), not: tcp("ab")),
        Case("bufferlen:2<=>3;", tcp("ab"), not: tcp("abcd")),
        // byte_test
        Case("byte_test:2,=,258,0;", .tcp([1, 2]), not: .tcp([2, 1])),
        Case("byte_test:2,=,258,0,little;", .tcp([2, 1]), not: .tcp([1, 2])),
        Case("byte_test:2,!=,258,0;", .tcp([2, 1]), not: .tcp([1, 2])),
        Case("byte_test:1,&,4,0;", .tcp([6]), not: .tcp([3])),
        Case("byte_test:1,!&,4,0;", .tcp([3]), not: .tcp([6])),
        Case("byte_test:1,^,4,0;", .tcp([6]), not: .tcp([4])),
        Case("byte_test:2,=,3,0,bitmask 0x0ff0;", .tcp([0x70, 0x3F]), not: .tcp([0, 0x4F])),
        Case("byte_test:3,=,123,0,string,dec;", tcp("123"), not: tcp("124")),
        Case("byte_test:3,=,0x1f,0,string,hex;", tcp("1fx"), not: tcp("1ex")),
        Case("byte_test:2,=,8,0,string,oct;", tcp("10"), not: tcp("11")),
        Case("content:\"a\"; byte_test:1,=,5,1,relative;", .tcp([0x61, 0, 5]), not: .tcp([0x61, 5, 0])),
        Case("byte_test:1,=,1,9;", .tcp(Array(repeating: 1, count: 10)), not: .tcp(Array(repeating: 1, count: 9))),
        // byte_jump
        Case(
            "byte_jump:1,0; content:\"x\"; distance:0; within:1;", .tcp([2, 0, 0, 0x78]), not: .tcp([1, 0, 0, 0x78])),
        Case("byte_jump:1,0,multiplier 2; content:\"x\"; within:1;", .tcp([1, 0, 0, 0x78]), not: .tcp([1, 0, 0x78])),
        Case("byte_jump:1,0,align; content:\"x\"; within:1;", .tcp([1, 0, 0, 0, 0, 0x78]), not: .tcp([1, 0, 0x78])),
        Case(
            "byte_jump:1,0,from_beginning; content:\"x\"; within:1;", .tcp([2, 0, 0x78]), not: .tcp([2, 0, 0, 0x78])),
        Case(
            "byte_jump:1,0,from_end,post_offset -3; content:\"x\"; within:1;", .tcp([1, 0, 0x78, 0]),
            not: .tcp([0, 0, 0x78, 0])),
        Case("byte_jump:1,0,post_offset -9; content:\"|01|\"; within:1;", .tcp([1, 2]), not: .tcp([2, 1])),
        Case("byte_jump:1,0; isdataat:!1,relative;", .tcp([1, 2]), not: .tcp([1, 2, 3])),
        Case("byte_jump:1,0;", .tcp([1, 2]), not: .tcp([2, 2])),
        // Variables.
        Case("byte_extract:1,0,n; content:\"x\"; offset:n;", .tcp([2, 0, 0x78]), not: .tcp([2, 0x78])),
        Case("byte_extract:1,0,n; content:\"x\"; depth:n;", .tcp([2, 0x78]), not: .tcp([2, 0, 0x78])),
        Case("byte_extract:1,0,n; content:\"x\"; distance:n;", .tcp([1, 0, 0x78]), not: .tcp([1, 0x78])),
        Case("byte_extract:1,0,n; content:\"x\"; within:n;", .tcp([1, 0x78]), not: .tcp([1, 0, 0x78])),
        Case("byte_extract:1,0,n,multiplier 2; isdataat:!n,relative;", .tcp([1, 0]), not: .tcp([1, 0, 0])),
        Case("byte_extract:1,0,n; byte_test:1,=,n,1;", .tcp([7, 7]), not: .tcp([7, 8])),
        Case("byte_extract:1,0,n,align 4; byte_test:1,=,n,1;", .tcp([5, 8]), not: .tcp([5, 5])),
        Case("byte_extract:1,0,n,bitmask 0xf0; byte_test:1,=,n,1;", .tcp([0x25, 2]), not: .tcp([0x25, 5])),
        Case(
            "byte_math:bytes 1,offset 0,oper +,rvalue 2,result n; byte_test:1,=,n,1;", .tcp([3, 5]), not: .tcp([3, 3])),
        Case(
            "byte_math:bytes 1,offset 0,oper <<,rvalue 2,result n; byte_test:1,=,n,1;", .tcp([3, 12]),
            not: .tcp([3, 3])),
        Case(
            "byte_math:bytes 1,offset 0,oper /,rvalue 2,result n; byte_test:1,=,n,1;", .tcp([9, 4]), not: .tcp([9, 9])),
        // Expressions.
        Case("pcre:\"/ab/i\";", tcp("AB"), not: tcp("ba")),
        Case("pcre:!\"/ab/\";", tcp("ba"), not: tcp("ab")),
        Case("content:\"x\"; pcre:\"/^a/R\";", tcp("bxa"), not: tcp("axb")),
        Case("pcre:\"/a.b/s\";", tcp("a\nb"), not: tcp("ab")),
        Case("pcre:\"/^b/m\";", tcp("a\nb"), not: tcp("ab")),
        Case("pcre:\"/b/A\";", tcp("ba"), not: tcp("ab")),
        Case("pcre:\"/a b/x\";", tcp("ab"), not: tcp("a b")),
        Case("pcre:\"/a$/E\";", tcp("a"), not: tcp("a\n")),
        // RFC 5531: version 2, program 100000, any version, procedure 3.
        Case(
            "rpc:100000,*,3;", .tcp([0x80, 0, 0, 24] + call(3)), not: .tcp([0x80, 0, 0, 24] + call(4))),
    ]

    static func call(_ procedure: UInt8) -> [UInt8] {
        [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xA0, 0, 0, 0, 2, 0, 0, 0, procedure]
    }

    static let encodings: [Case] = [
        Case("asn1:bitstring_overflow;", .tcp([3, 1, 0xFF]), not: .tcp([3, 1, 7])),
        Case("asn1:double_overflow;", .tcp([9, 0x82, 1, 1] + five(257)), not: .tcp([9, 0x82, 1, 0] + five(256))),
        Case("asn1:oversize_length 4;", .tcp([4, 5] + five(5)), not: .tcp([4, 4] + five(4))),
        // Elements in elements, and one after another.
        Case(
            "asn1:oversize_length 9, absolute_offset 1;", .tcp([0, 0x30, 4, 4, 0x82, 0, 10] + five(10)),
            not: .tcp([0, 0x30, 2, 4, 0] + five(3))),
        Case("asn1:bitstring_overflow;", .tcp([2, 1, 1, 3, 1, 0xFF]), not: .tcp([2, 4, 1, 3, 1, 0xFF])),
        Case(
            "content:\"x\"; asn1:oversize_length 1, relative_offset 1;", .tcp([0x78, 0, 4, 2, 1, 1]),
            not: .tcp([0x78, 4, 2, 1, 1, 0])),
        // What is not whole tells nothing.
        Case("asn1:oversize_length 4;", .tcp([4, 5] + five(5)), not: .tcp([4, 9] + five(5))),
        Case("ber_data:0x30; content:\"|04|\"; within:1;", .tcp([0x30, 2, 4, 0]), not: .tcp([0x31, 2, 4, 0])),
        Case("ber_skip:0x02; content:\"x\"; within:1;", .tcp([2, 1, 0, 0x78]), not: .tcp([2, 2, 0, 0x78])),
        Case("ber_skip:0x01,optional; ber_data:0x30; isdataat:!1,relative;", .tcp([0x30, 0]), not: .tcp([0x31, 0])),
        Case("base64_decode; base64_data; content:\"foo\";", tcp("Zm9v"), not: tcp("Zm9x")),
        Case("base64_decode:offset 2; base64_data; content:\"fo\"; endswith;", tcp("::Zm8="), not: tcp("::Zm9v")),
        Case(
            "content:\"b=\"; base64_decode:relative; base64_data; content:\"foobar\"; bsize:6;", tcp("b=Zm9vYmFy!"),
            not: tcp("b=Zm9vYmFyZg")),
        Case(
            "base64_decode:bytes 4; base64_data; content:\"foo\"; isdataat:!1,relative;", tcp("Zm9vYmFy"),
            not: tcp("Zg==")),
        Case(
            "content:\"b=\"; base64_decode:relative; base64_data; content:\"foo\"; startswith;", tcp("b=xxxx b=Zm9v"),
            not: tcp("b=xxxx b=Zg==")),
        Case("base64_decode; base64_data; pcre:\"/^fo+$/\";", tcp("Zm9v"), not: tcp("Zm9vYmFy")),
        Case("base64_decode; base64_data; content:\"foo\"; pkt_data; content:\"Zm\";", tcp("Zm9v"), not: tcp("Wm9v")),
    ]

    static func five(_ count: Int) -> [UInt8] { Array(repeating: 5, count: count) }

    @Test(arguments: headers)
    func header(_ entry: Case) throws { try check(entry, "ip") }

    @Test(arguments: segments + payloads + encodings)
    func payload(_ entry: Case) throws { try check(entry, "tcp") }

    private func check(_ entry: Case, _ transport: String) throws {
        let rules = try compile("alert \(transport) any any -> any any (\(entry.options) sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        #expect(matcher.findings(entry.yes.bytes, as: entry.yes.link).count == 1)
        #expect(matcher.findings(entry.no.bytes, as: entry.no.link).count == 0)
        #expect(matcher.abandonedSearches == 0)
    }

    /// Garbage is bounded in time, and read nowhere outside.
    @Test func encodingsOfGarbage() throws {
        let rules = try compile(
            """
            alert tcp any any -> any any (asn1:bitstring_overflow, oversize_length 60000; sid:1;)
            alert tcp any any -> any any (ber_skip:0x30; ber_data:0x30; sid:2;)
            alert tcp any any -> any any (base64_decode; base64_data; content:"x"; content:"y"; distance:1; sid:3;)
            """)
        #expect(rules.problems == [])
        var matcher = try Matcher(rules)
        var numbers = SeededGenerator(state: 1)
        for _ in 0..<2_000 {
            let length = Int.random(in: 0...200, using: &numbers)
            let bytes = (0..<length).map { _ in
                let byte = UInt8.random(in: 0...255, using: &numbers)
                return [byte, 0x30, 0x80, 0x1F, 0x41].randomElement(using: &numbers)!
            }
            _ = matcher.findings(RawPacket.tcp(bytes).bytes)
        }
        #expect(matcher.failedScans == 0)
    }
}
