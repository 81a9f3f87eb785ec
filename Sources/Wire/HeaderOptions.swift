/// One option of an IPv4 or TCP header.
@frozen
public struct HeaderOption: Equatable, Sendable, BitwiseCopyable {
    public let kind: UInt8
    /// Where its data begins, in bytes from the start of the options, and how many there are; both may be
    /// used on `HeaderOptions.bytes` without a further check.
    public let offset: Int
    public let length: Int

    @inlinable
    init(kind: UInt8, offset: Int, length: Int) {
        self.kind = kind
        self.offset = offset
        self.length = length
    }
}

/// Walks the options of an IPv4 (RFC 791 §3.1) or TCP header (RFC 9293 §3.1), which have one form: kind 0
/// ends the list, kind 1 is a single byte of padding, each other has a length that counts kind and length.
/// There are at most 40 bytes of them, so at most 40 steps.
public struct HeaderOptions: ~Escapable {
    public let bytes: RawSpan
    @usableFromInline var position = 0
    @usableFromInline var refused = false
    @usableFromInline var kindAlone = false
    /// A length below 2 or beyond the header ended the walk.
    @inlinable public var isMalformed: Bool { refused }
    /// It was the end of the header that cut off the length.
    @inlinable public var endsInKind: Bool { kindAlone }

    @inlinable @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    /// The next option that is not padding; nil at the end.
    @inlinable @inline(__always)
    public mutating func next() -> HeaderOption? {
        while position < bytes.byteCount {
            let kind = bytes.be8(position)
            if kind == 0 { break }
            if kind == 1 {
                position += 1
                continue
            }
            guard position + 1 < bytes.byteCount else {
                kindAlone = true
                return refuse()
            }
            let length = Int(bytes.be8(position + 1))
            guard length >= 2, length <= bytes.byteCount - position else { return refuse() }
            let option = HeaderOption(kind: kind, offset: position + 2, length: length - 2)
            position += length
            return option
        }
        position = bytes.byteCount
        return nil
    }

    @inlinable @inline(__always)
    mutating func refuse() -> HeaderOption? {
        refused = true
        position = bytes.byteCount
        return nil
    }
}
