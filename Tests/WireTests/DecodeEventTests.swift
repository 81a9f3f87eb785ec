import Testing
import Wire

@Suite struct DecodeEventTests {
    @Test func everyEventHasANameOfItsOwn() {
        let names = DecodeEvent.allCases.map(\.name)
        #expect(Set(names).count == DecodeEvent.allCases.count)
        for event in DecodeEvent.allCases {
            #expect(DecodeEvent.named(event.name) == event)
            // The case is the name without dots and underscores.
            let plain = event.name.filter { $0 != "." && $0 != "_" }
            #expect("\(event)".lowercased() == plain)
        }
    }

    @Test func isFoundAsRulesSpellIt() {
        #expect(DecodeEvent.named("decoder.ipv4.pkt_too_small") == .ipv4PktTooSmall)
        #expect(DecodeEvent.named("IPV6.Trunc_ExtHdr") == .ipv6TruncExthdr)
        #expect(DecodeEvent.named("ipv4") == nil)
        #expect(DecodeEvent.named("") == nil)
    }

    @Test func aSetHoldsWhatWasPutIn() {
        for event in DecodeEvent.allCases {
            let one = DecodeEvents(event)
            #expect(!one.isEmpty)
            for other in DecodeEvent.allCases {
                #expect(one.contains(other) == (other == event))
                #expect(one.isDisjoint(with: DecodeEvents(other)) == (other != event))
            }
        }
        #expect(DecodeEvents().isEmpty)
    }

    @Test(arguments: EventCase.all) func tableOfCases(_ row: EventCase) {
        let packet = decode(row.bytes, as: row.link)
        let found = DecodeEvent.allCases.filter(packet.events.contains).map(\.name).sorted()
        #expect(found == row.events.sorted())
        #expect(packet.isUndecodable == row.isUndecodable)
        let cut = decode(row.bytes, as: row.link, cut: true)
        #expect(!cut.isUndecodable || row.isUndecodable)
    }
}

/// Bytes, and the events that they are worth.
struct EventCase: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let link: LinkLayer
    let events: [String]
    let isUndecodable: Bool
    let name: String
    var testDescription: String { name }

    init(
        _ name: String, _ bytes: [UInt8], as link: LinkLayer = .ip, undecodable: Bool = false, _ events: String...
    ) {
        self.name = name
        self.bytes = bytes
        self.link = link
        self.events = events
        isUndecodable = undecodable
    }

    static let all = network + options + extensions + upper + messages + links
}

extension EventCase {
    private static let network: [EventCase] = [
        .init("nothing odd", ethernet(0x0800, ipv4(6, tcp())), as: .ethernet),
        .init("nothing odd in IPv6", ipv6(17, udp())),
        .init("IPv4 of 19 bytes", Array(ipv4(6, []).dropLast()), undecodable: true, "ipv4.pkt_too_small"),
        .init("IPv4 header of 16 bytes", ipv4(6, tcp(), headerWords: 4), undecodable: true, "ipv4.hlen_too_small"),
        .init("IPv4 length 19", ipv4(6, tcp(), length: 19), undecodable: true, "ipv4.iplen_smaller_than_hlen"),
        .init("IPv4 beyond the bytes", ipv4(6, tcp(), length: 57), undecodable: true, "ipv4.trunc_pkt"),
        .init(
            "IPv4 beyond the bytes, and its options and UDP",
            ipv4(17, udp(length: 25), options: hex("f1040000"), length: 49), undecodable: true, "ipv4.trunc_pkt"),
        .init(
            "a bad option, and UDP", ipv4(17, udp(length: 25), options: hex("9404 0000 8209 0000")), undecodable: true,
            "ipv4.opt_invalid_len"),
        .init(
            "IPv6 beyond the bytes, and its options and UDP",
            ipv6(60, extensionHeader(17) + udp(length: 25), length: 33), undecodable: true, "ipv6.trunc_pkt"),
        .init(
            "EtherType of IPv4, version 6", ethernet(0x0800, ipv6(6, tcp())), as: .ethernet, undecodable: true,
            "ipv4.wrong_ip_version"),
        .init("ICMPv6 in IPv4", ipv4(58, echo(128)), "ipv4.icmpv6"),
        .init("unknown protocol", ipv4(253, data), "ipv4.unknown_protocol"),
        .init("later fragment of an unknown protocol", ipv4(253, data, fragment: 3)),
        .init("IPv6 of 39 bytes", Array(ipv6(6, []).dropLast()), undecodable: true, "ipv6.pkt_too_small"),
        .init("IPv6 beyond the bytes", ipv6(17, udp(), length: 25), undecodable: true, "ipv6.trunc_pkt"),
        .init(
            "EtherType of IPv6, version 4", ethernet(0x86DD, ipv4(6, tcp())), as: .ethernet, undecodable: true,
            "ipv6.wrong_ip_version"),
        .init("ICMP in IPv6", ipv6(1, echo(8)), "ipv6.icmpv4"),
        .init("unknown protocol in IPv6", ipv6(253, data), "ipv6.unknown_next_header"),
        .init("no next header", ipv6(59, [])),
        .init("data after no next header", ipv6(59, data), "ipv6.data_after_none_header"),
        .init("neither 4 nor 6", [0x55] + data, "ipraw.invalid_ip_version"),
    ]

