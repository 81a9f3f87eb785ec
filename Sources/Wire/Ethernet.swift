/// An Ethernet II or 802.3 header (IEEE 802.3 §3.2); the frame check sequence is not part of what is given.
public struct EthernetHeader: ~Escapable {
    public static var size: Int { 14 }

    @usableFromInline enum Field {
        @usableFromInline static var destination: Int { 0 }
        @usableFromInline static var source: Int { 6 }
        @usableFromInline static var type: Int { 12 }
    }

    public let bytes: RawSpan

    /// nil for less than 14 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= EthernetHeader.size else { return nil }
        self.bytes = bytes
    }

    /// MAC addresses, the first byte in bits 47…40.
    @inlinable public var destination: UInt64 { bytes.be48(Field.destination) }
    @inlinable public var source: UInt64 { bytes.be48(Field.source) }
    /// The EtherType, or below 0x600 the length of an 802.3 frame.
    @inlinable public var type: UInt16 { bytes.be16(Field.type) }
}

/// EtherTypes that the decoder knows (IANA ieee-802-numbers).
public enum EtherType {
    @inlinable public static var ipv4: UInt16 { 0x0800 }
    @inlinable public static var arp: UInt16 { 0x0806 }
    @inlinable public static var ipv6: UInt16 { 0x86DD }
    /// 802.1Q customer tag, 802.1ad service tag, and what QinQ switches used before 802.1ad.
    @inlinable public static var customerTag: UInt16 { 0x8100 }
    @inlinable public static var serviceTag: UInt16 { 0x88A8 }
    @inlinable public static var legacyServiceTag: UInt16 { 0x9100 }
    /// Transparent Ethernet bridging, in GRE and Geneve (RFC 7637 §3.2).
    @inlinable public static var bridging: UInt16 { 0x6558 }
    @inlinable public static var ppp: UInt16 { 0x880B }
    @inlinable public static var mplsUnicast: UInt16 { 0x8847 }
    @inlinable public static var mplsMulticast: UInt16 { 0x8848 }
    @inlinable public static var pppoeDiscovery: UInt16 { 0x8863 }
    @inlinable public static var pppoeSession: UInt16 { 0x8864 }
    /// 802.1ah, which carries a customer's frame whole.
    @inlinable public static var backboneServiceTag: UInt16 { 0x88E7 }
    /// ERSPAN types I and II, in GRE.
    @inlinable public static var erspan: UInt16 { 0x88BE }
    /// ERSPAN type III.
    @inlinable public static var erspanIII: UInt16 { 0x22EB }
    @inlinable public static var fabricPath: UInt16 { 0x8903 }
    @inlinable public static var vnTag: UInt16 { 0x8926 }
    /// 802.1BR.
    @inlinable public static var eTag: UInt16 { 0x893F }
    /// Network service header (RFC 8300).
    @inlinable public static var nsh: UInt16 { 0x894F }
    /// Lower numbers are lengths of 802.3 frames (IEEE 802.3 §3.2.6).
    @inlinable public static var lowest: UInt16 { 0x0600 }
}
