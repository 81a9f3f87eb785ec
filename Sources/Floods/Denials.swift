import Sketches
import Synchronization
import Wire

/// A single source that sends more than a share of a class at a host, as the controller needs to know it.
public struct HeavySource: Sendable, Equatable {
    public var address: Address
    public var slot: Int
    public var classNumber: Int
    /// Packets in the second in which it was last noted, so far.
    public var count: UInt32
    /// Nanoseconds on the packets' clock.
    public var time: UInt64
}

/// The heaviest single sources: the top of the rate sketch, 32 places of which the lightest goes. Workers
/// write here when a source's count passes a multiple of the mark, which is seldom; whoever finds the list in
/// use goes on, and comes again at the next multiple.
@safe
final class HeavySources: Sendable {
    static let capacity = 32
    /// A source that was not noted for two seconds gives up its place.
    private static let memory: UInt64 = 2_000_000_000

    private let isBusy = Atomic<Bool>(false)
    nonisolated(unsafe) private let places: UnsafeMutablePointer<HeavySource>

    init() {
        unsafe places = .allocate(capacity: HeavySources.capacity)
        let none = HeavySource(address: .none, slot: 0, classNumber: 0, count: 0, time: 0)
        unsafe places.initialize(repeating: none, count: HeavySources.capacity)
    }

    deinit { unsafe places.deallocate() }

    static var memoryBytes: Int { capacity * MemoryLayout<HeavySource>.stride }

    func note(_ source: HeavySource) {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else { return }
        defer { isBusy.store(false, ordering: .releasing) }
        var lightest = 0
        var weight = UInt32.max
        for index in 0..<HeavySources.capacity {
            let place = unsafe places[index]
            if place.address == source.address, place.slot == source.slot, place.classNumber == source.classNumber {
                unsafe places[index] = source
                return
            }
            let isOver = source.time > place.time && source.time - place.time > HeavySources.memory
            let count = isOver ? 0 : place.count
            if count < weight { (lightest, weight) = (index, count) }
        }
        if weight < source.count { unsafe places[lightest] = source }
    }

    /// Those noted since `time`, the heaviest first. The controller's; workers go on meanwhile.
    func list(since time: UInt64) -> [HeavySource] {
        // A worker is done in less than a microsecond.
        for _ in 0..<1_000 {
            guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
                continue
            }
            defer { isBusy.store(false, ordering: .releasing) }
            return (0..<HeavySources.capacity).map { unsafe places[$0] }
                .filter { $0.time > 0 && $0.time >= time }
                .sorted { $0.count > $1.count }
        }
        return []
    }
}

/// Single sources that are refused for a while: a class at a host each, so that who spoofs the address of a
/// name server to one guest's web port takes nothing else from it. 256 places, and no more.
struct Denials: ~Copyable, Sendable {
    static var sets: Int { 32 }
    /// 40 bits of the hash of source, host and class, and until when, in units of 2²⁷ ns. 0 is free.
    private let places = AtomicWords(count: sets * AtomicWords.wordsPerLine)
    private static var unit: UInt64 { 27 }
    private static var timeMask: UInt64 { 0xFF_FFFF }

    var memoryBytes: Int { places.memoryBytes }

    @inline(__always)
    func contains(_ hash: UInt64, time: UInt64) -> Bool {
        let base = base(hash)
        let now = time >> Denials.unit & Denials.timeMask
        for way in 0..<AtomicWords.wordsPerLine {
            let word = places[base &+ way]
            if word >> 24 == hash >> 24, word & Denials.timeMask >= now { return true }
        }
        return false
    }

    /// Refuses a source until `end`, or for longer if it is refused already. Returns false when there is no
    /// place for it: that of one whose time is not over is not taken.
    @discardableResult
    func insert(_ hash: UInt64, until end: UInt64, time: UInt64) -> Bool {
        let base = base(hash)
        let now = time >> Denials.unit & Denials.timeMask
        let word = hash & ~Denials.timeMask | end >> Denials.unit & Denials.timeMask
        var free: Int?
        for way in 0..<AtomicWords.wordsPerLine {
            let place = places[base + way]
            if place >> 24 == hash >> 24 {
                places[base + way] = word
                return true
            }
            if place & Denials.timeMask < now { free = base + way }
        }
        guard let free else { return false }
        places[free] = word
        return true
    }

    /// How many are refused now.
    func count(time: UInt64) -> Int {
        let now = time >> Denials.unit & Denials.timeMask
        return (0..<places.count).count { places[$0] != 0 && places[$0] & Denials.timeMask >= now }
    }

    private func base(_ hash: UInt64) -> Int { Int(hash & UInt64(Denials.sets - 1)) * AtomicWords.wordsPerLine }
}
