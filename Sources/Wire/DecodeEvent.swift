/// What Suricata's decoder has a name for: a rule asks for it with `decode-event:`. The cases are those names
/// in camel case, in the order of its table (decode-events.c of 9.0-dev, which has all of 8.0's); the raw
/// value is the bit in `DecodeEvents`.
///
/// Six are never set: what one is about is not done here (af-packet's ring), and five Suricata cannot come to set
/// either. They have a name all the same, so that rules which ask for them can be loaded.
@frozen
public enum DecodeEvent: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case afpacketTruncPkt
    case ipv4PktTooSmall, ipv4HlenTooSmall, ipv4IplenSmallerThanHlen, ipv4TruncPkt, ipv4OptInvalid
    case ipv4OptInvalidLen, ipv4OptMalformed, ipv4OptPadRequired, ipv4OptEolRequired, ipv4OptDuplicate
    case ipv4OptUnknown, ipv4WrongIpVersion, ipv4Icmpv6, ipv4UnknownProtocol
    case icmpv4PktTooSmall, icmpv4UnknownType, icmpv4UnknownCode, icmpv4Ipv4TruncPkt, icmpv4Ipv4UnknownVer
    case icmpv6UnknownType, icmpv6UnknownCode, icmpv6PktTooSmall, icmpv6Ipv6UnknownVersion
    case icmpv6Ipv6TruncPkt, icmpv6MldMessageWithInvalidHl, icmpv6UnassignedType
    case icmpv6ExperimentationType
    case ipv6PktTooSmall, ipv6TruncPkt, ipv6TruncExthdr, ipv6ExthdrDuplFh, ipv6ExthdrUselessFh
    case ipv6ExthdrDuplRh, ipv6ExthdrDuplHh, ipv6ExthdrDuplDh, ipv6ExthdrDuplAh, ipv6ExthdrDuplEh
    case ipv6ExthdrInvalidOptlen, ipv6WrongIpVersion, ipv6ExthdrAhResNotNull, ipv6HopoptsUnknownOpt
    case ipv6HopoptsOnlyPadding, ipv6DstoptsUnknownOpt, ipv6DstoptsOnlyPadding, ipv6RhType0
    case ipv6ZeroLenPadn, ipv6FhNonZeroReservedField, ipv6DataAfterNoneHeader, ipv6UnknownNextHeader
    case ipv6Icmpv4
    case tcpPktTooSmall, tcpHlenTooSmall, tcpInvalidOptlen, tcpOptInvalidLen, tcpOptDuplicate
    case udpPktTooSmall, udpHlenTooSmall, udpHlenInvalid, udpLenInvalid
    case sllPktTooSmall
    case sll2PktTooSmall
    case ethernetPktTooSmall, ethernetUnknownEthertype
    case pppPktTooSmall, pppVjuPktTooSmall, pppIp4PktTooSmall, pppIp6PktTooSmall, pppWrongType
    case pppUnsupProto
    case pppoePktTooSmall, pppoeWrongCode, pppoeMalformedTags
    case grePktTooSmall, greWrongVersion, greVersion0Recur, greVersion0Flags, greVersion0HdrTooBig
    case greVersion0MalformedSreHdr, greVersion1Chksum, greVersion1Route, greVersion1Ssr, greVersion1Recur
    case greVersion1Flags, greVersion1NoKey, greVersion1WrongProtocol, greVersion1MalformedSreHdr
    case greVersion1HdrTooBig
    case vlanHeaderTooSmall, vlanUnknownType, vlanTooManyLayers
    case ieee8021ahHeaderTooSmall
    case vntagHeaderTooSmall, vntagUnknownType
    case etagHeaderTooSmall, etagUnknownType
    case iprawInvalidIpVersion
    case ltnullPktTooSmall, ltnullUnsupportedType
    case sctpPktTooSmall, sctpChunkTooSmall, sctpChunkLenInvalid, sctpInitChunkBundled
    case sctpInitWithNonZeroVtag, sctpDataWithZeroVtag, sctpTooManyChunks, sctpTooManyDataChunks
    case espPktTooSmall
    case ipv4FragPktTooLarge
    case ipv6FragPktTooLarge
    case ipv4FragOverlap
    case ipv6FragOverlap, ipv6FragInvalidLength
    case ipv4FragIgnored
    case ipv6FragIgnored, ipv6Ipv4InIpv6TooSmall, ipv6Ipv4InIpv6WrongVersion, ipv6Ipv6InIpv6TooSmall
    case ipv6Ipv6InIpv6WrongVersion
    case mplsHeaderTooSmall, mplsPktTooSmall, mplsBadLabelRouterAlert, mplsBadLabelImplicitNull
    case mplsBadLabelReserved, mplsUnknownPayloadType
    case vxlanUnknownPayloadType
    case geneveUnknownPayloadType
    case erspanHeaderTooSmall, erspanUnsupportedVersion, erspanTooManyVlanLayers
    case dcePktTooSmall
    case chdlcPktTooSmall
    case nshHeaderTooSmall, nshUnsupportedVersion, nshBadHeaderLength, nshReservedType, nshUnsupportedType
    case nshUnknownPayload
    case igmpPktTooSmall, igmpV3PktTooSmall, igmpMalformed
    case tooManyLayers
    case arpPktTooSmall, arpUnsupportedHardware, arpUnsupportedProtocol, arpInvalidPkt
    case arpInvalidHardwareSize, arpInvalidProtocolSize, arpUnsupportedOpcode
}

