/// Loads of numbers in network byte order. Whoever calls has checked the length; a debug build checks again.
extension RawSpan {
    @inline(__always)
    func be8(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset + 1 <= byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    func be16(_ offset: Int) -> UInt16 {
        assert(offset >= 0 && offset + 2 <= byteCount)
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func be32(_ offset: Int) -> UInt32 {
        assert(offset >= 0 && offset + 4 <= byteCount)
        return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }

    /// `start..<end` cut to what is there.
    @inline(__always) @_lifetime(copy self)
    func clamped(_ start: Int, _ end: Int) -> RawSpan {
        let end = max(0, min(end, byteCount))
        return unsafe extracting(unchecked: max(0, min(start, end))..<end)
    }
}
