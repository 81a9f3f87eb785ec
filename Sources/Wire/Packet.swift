/// What the first bytes given to the decoder are.
@frozen
public enum LinkLayer: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// The bytes start with an Ethernet header (captures, mirrors).
    case ethernet
    /// The bytes start with an IPv4 or IPv6 header (NFQUEUE hands packets up like this).
    case ip
    /// The bytes start with an ARP message.
    case arp
    /// The bytes start behind an Ethernet header whose EtherType is none of these, and is given apart.
    case other
    /// An IPv4 header, and nothing else will do; the same for IPv6.
    case ipv4, ipv6
    /// The Point-to-Point Protocol, with or without an HDLC header (RFC 1661, RFC 1662).
    case ppp
    /// Cisco HDLC: address, control, EtherType; or PPP in the same frame.
    case ciscoHDLC
    /// Linux's "cooked" captures (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).
    case linuxSLL, linuxSLL2
    /// An address family in four bytes (LINKTYPE_NULL, LINKTYPE_LOOP).
    case loopback
    /// Inside a tunnel: from behind a VLAN's tag protocol identifier, an ERSPAN header of type II or III.
    case vlan, erspan, erspanIII
}

/// What a packet was found to be once its headers were read.
@frozen
public enum PacketKind: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// Not IP: ARP has a kind of its own, all else is named by `Packet.etherType`.
    case other, arp
    case tcp, udp, icmp, icmp6
    /// IP with an upper protocol that Flinch has no view for; `Packet.ipProtocol` names it.
    case otherIP
    /// A fragment without an upper header to read: it does not start at offset 0, or it does and is too
    /// short for the whole header (`Anomalies.fragmentTiny`).
    case laterFragment
    /// Headers that contradict the bytes: `Packet.anomalies` says which. What was decoded before
    /// the contradiction is filled in.
    case malformed
}

/// The headers of one packet, read once and kept as plain numbers and offsets.
///
/// Numbers are in host order. Offsets are bytes from the start of what was given to the decoder, and
/// never point past it; `payloadOffset + payloadLength` never exceeds the captured length.
@frozen
public struct Packet: Sendable, BitwiseCopyable {
    /// Of the IP header; for ARP the sender's and the target's protocol address.
    public var source = Address.none
    public var destination = Address.none

    /// TCP and UDP ports; 0 for everything else.
    public var sourcePort: UInt16 = 0
    public var destinationPort: UInt16 = 0

    public var kind = PacketKind.other
    /// 4, 6, or 0 for what is not IP.
    public var ipVersion: UInt8 = 0
    /// The upper protocol (IANA protocol numbers), after IPv6 extension headers; 0 for what is not IP.
    public var ipProtocol: UInt8 = 0
    /// CWR ECE URG ACK PSH RST SYN FIN, high bit first (RFC 9293 §3.1).
    public var tcpFlags = TCPFlags()

    public var icmpType: UInt8 = 0
    public var icmpCode: UInt8 = 0
    /// TTL of IPv4, hop limit of IPv6.
    public var hopLimit: UInt8 = 0
    /// 802.1Q tags read from the bytes, 0…3.
    public var vlanCount: UInt8 = 0
    /// Headers below the upper one that were read, those of the packets around this one counted.
    public var layerCount: UInt8 = 0
    /// Tag control information, outer first: priority 3 bits, DEI 1 bit, VLAN identifier 12 bits.
    public var outerTag: UInt16 = 0
    public var innerTag: UInt16 = 0
    public var thirdTag: UInt16 = 0
    /// The EtherType behind the tags, that of the IP version where the bytes start with IP; 0 for an 802.3
    /// length field.
    public var etherType: UInt16 = 0

    /// Offset of this fragment in bytes, and whether more follow. 0 and false for a whole packet.
    public var fragmentOffset: UInt16 = 0
    public var moreFragments = false

    /// How this packet carries another one, which begins at `innerOffset` with `innerLink`.
    public var tunnel = Tunnel.none
    public var innerLink = LinkLayer.ip
    /// The payload is inspected as a packet of its own, and rules are not to look for their contents in it.
    public var hidesPayload = false
    /// What is in the way of reading the packet as IP: its addresses are not to be believed, and only rules
    /// about decoder events are asked about it. Suricata's packets without a layer 3.
    public var isUndecodable = false
    /// One of `events` is a fault, and not only odd.
    public var isInvalid = false

    /// Bytes of the upper header with its options, for protocols that have a view here.
    public var transportLength: UInt16 = 0

    public var events = DecodeEvents()
    public var anomalies = Anomalies()

    /// The innermost Ethernet header; -1 without one.
    public var linkOffset: Int32 = -1
    /// The IP header or ARP message.
    public var networkOffset: Int32 = 0
    public var transportOffset: Int32 = 0
    public var payloadOffset: Int32 = 0
    /// Payload bytes that are really there, after the upper header, padding excluded.
    public var payloadLength: Int32 = 0
    /// The packet that this one carries, to the end of the payload.
    public var innerOffset: Int32 = 0
    /// Length of the IP packet as its header states it; for what is not IP, the captured length.
    public var statedLength: Int32 = 0

    @inlinable
    public init() {}

    @inlinable
    public var isIP: Bool { ipVersion != 0 }

    /// Any part of a fragmented datagram, the first included. An IPv6 atomic fragment (RFC 6946) is whole.
    @inlinable
    public var isFragment: Bool { moreFragments || fragmentOffset != 0 }

    /// Another packet may come of it: one that it carries, or the datagram that it is a fragment of.
    @inlinable
    public var leadsOn: Bool { tunnel != .none || isFragment }
}

// MARK: - Where the headers are

extension Packet {
    /// The Ethernet header without tags; empty at 0 where there is none.
    @inlinable
    public var linkHeader: Range<Int> {
        linkOffset < 0 ? 0..<0 : Int(linkOffset)..<Int(linkOffset) + EthernetHeader.size
    }

    /// The IP header, with IPv4 options or IPv6 extension headers, or the ARP message; empty where it is none
    /// or was not whole.
    @inlinable
    public var networkHeader: Range<Int> {
        let start = Int(networkOffset)
        if kind == .arp { return start..<max(start, Int(payloadOffset)) }
        return start..<(isIP ? max(start, Int(transportOffset)) : start)
    }

    /// The upper header with its options; empty for protocols without a view, and where it was not whole.
    @inlinable
    public var transportHeader: Range<Int> {
        Int(transportOffset)..<Int(transportOffset) + Int(transportLength)
    }
}

extension Packet {
    /// Tag control information of tag `index`, the outermost 0; nil where there are not so many.
    @inlinable
    public func tag(_ index: Int) -> UInt16? {
        guard index >= 0, index < Int(vlanCount) else { return nil }
        return index == 0 ? outerTag : index == 1 ? innerTag : thirdTag
    }
}

/// How a packet carries another one that is to be inspected on its own.
@frozen
public enum Tunnel: UInt8, BitwiseCopyable, Sendable {
    case none
    /// IP directly behind an IP header (RFC 2003, RFC 2473, RFC 4213).
    case ip
    /// Generic Routing Encapsulation (RFC 2784, RFC 2890), PPTP's version of it (RFC 2637) and ERSPAN in it.
    case gre
    /// RFC 7348.
    case vxlan
    /// RFC 8926.
    case geneve
    /// RFC 4380.
    case teredo
}

@frozen
public struct TCPFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
    public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
    public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
    public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
    public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
    public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
    public static var ece: TCPFlags { TCPFlags(rawValue: 0x40) }
    public static var cwr: TCPFlags { TCPFlags(rawValue: 0x80) }
}