extension DecodeEvent {
    /// Suricata's name without its `decoder.`: "ipv4.pkt_too_small".
    public var name: String { DecodeEvent.names[Int(rawValue)] }

    /// The event of this name. Case does not matter, and `decoder.` may stand in front.
    public static func named(_ name: some StringProtocol) -> DecodeEvent? {
        var name = name.lowercased()
        if name.hasPrefix("decoder.") { name.removeFirst("decoder.".count) }
        return names.firstIndex(of: name).flatMap { DecodeEvent(rawValue: UInt8($0)) }
    }

    private static let names = [
        "afpacket.trunc_pkt", "ipv4.pkt_too_small", "ipv4.hlen_too_small", "ipv4.iplen_smaller_than_hlen",
        "ipv4.trunc_pkt", "ipv4.opt_invalid", "ipv4.opt_invalid_len", "ipv4.opt_malformed",
        "ipv4.opt_pad_required", "ipv4.opt_eol_required", "ipv4.opt_duplicate", "ipv4.opt_unknown",
        "ipv4.wrong_ip_version", "ipv4.icmpv6", "ipv4.unknown_protocol", "icmpv4.pkt_too_small",
        "icmpv4.unknown_type", "icmpv4.unknown_code", "icmpv4.ipv4_trunc_pkt", "icmpv4.ipv4_unknown_ver",
        "icmpv6.unknown_type", "icmpv6.unknown_code", "icmpv6.pkt_too_small", "icmpv6.ipv6_unknown_version",
        "icmpv6.ipv6_trunc_pkt", "icmpv6.mld_message_with_invalid_hl", "icmpv6.unassigned_type",
        "icmpv6.experimentation_type", "ipv6.pkt_too_small", "ipv6.trunc_pkt", "ipv6.trunc_exthdr",
        "ipv6.exthdr_dupl_fh", "ipv6.exthdr_useless_fh", "ipv6.exthdr_dupl_rh", "ipv6.exthdr_dupl_hh",
        "ipv6.exthdr_dupl_dh", "ipv6.exthdr_dupl_ah", "ipv6.exthdr_dupl_eh", "ipv6.exthdr_invalid_optlen",
        "ipv6.wrong_ip_version", "ipv6.exthdr_ah_res_not_null", "ipv6.hopopts_unknown_opt",
        "ipv6.hopopts_only_padding", "ipv6.dstopts_unknown_opt", "ipv6.dstopts_only_padding",
        "ipv6.rh_type_0", "ipv6.zero_len_padn", "ipv6.fh_non_zero_reserved_field",
        "ipv6.data_after_none_header", "ipv6.unknown_next_header", "ipv6.icmpv4", "tcp.pkt_too_small",
        "tcp.hlen_too_small", "tcp.invalid_optlen", "tcp.opt_invalid_len", "tcp.opt_duplicate",
        "udp.pkt_too_small", "udp.hlen_too_small", "udp.hlen_invalid", "udp.len_invalid",
        "sll.pkt_too_small", "sll2.pkt_too_small", "ethernet.pkt_too_small", "ethernet.unknown_ethertype",
        "ppp.pkt_too_small", "ppp.vju_pkt_too_small", "ppp.ip4_pkt_too_small", "ppp.ip6_pkt_too_small",
        "ppp.wrong_type", "ppp.unsup_proto", "pppoe.pkt_too_small", "pppoe.wrong_code",
        "pppoe.malformed_tags", "gre.pkt_too_small", "gre.wrong_version", "gre.version0_recur",
        "gre.version0_flags", "gre.version0_hdr_too_big", "gre.version0_malformed_sre_hdr",
        "gre.version1_chksum", "gre.version1_route", "gre.version1_ssr", "gre.version1_recur",
        "gre.version1_flags", "gre.version1_no_key", "gre.version1_wrong_protocol",
        "gre.version1_malformed_sre_hdr", "gre.version1_hdr_too_big", "vlan.header_too_small",
        "vlan.unknown_type", "vlan.too_many_layers", "ieee8021ah.header_too_small",
        "vntag.header_too_small", "vntag.unknown_type", "etag.header_too_small", "etag.unknown_type",
        "ipraw.invalid_ip_version", "ltnull.pkt_too_small", "ltnull.unsupported_type", "sctp.pkt_too_small",
        "sctp.chunk_too_small", "sctp.chunk_len_invalid", "sctp.init_chunk_bundled",
        "sctp.init_with_non_zero_vtag", "sctp.data_with_zero_vtag", "sctp.too_many_chunks",
        "sctp.too_many_data_chunks", "esp.pkt_too_small", "ipv4.frag_pkt_too_large",
        "ipv6.frag_pkt_too_large", "ipv4.frag_overlap", "ipv6.frag_overlap", "ipv6.frag_invalid_length",
        "ipv4.frag_ignored", "ipv6.frag_ignored", "ipv6.ipv4_in_ipv6_too_small",
        "ipv6.ipv4_in_ipv6_wrong_version", "ipv6.ipv6_in_ipv6_too_small", "ipv6.ipv6_in_ipv6_wrong_version",
        "mpls.header_too_small", "mpls.pkt_too_small", "mpls.bad_label_router_alert",
        "mpls.bad_label_implicit_null", "mpls.bad_label_reserved", "mpls.unknown_payload_type",
        "vxlan.unknown_payload_type", "geneve.unknown_payload_type", "erspan.header_too_small",
        "erspan.unsupported_version", "erspan.too_many_vlan_layers", "dce.pkt_too_small",
        "chdlc.pkt_too_small", "nsh.header_too_small", "nsh.unsupported_version", "nsh.bad_header_length",
        "nsh.reserved_type", "nsh.unsupported_type", "nsh.unknown_payload", "igmp.pkt_too_small",
        "igmp.v3_pkt_too_small", "igmp.malformed", "too_many_layers", "arp.pkt_too_small",
        "arp.unsupported_hardware", "arp.unsupported_protocol", "arp.invalid_pkt",
        "arp.invalid_hardware_size", "arp.invalid_protocol_size", "arp.unsupported_opcode",
    ]
}
