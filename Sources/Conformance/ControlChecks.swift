import Evidence
import Wire

/// ICMP of both versions, and what guests must not say to their neighbours.
extension Checks {
    static let icmp = [
        ConformanceCheck(
            .icmpTooShort, "icmpv4.pkt_too_small", .medium, .alert, "less than an ICMP header", "RFC 792",
            [.icmpv4PktTooSmall]),
        ConformanceCheck(
            .icmp6TooShort, "icmpv6.pkt_too_small", .medium, .alert, "less than an ICMPv6 header", "RFC 4443 §2.1",
            [.icmpv6PktTooSmall]),
        ConformanceCheck(
            .icmpBadChecksum, "icmp.bad_checksum", .low, .alert, "ICMP or ICMPv6 checksum is wrong",
            "RFC 792, RFC 4443 §2.3"),
        ConformanceCheck(
            .icmpUnknownType, "icmpv4.unknown_type", .low, .alert, "ICMP type that is not known",
            "IANA icmp-parameters",
            [.icmpv4UnknownType]),
        ConformanceCheck(
            .icmpUnknownCode, "icmpv4.unknown_code", .low, .alert, "ICMP code that its type does not have",
            "IANA icmp-parameters", [.icmpv4UnknownCode]),
        ConformanceCheck(
            .icmp6UnknownType, "icmpv6.unknown_type", .low, .alert,
            "ICMPv6 type that is not known, unassigned or for experiments", "IANA icmpv6-parameters",
            [.icmpv6UnknownType, .icmpv6UnassignedType, .icmpv6ExperimentationType]),
        ConformanceCheck(
            .icmp6UnknownCode, "icmpv6.unknown_code", .low, .alert, "ICMPv6 code that its type does not have",
            "IANA icmpv6-parameters", [.icmpv6UnknownCode]),
        ConformanceCheck(
            .icmpQuoteMalformed, "icmpv4.quote_malformed", .medium, .alert,
            "what an ICMP message quotes or lists is cut off or of another IP version", "RFC 792, RFC 1122 §3.2.2",
            [.icmpv4Ipv4TruncPkt, .icmpv4Ipv4UnknownVer]),
        ConformanceCheck(
            .icmp6QuoteMalformed, "icmpv6.quote_malformed", .medium, .alert,
            "the packet that an ICMPv6 error quotes is cut off or of another IP version", "RFC 4443 §2.4",
            [.icmpv6Ipv6TruncPkt, .icmpv6Ipv6UnknownVersion]),
        ConformanceCheck(
            .icmpErrorWithoutPacket, "icmp.error_without_packet", .medium, .alert,
            "an ICMP error that quotes no packet", "RFC 1122 §3.2.2, RFC 4443 §2.4"),
        ConformanceCheck(
            .icmpErrorAboutOthers, "icmp.error_about_others", .medium, .alert,
            "an ICMP error about a packet that its receiver did not send", "RFC 5927 §4.1", reason: .spoofed),
        ConformanceCheck(
            .icmpErrorWithoutFlow, "icmp.error_without_flow", .medium, .alert,
            "an ICMP error about a packet that nobody sent", "RFC 5927 §4.1, RFC 4443 §2.4", reason: .spoofed),
        ConformanceCheck(
            .icmpErrorOutOfWindow, "icmp.error_out_of_window", .medium, .alert,
            "an ICMP error that quotes a TCP segment which is not under way", "RFC 5927 §4.1", reason: .spoofed),
        ConformanceCheck(
            .icmpBlackNurse, "icmp.blacknurse", .high, .alert,
            "port unreachable that answers nothing which its receiver sent (BlackNurse)", "RFC 792, RFC 5927 §4.1",
            reason: .evasion),
        ConformanceCheck(
            .icmpErrorTooLong, "icmp.error_too_long", .low, .alert,
            "an ICMP error longer than it may be: 576 bytes, over IPv6 1,280", "RFC 1812 §4.3.2.3, RFC 4443 §2.4"),
        ConformanceCheck(
            .icmpOversize, "icmp.oversize", .medium, .alert,
            "ICMP message that does not fit into one Ethernet frame", "RFC 792, RFC 1122 §3.2.2"),
        ConformanceCheck(
            .icmpRedirect, "icmp.redirect", .medium, .alert, "a host is told to take another way", "RFC 6274 §4.3.2",
            reason: .rogue),
        ConformanceCheck(
            .icmpEchoToGroup, "icmp.echo_to_group", .medium, .alert,
            "echo request to a broadcast or IPv4 multicast address (smurf)", "RFC 1122 §3.2.2.6, RFC 2644",
            reason: .evasion),
        ConformanceCheck(
            .mldHopLimit, "icmpv6.mld_hop_limit", .high, .drop, "multicast listener message from beyond the link",
            "RFC 3810 §5", reason: .spoofed, [.icmpv6MldMessageWithInvalidHl]),
    ]

    static let neighbourDiscovery = [
        ConformanceCheck(
            .ndHopLimit, "nd.hop_limit", .high, .drop, "neighbour discovery from beyond the link: hop limit below 255",
            "RFC 4861 §7.1", reason: .spoofed),
        ConformanceCheck(
            .ndTooShort, "nd.pkt_too_small", .medium, .alert, "neighbour discovery message cut off",
            "RFC 4861 §4"),
        ConformanceCheck(
            .ndOptionLength, "nd.opt_invalid_len", .high, .drop,
            "neighbour discovery option of length 0, or beyond the message", "RFC 4861 §4.6", reason: .evasion),
        ConformanceCheck(
            .ndSource, "nd.source", .high, .drop, "router advertisement or redirect not from a link-local address",
            "RFC 4861 §6.1.2, §8.1", reason: .spoofed),
        ConformanceCheck(
            .ndTarget, "nd.target", .medium, .alert, "neighbour discovery about a multicast address",
            "RFC 4861 §7.1, §8.1"),
        ConformanceCheck(
            .ndFragmented, "nd.fragmented", .high, .drop, "neighbour discovery in fragments", "RFC 6980 §5",
            reason: .evasion),
        ConformanceCheck(
            .rogueRouter, "guest.rogue_router", .high, .alert, "a guest sends router advertisements",
            "RFC 6104, RFC 6105",
            reason: .rogue),
        ConformanceCheck(
            .rogueDHCP, "guest.rogue_dhcp", .high, .alert, "a guest answers as a DHCP server", "RFC 7610, RFC 2131",
            reason: .rogue),
    ]
}
