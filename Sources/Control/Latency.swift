/// How long packets waited for their verdicts, from the receipt of their batch to its answer: counts by powers of two.
/// The time in the kernel's queue before is not in it.
public struct Latency: Codable, Sendable, Equatable {
    /// Packets that took at most `bound(i)`, and more than the bound before; the last are all that took longer.
    public var counts: [UInt64]
    /// Nanoseconds, of all packets together.
    public var sum: UInt64

    /// Bounds: about 4 µs to 8 ms, beyond which a worker was held up.
    public static let buckets = 12
    /// Those, and one for what is beyond.
    public static let count = buckets + 1
    private static let firstBits = 12

    public init(counts: [UInt64] = Array(repeating: 0, count: Latency.count), sum: UInt64 = 0) {
        self.counts = counts
        self.sum = sum
    }

    /// Nanoseconds; of a bucket below `buckets`.
    public static func bound(_ bucket: Int) -> UInt64 { 1 << UInt64(firstBits + bucket) }

    /// Where `nanoseconds` is counted.
    public static func bucket(_ nanoseconds: UInt64) -> Int {
        // A bound itself is in its own bucket.
        let bits = UInt64.bitWidth - (max(1, nanoseconds) - 1).leadingZeroBitCount
        return min(max(0, bits - firstBits), buckets)
    }

    public var total: UInt64 { counts.reduce(0, &+) }

    /// Nanoseconds that a share of the packets (0…1) did not exceed, as a bound; nil where there were none, or where
    /// it is beyond the last.
    public func quantile(_ share: Double) -> UInt64? {
        let wanted = Double(total) * share
        var seen: UInt64 = 0
        for (bucket, count) in counts.prefix(Latency.buckets).enumerated() where total > 0 {
            seen &+= count
            if Double(seen) >= wanted { return Latency.bound(bucket) }
        }
        return nil
    }

    public static func + (a: Latency, b: Latency) -> Latency {
        Latency(counts: zip(a.counts, b.counts).map { $0 &+ $1 }, sum: a.sum &+ b.sum)
    }
}
