import Synchronization

/// A ring of events, or of other small records, from one worker to the one thread that reads them.
///
/// One producer, one consumer, neither ever waits: the producer that finds the ring full counts the
/// event as lost and goes on. Head and tail are counts that only grow; a count masked with the
/// capacity is a slot. Each side keeps what the other reads of it on a cache line of its own (two
/// lines apart, because the prefetcher fetches them in pairs), and the producer remembers the last
/// head that it saw, so that an append touches the consumer's line once a lap and not once an event.
///
/// All pointers here reference memory that this object allocates and frees. Whoever holds a `Writer`
/// must also keep the ring.
@safe
public final class Ring<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Events the ring holds.
    public let capacity: Int

    /// The producer's side, for the worker to own. A plain struct of pointers: appending neither
    /// allocates, locks, nor counts references.
    @frozen
    @safe
    public struct Writer: ~Copyable, @unchecked Sendable {
        @usableFromInline
        let shared: UnsafeMutablePointer<RingCounts>
        @usableFromInline
        let slots: UnsafeMutablePointer<Element>
        @usableFromInline
        let mask: UInt64
        @usableFromInline
        var tail: UInt64
        /// The head when last looked at; the true one is never behind it.
        @usableFromInline
        var knownHead: UInt64

        @usableFromInline
        init(shared: UnsafeMutablePointer<RingCounts>, slots: UnsafeMutablePointer<Element>, mask: UInt64) {
            unsafe self.shared = shared
            unsafe self.slots = slots
            self.mask = mask
            tail = unsafe shared.pointee.tail.load(ordering: .relaxed)
            knownHead = unsafe shared.pointee.head.load(ordering: .acquiring)
        }

        /// Returns false, and counts the event as lost, when the ring is full.
        @inlinable
        @discardableResult
        public mutating func append(_ event: borrowing Element) -> Bool {
            if tail &- knownHead > mask {
                knownHead = unsafe shared.pointee.head.load(ordering: .acquiring)
                if tail &- knownHead > mask {
                    // One writer: a load and a store are an increment.
                    let lost = unsafe shared.pointee.lost.load(ordering: .relaxed)
                    unsafe shared.pointee.lost.store(lost &+ 1, ordering: .relaxed)
                    return false
                }
            }
            unsafe slots[Int(truncatingIfNeeded: tail & mask)] = copy event
            tail &+= 1
            unsafe shared.pointee.tail.store(tail, ordering: .releasing)
            return true
        }

        /// Whether more than half of the ring waits to be drained.
        public var isHalfFull: Bool {
            let head = unsafe shared.pointee.head.load(ordering: .relaxed)
            return (tail &- head) > mask >> 1
        }
    }

    private let shared: UnsafeMutablePointer<RingCounts>
    private let slots: UnsafeMutablePointer<Element>
    private let hasWriter = Atomic<Bool>(false)
    /// Slots given back to the producer at a time while draining.
    private static var stride: Int { 64 }

    /// `capacity` is a power of two, 2…2²⁰; anything else is a programmer's error.
    public init(capacity: Int) {
        precondition(
            (2...1 << 20).contains(capacity) && capacity.nonzeroBitCount == 1,
            "a ring's capacity is a power of two from 2 to 1,048,576")
        self.capacity = capacity
        // Aligned to two cache lines, so that the padding separates what it is meant to.
        unsafe shared = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<RingCounts>.stride, alignment: 128
        ).bindMemory(to: RingCounts.self, capacity: 1)
        unsafe shared.initialize(to: RingCounts())
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        unsafe shared.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(shared).deallocate()
        // Events are plain bytes: there is nothing to deinitialise.
        unsafe slots.deallocate()
    }

    /// The one writer of this ring. Asking twice is a programmer's error: two would corrupt it.
    public func makeWriter() -> Writer {
        let taken = hasWriter.exchange(true, ordering: .relaxed)
        precondition(!taken, "a ring has one writer")
        return unsafe Writer(shared: shared, slots: slots, mask: UInt64(capacity - 1))
    }

    /// Gives up to `max` waiting events to `body`, oldest first, and returns how many. Only one thread
    /// may drain at a time.
    @discardableResult
    public func drain(max: Int, _ body: (borrowing Element) -> Void) -> Int {
        let head = unsafe shared.pointee.head.load(ordering: .relaxed)
        let tail = unsafe shared.pointee.tail.load(ordering: .acquiring)
        let count = Swift.min(Int(truncatingIfNeeded: tail &- head), max)
        guard count > 0 else { return 0 }
        let mask = UInt64(capacity - 1)
        for index in 0..<count {
            let position = head &+ UInt64(index)
            body(unsafe slots[Int(truncatingIfNeeded: position & mask)])
            // Given back in small portions, so that a slow sink does not keep the whole ring shut.
            if index % Ring.stride == Ring.stride - 1 || index == count - 1 {
                unsafe shared.pointee.head.store(position &+ 1, ordering: .releasing)
            }
        }
        return count
    }

    /// Events that found the ring full, since it was made.
    public var lost: UInt64 { unsafe shared.pointee.lost.load(ordering: .relaxed) }

    /// Events waiting now. Exact only for the thread that drains.
    public var waiting: Int {
        let head = unsafe shared.pointee.head.load(ordering: .relaxed)
        let tail = unsafe shared.pointee.tail.load(ordering: .acquiring)
        return Swift.max(0, Int(truncatingIfNeeded: tail &- head))
    }

    /// Bytes this ring holds, for the bound that is printed at start.
    public var memory: Int {
        MemoryLayout<RingCounts>.stride + capacity * MemoryLayout<Element>.stride
    }

    /// What a ring of `capacity` events will hold.
    public static func memory(capacity: Int) -> Int {
        MemoryLayout<RingCounts>.stride + capacity * MemoryLayout<Element>.stride
    }
}

/// What both sides see. The padding keeps `head` (the consumer's) off the lines of `tail` and
/// `lost` (the producer's).
@usableFromInline
struct RingCounts: ~Copyable {
    @usableFromInline
    let head = Atomic<UInt64>(0)
    let padding = InlineArray<15, UInt64>(repeating: 0)
    @usableFromInline
    let tail = Atomic<UInt64>(0)
    @usableFromInline
    let lost = Atomic<UInt64>(0)

    init() {}
}
