import Evidence
import Policy
import Synchronization

/// Verdicts by reason, one block of counters a worker, one writer each.
@safe
public final class Tally: Sendable {
    public let workerCount: Int
    nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>

    // Dropped (accepted for .none) by reason, then what shadow mode would have dropped by reason.
    @usableFromInline static let shadowBase = 16
    /// Fragments that passed though their datagram cannot be inspected.
    @usableFromInline static let passedFragments = 31
    static let stride = 32

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

        @inlinable @inline(__always)
        func increment(_ index: Int) {
            let value = unsafe counters[index].load(ordering: .relaxed)
            unsafe counters[index].store(value &+ 1, ordering: .relaxed)
        }
    }
}
