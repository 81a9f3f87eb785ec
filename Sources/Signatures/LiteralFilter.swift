/// Finds literals of eight bytes and more in a payload, many at a time, by looking at a few of its bytes only.
///
/// Of each literal one window of eight bytes is chosen. Wherever it stands in a payload, one of every five
/// positions falls on the first byte of one of the five four-byte grams in it: so only every fifth position is
/// looked at, and asked of a bit map whether what stands there is a gram of any window (the sampling of Wu and
/// Manber, "A fast algorithm for multi-pattern searching", 1994, with a bit map in place of the shift table).
/// Where it is, the windows that could have it are hashed and asked of a second bit map, and what is left is
/// compared with the literals themselves: what is told is a match, to the byte.
///
/// From about a hundred literals on this is faster than Hyperscan, which then looks at every byte; below,
/// Hyperscan's own sampling by vector instructions is better (`Benchmarks/README.md` has the figures). Flows that
/// are encrypted gain most: nothing in them is like a literal.
@unsafe
struct LiteralFilter: BitwiseCopyable {
    /// Bits for the grams, chosen by the upper bits of their hash; the shift leaves as many as there are.
    var grams: UnsafePointer<UInt64>
    var gramShift: UInt32
    /// The same for the windows.
    var windows: UnsafePointer<UInt64>
    var windowShift: UInt64
    /// Of each window hash, without its lowest `bucketShift` bits, the first record; and one more, the end.
    var buckets: UnsafePointer<UInt32>
    var bucketShift: UInt64
    var records: UnsafePointer<LiteralWindow.Record>
    var patterns: UnsafePointer<UInt8>

    /// Tells the identifier of each literal that is in the bytes and where it ends, in no order and maybe more
    /// than once.
    @inline(__always)
    func scan(_ start: UnsafeRawPointer, _ count: Int, _ found: (UInt32, UInt64) -> Void) {
        let end = count &- LiteralWindow.length
        var place = 0
        // Four at a time: most have nothing, and one branch then answers for all.
        let last = end &- 3 &* LiteralWindow.stride
        while place <= last {
            let first = unsafe mayBeGram(start + place)
            let second = unsafe mayBeGram(start + place + LiteralWindow.stride)
            let third = unsafe mayBeGram(start + place + 2 &* LiteralWindow.stride)
            let fourth = unsafe mayBeGram(start + place + 3 &* LiteralWindow.stride)
            if (first | second | third | fourth) & 1 != 0 {
                if first & 1 != 0 { unsafe look(start, count, place, found) }
                if second & 1 != 0 { unsafe look(start, count, place &+ LiteralWindow.stride, found) }
                if third & 1 != 0 { unsafe look(start, count, place &+ 2 &* LiteralWindow.stride, found) }
                if fourth & 1 != 0 { unsafe look(start, count, place &+ 3 &* LiteralWindow.stride, found) }
            }
            place &+= 4 &* LiteralWindow.stride
        }
        while place <= count &- LiteralWindow.gramLength {
            if unsafe mayBeGram(start + place) & 1 != 0 { unsafe look(start, count, place, found) }
            place &+= LiteralWindow.stride
        }
    }

    /// In the lowest bit.
    @inline(__always)
    private func mayBeGram(_ place: UnsafeRawPointer) -> UInt64 {
        let bit = unsafe LiteralWindow.hash(gram: place.loadUnaligned(as: UInt32.self)) >> gramShift
        return unsafe grams[Int(bit >> 6)] >> UInt64(bit & 63)
    }

    /// The windows that have a gram at `place`.
    @inline(never)
    private func look(_ start: UnsafeRawPointer, _ count: Int, _ place: Int, _ found: (UInt32, UInt64) -> Void) {
        var first = max(0, place &- LiteralWindow.stride &+ 1)
        let last = min(place, count &- LiteralWindow.length)
        while first <= last {
            let window = unsafe (start + first).loadUnaligned(as: UInt64.self) | LiteralWindow.fold
            let bit = unsafe LiteralWindow.hash(window: window) >> windowShift
            if unsafe windows[Int(bit >> 6)] >> (bit & 63) & 1 != 0 {
                unsafe compare(start, count, first, window, bit, found)
            }
            first &+= 1
        }
    }

    private func compare(
        _ start: UnsafeRawPointer, _ count: Int, _ place: Int, _ window: UInt64, _ bit: UInt64,
        _ found: (UInt32, UInt64) -> Void
    ) {
        let bucket = unsafe Int(bit >> bucketShift)
        for index in unsafe Int(buckets[bucket])..<Int(buckets[bucket + 1]) {
            let record = unsafe records + index
            guard unsafe record.pointee.window == window else { continue }
            let begin = unsafe place &- Int(record.pointee.start)
            let length = unsafe Int(record.pointee.length)
            guard begin >= 0, begin &+ length <= count else { continue }
            if unsafe isEqual(start + begin, patterns + Int(record.pointee.pattern), length, record.pointee.ignoresCase)
            {
                unsafe found(record.pointee.identifier, UInt64(begin &+ length))
            }
        }
    }

    private func isEqual(
        _ bytes: UnsafeRawPointer, _ pattern: UnsafePointer<UInt8>, _ length: Int, _ ignoresCase: Bool
    ) -> Bool {
        for place in 0..<length {
            let byte = unsafe bytes.load(fromByteOffset: place, as: UInt8.self)
            if unsafe (ignoresCase ? byte.lowercased : byte) != pattern[place] { return false }
        }
        return true
    }
}

/// The eight bytes by which a literal is found, and the grams in them. All are taken without regard to case: bit 5
/// of each byte is set.
enum LiteralWindow {
    static let length = 8
    static let gramLength = 4
    /// Positions from one that is looked at to the next: each window has the first byte of a gram of its own at
    /// one of them.
    static let stride = length - gramLength + 1
    static let fold: UInt64 = 0x2020_2020_2020_2020

    /// One literal, in the order of its window's hash.
    struct Record: BitwiseCopyable {
        /// Its window, folded.
        var window: UInt64
        /// Where it is in the pattern arena; lower case if case is ignored.
        var pattern: UInt32
        var length: UInt16
        /// Where the window is in the literal.
        var start: UInt8
        var ignoresCase: Bool
        /// Index in `RuleTables.literals`.
        var identifier: UInt32
    }

    /// Fibonacci hashing (Knuth, TAOCP 3, §6.4). Not keyed: payloads chosen to collide cost no more than those
    /// that hold the beginnings of literals everywhere, which anybody can send.
    @inline(__always)
    static func hash(gram: UInt32) -> UInt32 { (gram | 0x2020_2020) &* 0x9E37_79B1 }

    /// `window` is folded.
    @inline(__always)
    static func hash(window: UInt64) -> UInt64 { window &* 0x9E37_79B9_7F4A_7C15 }
}