    private static func option(_ text: String) -> [UInt8] { ipv4(6, tcp(), options: hex(text)) }

    private static let options: [EventCase] = [
        .init("options of 4 bytes", option("9404 0000"), "ipv4.opt_pad_required"),
        .init("router alert", option("9404 0000 0000 0000")),
        .init("router alert of 3 bytes", option("9403 0000 0000 0000"), "ipv4.opt_invalid_len"),
        .init("security of 2 bytes", option("8202 0101 0101 0100"), "ipv4.opt_invalid_len"),
        .init(
            "option beyond the header", option("9404 0000 8209 0000"), undecodable: true, "ipv4.opt_invalid_len"),
        .init("option of length 1", option("9404 0000 8201 0000"), undecodable: true, "ipv4.opt_invalid_len"),
        .init("kind at the end", option("9404 0000 0101 0182"), "ipv4.opt_eol_required"),
        .init("unknown option", option("f104 0000 0000 0000"), "ipv4.opt_invalid"),
        .init("router alert twice", option("9404 0000 9404 0000"), "ipv4.opt_duplicate"),
        .init("record route", option("0707 0400 0000 0001")),
        .init("record route pointing at 5", option("0707 0500 0000 0001"), "ipv4.opt_malformed"),
        .init("record route pointing beyond", option("0707 0c00 0000 0001"), "ipv4.opt_malformed"),
        .init("timestamp", option("4408 0500 0000 0000")),
        .init("timestamp pointing at 4", option("4408 0400 0000 0000"), "ipv4.opt_malformed"),
        .init(
            "timestamp with addresses pointing between", option("440c 0901 0000 0000 0000 0000 0101 0101"),
            "ipv4.opt_malformed"),
        .init("CIPSO", option("860a 0000 0001 0104 0002 0101 0101 0101")),
        .init("CIPSO with a tag of type 0", option("860a 0000 0001 0004 0002 0101 0101 0101"), "ipv4.opt_malformed"),
        .init("CIPSO with a tag beyond", option("860a 0000 0001 0105 0002 0101 0101 0101"), "ipv4.opt_malformed"),
    ]

    private static func hop(_ text: String, _ kind: UInt8 = 0) -> [UInt8] {
        ipv6(kind, extensionHeader(6, hex(text)) + tcp())
    }
    private static func fragment(_ next: UInt8, _ offset: Int = 0, more: Bool = false) -> [UInt8] {
        fragmentHeader(next, offset: offset, more: more)
    }

