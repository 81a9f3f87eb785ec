import CNetfilter
import Evidence
import Wire

/// One packet of a queue: the attributes of an NFQNL_MSG_PACKET message, borrowed from the slab.
///
/// The kernel is trusted to be the sender, not to be right: each length is checked, and a message that is
/// cut short is no packet.
public struct QueuedPacket: ~Escapable {
    /// The kernel's number for the packet; the verdict names it.
    public var identifier: UInt32 = 0
    public var arrival: Arrival
    /// From the network header on.
    public var payload: RawSpan
    /// What the payload starts with. Below a bridge anything may be queued; elsewhere it is IP.
    public var link: LinkLayer {
        switch arrival.hardwareProtocol {
        case EtherType.ipv4, EtherType.ipv6: .ip
        case EtherType.arp: .arp
        default: .other
        }
    }

    /// The payload is shorter than the packet was: by the copy range, or a message that did not fit.
    public var isCut = false

    @_lifetime(copy message)
    init?(message: RawSpan, time: UInt64, truncated: Bool) {
        arrival = Arrival(time: time)
        payload = message.extracting(first: 0)
        let length = min(message.byteCount, Int(message.load32(at: 0, orZero: message.byteCount)))
        guard length >= Layout.attributes,
            message.load16(at: 4) == UInt16(NFNL_SUBSYS_QUEUE) << 8 | UInt16(NFQNL_MSG_PACKET.rawValue)
        else { return nil }
        var offset = Layout.attributes
        var found = false
        while offset &+ Layout.attributeHeader <= length {
            let size = Int(message.load16(at: offset))
            guard size >= Layout.attributeHeader, offset &+ size <= length else { break }
            let start = offset &+ Layout.attributeHeader
            let count = size &- Layout.attributeHeader
            switch Attribute(rawValue: message.load16(at: offset &+ 2) & Layout.typeMask) {
            case .packetHeader where count >= 7:
                identifier = UInt32(bigEndian: message.load32(at: start))
                arrival.hardwareProtocol = UInt16(bigEndian: message.load16(at: start &+ 4))
                found = true
            case .payload:
                payload = message.extracting(start..<start &+ count)
            case .mark where count >= 4:
                arrival.mark = UInt32(bigEndian: message.load32(at: start))
            case .inputDevice where count >= 4:
                arrival.bridge = UInt32(bigEndian: message.load32(at: start))
            case .physicalInput where count >= 4:
                arrival.port = UInt32(bigEndian: message.load32(at: start))
            case .physicalOutput where count >= 4:
                arrival.outPort = UInt32(bigEndian: message.load32(at: start))
            case .packetInfo where count >= 4:
                let info = UInt32(bigEndian: message.load32(at: start))
                arrival.checksum =
                    info & UInt32(NFQA_SKB_CSUMNOTREADY) != 0
                    ? .unfinished : info & UInt32(NFQA_SKB_CSUM_NOTVERIFIED) != 0 ? .present : .verified
            case .hardwareAddress where count >= 10 && message.load16(at: start).byteSwapped == 6:
                arrival.sourceMAC = message.load48(at: start &+ 4)
            case .linkHeader where count >= 14:
                arrival.destinationMAC = message.load48(at: start)
                arrival.sourceMAC = message.load48(at: start &+ 6)
            case .vlan:
                readTag(message, start, start &+ count)
            case .originalLength where count >= 4:
                isCut = true
            default: break
            }
            offset &+= (size &+ 3) & ~3
        }
        if truncated { isCut = true }
        if !found { return nil }
    }

    /// NFQA_VLAN nests the protocol and the tag that the kernel took off the frame.
    private mutating func readTag(_ message: RawSpan, _ start: Int, _ end: Int) {
        var offset = start
        while offset &+ 6 <= end {
            let size = Int(message.load16(at: offset))
            guard size >= 6, offset &+ size <= end else { return }
            if message.load16(at: offset &+ 2) & Layout.typeMask == UInt16(NFQA_VLAN_TCI.rawValue) {
                arrival.tag = UInt16(bigEndian: message.load16(at: offset &+ 4))
                arrival.hasTag = true
            }
            offset &+= (size &+ 3) & ~3
        }
    }

    /// Offsets in the message; numbers in netlink headers are in host order.
    private enum Layout {
        /// After struct nlmsghdr (16) and struct nfgenmsg (4).
        static var attributes: Int { 20 }
        static var attributeHeader: Int { 4 }
        /// Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
        static var typeMask: UInt16 { 0x3FFF }
    }

    /// enum nfqnl_attr_type (linux/netfilter/nfnetlink_queue.h).
    private enum Attribute: UInt16 {
        case packetHeader = 1
        case mark = 3
        case inputDevice = 5
        case physicalInput = 7
        case physicalOutput = 8
        case hardwareAddress = 9
        case payload = 10
        case originalLength = 13
        case packetInfo = 14
        case vlan = 19
        case linkHeader = 20
    }
}

extension RawSpan {
    /// Loads in host order. The caller has compared the offset with the length.
    fileprivate func load16(at offset: Int) -> UInt16 {
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self)
    }

    fileprivate func load32(at offset: Int) -> UInt32 {
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)
    }

    fileprivate func load32(at offset: Int, orZero count: Int) -> UInt32 {
        count >= offset + 4 ? load32(at: offset) : 0
    }

    /// Six bytes, the first in bits 47…40.
    fileprivate func load48(at offset: Int) -> UInt64 {
        UInt64(load32(at: offset).byteSwapped) << 16 | UInt64(load16(at: offset &+ 4).byteSwapped)
    }
}
