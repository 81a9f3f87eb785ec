/// A TCP header (RFC 9293 §3.1), its first 20 bytes checked to be there; the options may be cut short.
public struct TCPHeader: ~Escapable {
    public static var minimumSize: Int { 20 }
    /// Bytes of a segment that no peer asks for less than, but to have its sender cut everything into crumbs
    /// (CVE-2019-11479): Linux makes none that are smaller (net.ipv4.tcp_min_snd_mss).
    @inlinable public static var smallestSegment: Int { 48 }

    @usableFromInline enum Field {
        @usableFromInline static var sourcePort: Int { 0 }
        @usableFromInline static var destinationPort: Int { 2 }
        @usableFromInline static var sequence: Int { 4 }
        @usableFromInline static var acknowledgement: Int { 8 }
        @usableFromInline static var dataOffset: Int { 12 }
        @usableFromInline static var flags: Int { 13 }
        @usableFromInline static var window: Int { 14 }
        @usableFromInline static var checksum: Int { 16 }
        @usableFromInline static var urgentPointer: Int { 18 }
        @usableFromInline static var options: Int { 20 }
    }

    public let bytes: RawSpan

    /// nil for less than 20 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= TCPHeader.minimumSize else { return nil }
        self.bytes = bytes
    }

    @inlinable public var sourcePort: UInt16 { bytes.be16(Field.sourcePort) }
    @inlinable public var destinationPort: UInt16 { bytes.be16(Field.destinationPort) }
    @inlinable public var sequence: UInt32 { bytes.be32(Field.sequence) }
    @inlinable public var acknowledgement: UInt32 { bytes.be32(Field.acknowledgement) }
    /// In bytes, 0…60 as stated: below 20 is a lie, and it may reach beyond what is there.
    @inlinable public var headerLength: Int { Int(bytes.be8(Field.dataOffset) >> 4) * 4 }
    @inlinable public var flags: TCPFlags { TCPFlags(rawValue: bytes.be8(Field.flags)) }
    /// Not scaled.
    @inlinable public var window: UInt16 { bytes.be16(Field.window) }
    @inlinable public var checksum: UInt16 { bytes.be16(Field.checksum) }
    @inlinable public var urgentPointer: UInt16 { bytes.be16(Field.urgentPointer) }

    /// The option bytes that are there.
    @inlinable
    public var optionBytes: RawSpan {
        @_lifetime(copy self) get { bytes.clamped(Field.options, headerLength) }
    }
    @inlinable
    public var options: HeaderOptions {
        @_lifetime(copy self) get { HeaderOptions(optionBytes) }
    }

    /// 12 bytes of options that are two of padding and a timestamp: what nearly every segment of an open
    /// connection has (RFC 7323 appendix A).
    @inlinable
    var hasTimestampOnly: Bool {
        headerLength == 32 && bytes.byteCount >= 32 && bytes.be32(Field.options) == 0x0101_080A
    }
}