    private static let extensions: [EventCase] = [
        .init("router alert", hop("0502 0000 0000")),
        .init("hop-by-hop padding", hop("0104 0000 0000"), "ipv6.hopopts_only_padding"),
        .init("destination padding", hop("0104 0000 0000", 60), "ipv6.dstopts_only_padding"),
        .init("padding of no length", hop("0100 0502 0000"), "ipv6.zero_len_padn"),
        .init("unknown hop-by-hop option", hop("0704 0000 0000"), "ipv6.hopopts_unknown_opt"),
        .init("unknown destination option", hop("0704 0000 0000", 60), "ipv6.dstopts_unknown_opt"),
        .init("option beyond the header", hop("0507 0000 0000"), "ipv6.exthdr_invalid_optlen"),
        .init("router alert of 1 byte", hop("0501 0001 0100"), "ipv6.exthdr_invalid_optlen"),
        .init("routing type 0", ipv6(43, extensionHeader(6, hex("0001 00000000")) + tcp()), "ipv6.rh_type_0"),
        .init(
            "routing twice",
            ipv6(
                43,
                extensionHeader(43, hex("0201 00000000")) + extensionHeader(6, hex("0201 00000000")) + tcp()),
            "ipv6.exthdr_dupl_rh"),
        .init(
            "hop-by-hop twice",
            ipv6(0, extensionHeader(0, hex("0502 0000 0000")) + extensionHeader(6, hex("0502 0000 0000")) + tcp()),
            "ipv6.exthdr_dupl_hh"),
        .init(
            "authentication with its reserved field",
            ipv6(51, [6, 4, 0, 1] + [UInt8](repeating: 0, count: 20) + tcp()), "ipv6.exthdr_ah_res_not_null"),
        .init("useless fragment header", ipv6(44, fragment(6) + tcp()), "ipv6.exthdr_useless_fh"),
        .init(
            "two fragment headers", ipv6(44, fragment(44) + fragment(6) + tcp()), "ipv6.exthdr_useless_fh",
            "ipv6.exthdr_dupl_fh"),
        .init(
            "reserved byte of a fragment header", ipv6(44, [6, 1] + fragment(6).dropFirst(2) + tcp()),
            "ipv6.exthdr_useless_fh", "ipv6.fh_non_zero_reserved_field"),
        .init(
            "15 bytes and more", ipv6(44, fragment(17, 24, more: true) + data.dropLast()),
            "ipv6.frag_invalid_length"),
        .init("16 bytes and more", ipv6(44, fragment(17, 24, more: true) + data)),
        .init("7 bytes of a header", ipv6(60, Array(extensionHeader(6).dropLast())), "ipv6.trunc_exthdr"),
        .init(
            "nothing behind a header", ipv6(44, fragment(60)), "ipv6.exthdr_useless_fh", "ipv6.trunc_exthdr"),
        .init(
            "no TCP behind a header", ipv6(44, fragment(6)), "ipv6.exthdr_useless_fh", "ipv6.trunc_exthdr"),
    ]

