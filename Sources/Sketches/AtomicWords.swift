public import Synchronization

/// A fixed array of words that all workers read and write, on cache-line boundaries.
///
/// Loads and stores are relaxed: what is kept here is evidence and statistics, and an update that another
/// worker overwrites is made again with the next packet.
@safe
public struct AtomicWords: ~Copyable, @unchecked Sendable {
    public static var wordsPerLine: Int { 8 }

    public let count: Int
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

    public init(count: Int) {
        self.count = count
        let bytes = unsafe TableMemory.allocate(bytes: max(1, count) * 8)
        // An atomic word has the representation of a word.
        unsafe words = unsafe bytes.bindMemory(to: Atomic<UInt64>.self, capacity: max(1, count))
    }

    deinit { unsafe words.deallocate() }

    public var memoryBytes: Int { count * 8 }

    /// `index` is masked by whoever calls.
    @inlinable @inline(__always)
    public subscript(index: Int) -> UInt64 {
        get {
            assert(index >= 0 && index < count)
            return unsafe words[index].load(ordering: .relaxed)
        }
        nonmutating set {
            assert(index >= 0 && index < count)
            unsafe words[index].store(newValue, ordering: .relaxed)
        }
    }

    /// Begins to fetch the cache line of a word.
    @inlinable @inline(__always)
    public func prefetch(_ index: Int) {
        assert(index >= 0 && index < count)
        unsafe TableMemory.prefetch(words + index)
    }

    /// Whether the word was `expected`, and is `desired` now.
    @inlinable @inline(__always)
    public func exchange(_ index: Int, _ expected: UInt64, _ desired: UInt64) -> Bool {
        assert(index >= 0 && index < count)
        return unsafe words[index].compareExchange(
            expected: expected, desired: desired, ordering: .relaxed
        ).exchanged
    }
}
