/// Loads of numbers in network byte order. Whoever calls has checked the length, as the header views do once, when they
/// are made; these check again in a debug build only, so that the tests find a wrong offset.
extension RawSpan {
    @inlinable @inline(__always)
    public func be8(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset + 1 <= byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @inlinable @inline(__always)
    public func be16(_ offset: Int) -> UInt16 {
        assert(offset >= 0 && offset + 2 <= byteCount)
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
    }

    @inlinable @inline(__always)
    public func be32(_ offset: Int) -> UInt32 {
        assert(offset >= 0 && offset + 4 <= byteCount)
        return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }

    @inlinable @inline(__always)
    public func be64(_ offset: Int) -> UInt64 {
        assert(offset >= 0 && offset + 8 <= byteCount)
        return unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Six bytes as a number: a MAC address, the first byte in bits 47…40.
    @inlinable @inline(__always)
    public func be48(_ offset: Int) -> UInt64 {
        UInt64(be16(offset)) << 32 | UInt64(be32(offset + 2))
    }

    /// What begins at `start`; `0 <= start <= byteCount` is the caller's promise.
    @inlinable @inline(__always) @_lifetime(copy self)
    public func from(_ start: Int) -> RawSpan {
        assert(start >= 0 && start <= byteCount)
        return unsafe extracting(unchecked: start..<byteCount)
    }

    /// `start..<end`; `0 <= start <= end <= byteCount` is the caller's promise.
    @inlinable @inline(__always) @_lifetime(copy self)
    public func between(_ start: Int, _ end: Int) -> RawSpan {
        assert(start >= 0 && start <= end && end <= byteCount)
        return unsafe extracting(unchecked: start..<end)
    }

    /// `start..<end` cut to what is there.
    @inlinable @inline(__always) @_lifetime(copy self)
    public func clamped(_ start: Int, _ end: Int) -> RawSpan {
        let end = max(0, min(end, byteCount))
        return unsafe extracting(unchecked: max(0, min(start, end))..<end)
    }
}
