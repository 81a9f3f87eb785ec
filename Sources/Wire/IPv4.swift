/// An IPv4 header (RFC 791 §3.1), its first 20 bytes checked to be there; the options may be cut short.
public struct IPv4Header: ~Escapable {
    public static var minimumSize: Int { 20 }

    @usableFromInline enum Field {
        @usableFromInline static var versionAndLength: Int { 0 }
        @usableFromInline static var service: Int { 1 }
        @usableFromInline static var totalLength: Int { 2 }
        @usableFromInline static var identification: Int { 4 }
        @usableFromInline static var fragment: Int { 6 }
        @usableFromInline static var timeToLive: Int { 8 }
        @usableFromInline static var `protocol`: Int { 9 }
        @usableFromInline static var checksum: Int { 10 }
        @usableFromInline static var source: Int { 12 }
        @usableFromInline static var destination: Int { 16 }
        @usableFromInline static var options: Int { 20 }
    }

    public let bytes: RawSpan

    /// nil for less than 20 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv4Header.minimumSize else { return nil }
        self.bytes = bytes
    }

    @inlinable public var version: UInt8 { bytes.be8(Field.versionAndLength) >> 4 }
    /// In bytes, 0…60 as stated: below 20 is a lie, and it may reach beyond what is there.
    @inlinable public var headerLength: Int { Int(bytes.be8(Field.versionAndLength) & 0x0F) * 4 }
    /// Differentiated services 6 bits, congestion notification 2 bits.
    @inlinable public var service: UInt8 { bytes.be8(Field.service) }
    /// Header and payload in bytes, as stated.
    @inlinable public var totalLength: Int { Int(bytes.be16(Field.totalLength)) }
    @inlinable public var identification: UInt16 { bytes.be16(Field.identification) }
    /// Flags 3 bits, offset in units of 8 bytes 13 bits.
    @inlinable public var fragmentWord: UInt16 { bytes.be16(Field.fragment) }
    @inlinable public var dontFragment: Bool { fragmentWord & 0x4000 != 0 }
    @inlinable public var moreFragments: Bool { fragmentWord & 0x2000 != 0 }
    /// In bytes, 0…65528.
    @inlinable public var fragmentOffset: UInt16 { fragmentWord << 3 }
    @inlinable public var timeToLive: UInt8 { bytes.be8(Field.timeToLive) }
    @inlinable public var `protocol`: UInt8 { bytes.be8(Field.protocol) }
    @inlinable public var checksum: UInt16 { bytes.be16(Field.checksum) }
    @inlinable public var source: Address { Address(v4: bytes.be32(Field.source)) }
    @inlinable public var destination: Address { Address(v4: bytes.be32(Field.destination)) }

    /// The option bytes that are there.
    @inlinable
    public var optionBytes: RawSpan {
        @_lifetime(copy self) get { bytes.clamped(Field.options, headerLength) }
    }
    @inlinable
    public var options: HeaderOptions {
        @_lifetime(copy self) get { HeaderOptions(optionBytes) }
    }
}
