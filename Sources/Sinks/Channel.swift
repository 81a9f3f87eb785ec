import CLinux
import Synchronization

/// The way out of a sink: a file, a server, a program. Used by the sink's thread alone, which may wait in it.
protocol Channel: AnyObject {
    /// Lines that it is given at a time, at most.
    var batchLimit: Int { get }

    /// Delivers lines in their order, from the first on, and says how far it came.
    ///
    /// Each line is EVE JSON with its end. May wait some seconds, but not longer than `patience` says.
    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery

    /// When the channel has something of its own to deliver (monotonic clock, nanoseconds); nil for never. It is
    /// then given lines or none.
    var dueTime: UInt64? { get }

    /// Opens anew what may have been moved away (SIGUSR1), or throws why it could not.
    func reopen() throws
}

extension Channel {
    var dueTime: UInt64? { nil }

    func reopen() throws {}
}

/// What became of the lines that a channel was given.
struct Delivery: Equatable {
    /// Lines from the first that are done with.
    var taken: Int
    /// Those of them that will never arrive: the receiver refused them for good.
    var refused = 0
    /// It came no further, and the rest is to be tried again after a while.
    var isFailure = false
    /// What went wrong, if anything did.
    var problem: String?
    /// The channel waits on purpose, until this time of the monotonic clock, in nanoseconds.
    var notBefore: UInt64?

    static func failed(_ problem: String, after taken: Int = 0) -> Delivery {
        Delivery(taken: taken, isFailure: true, problem: problem)
    }
}

/// How long waiting is allowed: without end while the sensor runs, and to a deadline once it stops. Whoever
/// waits asks at least every 200 ms.
final class Patience: Sendable {
    private let end = Atomic<UInt64>(.max)

    /// Nanoseconds of the monotonic clock.
    func endBy(_ deadline: UInt64) { end.store(deadline, ordering: .relaxed) }

    /// The sensor is about to stop.
    var isEnding: Bool { end.load(ordering: .relaxed) != .max }

    var isOver: Bool { flinch_monotonic() >= end.load(ordering: .relaxed) }

    /// The nearer of the deadline and `milliseconds` from now, on the monotonic clock.
    func deadline(within milliseconds: UInt64) -> UInt64 {
        min(end.load(ordering: .relaxed), flinch_monotonic() &+ milliseconds &* 1_000_000)
    }
}
