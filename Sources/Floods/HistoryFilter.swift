import Sketches

/// Who was trusted in the last hours, more of them than the trust table has places for: blocked Bloom filters
/// (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", 2007) in two generations.
///
/// A question is one cache line in each. When the younger generation is full or old, it becomes the older
/// one, and what that held is forgotten. At its fullest, with 20 bits a source and eight of them set, a
/// generation takes fewer than one stranger in 2,000 for a known source.
struct HistoryFilter: ~Copyable, Sendable {
    private let lines: AtomicWords
    private let lineMask: UInt64
    /// Word 0: which generation is the younger one (0 or 1). Word 1: sources in it. Word 2: when it began.
    private let state = AtomicWords(count: 3)
    /// Sources that a generation takes in.
    let capacity: UInt64
    /// Nanoseconds for which a generation takes in sources: it is remembered for as long again.
    let age: UInt64
    private static var bits: UInt64 { 8 }

    /// For `capacity` sources a generation, rounded up so that a generation is a power of two of bytes.
    init(capacity: Int, age: UInt64) {
        var count = 1
        while count * 512 < capacity * 20 { count *= 2 }
        lines = AtomicWords(count: 2 * count * AtomicWords.wordsPerLine)
        lineMask = UInt64(count - 1)
        self.capacity = UInt64(count) * 512 / 20
        self.age = age
    }

    var memoryBytes: Int { lines.memoryBytes + state.memoryBytes }

    func contains(_ hash: UInt64) -> Bool { isIn(0, hash) || isIn(1, hash) }

    /// `time` in nanoseconds on the packets' clock.
    func insert(_ hash: UInt64, time: UInt64) {
        if state[2] == 0 { state[2] = time }
        let younger = Int(state[0] & 1)
        guard !isIn(younger, hash) else { return }
        let base = base(younger, hash)
        for bit in 0..<HistoryFilter.bits {
            let (word, mask) = place(hash, bit)
            lines[base &+ word] |= mask
        }
        state[1] = state[1] &+ 1
    }

    /// Begins a new generation if it is time. One thread alone may ask: the controller's.
    func rotate(time: UInt64) {
        let isOld = state[2] != 0 && time > state[2] && time &- state[2] > age
        guard state[1] >= capacity || isOld else { return }
        let older = Int(state[0] & 1 ^ 1)
        let start = older * (lines.count / 2)
        for word in start..<start + lines.count / 2 { lines[word] = 0 }
        state[1] = 0
        state[2] = time
        state[0] = UInt64(older)
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) {
        lines.prefetch(base(0, hash))
        lines.prefetch(base(1, hash))
    }

    @inline(__always)
    private func isIn(_ generation: Int, _ hash: UInt64) -> Bool {
        let base = base(generation, hash)
        for bit in 0..<HistoryFilter.bits {
            let (word, mask) = place(hash, bit)
            if lines[base &+ word] & mask == 0 { return false }
        }
        return true
    }

    @inline(__always)
    private func base(_ generation: Int, _ hash: UInt64) -> Int {
        generation &* (lines.count >> 1)
            &+ Int(truncatingIfNeeded: (hash & lineMask) &* UInt64(AtomicWords.wordsPerLine))
    }

    /// Bit number `bit` of a hash in its line of 512, by enhanced double hashing over the hash's upper half.
    @inline(__always)
    private func place(_ hash: UInt64, _ bit: UInt64) -> (word: Int, mask: UInt64) {
        let spread = hash >> 24 &* 0x9E37_79B9_7F4A_7C15
        let number = (spread >> 16 &+ bit &* (spread >> 40 | 1) &+ bit &* bit &* bit) & 511
        return (Int(truncatingIfNeeded: number >> 6), 1 << (number & 63))
    }
}
