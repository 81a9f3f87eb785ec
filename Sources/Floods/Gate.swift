import Synchronization

/// What the controller decided for a class at a host.
public enum GateSetting: Sendable, Equatable {
    case open
    case deny
    /// Packets a second that pass.
    case throttle(UInt32)
}

/// What a gate says of one packet.
@frozen
public enum GateOutcome: UInt8, Sendable, BitwiseCopyable {
    case open
    case denied
    case throttled
}

/// One class at one host: open, closed, or a token bucket.
///
/// The bucket is kept as the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371
/// Annex A, virtual scheduling): one word holds it, and a packet that passes moves it by one interval.
/// A tenth of a second's packets may come at once.
public struct Gate: ~Copyable {
    /// Nanoseconds between packets that pass; 0 is open, `denyAll` is closed.
    @usableFromInline let interval = Atomic<UInt64>(0)
    /// Theoretical arrival time of the next packet, nanoseconds on the packets' clock.
    @usableFromInline let arrival = Atomic<UInt64>(0)

    @usableFromInline static var denyAll: UInt64 { .max }
    /// 100 ms, the step in which rates are counted.
    @usableFromInline static var burst: UInt64 { 100_000_000 }

    /// Two seconds.
    @usableFromInline static var clockSkew: UInt64 { 2_000_000_000 }

    public init() {}

    public borrowing func set(_ setting: GateSetting) {
        switch setting {
        case .open: interval.store(0, ordering: .relaxed)
        case .deny, .throttle(0): interval.store(Gate.denyAll, ordering: .relaxed)
        case .throttle(let rate): interval.store(1_000_000_000 / UInt64(rate), ordering: .relaxed)
        }
    }

    /// May a packet that came at `time` pass? Nothing is kept of packets that do not.
    @inlinable
    public borrowing func ask(_ time: UInt64) -> GateOutcome {
        let interval = interval.load(ordering: .relaxed)
        if interval == 0 { return .open }
        return interval == Gate.denyAll ? .denied : take(time, interval)
    }

    @usableFromInline
    borrowing func take(_ time: UInt64, _ interval: UInt64) -> GateOutcome {
        let tolerance = max(Gate.burst, interval)
        var expected = arrival.load(ordering: .relaxed)
        while true {
            // Workers' clocks differ by a batch; an arrival further ahead than that and the bucket's depth is
            // from before the clock stepped back.
            let ahead = expected > time ? expected - time : 0
            let start = ahead == 0 || ahead > tolerance &+ Gate.clockSkew ? time : expected
            if start - time > tolerance - interval { return .throttled }
            let (exchanged, found) = arrival.weakCompareExchange(
                expected: expected, desired: start &+ interval, ordering: .relaxed)
            if exchanged { return .open }
            expected = found
        }
    }
}
