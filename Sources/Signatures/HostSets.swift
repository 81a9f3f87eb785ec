import Synchronization
import Wire

/// Places for what is remembered of hosts, in sets of eight that are found by a keyed hash. Fixed in size; shared by the
/// workers of a sensor, since the packets of a host meet all of them. Which place of a full set goes is up to whoever
/// remembers, and counted here.
@safe
struct HostSets<Place: ~Copyable>: ~Copyable, @unchecked Sendable {
    static var ways: Int { 8 }

    let secret: SecretHash
    private let count: Int
    private let places: UnsafeMutablePointer<Place>
    private let lost = Atomic<UInt64>(0)

    /// Room for at least `capacity` places, each as `empty` makes it.
    init(capacity: Int, seed: UInt64, _ empty: () -> Place) {
        var count = 1
        while count * HostSets.ways < capacity { count *= 2 }
        self.count = count
        secret = SecretHash(seed: seed)
        unsafe places = .allocate(capacity: count * HostSets.ways)
        for i in 0..<count * HostSets.ways { unsafe (places + i).initialize(to: empty()) }
    }

    deinit {
        unsafe places.deinitialize(count: count * HostSets.ways)
        unsafe places.deallocate()
    }

    var memoryBytes: Int { count * HostSets.ways * MemoryLayout<Place>.stride }

    /// The first of the set of a key.
    @inline(__always)
    subscript(key: HostKey) -> UnsafeMutablePointer<Place> {
        unsafe places + Int(truncatingIfNeeded: key.hash & UInt64(count - 1)) * HostSets.ways
    }

    /// Places that were taken from what still mattered.
    var evicted: UInt64 { lost.load(ordering: .relaxed) }
    func evict() { lost.wrappingAdd(1, ordering: .relaxed) }
}