    private static let upper: [EventCase] = [
        .init("TCP of 19 bytes", ipv4(6, Array(tcp([]).dropLast())), "tcp.pkt_too_small"),
        .init("TCP offset beyond the packet", ipv4(6, tcp([], words: 6)), "tcp.hlen_too_small"),
        .init("TCP offset 16", ipv4(6, tcp(words: 4)), "tcp.invalid_optlen"),
        .init("TCP options of a SYN", ipv4(6, tcp([], options: hex("020405b4 0402080a 00000001 00000000 01030307")))),
        .init("segment size of 3 bytes", ipv4(6, tcp(options: hex("0203 0501"))), "tcp.opt_invalid_len"),
        .init("option beyond the header", ipv4(6, tcp(options: hex("0101 0205"))), "tcp.opt_invalid_len"),
        .init("segment size twice", ipv4(6, tcp(options: hex("020405b4 020405b4"))), "tcp.opt_duplicate"),
        .init("empty SACK twice", ipv4(6, tcp(options: hex("0502 0502")))),
        .init("SACK of 6 bytes", ipv4(6, tcp(options: hex("0506 00000001 0101"))), "tcp.opt_invalid_len"),
        .init("fast open cookie", ipv4(6, tcp(options: hex("220a 01020304 05060708 0101")))),
        .init(
            "fast open cookie of an odd length", ipv4(6, tcp(options: hex("2205 010203 010101"))), "tcp.opt_invalid_len"
        ),
        .init("experimental fast open", ipv4(6, tcp(options: hex("fe04 f989 0101 0101")))),
        .init(
            "fast open by both numbers", ipv4(6, tcp(options: hex("fe04 f989 2202 0101"))), "tcp.opt_duplicate"),
        .init("experiment of 3 bytes", ipv4(6, tcp(options: hex("fd03 0101"))), "tcp.opt_invalid_len"),
        .init("MD5 of 4 bytes", ipv4(6, tcp(options: hex("1304 0101"))), "tcp.opt_invalid_len"),
        .init("a fragment that ends at 65,535", ipv4(17, Array(data.prefix(3)), fragment: 65_512 / 8)),
        .init(
            "a fragment that ends at 65,536", ipv4(17, Array(data.prefix(4)), fragment: 65_512 / 8),
            "ipv4.frag_pkt_too_large"),
        .init("a fragment that ends at 65,535, IPv6", ipv6(44, fragment(17, 65_528) + data.prefix(7))),
        .init(
            "a fragment that ends at 65,536, IPv6", ipv6(44, fragment(17, 65_528) + data.prefix(8)),
            "ipv6.frag_pkt_too_large"),
        .init(
            "an unknown option in the data of a first fragment",
            ipv6(44, fragment(60, more: true) + extensionHeader(6, [0x1E, 4, 0, 0, 0, 0]) + tcp([]) + [0, 0, 0, 0])),
        .init("bad option in a first fragment", ipv4(6, tcp(options: hex("0203 0501")), fragment: 0x2000)),
        .init("UDP of 7 bytes", ipv4(17, Array(udp([]).dropLast())), "udp.hlen_too_small"),
        .init("UDP length 7", ipv4(17, udp(length: 7)), "udp.len_invalid"),
        .init("UDP length beyond the packet", ipv4(17, udp(length: 25)), "udp.pkt_too_small"),
        .init("ESP of 7 bytes", ipv4(50, Array(data.prefix(7))), "esp.pkt_too_small"),
    ]

    private static func icmp(_ type: UInt8, _ code: UInt8, _ rest: [UInt8] = []) -> [UInt8] {
        ipv4(1, [type, code, 0, 0, 0, 0, 0, 0] + rest)
    }
    private static func icmp6(_ type: UInt8, _ code: UInt8, _ rest: [UInt8] = []) -> [UInt8] {
        ipv6(58, [type, code, 0, 0, 0, 0, 0, 0] + rest)
    }
    /// SCTP from 5000 to 5001, with this tag and chunks.
    static func sctp(tag: Int = 7, _ chunks: [UInt8]) -> [UInt8] {
        big16(5000) + big16(5001) + big32(tag) + big32(0) + chunks
    }

