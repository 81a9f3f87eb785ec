import Evidence
import Wire

/// Ethernet, what else stands before IP, and tunnels.
extension Checks {
    static let link = [
        ConformanceCheck(
            .cutByCapture, "capture.truncated", .low, .alert,
            "the capture holds only the beginning of the packet", "libpcap pcap-savefile(5)"),
        ConformanceCheck(
            .ethernetTooShort, "ethernet.pkt_too_small", .medium, .alert,
            "frame shorter than an Ethernet header", "IEEE 802.3 §3.2", [.ethernetPktTooSmall]),
        ConformanceCheck(
            .ethernetGroupSource, "ethernet.group_source", .medium, .alert,
            "the frame's source address is that of a group", "IEEE 802.3 §3.2.3", reason: .spoofed),
        ConformanceCheck(
            .linkTooShort, "link.header_too_small", .medium, .alert,
            "a link header other than Ethernet's is cut off", "libpcap pcap-linktype(7), IEEE 802.1AH, 802.1BR",
            [
                .sllPktTooSmall, .sll2PktTooSmall, .ltnullPktTooSmall, .chdlcPktTooSmall, .dcePktTooSmall,
                .ieee8021ahHeaderTooSmall, .vntagHeaderTooSmall, .etagHeaderTooSmall,
            ]),
        ConformanceCheck(
            .linkUnknownType, "link.unknown_type", .low, .off,
            "the link header names a protocol that Flinch does not know", "IANA ieee-802-numbers",
            [.ethernetUnknownEthertype, .vlanUnknownType, .vntagUnknownType, .etagUnknownType, .ltnullUnsupportedType]
        ),
        ConformanceCheck(
            .vlanTooShort, "vlan.header_too_small", .medium, .alert, "VLAN tag cut off", "IEEE 802.1Q §9.3",
            [.vlanHeaderTooSmall]),
        ConformanceCheck(
            .vlanTooMany, "vlan.too_many_layers", .low, .alert, "more than three VLAN tags", "IEEE 802.1Q §9.3",
            [.vlanTooManyLayers]),
        ConformanceCheck(
            .tooManyLayers, "packet.too_many_layers", .high, .alert,
            "more headers within headers than anybody needs", "Suricata decoder.max-layers", reason: .evasion,
            [.tooManyLayers]),
        ConformanceCheck(
            .pppTooShort, "ppp.pkt_too_small", .medium, .alert, "PPP packet cut off", "RFC 1661 §2",
            [.pppPktTooSmall, .pppVjuPktTooSmall, .pppIp4PktTooSmall, .pppIp6PktTooSmall]),
        ConformanceCheck(
            .pppUnknownProtocol, "ppp.unknown_protocol", .low, .alert,
            "PPP carries a protocol that is not known", "IANA ppp-numbers", [.pppWrongType, .pppUnsupProto]),
        ConformanceCheck(
            .pppoeMalformed, "pppoe.malformed", .medium, .alert,
            "PPPoE header cut off, of an impossible code, or with tags that do not fit", "RFC 2516 §4",
            [.pppoePktTooSmall, .pppoeWrongCode, .pppoeMalformedTags]),
    ]

