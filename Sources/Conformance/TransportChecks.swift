import Evidence
import Wire

extension Checks {
    static let tcp = [
        ConformanceCheck(
            .tcpTooShort, "tcp.pkt_too_small", .medium, .alert, "less than a TCP header", "RFC 9293 §3.1",
            [.tcpPktTooSmall]),
        ConformanceCheck(
            .tcpHeaderTooSmall, "tcp.data_offset_too_small", .medium, .alert, "TCP data offset below 20 bytes",
            "RFC 9293 §3.1", [.tcpInvalidOptlen]),
        ConformanceCheck(
            .tcpHeaderBeyondPacket, "tcp.data_offset_beyond_packet", .medium, .alert,
            "TCP data offset beyond the packet", "RFC 9293 §3.1", [.tcpHlenTooSmall]),
        ConformanceCheck(
            .tcpBadChecksum, "tcp.bad_checksum", .low, .alert, "TCP checksum is wrong", "RFC 9293 §3.1, RFC 1071"),
        ConformanceCheck(
            .tcpNoFlags, "tcp.no_flags", .high, .drop, "TCP segment without any flag (null scan)",
            "RFC 9293 §3.10.7", reason: .evasion),
        ConformanceCheck(
            .tcpXmas, "tcp.xmas", .high, .drop, "FIN, PSH and URG without ACK (Xmas scan)", "RFC 9293 §3.10.7",
            reason: .evasion),
        ConformanceCheck(
            .tcpSYNFIN, "tcp.syn_fin", .high, .drop, "SYN together with FIN", "RFC 9293 §3.10.7, RFC 3360 §2.1",
            reason: .evasion),
        ConformanceCheck(
            .tcpSYNRST, "tcp.syn_rst", .high, .drop, "SYN together with RST", "RFC 9293 §3.10.7", reason: .evasion),
        ConformanceCheck(
            .tcpNoACK, "tcp.no_ack", .medium, .alert, "neither SYN nor RST, and no ACK (FIN scan)",
            "RFC 9293 §3.10.7.4", reason: .evasion),
        ConformanceCheck(
            .tcpReservedBits, "tcp.reserved_bits", .low, .alert, "reserved bits of the TCP header are set",
            "RFC 9293 §3.1, RFC 9768"),
        ConformanceCheck(
            .tcpDataInSYN, "tcp.data_in_syn", .medium, .alert, "data in a SYN without the Fast Open option",
            "RFC 9293 §3.10.7.2, RFC 7413 §4", reason: .evasion),
        ConformanceCheck(
            .tcpUrgentZero, "tcp.urgent_zero", .medium, .alert, "URG with an urgent pointer of 0",
            "RFC 6093 §3.4", reason: .evasion),
        ConformanceCheck(
            .tcpUrgentWithoutFlag, "tcp.urgent_without_flag", .low, .alert, "an urgent pointer, but no URG",
            "RFC 9293 §3.1"),
        ConformanceCheck(
            .tcpUrgentBeyond, "tcp.urgent_beyond", .low, .alert, "the urgent pointer points beyond the segment",
            "RFC 6093 §3.2"),
        ConformanceCheck(
            .tcpPortZero, "tcp.port_zero", .medium, .alert, "TCP port 0", "RFC 6335 §6"),
        ConformanceCheck(
            .tcpToGroup, "tcp.to_group", .medium, .alert, "TCP to a multicast or broadcast address",
            "RFC 9293 §3.9.2.3"),
        ConformanceCheck(
            .tcpBadOptionLength, "tcp.opt_invalid_len", .medium, .alert, "length of a TCP option is impossible",
            "RFC 9293 §3.1", [.tcpOptInvalidLen]),
        ConformanceCheck(
            .tcpOptionDuplicate, "tcp.opt_duplicate", .medium, .alert,
            "a TCP option twice that may come once", "RFC 9293 §3.2", [.tcpOptDuplicate]),
        ConformanceCheck(
            .tcpSegmentSizeZero, "tcp.opt_mss_zero", .medium, .alert, "maximum segment size of 0",
            "RFC 9293 §3.7.1"),
        ConformanceCheck(
            .tcpSegmentSizeSmall, "tcp.opt_mss_small", .medium, .alert,
            "maximum segment size below 48 bytes", "RFC 9293 §3.7.1, CVE-2019-11479"),
        ConformanceCheck(
            .tcpWindowScale, "tcp.opt_window_scale", .low, .alert, "window scale above 14", "RFC 7323 §2.3"),
        ConformanceCheck(
            .tcpOfferOutsideSYN, "tcp.opt_outside_syn", .low, .alert,
            "an option that only a SYN may have in another segment", "RFC 9293 §3.2, RFC 7323 §2.2, RFC 2018 §2"),
        ConformanceCheck(
            .tcpEchoWithoutACK, "tcp.opt_timestamp_echo", .low, .alert,
            "a timestamp is echoed in a segment without ACK", "RFC 7323 §3.2"),
        ConformanceCheck(
            .tcpOutOfWindow, "tcp.out_of_window", .medium, .alert,
            "a segment behind all that its receiver ever had room for, or an end where none can be",
            "RFC 9293 §3.10.7.4", reason: .evasion),
        ConformanceCheck(
            .tcpAcknowledgesUnsent, "tcp.ack_of_unsent", .medium, .alert,
            "what was never sent is acknowledged, or what was acknowledged more than a window ago (inline only)",
            "RFC 9293 §3.10.7.4, RFC 5961 §5", reason: .evasion),
        ConformanceCheck(
            .tcpResetOutOfWindow, "tcp.reset_out_of_window", .medium, .alert,
            "a reset whose number is not the one that its receiver waits for", "RFC 5961 §3.2", reason: .spoofed),
    ]

