import Wire

/// Where an inspected packet came from: it was captured, or it was made of what others carried.
@frozen
public enum PacketSource: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case wire
    /// Unwrapped from what the packet around it carried. For IPv4 and IPv6 that is the family of the outer
    /// packet, not of the inner one.
    case ipv4Tunnel, ipv6Tunnel, gre, vxlan, geneve, teredo
    /// Put together from fragments.
    case defragmented
    /// What a stream still held when its flow ended.
    case streamEnd

    /// EVE's `pkt_src`, in Suricata's words (PktSrcToString in decode.c).
    public var text: StaticString {
        switch self {
        case .wire: "wire/pcap"
        case .ipv4Tunnel: "ipv4 tunnel"
        case .ipv6Tunnel: "ipv6 tunnel"
        case .gre: "gre tunnel"
        case .vxlan: "vxlan encapsulation"
        case .geneve: "geneve encapsulation"
        case .teredo: "teredo tunnel"
        case .defragmented: "defrag"
        case .streamEnd: "stream (flow timeout)"
        }
    }
}

extension PacketSource {
    /// Of the packet that one of IP version `version` carries in a tunnel.
    @inlinable
    public init(_ tunnel: Tunnel, outerVersion version: UInt8) {
        self =
            switch tunnel {
            case .none: .wire
            case .ip: version == 6 ? .ipv6Tunnel : .ipv4Tunnel
            case .gre: .gre
            case .vxlan: .vxlan
            case .geneve: .geneve
            case .teredo: .teredo
            }
    }
}
