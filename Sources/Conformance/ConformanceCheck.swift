import Evidence
import Wire

/// One thing that a packet can get wrong.
public struct ConformanceCheck: Sendable {
    /// Fixed for ever: policies and events name it. Suricata's name of the decoder event where it has one.
    public let identifier: String
    /// For a person.
    public let text: String
    /// The document that says how it should be.
    public let reference: String
    /// How bad it is unless the policy says otherwise.
    public let concern: Concern
    /// What the decoder sets for it.
    public let anomaly: Anomalies
}

/// Every check. The index is the bit of the anomaly and the code of a finding.
public enum Checks {
    public static let all: [ConformanceCheck] = linkLayer + ipv4 + ipv6 + fragments + upper

    /// The check of this identifier and its index.
    public static func named(_ identifier: String) -> (index: Int, check: ConformanceCheck)? {
        all.firstIndex { $0.identifier == identifier }.map { ($0, all[$0]) }
    }

    private static func check(
        _ anomaly: Anomalies, _ identifier: String, _ text: String, _ reference: String
    ) -> ConformanceCheck {
        ConformanceCheck(
            identifier: identifier, text: text, reference: reference,
            concern: Conformance.concern(of: anomaly), anomaly: anomaly)
    }

    private static let linkLayer = [
        check(
            .cutByCapture, "capture.truncated",
            "the capture holds only the beginning of the packet", "libpcap pcap-savefile(5)"),
        check(
            .ethernetTooShort, "ethernet.pkt_too_small",
            "frame shorter than an Ethernet header", "IEEE 802.3 §3.2"),
        check(.vlanTooShort, "vlan.header_too_small", "VLAN tag cut off", "IEEE 802.1Q §9.3"),
        check(.vlanTooMany, "vlan.too_many_layers", "more than three VLAN tags", "IEEE 802.1Q §9.3"),
        check(.arpTooShort, "arp.pkt_too_small", "ARP message shorter than 28 bytes", "RFC 826"),
        check(
            .arpBadLengths, "arp.invalid_address_size",
            "ARP address lengths are not those of Ethernet and IPv4", "RFC 826"),
        check(
            .arpUnsupported, "arp.unsupported_pkt",
            "ARP for something other than Ethernet and IPv4", "RFC 826"),
        check(
            .ipUnknownVersion, "ipraw.invalid_ip_version",
            "IP version is neither 4 nor 6", "RFC 791 §3.1, RFC 8200 §3"),
    ]

    private static let ipv4 = [
        check(.ipv4TooShort, "ipv4.pkt_too_small", "less than an IPv4 header", "RFC 791 §3.1"),
        check(
            .ipv4WrongVersion, "ipv4.wrong_ip_version",
            "the EtherType says IPv4, the header another version", "RFC 894"),
        check(
            .ipv4HeaderTooSmall, "ipv4.hlen_too_small",
            "IPv4 header length below 20 bytes", "RFC 791 §3.1"),
        check(
            .ipv4HeaderBeyondPacket, "ipv4.hlen_beyond_packet",
            "IPv4 header length beyond the packet", "RFC 791 §3.1"),
        check(
            .ipv4LengthTooSmall, "ipv4.iplen_smaller_than_hlen",
            "IPv4 total length below the header length", "RFC 791 §3.1"),
        check(
            .ipv4LengthZero, "ipv4.iplen_zero",
            "IPv4 total length of 0, as segmentation offload beyond 64 KiB leaves it", "RFC 791 §3.1"),
        check(
            .ipv4Truncated, "ipv4.trunc_pkt",
            "IPv4 total length beyond the packet", "RFC 791 §3.1"),
        check(
            .ipv4BadOptionLength, "ipv4.opt_invalid_len",
            "length of an IPv4 option is impossible", "RFC 791 §3.1"),
        check(.icmp6InIPv4, "ipv4.icmpv6", "ICMPv6 in an IPv4 packet", "RFC 4443 §1"),
    ]

