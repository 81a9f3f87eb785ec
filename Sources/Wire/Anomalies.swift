/// Contradictions between headers and bytes that the decoder met on its way. It goes on as far as it
/// can; whether one of them matters is for Conformance and Policy to say.
///
/// Bit numbers are indices of Conformance's table: append, never reorder.
@frozen
public struct Anomalies: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt64
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    init(bit: UInt64) { rawValue = 1 << bit }

    /// How many members there are: bits 0 ..< count.
    @inlinable public static var count: Int { 53 }
}

// MARK: - Link layer

extension Anomalies {
    /// The packet was longer than what was captured of it: the capture's doing, not the sender's.
    @inlinable public static var cutByCapture: Anomalies { Anomalies(bit: 0) }
    /// Less than an Ethernet header.
    @inlinable public static var ethernetTooShort: Anomalies { Anomalies(bit: 1) }
    /// A VLAN tag cut off.
    @inlinable public static var vlanTooShort: Anomalies { Anomalies(bit: 2) }
    /// More than three VLAN tags.
    @inlinable public static var vlanTooMany: Anomalies { Anomalies(bit: 3) }
    @inlinable public static var arpTooShort: Anomalies { Anomalies(bit: 4) }
    /// Address lengths other than 6 and 4 for Ethernet and IPv4.
    @inlinable public static var arpBadLengths: Anomalies { Anomalies(bit: 5) }
    /// ARP for another hardware than Ethernet or another protocol than IPv4.
    @inlinable public static var arpUnsupported: Anomalies { Anomalies(bit: 6) }
}

// MARK: - IPv4

extension Anomalies {
    /// IP by position, but the first nibble is neither 4 nor 6.
    @inlinable public static var ipUnknownVersion: Anomalies { Anomalies(bit: 7) }
    @inlinable public static var ipv4TooShort: Anomalies { Anomalies(bit: 8) }
    /// EtherType 0x0800 before a version other than 4.
    @inlinable public static var ipv4WrongVersion: Anomalies { Anomalies(bit: 9) }
    /// A header length below 20 bytes.
    @inlinable public static var ipv4HeaderTooSmall: Anomalies { Anomalies(bit: 10) }
    /// A header length beyond the packet.
    @inlinable public static var ipv4HeaderBeyondPacket: Anomalies { Anomalies(bit: 11) }
    /// A total length below the header length.
    @inlinable public static var ipv4LengthTooSmall: Anomalies { Anomalies(bit: 12) }
    /// A total length of 0: a sender's segmentation offload beyond 64 KiB, or a lie. The packet is taken to
    /// be as long as its bytes.
    @inlinable public static var ipv4LengthZero: Anomalies { Anomalies(bit: 13) }
    /// A total length beyond the packet.
    @inlinable public static var ipv4Truncated: Anomalies { Anomalies(bit: 14) }
    @inlinable public static var ipv4BadOptionLength: Anomalies { Anomalies(bit: 15) }
    @inlinable public static var icmp6InIPv4: Anomalies { Anomalies(bit: 16) }
    /// A loose or strict source route.
    @inlinable public static var ipv4SourceRoute: Anomalies { Anomalies(bit: 46) }
    /// Routers are asked to write down that they passed it on: record route, timestamp.
    @inlinable public static var ipv4RecordsRoute: Anomalies { Anomalies(bit: 47) }
}

// MARK: - IPv6

