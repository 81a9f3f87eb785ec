import Synchronization
import Wire

/// What rules remember of hosts and pairs of hosts: `hostbits` and `xbits`. Fixed in size; shared by the
/// workers of a sensor, since the packets of a host meet all of them.
///
/// A set of places for each hash, each a word with the expiry and a tag of the hash. When a set is full the
/// bit that would expire first goes, and is counted. Two keys with the same set and the same 32-bit tag are
/// taken for one; the hash is keyed, so that nobody can choose them.
@safe
public final class HostBits: Sendable {
    /// Upper half the tag, lower half the second of the Unix epoch at which the bit expires; 0 for free.
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

    private static func tag(_ key: Key) -> UInt64 { key.hash >> 32 | 1 }

    /// `second` counts from the Unix epoch.
    func isSet(_ key: Key, second: UInt32) -> Bool {
        let set = unsafe sets[key]
        for way in 0..<HostSets<Atomic<UInt64>>.ways {
            let word = unsafe set[way].load(ordering: .relaxed)
            if word >> 32 == HostBits.tag(key), UInt32(truncatingIfNeeded: word) > second { return true }
        }
        return false
    }

    func set(_ key: Key, second: UInt32, expires: UInt32) {
        let set = unsafe sets[key]
        var best = 0
        var bestRank = UInt64.max
        for way in 0..<HostSets<Atomic<UInt64>>.ways {
            let word = unsafe set[way].load(ordering: .relaxed)
            // The same bit, then what is free or expired, then what expires first.
            let end = UInt64(UInt32(truncatingIfNeeded: word))
            let rank = word >> 32 == HostBits.tag(key) ? 0 : end <= UInt64(second) ? 1 : end + 2
            if rank < bestRank { (best, bestRank) = (way, rank) }
        }
        if bestRank > 1 { sets.evict() }
        let (end, overflows) = second.addingReportingOverflow(expires)
        unsafe set[best].store(HostBits.tag(key) << 32 | UInt64(overflows ? .max : end), ordering: .relaxed)
    }

    func unset(_ key: Key) {
        let set = unsafe sets[key]
        for way in 0..<HostSets<Atomic<UInt64>>.ways
        where unsafe set[way].load(ordering: .relaxed) >> 32 == HostBits.tag(key) {
            unsafe set[way].store(0, ordering: .relaxed)
        }
    }
}