    private static let messages: [EventCase] = [
        .init("ICMP of 7 bytes", ipv4(1, Array(echo(8, []).dropLast())), "icmpv4.pkt_too_small"),
        .init("echo with a code", icmp(8, 1), "icmpv4.unknown_code"),
        .init("type 44", icmp(44, 0), "icmpv4.unknown_type"),
        .init("unreachable", icmp(3, 3, ipv4(17, udp([])))),
        .init("unreachable code 16", icmp(3, 16, ipv4(17, udp([]))), "icmpv4.unknown_code"),
        .init("unreachable with 19 bytes", icmp(3, 3, Array(ipv4(17, []).dropLast())), "icmpv4.ipv4_trunc_pkt"),
        .init("unreachable with IPv6", icmp(3, 3, ipv6(17, udp([]))), "icmpv4.ipv4_unknown_ver"),
        .init("timestamps", icmp(13, 0, [UInt8](repeating: 0, count: 12))),
        .init("timestamps missing", icmp(13, 0), "icmpv4.ipv4_trunc_pkt"),
        .init("ICMPv6 of 7 bytes", ipv6(58, Array(echo(128, []).dropLast())), "icmpv6.pkt_too_small"),
        .init("ICMPv6 echo with a code", icmp6(128, 1), "icmpv6.unknown_code"),
        .init("ICMPv6 too big", icmp6(2, 0, ipv6(6, []))),
        .init("ICMPv6 too big with 39 bytes", icmp6(2, 0, Array(ipv6(6, []).dropLast())), "icmpv6.ipv6_trunc_pkt"),
        .init(
            "ICMPv6 too big with IPv4", icmp6(2, 0, ipv4(6, tcp())), "icmpv6.ipv6_unknown_version"),
        .init("ICMPv6 type 5", icmp6(5, 0), "icmpv6.unassigned_type"),
        .init("ICMPv6 type 101", icmp6(101, 0), "icmpv6.experimentation_type"),
        .init("ICMPv6 type 127", icmp6(127, 0), "icmpv6.unknown_type"),
        .init("listener report over a router", icmp6(131, 0), "icmpv6.mld_message_with_invalid_hl"),

        .init("SCTP of 11 bytes", ipv4(132, Array(sctp([]).dropLast())), "sctp.pkt_too_small"),
        .init("SCTP data", ipv4(132, sctp([0, 3, 0, 18] + [UInt8](repeating: 0, count: 12) + [65, 66, 0, 0]))),
        .init(
            "SCTP data for nobody", ipv4(132, sctp(tag: 0, [0, 3, 0, 16] + [UInt8](repeating: 0, count: 12))),
            "sctp.data_with_zero_vtag"),
        .init("SCTP chunk of 3 bytes", ipv4(132, sctp([0, 3, 0])), "sctp.chunk_too_small"),
        .init("SCTP chunk length 3", ipv4(132, sctp([0, 3, 0, 3])), "sctp.chunk_len_invalid"),
        .init("SCTP chunk beyond the packet", ipv4(132, sctp([4, 0, 0, 5])), "sctp.chunk_len_invalid"),
        .init("SCTP beginning with a tag", ipv4(132, sctp([1, 0, 0, 4])), "sctp.init_with_non_zero_vtag"),
        .init(
            "SCTP beginning with more", ipv4(132, sctp(tag: 0, [1, 0, 0, 4, 4, 0, 0, 4])), "sctp.init_chunk_bundled"),
        .init(
            "SCTP of 17 chunks", ipv4(132, sctp(Array(repeating: [4, 0, 0, 4], count: 17).flatMap { $0 })),
            "sctp.too_many_chunks"),

        .init("IGMP of 7 bytes", ipv4(2, [0x11, 0, 0, 0, 0, 0, 0]), "igmp.pkt_too_small"),
        .init("IGMPv3 query without its source", ipv4(2, hex("11640000 e0000001 00000001")), "igmp.v3_pkt_too_small"),
        .init("IGMPv3 report", ipv4(2, hex("22000000 00000001 04000001 e0000005 0a000001"))),
        .init("IGMPv3 report without its record", ipv4(2, hex("22000000 00000001")), "igmp.v3_pkt_too_small"),
        .init(
            "IGMPv3 record without its source", ipv4(2, hex("22000000 00000001 04000001 e0000005")), "igmp.malformed"),
    ]

