import Evidence
import Wire

/// IPv4 and IPv6.
extension Checks {
    static let internet = [
        ConformanceCheck(
            .ipUnknownVersion, "ipraw.invalid_ip_version", .medium, .alert, "IP version is neither 4 nor 6",
            "RFC 791 §3.1, RFC 8200 §3", [.iprawInvalidIpVersion]),

        // Addresses and hops, of either version.
        ConformanceCheck(
            .ipLand, "ip.land", .high, .drop, "source and destination are the same address (land)",
            "RFC 6274 §3.15, CVE-1999-0016", reason: .spoofed),
        ConformanceCheck(
            .ipSourceLoopback, "ip.source_loopback", .medium, .drop, "the source is a loopback address",
            "RFC 6890 §2.2, RFC 4291 §2.5.3", reason: .spoofed),
        ConformanceCheck(
            .ipSourceGroup, "ip.source_group", .medium, .drop, "the source is a multicast or broadcast address",
            "RFC 1122 §3.2.1.3, RFC 4291 §2.7", reason: .spoofed),
        ConformanceCheck(
            .ipSourceReserved, "ip.source_reserved", .medium, .alert,
            "the source is of a range that nobody has: 0.0.0.0/8, 240.0.0.0/4", "RFC 6890 §2.2", reason: .spoofed),
        ConformanceCheck(
            .ipSourceUnspecified, "ip.source_unspecified", .medium, .alert,
            "no source address, in a packet that is not for finding one", "RFC 1122 §3.2.1.3, RFC 4291 §2.5.2",
            reason: .spoofed),
        ConformanceCheck(
            .ipDestinationLoopback, "ip.destination_loopback", .high, .drop,
            "another host's packet to a loopback address", "RFC 6890 §2.2, CVE-2020-8558", reason: .evasion),
        ConformanceCheck(
            .ipDestinationInvalid, "ip.destination_invalid", .medium, .alert,
            "the destination is no host's and no group's", "RFC 1122 §3.2.1.3, RFC 4291 §2.5.2"),
        ConformanceCheck(
            .ipHopLimitZero, "ip.ttl_zero", .medium, .alert, "time to live, or hop limit, of 0",
            "RFC 1122 §3.2.1.7, RFC 8200 §3"),

        ConformanceCheck(
            .ipv4TooShort, "ipv4.pkt_too_small", .medium, .alert, "less than an IPv4 header", "RFC 791 §3.1",
            [.ipv4PktTooSmall]),
        ConformanceCheck(
            .ipv4WrongVersion, "ipv4.wrong_ip_version", .medium, .alert,
            "the EtherType says IPv4, the header another version", "RFC 894", [.ipv4WrongIpVersion]),
        ConformanceCheck(
            .ipv4HeaderTooSmall, "ipv4.hlen_too_small", .medium, .alert, "IPv4 header length below 20 bytes",
            "RFC 791 §3.1", [.ipv4HlenTooSmall]),
        ConformanceCheck(
            .ipv4HeaderBeyondPacket, "ipv4.hlen_beyond_packet", .medium, .alert,
            "IPv4 header length beyond the packet", "RFC 791 §3.1", [.ipv4TruncPkt]),
        ConformanceCheck(
            .ipv4LengthTooSmall, "ipv4.iplen_smaller_than_hlen", .medium, .alert,
            "IPv4 total length below the header length", "RFC 791 §3.1", [.ipv4IplenSmallerThanHlen]),
        ConformanceCheck(
            .ipv4LengthZero, "ipv4.iplen_zero", .low, .alert,
            "IPv4 total length of 0, as segmentation offload beyond 64 KiB leaves it", "RFC 791 §3.1",
            [.ipv4IplenSmallerThanHlen]),
        ConformanceCheck(
            .ipv4Truncated, "ipv4.trunc_pkt", .medium, .alert, "IPv4 total length beyond the packet",
            "RFC 791 §3.1", [.ipv4TruncPkt]),
        ConformanceCheck(
            .ipv4BadChecksum, "ipv4.bad_checksum", .low, .alert, "IPv4 header checksum is wrong",
            "RFC 791 §3.1, RFC 1071"),
        ConformanceCheck(
            .ipv4ReservedBit, "ipv4.reserved_bit", .medium, .alert, "the reserved flag of the IPv4 header is set",
            "RFC 791 §3.1, RFC 3514"),
        ConformanceCheck(
            .ipv4DontFragment, "ipv4.df_on_fragment", .low, .alert, "a fragment says that it must not be fragmented",
            "RFC 791 §3.2"),
        ConformanceCheck(
            .ipv4SourceRoute, "ipv4.source_route", .high, .drop, "loose or strict source route",
            "RFC 7126 §4.3, §4.4", reason: .evasion),
        ConformanceCheck(
            .ipv4RecordsRoute, "ipv4.records_route", .low, .alert,
            "record route or timestamp option: the way is asked for", "RFC 7126 §4.5, §4.8"),
        ConformanceCheck(
            .ipv4BadOptionLength, "ipv4.opt_invalid_len", .medium, .alert,
            "length of an IPv4 option is impossible", "RFC 791 §3.1", [.ipv4OptInvalidLen]),
        ConformanceCheck(
            .ipv4OptionMalformed, "ipv4.opt_malformed", .medium, .alert,
            "contents of an IPv4 option are impossible", "RFC 791 §3.1", [.ipv4OptMalformed]),
        ConformanceCheck(
            .ipv4OptionDuplicate, "ipv4.opt_duplicate", .medium, .alert, "the same IPv4 option twice",
            "RFC 791 §3.1", [.ipv4OptDuplicate]),
        ConformanceCheck(
            .ipv4OptionUnknown, "ipv4.opt_unknown", .low, .alert, "an IPv4 option that is not known",
            "IANA ip-parameters", [.ipv4OptInvalid, .ipv4OptUnknown]),
        ConformanceCheck(
            .ipv4OptionPadding, "ipv4.opt_padding", .low, .off,
            "IPv4 options are not padded to 8 bytes, or end without an end", "RFC 791 §3.1",
            [.ipv4OptPadRequired, .ipv4OptEolRequired]),
        ConformanceCheck(
            .ipv4UnknownProtocol, "ipv4.unknown_protocol", .low, .off,
            "IPv4 carries a protocol that Flinch does not know", "IANA protocol-numbers", [.ipv4UnknownProtocol]),
        ConformanceCheck(
            .icmp6InIPv4, "ipv4.icmpv6", .medium, .alert, "ICMPv6 in an IPv4 packet", "RFC 4443 §1",
            [.ipv4Icmpv6]),

        ConformanceCheck(
            .ipv6TooShort, "ipv6.pkt_too_small", .medium, .alert, "less than an IPv6 header", "RFC 8200 §3",
            [.ipv6PktTooSmall]),
        ConformanceCheck(
            .ipv6WrongVersion, "ipv6.wrong_ip_version", .medium, .alert,
            "the EtherType says IPv6, the header another version", "RFC 2464 §3", [.ipv6WrongIpVersion]),
        ConformanceCheck(
            .ipv6Truncated, "ipv6.trunc_pkt", .medium, .alert, "IPv6 payload length beyond the packet",
            "RFC 8200 §3", [.ipv6TruncPkt]),
        ConformanceCheck(
            .ipv6LengthZero, "ipv6.plen_zero", .low, .alert,
            "IPv6 payload length of 0 without a jumbo payload option", "RFC 2675 §3"),
        ConformanceCheck(
            .ipv6Jumbogram, "ipv6.jumbogram", .low, .alert,
            "IPv6 jumbogram, as segmentation offload beyond 64 KiB makes it", "RFC 2675"),
        ConformanceCheck(
            .ipv6BadJumbo, "ipv6.jumbo_invalid", .medium, .alert,
            "IPv6 jumbo payload option where or as it must not be", "RFC 2675 §3"),
        ConformanceCheck(
            .ipv6MappedAddress, "ipv6.mapped_address", .high, .drop, "IPv4-mapped address in an IPv6 header",
            "RFC 6890 §2.2.3, RFC 4942 §2.2", reason: .spoofed),
        ConformanceCheck(
            .ipv6ExtensionTruncated, "ipv6.trunc_exthdr", .medium, .alert,
            "IPv6 extension header reaches beyond the packet", "RFC 8200 §4", [.ipv6TruncExthdr]),
        ConformanceCheck(
            .ipv6TooManyExtensions, "ipv6.exthdr_too_many", .high, .drop,
            "more IPv6 extension headers than there are kinds of", "RFC 8504 §5.3", reason: .evasion),
        ConformanceCheck(
            .ipv6DuplicateExtension, "ipv6.exthdr_dupl", .high, .drop,
            "the same IPv6 extension header more often than allowed", "RFC 8200 §4.1", reason: .evasion,
            [
                .ipv6ExthdrDuplFh, .ipv6ExthdrDuplRh, .ipv6ExthdrDuplHh, .ipv6ExthdrDuplDh, .ipv6ExthdrDuplAh,
                .ipv6ExthdrDuplEh,
            ]),
        ConformanceCheck(
            .ipv6ExtensionOrder, "ipv6.exthdr_order", .medium, .alert,
            "IPv6 extension headers in an order that no sender makes", "RFC 8200 §4.1"),
        ConformanceCheck(
            .ipv6HopByHopNotFirst, "ipv6.hopopts_not_first", .medium, .alert,
            "IPv6 hop-by-hop options not directly after the header", "RFC 8200 §4.1"),
        ConformanceCheck(
            .ipv6BadOptionLength, "ipv6.exthdr_invalid_optlen", .medium, .alert,
            "length of an option in an IPv6 extension header is impossible", "RFC 8200 §4.2",
            [.ipv6ExthdrInvalidOptlen]),
        ConformanceCheck(
            .ipv6TooManyOptions, "ipv6.exthdr_too_many_opts", .medium, .alert,
            "more than 32 options in an IPv6 extension header", "RFC 8504 §5.3"),
        ConformanceCheck(
            .ipv6OptionUnknown, "ipv6.opt_unknown", .low, .alert,
            "an option in an IPv6 extension header that is not known", "IANA ipv6-parameters",
            [.ipv6HopoptsUnknownOpt, .ipv6DstoptsUnknownOpt]),
        ConformanceCheck(
            .ipv6OptionPadding, "ipv6.opt_only_padding", .low, .alert,
            "an IPv6 extension header of nothing but padding", "RFC 8200 §4.2, RFC 4942 §2.1.9",
            [.ipv6HopoptsOnlyPadding, .ipv6DstoptsOnlyPadding]),
        ConformanceCheck(
            .ipv6EmptyPadding, "ipv6.zero_len_padn", .low, .off,
            "padding of two bytes without data, as hosts put into listener reports", "RFC 8200 §4.2",
            [.ipv6ZeroLenPadn]),
        ConformanceCheck(
            .ipv6RoutingType0, "ipv6.rh_type_0", .high, .drop, "IPv6 routing header type 0", "RFC 5095",
            reason: .evasion, [.ipv6RhType0]),
        ConformanceCheck(
            .ipv6AuthenticationReserved, "ipv6.ah_reserved", .low, .alert,
            "the reserved field of an authentication header is set", "RFC 4302 §2.3", [.ipv6ExthdrAhResNotNull]),
        ConformanceCheck(
            .ipv6FragmentReserved, "ipv6.fh_reserved", .low, .alert,
            "the reserved field of a fragment header is set", "RFC 8200 §4.5", [.ipv6FhNonZeroReservedField]),
        ConformanceCheck(
            .ipv6UselessFragment, "ipv6.useless_fh", .low, .alert, "a fragment header, but the packet is whole",
            "RFC 6946, RFC 8021", [.ipv6ExthdrUselessFh]),
        ConformanceCheck(
            .ipv6DataAfterNoNext, "ipv6.data_after_none", .medium, .alert,
            "data behind a header that says that nothing follows", "RFC 8200 §4.7", [.ipv6DataAfterNoneHeader]),
        ConformanceCheck(
            .ipv6UnknownNextHeader, "ipv6.unknown_next_header", .low, .off,
            "IPv6 carries a protocol that Flinch does not know", "IANA protocol-numbers", [.ipv6UnknownNextHeader]),
        ConformanceCheck(
            .icmpInIPv6, "ipv6.icmpv4", .medium, .alert, "ICMP for IPv4 in an IPv6 packet", "RFC 4443 §1",
            [.ipv6Icmpv4]),
        ConformanceCheck(
            .ipv6InnerMalformed, "ipv6.inner_malformed", .medium, .alert,
            "IPv6 says that it carries IP, which cannot be", "RFC 2473 §3",
            [
                .ipv6Ipv4InIpv6TooSmall, .ipv6Ipv4InIpv6WrongVersion, .ipv6Ipv6InIpv6TooSmall,
                .ipv6Ipv6InIpv6WrongVersion,
            ]),
    ]

