/// An IPv6 header (RFC 8200 §3). Extension headers have views of their own.
public struct IPv6Header: ~Escapable {
    public static var size: Int { 40 }

    @usableFromInline enum Field {
        @usableFromInline static var versionClassAndFlow: Int { 0 }
        @usableFromInline static var payloadLength: Int { 4 }
        @usableFromInline static var nextHeader: Int { 6 }
        @usableFromInline static var hopLimit: Int { 7 }
        @usableFromInline static var source: Int { 8 }
        @usableFromInline static var destination: Int { 24 }
    }

    public let bytes: RawSpan

    /// nil for less than 40 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv6Header.size else { return nil }
        self.bytes = bytes
    }

    @inlinable public var version: UInt8 { bytes.be8(Field.versionClassAndFlow) >> 4 }
    @inlinable public var trafficClass: UInt8 {
        UInt8(truncatingIfNeeded: bytes.be16(Field.versionClassAndFlow) >> 4)
    }
    @inlinable public var flowLabel: UInt32 { bytes.be32(Field.versionClassAndFlow) & 0x000F_FFFF }
    /// Bytes after this header, as stated; 0 in a jumbogram.
    @inlinable public var payloadLength: Int { Int(bytes.be16(Field.payloadLength)) }
    @inlinable public var nextHeader: UInt8 { bytes.be8(Field.nextHeader) }
    @inlinable public var hopLimit: UInt8 { bytes.be8(Field.hopLimit) }
    @inlinable public var source: Address {
        Address(high: bytes.be64(Field.source), low: bytes.be64(Field.source + 8))
    }
    @inlinable public var destination: Address {
        Address(high: bytes.be64(Field.destination), low: bytes.be64(Field.destination + 8))
    }
}