    static let udp = [
        ConformanceCheck(
            .udpTooShort, "udp.pkt_too_small", .medium, .alert, "less than a UDP header", "RFC 768",
            [.udpHlenTooSmall]),
        ConformanceCheck(
            .udpLengthTooSmall, "udp.len_invalid", .medium, .alert, "UDP length below 8 bytes", "RFC 768",
            [.udpLenInvalid, .udpHlenInvalid]),
        ConformanceCheck(
            .udpLengthBeyondPacket, "udp.len_beyond_packet", .medium, .alert, "UDP length beyond the IP packet",
            "RFC 768", [.udpPktTooSmall]),
        ConformanceCheck(
            .udpTrailingData, "udp.trailing_data", .medium, .alert,
            "bytes behind the UDP datagram that are no part of it",
            "RFC 768, RFC 9868"),
        ConformanceCheck(
            .udpBadChecksum, "udp.bad_checksum", .low, .alert, "UDP checksum is wrong", "RFC 768, RFC 1071"),
        ConformanceCheck(
            .udpNoChecksum, "udp.no_checksum", .medium, .alert, "UDP checksum of 0 over IPv6, outside of tunnels",
            "RFC 8200 §8.1, RFC 6935"),
        ConformanceCheck(
            .udpPortZero, "udp.port_zero", .medium, .alert, "UDP to port 0", "RFC 6335 §6"),
    ]

    static let otherTransports = [
        ConformanceCheck(
            .sctpMalformed, "sctp.malformed", .medium, .alert,
            "SCTP header or chunk cut off, or of an impossible length",
            "RFC 9260 §3", [.sctpPktTooSmall, .sctpChunkTooSmall, .sctpChunkLenInvalid]),
        ConformanceCheck(
            .sctpBundling, "sctp.bundling", .medium, .alert,
            "an SCTP chunk that must stand alone does not, or has the wrong verification tag",
            "RFC 9260 §3.3.2, §8.5.1",
            [.sctpInitChunkBundled, .sctpInitWithNonZeroVtag, .sctpDataWithZeroVtag]),
        ConformanceCheck(
            .sctpTooManyChunks, "sctp.too_many_chunks", .medium, .alert, "more SCTP chunks than anybody sends",
            "RFC 9260 §3", [.sctpTooManyChunks, .sctpTooManyDataChunks]),
        ConformanceCheck(
            .espTooShort, "esp.pkt_too_small", .medium, .alert, "less than an ESP header", "RFC 4303 §2",
            [.espPktTooSmall]),
        ConformanceCheck(
            .igmpMalformed, "igmp.malformed", .medium, .alert, "IGMP message cut off or of impossible contents",
            "RFC 9776 §4", [.igmpPktTooSmall, .igmpV3PktTooSmall, .igmpMalformed]),
    ]
}
