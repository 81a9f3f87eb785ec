import Synchronization
import Wire

/// How often rules matched, for which host, pair or flow: what thresholds count. Fixed in size; shared by the
/// workers of a sensor, since the flows of a host meet all of them.
///
/// A set of records for each hash; when it is full, the record that would be over first goes, and is counted.
/// Nothing waits for anything: workers that meet in one record in the same instant may be one match off, and a
/// record that changes hands begins at nought.
@safe
public final class ThresholdTable: Sendable {
    /// 32 bytes.
    struct Record: ~Copyable {
        /// 0 while it is free, or changes hands.
        let key = Atomic<UInt64>(0)
        /// Nanoseconds since the Unix epoch: when the time in which is counted began, and since when a rate
        /// filter's new action stands, 0 if it does not.
        let start = Atomic<UInt64>(0)
        let since = Atomic<UInt64>(0)
        let count = Atomic<UInt32>(0)
        /// Seconds after which nothing of it matters any more.
        let lifetime = Atomic<UInt32>(0)

        func end() -> UInt64 {
            let latest = max(start.load(ordering: .relaxed), since.load(ordering: .relaxed))
            return latest &+ UInt64(lifetime.load(ordering: .relaxed)) &* 1_000_000_000
        }
    }

    private let sets: HostSets<Record>

    /// Room for at least `capacity` records.
    public init(capacity: Int, seed: UInt64 = .random(in: .min ... .max)) {
        sets = HostSets(capacity: capacity, seed: seed) { Record() }
    }

    var secret: SecretHash { sets.secret }
    public var memoryBytes: Int { sets.memoryBytes }
    /// Records that had to go while they still mattered.
    public var evicted: UInt64 { sets.evicted }

    /// The record of a key, made if there is none: `isNew` says so, and its count is then 1 and its time begins
    /// at `time`. nil if others took every place in the same instant.
    func record(
        _ key: HostKey, time: UInt64, lifetime: UInt32
    ) -> (record: UnsafeMutablePointer<Record>, isNew: Bool)? {
        let set = unsafe sets[key]
        for _ in 0..<HostSets<Record>.ways {
            var best = 0
            var bestKey: UInt64 = 0
            var bestRank = UInt64.max
            for way in 0..<HostSets<Record>.ways {
                let other = unsafe set[way].key.load(ordering: .acquiring)
                if other == key.hash { return unsafe (set + way, false) }
                // What is free or over, then what is over first.
                let end = other == 0 ? 0 : unsafe set[way].end()
                let rank = end < time ? 0 : end
                if rank < bestRank { (best, bestKey, bestRank) = (way, other, rank) }
            }
            let record = unsafe set + best
            let isTaken = unsafe record.pointee.key.compareExchange(
                expected: bestKey, desired: 0, ordering: .acquiringAndReleasing
            ).exchanged
            guard isTaken else { continue }
            if bestRank != 0 { sets.evict() }
            unsafe record.pointee.start.store(time, ordering: .relaxed)
            unsafe record.pointee.since.store(0, ordering: .relaxed)
            unsafe record.pointee.count.store(1, ordering: .relaxed)
            unsafe record.pointee.lifetime.store(lifetime, ordering: .relaxed)
            unsafe record.pointee.key.store(key.hash, ordering: .releasing)
            return unsafe (record, true)
        }
        return nil
    }
}

extension ThresholdTable.Record {
    /// Counts a match at `time`, in a time of `seconds`; what it comes to. One that is over begins anew, with 1.
    func add(time: UInt64, seconds: UInt32) -> UInt32 {
        let began = start.load(ordering: .relaxed)
        if time > began &+ UInt64(seconds) &* 1_000_000_000,
            start.compareExchange(expected: began, desired: time, ordering: .relaxed).exchanged
        {
            count.store(1, ordering: .relaxed)
            return 1
        }
        return increment()
    }

    /// Stays at the top.
    func increment() -> UInt32 {
        let count = count.wrappingAdd(1, ordering: .relaxed)
        if count.newValue != 0 { return count.newValue }
        self.count.store(.max, ordering: .relaxed)
        return .max
    }
}
