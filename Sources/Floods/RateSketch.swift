import Sketches

/// How many packets each source sent in the current second, in fixed space: a count-min sketch (Cormode and
/// Muthukrishnan, "An improved data stream summary", 2005) of four rows of 16,384 counts.
///
/// The estimate is never too low but for what two workers counted at the same instant, and with a million
/// packets a second from everywhere it is more than 166 too high for one source in fifty. What tells sources
/// apart begins at a multiple of that.
struct RateSketch: ~Copyable, Sendable {
    static var rows: Int { 4 }
    static var columns: Int { 1 << 14 }
    /// The second a count is of (bits 63…32), and the count. A count of another second is 0.
    private let counts = AtomicWords(count: rows * columns)

    var memoryBytes: Int { counts.memoryBytes }

    /// Counts a packet of the source with this hash, and says how many it was in this second.
    @inline(__always)
    func count(_ hash: UInt64, time: UInt64) -> UInt32 {
        // 2³⁰ ns.
        let second = time >> 30 & 0xFFFF_FFFF
        var least = UInt32.max
        var bits = hash
        for row in 0..<RateSketch.rows {
            let index = row &* RateSketch.columns &+ Int(truncatingIfNeeded: bits & UInt64(RateSketch.columns - 1))
            bits >>= 14
            let word = counts[index]
            let count = word >> 32 == second ? UInt32(truncatingIfNeeded: word) &+ 1 : 1
            counts[index] = second << 32 | UInt64(count)
            least = min(least, count)
        }
        return least
    }
}

/// A rate for each source that may not be exceeded, in fixed space: two rows of token buckets, each bucket
/// the theoretical arrival time of the generic cell rate algorithm. A source may send while one of its two
/// buckets allows it, so that it takes two collisions to be held back on another's account.
struct SourceCeilings: ~Copyable, Sendable {
    static var columns: Int { 1 << 14 }
    private let arrivals = AtomicWords(count: 2 * columns)
    /// A second's packets may come at once.
    private static var burst: UInt64 { 1_000_000_000 }

    var memoryBytes: Int { arrivals.memoryBytes }

    /// Whether a packet of this source is within `rate` a second; if so, it counts.
    func allow(_ hash: UInt64, rate: UInt32, time: UInt64) -> Bool {
        let interval = 1_000_000_000 / UInt64(max(1, rate))
        let first = Int(truncatingIfNeeded: hash & UInt64(SourceCeilings.columns - 1))
        let second =
            SourceCeilings.columns &+ Int(truncatingIfNeeded: hash >> 20 & UInt64(SourceCeilings.columns - 1))
        let (one, two) = (start(first, time), start(second, time))
        let latest = time &+ SourceCeilings.burst - min(interval, SourceCeilings.burst)
        guard min(one, two) <= latest else { return false }
        arrivals[first] = min(one, latest) &+ interval
        arrivals[second] = min(two, latest) &+ interval
        return true
    }

    /// When the next packet of this bucket is due. Further ahead than workers' clocks can differ, it is from
    /// before the clock stepped back.
    private func start(_ index: Int, _ time: UInt64) -> UInt64 {
        let expected = arrivals[index]
        return expected > time && expected - time <= SourceCeilings.burst &+ Gate.clockSkew ? expected : time
    }
}