extension Anomalies {
    @inlinable public static var ipv6TooShort: Anomalies { Anomalies(bit: 17) }
    /// EtherType 0x86DD before a version other than 6.
    @inlinable public static var ipv6WrongVersion: Anomalies { Anomalies(bit: 18) }
    /// A payload length beyond the packet.
    @inlinable public static var ipv6Truncated: Anomalies { Anomalies(bit: 19) }
    /// A payload length of 0, bytes after the header, and no jumbo payload option. The packet is taken to be
    /// as long as its bytes.
    @inlinable public static var ipv6LengthZero: Anomalies { Anomalies(bit: 20) }
    /// A jumbogram (RFC 2675): a sender's segmentation offload beyond 64 KiB; never seen on a wire.
    @inlinable public static var ipv6Jumbogram: Anomalies { Anomalies(bit: 21) }
    /// A jumbo payload option of a wrong length, beside a payload length, or stating less than 65,536.
    @inlinable public static var ipv6BadJumbo: Anomalies { Anomalies(bit: 22) }
    /// An extension header that reaches beyond the packet.
    @inlinable public static var ipv6ExtensionTruncated: Anomalies { Anomalies(bit: 23) }
    @inlinable public static var ipv6TooManyExtensions: Anomalies { Anomalies(bit: 24) }
    /// The same extension header again; destination options may come twice.
    @inlinable public static var ipv6DuplicateExtension: Anomalies { Anomalies(bit: 25) }
    /// Hop-by-hop options anywhere but directly after the IPv6 header.
    @inlinable public static var ipv6HopByHopNotFirst: Anomalies { Anomalies(bit: 26) }
    @inlinable public static var ipv6BadOptionLength: Anomalies { Anomalies(bit: 27) }
    @inlinable public static var ipv6TooManyOptions: Anomalies { Anomalies(bit: 28) }
    /// Routing header type 0.
    @inlinable public static var ipv6RoutingType0: Anomalies { Anomalies(bit: 29) }
    /// `::ffff:a.b.c.d` as an address of an IPv6 packet, where it would pass for the IPv4 host.
    @inlinable public static var ipv6MappedAddress: Anomalies { Anomalies(bit: 30) }
    @inlinable public static var icmpInIPv6: Anomalies { Anomalies(bit: 31) }
    /// Routing, fragment, authentication and what follows in another order than RFC 8200 §4.1 gives.
    @inlinable public static var ipv6ExtensionOrder: Anomalies { Anomalies(bit: 45) }
}

// MARK: - Fragments

extension Anomalies {
    /// The whole datagram would be longer than 65,535 bytes.
    @inlinable public static var fragmentTooLarge: Anomalies { Anomalies(bit: 32) }
    @inlinable public static var fragmentEmpty: Anomalies { Anomalies(bit: 33) }
    /// More follow, but the length is no multiple of 8.
    @inlinable public static var fragmentUneven: Anomalies { Anomalies(bit: 34) }
    /// A first fragment that does not hold the whole upper header, or a later one that begins within a
    /// TCP header.
    @inlinable public static var fragmentTiny: Anomalies { Anomalies(bit: 35) }
}

// MARK: - Upper protocols

extension Anomalies {
    @inlinable public static var tcpTooShort: Anomalies { Anomalies(bit: 36) }
    /// A data offset below 20 bytes.
    @inlinable public static var tcpHeaderTooSmall: Anomalies { Anomalies(bit: 37) }
    /// A data offset beyond the packet.
    @inlinable public static var tcpHeaderBeyondPacket: Anomalies { Anomalies(bit: 38) }
    @inlinable public static var tcpBadOptionLength: Anomalies { Anomalies(bit: 39) }
    @inlinable public static var udpTooShort: Anomalies { Anomalies(bit: 40) }
    /// A length below 8 bytes. The IP packet's length is used instead.
    @inlinable public static var udpLengthTooSmall: Anomalies { Anomalies(bit: 41) }
    /// A length beyond the IP packet. The IP packet's length is used instead.
    @inlinable public static var udpLengthBeyondPacket: Anomalies { Anomalies(bit: 42) }
    @inlinable public static var icmpTooShort: Anomalies { Anomalies(bit: 43) }
    @inlinable public static var icmp6TooShort: Anomalies { Anomalies(bit: 44) }
    /// A maximum segment size of 0.
    @inlinable public static var tcpSegmentSizeZero: Anomalies { Anomalies(bit: 48) }
    /// A maximum segment size below `TCPHeader.smallestSegment`.
    @inlinable public static var tcpSegmentSizeSmall: Anomalies { Anomalies(bit: 49) }
    /// A window scale above 14.
    @inlinable public static var tcpWindowScale: Anomalies { Anomalies(bit: 50) }
    /// What only a SYN may offer, in another segment: segment size, window scale, selective acknowledgement.
    @inlinable public static var tcpOfferOutsideSYN: Anomalies { Anomalies(bit: 51) }
    /// A timestamp echoed in a segment that acknowledges nothing.
    @inlinable public static var tcpEchoWithoutACK: Anomalies { Anomalies(bit: 52) }
}
