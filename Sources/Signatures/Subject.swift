import Flows
import Wire

/// What the matcher needs to know of a packet, beside the packet.
struct Subject {
    /// Position of its bit in `ProtocolClasses`.
    var protocolClass: Int
    /// Whether ports and the other fields of the upper header were read.
    var hasUpperHeader: Bool
    /// Whether the rules that name nothing but addresses are to be asked.
    var asksAddresses: Bool
    /// What `Group.keys` are indexed by: TCP flags, ICMP type, UDP payload length up to 255.
    var key: UInt8
    var payloadOffset: Int32
    var payloadLength: Int32

    @inline(__always)
    init(_ packet: @_addressable Packet, byteCount: Int, _ step: @_addressable FlowStep) {
        payloadOffset = packet.payloadOffset
        payloadLength = packet.hidesPayload || step.isStreamOnly ? 0 : packet.payloadLength
        key = 0
        hasUpperHeader = true
        asksAddresses = true
        if let flow = unsafe step.flow {
            asksAddresses = unsafe !flow.pointee.flags.contains(step.toServer ? .askedToServer : .askedToClient)
        }
        switch packet.kind {
        case .tcp:
            protocolClass = 0
            key = packet.tcpFlags.rawValue
        case .udp:
            protocolClass = 1
            key = UInt8(clamping: payloadLength)
        case .icmp:
            protocolClass = 2
            key = packet.icmpType
        case .icmp6:
            protocolClass = 3
            key = packet.icmpType
        case .otherIP:
            protocolClass = 4
        case .laterFragment:
            hasUpperHeader = false
            payloadLength = 0
            switch packet.ipProtocol {
            case 6: protocolClass = 0
            case 17: protocolClass = 1
            case 1: protocolClass = 2
            case 58: protocolClass = 3
            default: protocolClass = 4
            }
        case .other, .arp:
            protocolClass = 5
            hasUpperHeader = false
        case .malformed:
            // The IP header made sense, if nothing else: a rule about IP is asked, one about ports is not.
            protocolClass = packet.isIP ? 4 : 6
            hasUpperHeader = false
            payloadLength = 0
        }
        if packet.isUndecodable {
            protocolClass = 6
            hasUpperHeader = false
            payloadLength = 0
        }
        // Offsets come from the decoder, which keeps them inside; nothing here depends on that.
        if payloadOffset < 0 || payloadLength <= 0 || Int(payloadOffset) + Int(payloadLength) > byteCount {
            payloadOffset = 0
            payloadLength = 0
        }
    }
}
