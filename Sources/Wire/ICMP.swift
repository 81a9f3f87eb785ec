/// An ICMP header (RFC 792), or one of ICMPv6 (RFC 4443 §2.1): 8 bytes in every message. What the two have in common
/// is 4 bytes, but no message of ICMPv6 that is defined is shorter than 8, and Linux takes none that is
/// (net/ipv6/icmp.c).
public struct ICMPHeader: ~Escapable {
    public static var size: Int { 8 }

    @usableFromInline enum Field {
        @usableFromInline static var type: Int { 0 }
        @usableFromInline static var code: Int { 1 }
        @usableFromInline static var checksum: Int { 2 }
        @usableFromInline static var identifier: Int { 4 }
        @usableFromInline static var sequence: Int { 6 }
    }

    public let bytes: RawSpan

    /// nil for less than 8 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= ICMPHeader.size else { return nil }
        self.bytes = bytes
    }

    @inlinable public var type: UInt8 { bytes.be8(Field.type) }
    @inlinable public var code: UInt8 { bytes.be8(Field.code) }
    @inlinable public var checksum: UInt16 { bytes.be16(Field.checksum) }
    /// Of echo request and reply: types 8 and 0, of ICMPv6 128 and 129.
    @inlinable public var identifier: UInt16 { bytes.be16(Field.identifier) }
    @inlinable public var sequence: UInt16 { bytes.be16(Field.sequence) }
}
