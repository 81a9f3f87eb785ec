import Sketches
import Wire

/// The sources that have proved that they receive what is sent to them: a fixed number of places in sets of
/// eight, one cache line a set. In a full set one goes that was not seen since all of them were, as a clock's
/// hand finds it.
///
/// A place keeps 44 bits of the source's keyed hash beside the bits that choose the set: a stranger is
/// mistaken for a trusted source once in 2 × 10¹² packets.
struct TrustTable: ~Copyable, Sendable {
    /// 44 bits of hash, and whether it was seen since the hand last passed (bit 0). 0 is free.
    private let places: AtomicWords
    private let setMask: UInt64
    private static var ways: Int { AtomicWords.wordsPerLine }

    /// `capacity` sources, rounded up to a power of two.
    init(capacity: Int) {
        var sets = 1
        while sets * TrustTable.ways < capacity { sets *= 2 }
        places = AtomicWords(count: sets * TrustTable.ways)
        setMask = UInt64(sets - 1)
    }

    var capacity: Int { places.count }
    var memoryBytes: Int { places.memoryBytes }

    /// Whether the source with this hash is here. It is kept for longer then.
    @inline(__always)
    func contains(_ hash: UInt64) -> Bool {
        let (base, tag) = place(hash)
        for way in 0..<TrustTable.ways {
            let word = places[base &+ way]
            guard word | 1 == tag else { continue }
            // Written only when it changes: the line stays shared by all workers otherwise.
            if word != tag { places[base &+ way] = tag }
            return true
        }
        return false
    }

    /// Takes in a source; somebody else may have to go. It counts as seen from the next time on, so that a
    /// crowd of newcomers pushes out newcomers.
    func insert(_ hash: UInt64) {
        guard !contains(hash) else { return }
        let (base, tag) = place(hash)
        for way in 0..<TrustTable.ways where places[base &+ way] == 0 {
            places[base &+ way] = tag & ~1
            return
        }
        // Where the hand stands in this set is of no account, as long as it does not always stand alike.
        let hand = Int(truncatingIfNeeded: hash >> 61)
        for step in 0..<TrustTable.ways {
            let way = base &+ (hand &+ step) % TrustTable.ways
            if places[way] & 1 == 0 {
                places[way] = tag & ~1
                return
            }
        }
        // All were seen: from now on they have to be seen again.
        for way in 0..<TrustTable.ways { places[base &+ way] &= ~1 }
        places[base &+ hand] = tag & ~1
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) { places.prefetch(place(hash).base) }

    @inline(__always)
    private func place(_ hash: UInt64) -> (base: Int, tag: UInt64) {
        (Int(truncatingIfNeeded: (hash & setMask) &* UInt64(TrustTable.ways)), (hash >> 20) << 1 | 1)
    }
}
