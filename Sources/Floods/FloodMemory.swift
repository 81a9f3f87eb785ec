import Sketches
import Synchronization
import Wire

/// What is known of sources, for all workers: trusted ones, heavy ones, how many there are. Fixed memory, all
/// of it touched at the start. It outlives the programs: who was trusted before a reload is trusted after it.
@safe
public final class FloodMemory: @unchecked Sendable {
    /// How large the tables are. The defaults take 20 MiB whatever the number of workers.
    public struct Sizes: Sendable {
        /// Sources in the trust table, and in each of the history's two generations.
        public var trusted = 1 << 19
        public var remembered = 800_000
        /// Sources whose addresses are kept for the kernel, for all workers together.
        public var addresses = 1 << 16
        /// The same of sources that sent their SYN again and proved nothing.
        public var repeatedAddresses = 1 << 12
        /// Lines of 64 bytes of `FirstSeen` and of `ChallengeAnswers`, for all workers together.
        public var requestLines = 1 << 17
        public var answerLines = 1 << 12
        /// Sketches of distinct sources, 4 KiB each: classes at hosts that can be counted at the same time.
        public var sketches = 256

        public init() {}
    }

    public let workerCount: Int
    let sources: UnsafeMutablePointer<KnownSources>
    private let sieves: UnsafeMutablePointer<Sieve>

    /// `seed` keys the tables. On a live network nobody may know it.
    public init(workers: Int, sizes: Sizes = Sizes(), seed: UInt64 = .random(in: .min ... .max)) {
        workerCount = max(1, workers)
        unsafe sources = .allocate(capacity: 1)
        unsafe sources.initialize(to: KnownSources(sizes, seed: seed))
        unsafe sieves = .allocate(capacity: workerCount)
        for worker in 0..<workerCount {
            unsafe (sieves + worker).initialize(
                to: Sieve(
                    sources: sources, requestLines: FloodMemory.share(sizes.requestLines, workerCount),
                    answerLines: FloodMemory.share(sizes.answerLines, workerCount),
                    trusted: FloodMemory.share(sizes.addresses, workerCount),
                    repeated: FloodMemory.share(sizes.repeatedAddresses, workerCount)))
        }
    }

    deinit {
        unsafe sieves.deinitialize(count: workerCount)
        unsafe sieves.deallocate()
        unsafe sources.deinitialize(count: 1)
        unsafe sources.deallocate()
    }

    /// The sieve of a worker, which alone may use it.
    @safe
    public func sieve(_ worker: Int) -> UnsafeMutablePointer<Sieve> {
        precondition((0..<workerCount).contains(worker))
        return unsafe sieves + worker
    }

    /// The sources that proved themselves at `time` or later, as far as their addresses are kept; for the kernel.
    public func trustedAddresses(since time: UInt64) -> [Address] {
        let hash = unsafe sources.pointee.hash
        return list { $0.trustedAddresses.list(since: time, { hash.hash($0) }, into: &$1) }
    }

    /// The sources that proved nothing and whose SYN passed at `time` or later because it came again, to hosts whose
    /// other TCP is attacked; for the kernel, as far as their addresses are kept.
    public func repeatedAddresses(since time: UInt64) -> [Address] {
        let hash = unsafe sources.pointee.hash
        return list { $0.repeatedAddresses.list(since: time, { hash.hash($0) }, into: &$1) }
    }

    private func list(_ append: (borrowing Sieve, inout [Address]) -> Void) -> [Address] {
        var list: [Address] = []
        for worker in 0..<workerCount { unsafe append(sieves[worker], &list) }
        return list
    }

    public var memoryBytes: Int {
        (0..<workerCount).reduce(unsafe sources.pointee.memoryBytes) { unsafe $0 + sieves[$1].memoryBytes }
    }

    /// The largest power of two that all workers can have.
    private static func share(_ lines: Int, _ workers: Int) -> Int {
        var share = 1
        while share * 2 * workers <= lines { share *= 2 }
        return share
    }
}

/// The part of it that all workers read and write.
struct KnownSources: ~Copyable, @unchecked Sendable {
    let hash: SecretHash
    let cookies = Cookies()
    let trust: TrustTable
    let history: HistoryFilter
    let ceilings = SourceCeilings()
    let rates = RateSketch()
    let heavy = HeavySources()
    let denials = Denials()
    let sketches: DistinctSketches
    let shapes = RequestShapes()
    /// Challenges that the sensor may send: to SYNs that look like the flood, and to all.
    let hostileChallenges = Gate()
    let challenges = Gate()

    /// Challenges a second: at a million SYNs a second this is one in a hundred, and no more than 5 Mbit/s. Of them
    /// so many go to SYNs that look like the flood.
    static let challengeRate: UInt32 = 10_000
    static let hostileChallengeRate: UInt32 = 2_000
    /// Nanoseconds that the history takes in sources before a generation is old: twelve hours.
    private static let age: UInt64 = 12 * 3600 * 1_000_000_000

    init(_ sizes: FloodMemory.Sizes, seed: UInt64) {
        hash = SecretHash(seed: seed)
        trust = TrustTable(capacity: sizes.trusted)
        history = HistoryFilter(capacity: sizes.remembered, age: KnownSources.age)
        sketches = DistinctSketches(count: sizes.sketches)
        challenges.set(.throttle(KnownSources.challengeRate))
        hostileChallenges.set(.throttle(KnownSources.hostileChallengeRate))
    }

    var memoryBytes: Int {
        trust.memoryBytes + history.memoryBytes + ceilings.memoryBytes + rates.memoryBytes
            + HeavySources.memoryBytes + denials.memoryBytes + sketches.memoryBytes
            + shapes.memoryBytes
    }

    /// Whether one more challenge may be sent, to a SYN of this shape. What does not look like the flood has most of
    /// what there is, and so need not wait for luck.
    func mayChallenge(_ shape: RequestShapes.Place, _ time: UInt64) -> Bool {
        if shapes.isHostile(shape), hostileChallenges.ask(time) != .open { return false }
        return challenges.ask(time) == .open
    }

    func isTrusted(_ hash: UInt64) -> Bool { trust.contains(hash) || history.contains(hash) }

    /// Begins to fetch what `isTrusted` looks into.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        trust.prefetch(hash)
        history.prefetch(hash)
    }

    func vouch(_ hash: UInt64, time: UInt64) {
        trust.insert(hash)
        history.insert(hash, time: time)
    }
}
