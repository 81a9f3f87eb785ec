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
    /// EtherType as the kernel states it, host order.
    private let etherType: UInt16
    /// From the network header on.
    public let payload: RawSpan
    /// What the payload starts with. Below a bridge anything may be queued; elsewhere it is IP.
    public var link: LinkLayer {
        switch etherType {
        case EtherType.ipv4, EtherType.ipv6: .ip
        case EtherType.arp: .arp
        default: .other
        }
    }

    /// The payload is shorter than the packet was: by the copy range, or a message that did not fit.
    public let isCut: Bool

    /// Reads `message`, and how it came into `arrival`, whose time is its caller's. `layouts` are of the messages
    /// before.
    @_lifetime(copy message)
    init?(_ message: RawSpan, truncated: Bool, _ layouts: inout AttributeLayouts, into arrival: inout Arrival) {
        let length = min(message.byteCount, Int(message.load32(at: 0, orZero: message.byteCount)))
        guard length >= AttributeLayout.start,
            message.load16(at: 4) == UInt16(NFNL_SUBSYS_QUEUE) << 8 | UInt16(NFQNL_MSG_PACKET.rawValue)
        else { return nil }
        layouts.find(message, to: length)
        let header = layouts.last[.packetHeader]
        guard header.count >= 7 else { return nil }
        arrival = Arrival(time: arrival.time)
        etherType = UInt16(bigEndian: message.load16(at: header.start &+ 4))
        arrival.hardwareProtocol = etherType
        arrival.mark = message.number(layouts.last[.mark])
        arrival.bridge = message.number(layouts.last[.inputDevice])
        arrival.port = message.number(layouts.last[.physicalInput])
        arrival.outPort = message.number(layouts.last[.physicalOutput])
        if layouts.last[.packetInfo].count >= 4 {
            let info = message.number(layouts.last[.packetInfo])
            arrival.checksum =
                info & UInt32(NFQA_SKB_CSUMNOTREADY) != 0
                ? .unfinished : info & UInt32(NFQA_SKB_CSUM_NOTVERIFIED) != 0 ? .present : .verified
        }
        let hardware = layouts.last[.hardwareAddress]
        if hardware.count >= 10, message.load16(at: hardware.start).byteSwapped == 6 {
            arrival.sourceMAC = message.load48(at: hardware.start &+ 4)
        }
        let link = layouts.last[.linkHeader]
        if link.count >= 14 {
            arrival.destinationMAC = message.load48(at: link.start)
            arrival.sourceMAC = message.load48(at: link.start &+ 6)
        }
        let tag = layouts.last[.vlan]
        if tag.count > 0, let tag = QueuedPacket.tag(message, tag.start, tag.start &+ tag.count) {
            arrival.tag = tag
            arrival.hasTag = true
        }
        let bytes = layouts.last[.payload]
        identifier = UInt32(bigEndian: message.load32(at: header.start))
        // nfgenmsg.res_id.
        queue = UInt16(bigEndian: message.load16(at: 18))
        payload = message.extracting(bytes.start..<bytes.start &+ bytes.count)
        isCut = truncated || layouts.last[.originalLength].count >= 4
    }

    /// NFQA_VLAN nests the protocol and the tag that the kernel took off the frame.
    private static func tag(_ message: RawSpan, _ start: Int, _ end: Int) -> UInt16? {
        var offset = start
        var tag: UInt16?
        while offset &+ 6 <= end {
            let size = Int(message.load16(at: offset))
            guard size >= 6, offset &+ size <= end else { break }
            if message.load16(at: offset &+ 2) & AttributeLayout.typeMask == UInt16(NFQA_VLAN_TCI.rawValue) {
                tag = UInt16(bigEndian: message.load16(at: offset &+ 4))
            }
            offset &+= (size &+ 3) & ~3
        }
        return tag
    }
}

extension RawSpan {
    /// Loads in host order. The caller has compared the offset with the length.
    fileprivate func load16(at offset: Int) -> UInt16 {
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self)
    }

    func load32(at offset: Int) -> UInt32 {
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