    static let fragments = [
        ConformanceCheck(
            .fragmentTooLarge, "ip.frag_pkt_too_large", .high, .drop,
            "fragment ends beyond 65,535 bytes of the datagram (ping of death)", "RFC 791 §3.1, RFC 8200 §4.5",
            reason: .evasion, [.ipv4FragPktTooLarge, .ipv6FragPktTooLarge]),
        ConformanceCheck(
            .fragmentTiny, "ip.frag_tiny", .high, .alert, "fragments are cut within the upper header",
            "RFC 1858 §3, RFC 7112", reason: .evasion),
        ConformanceCheck(
            .fragmentOverlap, "ip.frag_overlap", .medium, .alert,
            "fragments overlap (teardrop), or one comes twice", "RFC 1858 §4, RFC 5722", reason: .evasion,
            [.ipv4FragOverlap, .ipv6FragOverlap]),
        ConformanceCheck(
            .fragmentEmpty, "ip.frag_empty", .medium, .alert, "fragment without data",
            "RFC 791 §3.2, RFC 8200 §4.5"),
        ConformanceCheck(
            .fragmentUneven, "ip.frag_invalid_length", .medium, .alert,
            "more fragments follow, but the length is no multiple of 8", "RFC 791 §3.2, RFC 8200 §4.5",
            [.ipv6FragInvalidLength]),
        ConformanceCheck(
            .fragmentIgnored, "ip.frag_ignored", .medium, .alert,
            "too many datagrams wait for the rest of their fragments", "RFC 815 §8",
            [.ipv4FragIgnored, .ipv6FragIgnored]),
        ConformanceCheck(
            .fragmentLate, "ip.frag_incomplete", .medium, .alert,
            "a fragment whose datagram was not whole in time: 10 s, in replay 60 s since the last",
            "RFC 791 §3.2, RFC 8200 §4.5", reason: .evasion),
    ]
}
