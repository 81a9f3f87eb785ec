import Synchronization
import Wire

/// What rules remember of hosts and pairs of hosts: `hostbits` and `xbits`. Fixed in size; shared by the
/// workers of a sensor, since the packets of a host meet all of them.
///
/// A set of places for each hash, each a word with the expiry and a tag of the hash. When a set is full the
/// bit that would expire first goes, and is counted. Two keys with the same set and the same 28-bit tag are
/// taken for one; the hash is keyed, so that nobody can choose them.
@safe
public final class HostBits: Sendable {
    /// Above `timeBits` the tag, below the tick in which the bit expires; 0 for free.
    private let sets: HostSets<Atomic<UInt64>>

    /// Room for at least `capacity` bits.
    public init(capacity: Int, seed: UInt64 = .random(in: .min ... .max)) {
        sets = HostSets(capacity: capacity, seed: seed) { Atomic(0) }
    }

    public var memoryBytes: Int { sets.memoryBytes }
    /// Bits that had to go before they expired.
    public var evicted: UInt64 { sets.evicted }

    typealias Key = HostKey

    /// Whose bit: the number of its name, and a host, or two for a pair in either order.
    func key(_ number: UInt16, _ first: Address, _ second: Address = .none) -> Key {
        Key(UInt64(number), first, second, secret: sets.secret)
    }

    private static func tag(_ key: Key) -> UInt64 { key.hash >> timeBits | 1 }

    /// Sixteenths of a second since the Unix epoch, until the year 2106.
    private static let timeBits: UInt64 = 36
    private static let timeMask: UInt64 = 1 << timeBits - 1

    /// `time`: nanoseconds since the Unix epoch.
    static func tick(_ time: UInt64) -> UInt64 { time / 62_500_000 }

    func isSet(_ key: Key, tick: UInt64) -> Bool {
        let set = unsafe sets[key]
        for way in 0..<HostSets<Atomic<UInt64>>.ways {
            let word = unsafe set[way].load(ordering: .relaxed)
            if word >> HostBits.timeBits == HostBits.tag(key), word & HostBits.timeMask >= tick { return true }
        }
        return false
    }

    /// A bit that is set stays as it is: its time runs from when it was set first (Suricata's HostBitSet).
    /// `expires`: in how many seconds.
    func set(_ key: Key, tick: UInt64, expires: UInt32) {
        let set = unsafe sets[key]
        var best = 0
        var bestRank = UInt64.max
        for way in 0..<HostSets<Atomic<UInt64>>.ways {
            let word = unsafe set[way].load(ordering: .relaxed)
            // The same bit, then what is free or expired, then what expires first.
            let end = word & HostBits.timeMask
            let isSame = word >> HostBits.timeBits == HostBits.tag(key)
            if isSame, end >= tick { return }
            let rank = isSame ? 0 : end < tick ? 1 : end + 2
            if rank < bestRank { (best, bestRank) = (way, rank) }
        }
        if bestRank > 1 { sets.evict() }
        let end = min(tick + UInt64(expires) << 4, HostBits.timeMask)
        unsafe set[best].store(HostBits.tag(key) << HostBits.timeBits | end, ordering: .relaxed)
    }

    func unset(_ key: Key) {
        let set = unsafe sets[key]
        for way in 0..<HostSets<Atomic<UInt64>>.ways
        where unsafe set[way].load(ordering: .relaxed) >> HostBits.timeBits == HostBits.tag(key) {
            unsafe set[way].store(0, ordering: .relaxed)
        }
    }
}
