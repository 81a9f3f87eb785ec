/// A named range of bytes that payload tests look into. What application parsers will fill joins here, with
/// pattern sets of its own.
enum Buffer: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case payload
    /// What `base64_decode` made of a part of the payload.
    case decoded
    case ethernetHeader, ipv4Header, ipv6Header, tcpHeader, udpHeader, icmpHeader, icmpv6Header, igmpHeader

    /// One of a single packet's headers.
    var isHeader: Bool { self != .payload && self != .decoded }

    /// The packets that have it, as far as a rule's protocol tells them apart.
    var classes: ProtocolClasses {
        switch self {
        case .tcpHeader: .tcp
        case .udpHeader: .udp
        case .icmpHeader: .icmp
        case .icmpv6Header: .icmp6
        default: .all
        }
    }

    /// The buffer that a keyword of its own opens for the tests which follow.
    static func named(_ keyword: String) -> Buffer? {
        switch keyword {
        case "pkt_data", "raw_data": .payload
        case "base64_data": .decoded
        case "ether.hdr": .ethernetHeader
        case "ipv4.hdr": .ipv4Header
        case "ipv6.hdr": .ipv6Header
        case "tcp.hdr": .tcpHeader
        case "udp.hdr": .udpHeader
        case "icmpv4.hdr": .icmpHeader
        case "icmpv6.hdr": .icmpv6Header
        case "igmp.hdr": .igmpHeader
        default: nil
        }
    }
}