    static let tunnels = [
        ConformanceCheck(
            .mplsMalformed, "mpls.malformed", .medium, .alert,
            "MPLS label stack cut off, with a reserved label, or before something unknown", "RFC 3032 §2.1",
            [
                .mplsHeaderTooSmall, .mplsPktTooSmall, .mplsBadLabelRouterAlert, .mplsBadLabelImplicitNull,
                .mplsBadLabelReserved, .mplsUnknownPayloadType,
            ]),
        ConformanceCheck(
            .greMalformed, "gre.malformed", .medium, .alert,
            "GRE header cut off, or with flags, routing or a version that it must not have",
            "RFC 2784, RFC 2890, RFC 2637 §4.1",
            [
                .grePktTooSmall, .greWrongVersion, .greVersion0Recur, .greVersion0Flags, .greVersion0HdrTooBig,
                .greVersion0MalformedSreHdr, .greVersion1Chksum, .greVersion1Route, .greVersion1Ssr,
                .greVersion1Recur, .greVersion1Flags, .greVersion1NoKey, .greVersion1WrongProtocol,
                .greVersion1MalformedSreHdr, .greVersion1HdrTooBig,
            ]),
        ConformanceCheck(
            .tunnelUnknownPayload, "tunnel.unknown_payload", .low, .alert,
            "a VXLAN or Geneve tunnel carries something that is not known", "RFC 7348 §5, RFC 8926 §3.4",
            [.vxlanUnknownPayloadType, .geneveUnknownPayloadType]),
        ConformanceCheck(
            .erspanMalformed, "erspan.malformed", .medium, .alert,
            "ERSPAN header cut off, of an unknown version, or with too many VLAN tags", "draft-foschiano-erspan-03",
            [.erspanHeaderTooSmall, .erspanUnsupportedVersion, .erspanTooManyVlanLayers]),
        ConformanceCheck(
            .nshMalformed, "nsh.malformed", .medium, .alert,
            "network service header cut off, or of a version, length or type that it must not have", "RFC 8300 §2",
            [
                .nshHeaderTooSmall, .nshUnsupportedVersion, .nshBadHeaderLength, .nshReservedType,
                .nshUnsupportedType, .nshUnknownPayload,
            ]),
    ]
}

/// Which guest sends what, by port, hardware address and address; and ARP.
extension Checks {
    static let neighbours = [
        ConformanceCheck(
            .guestMACSpoofed, "guest.mac_spoofed", .high, .alert,
            "a frame from a guest's port has a hardware address that is not the guest's", "RFC 7039 §3",
            reason: .spoofed),
        ConformanceCheck(
            .guestMACChanged, "guest.mac_changed", .medium, .alert,
            "a guest's port sends from another hardware address than before", "RFC 7039 §3", reason: .spoofed),
        ConformanceCheck(
            .guestAddressSpoofed, "guest.address_spoofed", .high, .alert,
            "a guest sends from an address that is not its own", "RFC 2827, RFC 7039 §3", reason: .spoofed),
        ConformanceCheck(
            .arpTooShort, "arp.pkt_too_small", .medium, .alert, "ARP message shorter than 28 bytes", "RFC 826",
            [.arpPktTooSmall, .arpInvalidPkt]),
        ConformanceCheck(
            .arpBadLengths, "arp.invalid_address_size", .medium, .alert,
            "ARP address lengths are not those of Ethernet and IPv4", "RFC 826",
            [.arpInvalidHardwareSize, .arpInvalidProtocolSize]),
        ConformanceCheck(
            .arpUnsupported, "arp.unsupported_pkt", .low, .alert,
            "ARP for something other than Ethernet and IPv4", "RFC 826",
            [.arpUnsupportedHardware, .arpUnsupportedProtocol]),
        ConformanceCheck(
            .arpUnsupportedOperation, "arp.unsupported_opcode", .low, .alert,
            "ARP message that is no request and no reply", "IANA arp-parameters", [.arpUnsupportedOpcode]),
        ConformanceCheck(
            .arpSenderMismatch, "arp.sender_mismatch", .medium, .alert,
            "the ARP sender's hardware address is not the frame's source", "RFC 826", reason: .spoofed),
        ConformanceCheck(
            .arpGroupSender, "arp.group_sender", .high, .drop,
            "the ARP sender's hardware address is that of a group", "RFC 1812 §3.3.2", reason: .spoofed),
        ConformanceCheck(
            .arpSenderAddress, "arp.sender_address", .medium, .alert,
            "the ARP sender's IPv4 address is no host's, or a reply has none", "RFC 5227 §2.1", reason: .spoofed),
        ConformanceCheck(
            .arpConflict, "arp.conflict", .high, .alert,
            "an IPv4 address is claimed from another hardware address than it had", "RFC 5227 §2.4",
            reason: .spoofed),
        ConformanceCheck(
            .arpUnsolicitedReply, "arp.unsolicited_reply", .medium, .alert, "ARP reply that nobody asked for",
            "RFC 826", reason: .spoofed),
    ]
}
