import Sketches
import Synchronization
public import Wire

/// Whose new conversations are refused, or whose packets, and at which guest: written by one thread, read by all
/// workers.
///
/// Fixed memory: a line of eight words a hash, each 40 bits of it and the second in which it ends, so that a stranger
/// is taken for a refused source once in some billions. Nobody looks in while nobody is refused.
@safe
public struct Refusals: ~Copyable, @unchecked Sendable {
    private let lines: Int
    /// Seconds for which a source is refused, from the last time that it was seen to go on.
    public static var duration: UInt64 { 60 }

    private let words: AtomicWords
    private let secret: SecretHash
    /// Nanoseconds, when the last of them ends; 0 for none.
    private let end = Atomic<UInt64>(0)

    /// `lines` is a power of two.
    init(secret: SecretHash, lines: Int = 512) {
        self.secret = secret
        self.lines = lines
        words = AtomicWords(count: lines * AtomicWords.wordsPerLine)
    }

    var memoryBytes: Int { words.memoryBytes }

    /// `guest` is the index of the guest at which it is refused; -1 for everywhere. Times in nanoseconds, `duration` in
    /// seconds. Returns false, and refuses nobody, where only the place of one whose time is not over is left; with
    /// `displaces` that is taken, of those that end first.
    @discardableResult
    public func add(
        _ source: Address, at guest: Int32, time: UInt64, duration: UInt64 = Refusals.duration, displaces: Bool = true
    ) -> Bool {
        let hash = hash(source, guest)
        let base = line(hash)
        let now = time / 1_000_000_000
        let until = now &+ duration
        var least = base
        for index in base..<base + AtomicWords.wordsPerLine {
            if words[index] >> 24 == hash >> 24 {
                least = index
                break
            }
            if words[index] & 0xFF_FFFF < words[least] & 0xFF_FFFF { least = index }
        }
        let isFree = words[least] >> 24 == hash >> 24 || words[least] & 0xFF_FFFF < now & 0xFF_FFFF
        guard isFree || displaces else { return false }
        words[least] = hash & ~0xFF_FFFF | until & 0xFF_FFFF
        end.store(max(end.load(ordering: .relaxed), time &+ (duration + 1) * 1_000_000_000), ordering: .relaxed)
        return true
    }

    /// Refuses it no more.
    public func remove(_ source: Address, at guest: Int32) {
        let hash = hash(source, guest)
        let base = line(hash)
        for index in base..<base + AtomicWords.wordsPerLine where words[index] >> 24 == hash >> 24 { words[index] = 0 }
    }

    /// Forgets all: the guests' numbers are others.
    func removeAll() {
        for index in 0..<words.count { words[index] = 0 }
        end.store(0, ordering: .relaxed)
    }

    /// Whether any source is refused.
    @inline(__always)
    public func isActive(_ time: UInt64) -> Bool { time < end.load(ordering: .relaxed) }

    /// Whether a conversation that `source` begins with a host of guest `guest` is refused.
    @inline(never)
    public func refuse(_ source: Address, at guest: Int32, time: UInt64) -> Bool {
        contains(hash(source, guest), time) || guest >= 0 && contains(hash(source, -1), time)
    }

    private func contains(_ hash: UInt64, _ time: UInt64) -> Bool {
        let base = line(hash)
        let now = time / 1_000_000_000 & 0xFF_FFFF
        for index in base..<base + AtomicWords.wordsPerLine where words[index] >> 24 == hash >> 24 {
            return words[index] & 0xFF_FFFF >= now
        }
        return false
    }

    private func hash(_ source: Address, _ guest: Int32) -> UInt64 {
        secret.hash(source, UInt64(UInt32(bitPattern: guest))) | 1 << 63
    }

    private func line(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash & UInt64(lines - 1)) * AtomicWords.wordsPerLine
    }
}
