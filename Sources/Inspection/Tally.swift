import Evidence
public import Flows
import Policy
import Synchronization

/// Verdicts by reason, one block of counters a worker, one writer each.
@safe
public final class Tally: Sendable {
    public let workerCount: Int
    nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>

    // Dropped (accepted for .none) by reason, then what shadow mode would have dropped by reason.
    @usableFromInline static let shadowBase = 16
    /// Fragments that passed though their datagram cannot be inspected, and behind that what the workers' tables
    /// count.
    @usableFromInline static let passedFragments = 32
    static let fragments = 33
    static let stride = 48

    public init(workerCount: Int) {
        precondition(Reason.allCases.count < Tally.shadowBase)
        self.workerCount = workerCount
        let total = max(1, workerCount * Tally.stride)
        unsafe counters = .allocate(capacity: total)
        for i in 0..<total { unsafe (counters + i).initialize(to: Atomic(0)) }
    }

    deinit { unsafe counters.deallocate() }

    public func accepted() -> UInt64 {
        sum(Int(Reason.none.rawValue))
            &+ Reason.allCases.dropFirst().reduce(0) { $0 &+ sum(Tally.shadowBase + Int($1.rawValue)) }
    }

    public func dropped(_ reason: Reason) -> UInt64 { reason == .none ? 0 : sum(Int(reason.rawValue)) }

    public func wouldHaveDropped(_ reason: Reason) -> UInt64 { sum(Tally.shadowBase + Int(reason.rawValue)) }

    public func passedFragments() -> UInt64 { sum(Tally.passedFragments) }

    /// Of all workers, as they were after each one's last fragment.
    public func fragments() -> FragmentCounters {
        var counters = FragmentCounters()
        for (index, field) in Tally.fragmentFields.enumerated() {
            counters[keyPath: field] = sum(Tally.fragments + index)
        }
        return counters
    }

    private static var fragmentFields: [WritableKeyPath<FragmentCounters, UInt64>] {
        [
            \.ipv4Fragments, \.ipv6Fragments, \.datagrams, \.ipv4Reassembled, \.ipv6Reassembled, \.overlaps,
            \.contradictions, \.impossible, \.expired, \.evicted, \.noRoom, \.late,
        ]
    }

    private func sum(_ index: Int) -> UInt64 {
        (0..<workerCount).reduce(0) { total, worker in
            unsafe total &+ counters[worker * Tally.stride + index].load(ordering: .relaxed)
        }
    }

    public func writer(_ worker: Int) -> Writer {
        precondition((0..<workerCount).contains(worker))
        return unsafe Writer(counters: counters + worker * Tally.stride)
    }

    /// A worker's own counters. Valid while the tally lives.
    @safe @frozen
    public struct Writer: @unchecked Sendable, BitwiseCopyable {
        @usableFromInline let counters: UnsafeMutablePointer<Atomic<UInt64>>

        init(counters: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.counters = unsafe counters }

        @inlinable
        public func count(_ decision: Decision) {
            let shadowed = decision.verdict == .accept && decision.intended != .accept
            increment(Int(decision.reason.rawValue) &+ (shadowed ? Tally.shadowBase : 0))
        }

        @inlinable
        public func countPassedFragment() { increment(Tally.passedFragments) }

        /// In the order of `fragmentFields`.
        func publish(_ counters: FragmentCounters) {
            set(0, counters.ipv4Fragments)
            set(1, counters.ipv6Fragments)
            set(2, counters.datagrams)
            set(3, counters.ipv4Reassembled)
            set(4, counters.ipv6Reassembled)
            set(5, counters.overlaps)
            set(6, counters.contradictions)
            set(7, counters.impossible)
            set(8, counters.expired)
            set(9, counters.evicted)
            set(10, counters.noRoom)
            set(11, counters.late)
        }

        private func set(_ index: Int, _ value: UInt64) {
            unsafe counters[Tally.fragments + index].store(value, ordering: .relaxed)
        }

        @inlinable @inline(__always)
        func increment(_ index: Int) {
            let value = unsafe counters[index].load(ordering: .relaxed)
            unsafe counters[index].store(value &+ 1, ordering: .relaxed)
        }
    }
}
