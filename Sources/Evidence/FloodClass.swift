import Wire

/// The classes floods are counted by. Raw values are counter indices.
@frozen
public enum FloodClass: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case syn, tcp, udp, icmp, fragment

    public var name: String {
        switch self {
        case .syn: "syn"
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmp: "icmp"
        case .fragment: "fragment"
        }
    }

    /// The class of a packet; nil for what belongs to none. A fragment of anything counts as fragment, a
    /// SYN without ACK as syn, any other TCP as tcp.
    @inlinable
    public init?(_ packet: Packet) {
        if packet.isFragment {
            self = .fragment
            return
        }
        switch packet.kind {
        case .tcp:
            self = packet.tcpFlags.intersection([.syn, .ack]) == .syn ? .syn : .tcp
        case .udp: self = .udp
        case .icmp, .icmp6: self = .icmp
        case .malformed:
            // By what the IP header says: malformed packets flood as well as any.
            switch packet.ipProtocol {
            case IPProtocol.tcp: self = .tcp
            case IPProtocol.udp: self = .udp
            case IPProtocol.icmp, IPProtocol.icmp6: self = .icmp
            default: return nil
            }
        default: return nil
        }
    }
}
