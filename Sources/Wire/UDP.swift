/// A UDP header (RFC 768).
public struct UDPHeader: ~Escapable {
    public static var size: Int { 8 }

    @usableFromInline enum Field {
        @usableFromInline static var sourcePort: Int { 0 }
        @usableFromInline static var destinationPort: Int { 2 }
        @usableFromInline static var length: Int { 4 }
        @usableFromInline static var checksum: Int { 6 }
    }

    public let bytes: RawSpan

    /// nil for less than 8 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= UDPHeader.size else { return nil }
        self.bytes = bytes
    }

    @inlinable public var sourcePort: UInt16 { bytes.be16(Field.sourcePort) }
    @inlinable public var destinationPort: UInt16 { bytes.be16(Field.destinationPort) }
    /// Header and payload in bytes, as stated; 0 in an IPv6 jumbogram (RFC 2675 §4).
    @inlinable public var length: Int { Int(bytes.be16(Field.length)) }
    /// 0 over IPv4: the sender made none.
    @inlinable public var checksum: UInt16 { bytes.be16(Field.checksum) }
}
