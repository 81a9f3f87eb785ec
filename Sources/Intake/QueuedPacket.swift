import CNetfilter
import Evidence
import Wire

/// One packet of a queue: the attributes of an NFQNL_MSG_PACKET message, borrowed from the slab.
///
/// The kernel is trusted to be the sender, not to be right: each length is checked, and a message that is
/// cut short is no packet.
public struct QueuedPacket: ~Escapable {
    /// The kernel's number for the packet in its queue; the verdict names both.
    public let identifier: UInt32
    public let queue: UInt16
    public let arrival: Arrival
    /// From the network header on.
    public let payload: RawSpan
    /// What the payload starts with. Below a bridge anything may be queued; elsewhere it is IP.
    public var link: LinkLayer {
        switch arrival.hardwareProtocol {
        case EtherType.ipv4, EtherType.ipv6: .ip
        case EtherType.arp: .arp
        default: .other
        }
    }

    /// The payload is shorter than the packet was: by the copy range, or a message that did not fit.
    public let isCut: Bool

    @_lifetime(copy message)
    init?(message: RawSpan, time: UInt64, truncated: Bool) {
        let length = min(message.byteCount, Int(message.load32(at: 0, orZero: message.byteCount)))
        guard length >= Layout.attributes,
            message.load16(at: 4) == UInt16(NFNL_SUBSYS_QUEUE) << 8 | UInt16(NFQNL_MSG_PACKET.rawValue)
        else { return nil }
        let attributes = Attributes(message, from: Layout.attributes, to: length)
        let header = attributes[.packetHeader]
        guard header.count >= 7 else { return nil }
        // Local until it is whole: fields written one by one and read back as one stall the processor.
        var arrival = Arrival(time: time)
        arrival.hardwareProtocol = UInt16(bigEndian: message.load16(at: header.start &+ 4))
        arrival.mark = message.number(attributes[.mark])
        arrival.bridge = message.number(attributes[.inputDevice])
        arrival.port = message.number(attributes[.physicalInput])
        arrival.outPort = message.number(attributes[.physicalOutput])
        if attributes[.packetInfo].count >= 4 {
            let info = message.number(attributes[.packetInfo])
            arrival.checksum =
                info & UInt32(NFQA_SKB_CSUMNOTREADY) != 0
                ? .unfinished : info & UInt32(NFQA_SKB_CSUM_NOTVERIFIED) != 0 ? .present : .verified
        }
        let hardware = attributes[.hardwareAddress]
        if hardware.count >= 10, message.load16(at: hardware.start).byteSwapped == 6 {
            arrival.sourceMAC = message.load48(at: hardware.start &+ 4)
        }
        let link = attributes[.linkHeader]
        if link.count >= 14 {
            arrival.destinationMAC = message.load48(at: link.start)
            arrival.sourceMAC = message.load48(at: link.start &+ 6)
        }
        let tag = attributes[.vlan]
        if tag.count > 0, let tag = QueuedPacket.tag(message, tag.start, tag.start &+ tag.count) {
            arrival.tag = tag
            arrival.hasTag = true
        }
        let bytes = attributes[.payload]
        identifier = UInt32(bigEndian: message.load32(at: header.start))
        // nfgenmsg.res_id.
        queue = UInt16(bigEndian: message.load16(at: 18))
        self.arrival = arrival
        payload = message.extracting(bytes.start..<bytes.start &+ bytes.count)
        isCut = truncated || attributes[.originalLength].count >= 4
    }

    /// NFQA_VLAN nests the protocol and the tag that the kernel took off the frame.
    private static func tag(_ message: RawSpan, _ start: Int, _ end: Int) -> UInt16? {
        var offset = start
        var tag: UInt16?
        while offset &+ 6 <= end {
            let size = Int(message.load16(at: offset))
            guard size >= 6, offset &+ size <= end else { break }
            if message.load16(at: offset &+ 2) & Layout.typeMask == UInt16(NFQA_VLAN_TCI.rawValue) {
                tag = UInt16(bigEndian: message.load16(at: offset &+ 4))
            }
            offset &+= (size &+ 3) & ~3
        }
        return tag
    }

    /// Offsets in the message; numbers in netlink headers are in host order.
    private enum Layout {
        /// After struct nlmsghdr (16) and struct nfgenmsg (4).
        static var attributes: Int { 20 }
        static var attributeHeader: Int { 4 }
        /// Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
        static var typeMask: UInt16 { 0x3FFF }
    }

    /// enum nfqnl_attr_type (linux/netfilter/nfnetlink_queue.h), as far as it is read.
    private enum Attribute: Int {
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

    /// Where each attribute stands, found in one pass without a branch by type, like the kernel's own
    /// nla_parse: a switch here is mispredicted about once a packet.
    private struct Attributes {
        /// By type, the offset of the value (low half) and its bytes (high half); 0 for none. Of two of one
        /// type the last stands.
        private var places = InlineArray<24, UInt64>(repeating: 0)

        @inline(__always)
        init(_ message: borrowing RawSpan, from start: Int, to end: Int) {
            var offset = start
            while offset &+ Layout.attributeHeader <= end {
                let size = Int(message.load16(at: offset))
                guard size >= Layout.attributeHeader, offset &+ size <= end else { return }
                let type = Int(message.load16(at: offset &+ 2) & Layout.typeMask)
                if type < 24 {
                    let count = UInt64(truncatingIfNeeded: size &- Layout.attributeHeader)
                    places[type] = count << 32 | UInt64(truncatingIfNeeded: offset &+ Layout.attributeHeader)
                }
                offset &+= (size &+ 3) & ~3
            }
        }

        @inline(__always)
        subscript(_ attribute: Attribute) -> (start: Int, count: Int) {
            let place = places[attribute.rawValue]
            return (Int(place & 0xFFFF_FFFF), Int(place >> 32))
        }
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

    /// The attribute's big-endian number; 0 if it is absent or too short for one.
    fileprivate func number(_ attribute: (start: Int, count: Int)) -> UInt32 {
        attribute.count >= 4 ? UInt32(bigEndian: load32(at: attribute.start)) : 0
    }

    fileprivate func load32(at offset: Int, orZero count: Int) -> UInt32 {
        count >= offset + 4 ? load32(at: offset) : 0
    }

    /// Six bytes, the first in bits 47…40.
    fileprivate func load48(at offset: Int) -> UInt64 {
        UInt64(load32(at: offset).byteSwapped) << 16 | UInt64(load16(at: offset &+ 4).byteSwapped)
    }
}