    private static let ipv6 = [
        check(.ipv6TooShort, "ipv6.pkt_too_small", "less than an IPv6 header", "RFC 8200 §3"),
        check(
            .ipv6WrongVersion, "ipv6.wrong_ip_version",
            "the EtherType says IPv6, the header another version", "RFC 2464 §3"),
        check(
            .ipv6Truncated, "ipv6.trunc_pkt",
            "IPv6 payload length beyond the packet", "RFC 8200 §3"),
        check(
            .ipv6LengthZero, "ipv6.plen_zero",
            "IPv6 payload length of 0 without a jumbo payload option", "RFC 2675 §3"),
        check(
            .ipv6Jumbogram, "ipv6.jumbogram",
            "IPv6 jumbogram, as segmentation offload beyond 64 KiB makes it", "RFC 2675"),
        check(
            .ipv6BadJumbo, "ipv6.jumbo_invalid",
            "IPv6 jumbo payload option where or as it must not be", "RFC 2675 §3"),
        check(
            .ipv6ExtensionTruncated, "ipv6.trunc_exthdr",
            "IPv6 extension header reaches beyond the packet", "RFC 8200 §4"),
        check(
            .ipv6TooManyExtensions, "ipv6.exthdr_too_many",
            "more IPv6 extension headers than there are kinds of", "RFC 8504 §5.3"),
        check(
            .ipv6DuplicateExtension, "ipv6.exthdr_dupl",
            "the same IPv6 extension header more often than allowed", "RFC 8200 §4.1"),
        check(
            .ipv6HopByHopNotFirst, "ipv6.hopopts_not_first",
            "IPv6 hop-by-hop options not directly after the header", "RFC 8200 §4.1"),
        check(
            .ipv6BadOptionLength, "ipv6.exthdr_invalid_optlen",
            "length of an option in an IPv6 extension header is impossible", "RFC 8200 §4.2"),
        check(
            .ipv6TooManyOptions, "ipv6.exthdr_too_many_opts",
            "more than 32 options in an IPv6 extension header", "RFC 8504 §5.3"),
        check(
            .ipv6RoutingType0, "ipv6.rh_type_0", "IPv6 routing header type 0", "RFC 5095"),
        check(
            .ipv6MappedAddress, "ipv6.mapped_address",
            "IPv4-mapped address in an IPv6 header", "RFC 6890 §2.2.3"),
        check(.icmpInIPv6, "ipv6.icmpv4", "ICMP for IPv4 in an IPv6 packet", "RFC 4443 §1"),
    ]

    private static let fragments = [
        check(
            .fragmentTooLarge, "ip.frag_pkt_too_large",
            "fragment ends beyond 65,535 bytes of the datagram", "RFC 791 §3.1, RFC 8200 §4.5"),
        check(
            .fragmentEmpty, "ip.frag_empty", "fragment without data", "RFC 791 §3.2, RFC 8200 §4.5"),
        check(
            .fragmentUneven, "ip.frag_invalid_length",
            "more fragments follow, but the length is no multiple of 8", "RFC 791 §3.2, RFC 8200 §4.5"),
        check(
            .fragmentTiny, "ip.frag_tiny",
            "fragments are cut within the upper header", "RFC 1858, RFC 7112"),
    ]

    private static let upper = [
        check(.tcpTooShort, "tcp.pkt_too_small", "less than a TCP header", "RFC 9293 §3.1"),
        check(
            .tcpHeaderTooSmall, "tcp.hlen_too_small", "TCP data offset below 20 bytes", "RFC 9293 §3.1"),
        check(
            .tcpHeaderBeyondPacket, "tcp.hlen_beyond_packet",
            "TCP data offset beyond the packet", "RFC 9293 §3.1"),
        check(
            .tcpBadOptionLength, "tcp.opt_invalid_len",
            "length of a TCP option is impossible", "RFC 9293 §3.1"),
        check(.udpTooShort, "udp.pkt_too_small", "less than a UDP header", "RFC 768"),
        check(.udpLengthTooSmall, "udp.len_invalid", "UDP length below 8 bytes", "RFC 768"),
        check(
            .udpLengthBeyondPacket, "udp.hlen_too_small", "UDP length beyond the IP packet", "RFC 768"),
        check(.icmpTooShort, "icmpv4.pkt_too_small", "less than an ICMP header", "RFC 792"),
        check(.icmp6TooShort, "icmpv6.pkt_too_small", "less than an ICMPv6 header", "RFC 4443 §2.1"),
    ]
}
