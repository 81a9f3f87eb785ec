import Sketches
import Wire

/// The addresses of sources that did something lately, so that the kernel can be told of them: a fixed number of
/// places in sets of four, of which a new one takes the oldest. One worker writes; the controller reads.
///
/// The trust table itself keeps hashes, which nobody can turn back. A place is the address and a word of time and
/// hash: one that was read while it was written has a wrong hash, and is passed over.
struct RecentAddresses: ~Copyable, Sendable {
    private let words: AtomicWords
    private let setMask: UInt64
    private static var ways: Int { 4 }
    private static var wordsPerPlace: Int { 3 }
    /// 2³⁰ ns.
    private static var unit: UInt64 { 30 }

    /// `capacity` sources, rounded up to a power of two.
    init(capacity: Int) {
        var sets = 1
        while sets * RecentAddresses.ways < capacity { sets *= 2 }
        words = AtomicWords(count: sets * RecentAddresses.ways * RecentAddresses.wordsPerPlace)
        setMask = UInt64(sets - 1)
    }

    var memoryBytes: Int { words.memoryBytes }

    /// Takes note of a source; `hash` is its keyed hash. Most of the time it is here, and nothing is written.
    func note(_ address: Address, _ hash: UInt64, time: UInt64) {
        let stamp = RecentAddresses.stamp(hash, time)
        let base =
            Int(truncatingIfNeeded: hash >> 8 & setMask) &* RecentAddresses.ways &* RecentAddresses.wordsPerPlace
        var oldest = base
        for way in 0..<RecentAddresses.ways {
            let place = base &+ way &* RecentAddresses.wordsPerPlace
            if words[place] == address.high, words[place &+ 1] == address.low {
                if words[place &+ 2] != stamp { words[place &+ 2] = stamp }
                return
            }
            if words[place &+ 2] >> 32 < words[oldest &+ 2] >> 32 { oldest = place }
        }
        words[oldest &+ 2] = 0
        words[oldest] = address.high
        words[oldest &+ 1] = address.low
        words[oldest &+ 2] = stamp
    }

    /// Appends the sources noted at `time` or later (nanoseconds, to about a second).
    func list(since time: UInt64, _ hash: (Address) -> UInt64, into list: inout [Address]) {
        let earliest = time >> RecentAddresses.unit & 0xFFFF_FFFF
        for place in stride(from: 0, to: words.count, by: RecentAddresses.wordsPerPlace) {
            let stamp = words[place + 2]
            guard stamp != 0, stamp >> 32 >= earliest else { continue }
            let address = Address(high: words[place], low: words[place + 1])
            if stamp & 0xFFFF_FFFF == hash(address) & 0xFFFF_FFFF { list.append(address) }
        }
    }

    private static func stamp(_ hash: UInt64, _ time: UInt64) -> UInt64 { (time >> unit) << 32 | hash & 0xFFFF_FFFF }
}
