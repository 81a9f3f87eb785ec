import Synchronization

/// Lets other threads read what one thread writes, and know whether it stood meanwhile; the writer never waits (a
/// sequence lock: H.-J. Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", MSPC 2012).
///
/// On a cache line of its own, which only a reader takes from the writer.
@safe
struct ChangeCount: @unchecked Sendable, BitwiseCopyable {
    /// Odd while something changes.
    private let number: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        unsafe number = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
            .bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        unsafe number.initialize(to: Atomic(0))
    }

    func deallocate() { unsafe UnsafeMutableRawPointer(number).deallocate() }

    // MARK: - The writer's side

    /// Before a change; not within another.
    @inline(__always)
    func begin() {
        unsafe number.pointee.store(number.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
    }

    @inline(__always)
    func end() {
        unsafe number.pointee.store(number.pointee.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }

    // MARK: - A reader's side

    /// How far it is; nil while something changes.
    var standing: UInt64? {
        let now = unsafe number.pointee.load(ordering: .acquiring)
        return now & 1 == 0 ? now : nil
    }

    /// Whether all that was read since then stood.
    func stands(since before: UInt64) -> Bool {
        atomicMemoryFence(ordering: .acquiring)
        return unsafe number.pointee.load(ordering: .relaxed) == before
    }
}