    private static let links: [EventCase] = [
        .init("13 bytes", Array(ethernet(0, []).dropLast()), as: .ethernet, "ethernet.pkt_too_small"),
        .init("LLDP", ethernet(0x88CC, data), as: .ethernet, "ethernet.unknown_ethertype"),
        .init("tag of 3 bytes", ethernet(0x8100, [0, 1, 8]), as: .ethernet, "vlan.header_too_small"),
        .init(
            "LLDP with a tag", ethernet(0x8100, [0, 1, 0x88, 0xCC]), as: .ethernet, "vlan.unknown_type",
            "ethernet.unknown_ethertype"),
        .init(
            "four tags", ethernet(0x0800, tags: Array(repeating: (0x8100, 1), count: 4), ipv4(6, tcp())), as: .ethernet,
            "vlan.too_many_layers"),
        .init(
            "ARP of 7 bytes", ethernet(0x0806, Array(arp().prefix(7))), as: .ethernet, undecodable: true,
            "arp.pkt_too_small"),
        .init(
            "ARP of 27 bytes", ethernet(0x0806, arp().dropLast()), as: .ethernet, undecodable: true, "arp.invalid_pkt"),
        .init(
            "ARP, frame relay", ethernet(0x0806, arp(hardware: 15)), as: .ethernet, undecodable: true,
            "arp.unsupported_hardware"),
        .init(
            "ARP, not IPv4", ethernet(0x0806, arp(protocolType: 0x86DD)), as: .ethernet, undecodable: true,
            "arp.unsupported_protocol"),
        .init(
            "ARP, hardware length 7", ethernet(0x0806, arp(lengths: [7, 4])), as: .ethernet, undecodable: true,
            "arp.invalid_hardware_size"),
        .init(
            "ARP, protocol length 16", ethernet(0x0806, arp(lengths: [6, 16])), as: .ethernet, undecodable: true,
            "arp.invalid_protocol_size"),
        .init("VN-Tag of 5 bytes", ethernet(0x8926, [0, 0, 0, 0, 8]), as: .ethernet, "vntag.header_too_small"),
        .init(
            "VN-Tag and LLDP", ethernet(0x8926, hex("00000000 88cc")), as: .ethernet, "vntag.unknown_type",
            "ethernet.unknown_ethertype"),
        .init("E-Tag of 7 bytes", ethernet(0x893F, hex("00000000 000008")), as: .ethernet, "etag.header_too_small"),
        .init(
            "802.1ah of 17 bytes", ethernet(0x88E7, [UInt8](repeating: 0, count: 17)), as: .ethernet,
            "ieee8021ah.header_too_small"),
        .init(
            "FabricPath of 15 bytes", ethernet(0x8903, [UInt8](repeating: 0, count: 15)), as: .ethernet,
            "dce.pkt_too_small"),
        .init("cooked, 15 bytes", [UInt8](repeating: 0, count: 15), as: .linuxSLL, "sll.pkt_too_small"),
        .init("cooked 2, 19 bytes", [UInt8](repeating: 0, count: 19), as: .linuxSLL2, "sll2.pkt_too_small"),
        .init("HDLC of 3 bytes", [0x0F, 0, 8], as: .ciscoHDLC, "chdlc.pkt_too_small"),
        .init("loopback of 3 bytes", [2, 0, 0], as: .loopback, "ltnull.pkt_too_small"),
        .init("loopback, AppleTalk", [16, 0, 0, 0], as: .loopback, "ltnull.unsupported_type"),
        .init("PPP of nothing", [], as: .ppp, undecodable: true, "ppp.pkt_too_small"),
        .init("PPP of 3 bytes", [0xFF, 3, 0], as: .ppp, undecodable: true, "ppp.pkt_too_small"),
        .init(
            "PPP, IPv4 of 19 bytes", hex("ff030021") + ipv4(6, []).dropLast(), as: .ppp, undecodable: true,
            "ppp.ip4_pkt_too_small"),
        .init(
            "PPP, IPv6 of 39 bytes", hex("ff030057") + ipv6(6, []).dropLast(), as: .ppp, undecodable: true,
            "ppp.ip6_pkt_too_small"),
        .init("PPP, link control", hex("ff03c021 01010004"), as: .ppp),
        .init("PPP, AppleTalk", hex("ff030029"), as: .ppp, "ppp.unsup_proto"),
        .init("PPP, no protocol", hex("ff036666"), as: .ppp, "ppp.wrong_type"),
        .init(
            "PPPoE of 6 bytes", ethernet(0x8864, hex("11000001 0002")), as: .ethernet, undecodable: true,
            "pppoe.pkt_too_small"),
        .init("PPPoE, AppleTalk", ethernet(0x8864, hex("11000001 0002 0029")), as: .ethernet, "ppp.unsup_proto"),
        .init(
            "PPPoE, IPv4 of 19 bytes", ethernet(0x8864, hex("11000001 0016 0021") + ipv4(6, []).dropLast()),
            as: .ethernet, undecodable: true, "ppp.ip4_pkt_too_small"),
        .init("PPPoE discovery", ethernet(0x8863, hex("11090000 0004 01010000")), as: .ethernet),
        .init(
            "PPPoE discovery, tags beyond", ethernet(0x8863, hex("11090000 0005 01010000")), as: .ethernet,
            "pppoe.malformed_tags"),
        .init("PPPoE discovery code 8", ethernet(0x8863, hex("11080000 0000")), as: .ethernet, "pppoe.wrong_code"),
        .init("MPLS of 3 bytes", ethernet(0x8847, [0, 1, 0x41]), as: .ethernet, "mpls.header_too_small"),
        .init(
            "MPLS without an end", ethernet(0x8847, hex("00010000 00010000")), as: .ethernet, "mpls.header_too_small"),
        .init("MPLS with nothing", ethernet(0x8847, hex("00010100 00")), as: .ethernet, "mpls.pkt_too_small"),
        .init(
            "MPLS router alert last", ethernet(0x8847, hex("00001100") + ipv4(6, tcp())), as: .ethernet,
            "mpls.bad_label_router_alert"),
        .init(
            "MPLS implicit null", ethernet(0x8847, hex("00003100") + ipv4(6, tcp())), as: .ethernet,
            "mpls.bad_label_implicit_null"),
        .init(
            "MPLS reserved label", ethernet(0x8847, hex("00005100") + ipv4(6, tcp())), as: .ethernet,
            "mpls.bad_label_reserved"),
        .init(
            "MPLS with something", ethernet(0x8847, hex("00010100 f0000000")), as: .ethernet,
            "mpls.unknown_payload_type"),
        .init("NSH of 7 bytes", ethernet(0x894F, hex("00020201 000001")), as: .ethernet, "nsh.header_too_small"),
        .init("NSH version 1", ethernet(0x894F, hex("40020201 00000102 00")), as: .ethernet, "nsh.unsupported_version"),
        .init(
            "NSH longer than the packet", ethernet(0x894F, hex("00020201 00000102")), as: .ethernet,
            "nsh.bad_header_length"),
        .init("NSH metadata type 0", ethernet(0x894F, hex("00020001 00000102 45")), as: .ethernet, "nsh.reserved_type"),
        .init(
            "NSH metadata type 3", ethernet(0x894F, hex("00020301 00000102 45")), as: .ethernet, "nsh.unsupported_type"),
        .init(
            "NSH metadata type 1 of 8 bytes", ethernet(0x894F, hex("00020101 00000102 45")), as: .ethernet,
            "nsh.bad_header_length"),
        .init("NSH in NSH", ethernet(0x894F, hex("00020204 00000102 45")), as: .ethernet, "nsh.unknown_payload"),
        .init("ERSPAN of 7 bytes", hex("10010000 000000"), as: .erspan, undecodable: true, "erspan.header_too_small"),
        .init(
            "ERSPAN version 2", hex("20010000 00000000"), as: .erspan, undecodable: true, "erspan.unsupported_version"),
    ]
}
