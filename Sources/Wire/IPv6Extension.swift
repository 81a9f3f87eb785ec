/// The first 8 bytes of an IPv6 extension header; no kind of them is shorter (RFC 8200 §4, RFC 6564).
/// Which accessors mean something depends on the kind, which the header before it names.
public struct IPv6Extension: ~Escapable {
    public static var minimumSize: Int { 8 }

    @usableFromInline enum Field {
        @usableFromInline static var nextHeader: Int { 0 }
        @usableFromInline static var length: Int { 1 }
        @usableFromInline static var options: Int { 2 }
        @usableFromInline static var routingType: Int { 2 }
        @usableFromInline static var segmentsLeft: Int { 3 }
        @usableFromInline static var fragment: Int { 2 }
        @usableFromInline static var identification: Int { 4 }
    }

    public let bytes: RawSpan

    /// nil for less than 8 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv6Extension.minimumSize else { return nil }
        self.bytes = bytes
    }

    @inlinable public var nextHeader: UInt8 { bytes.be8(Field.nextHeader) }

    /// The whole header in bytes, as stated, 8 at least.
    @inlinable
    public func length(as kind: UInt8) -> Int {
        let stated = Int(bytes.be8(Field.length))
        return switch kind {
        case IPProtocol.fragment: 8
        case IPProtocol.authentication: (stated + 2) * 4
        default: (stated + 1) * 8
        }
    }

    /// Of a routing header.
    @inlinable public var routingType: UInt8 { bytes.be8(Field.routingType) }
    @inlinable public var segmentsLeft: UInt8 { bytes.be8(Field.segmentsLeft) }

    /// Of a fragment header: offset in bytes, 0…65528.
    @inlinable public var fragmentOffset: UInt16 { bytes.be16(Field.fragment) & 0xFFF8 }
    @inlinable public var moreFragments: Bool { bytes.be16(Field.fragment) & 1 != 0 }
    @inlinable public var identification: UInt32 { bytes.be32(Field.identification) }

    /// Of an authentication header: 0 (RFC 4302 §2.3).
    @inlinable public var reserved: UInt16 { bytes.be16(Field.options) }

    /// Of a hop-by-hop or destination options header: its options, as far as they are there.
    @inlinable
    public var options: IPv6Options {
        @_lifetime(copy self) get {
            IPv6Options(bytes.clamped(Field.options, length(as: IPProtocol.hopByHop)))
        }
    }
}

/// Walks the options of a hop-by-hop or destination options header (RFC 8200 §4.2).
public struct IPv6Options: ~Escapable {
    /// More options than this, padding counted, are not looked at. RFC 8504 §5.3 lets a host stop after 8
    /// that are not padding.
    public static var limit: Int { 32 }

    public let bytes: RawSpan
    @usableFromInline var position = 0
    @usableFromInline var steps = 0
    /// An option reached beyond the header.
    public private(set) var isMalformed = false
    /// There was padding; there was padding by an option without data, where a single byte would have done.
    public private(set) var hasPadding = false
    public private(set) var hasEmptyPadding = false
    /// There were more than `limit`.
    public private(set) var isTooLong = false

    @inlinable @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    /// The next option that is not padding; nil at the end.
    public mutating func next() -> HeaderOption? {
        while position < bytes.byteCount {
            steps += 1
            guard steps <= IPv6Options.limit else {
                isTooLong = true
                break
            }
            let kind = bytes.be8(position)
            if kind == 0 {
                hasPadding = true
                position += 1
                continue
            }
            guard position + 1 < bytes.byteCount,
                Int(bytes.be8(position + 1)) <= bytes.byteCount - position - 2
            else {
                isMalformed = true
                break
            }
            let option = HeaderOption(
                kind: kind, offset: position + 2, length: Int(bytes.be8(position + 1)))
            position += 2 + option.length
            if kind != 1 { return option }
            hasPadding = true
            if option.length == 0 { hasEmptyPadding = true }
        }
        position = bytes.byteCount
        return nil
    }
}
