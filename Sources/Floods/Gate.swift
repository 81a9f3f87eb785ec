import Synchronization

/// What the controller decided for a class at a host.
public enum GateSetting: Sendable, Equatable {
    case open
    case deny
    /// Packets a second that pass.
    case throttle(UInt32)
    /// Packets a second that pass unasked; of those beyond, the sieve tells the sources apart.
    case watch(UInt32)
    /// The sieve tells the sources of all packets apart, and so many a second of unknown ones pass.
    case sift(UInt32)
}

/// What a gate says of one packet.
@frozen
public enum GateOutcome: UInt8, Sendable, BitwiseCopyable {
    case open
    case denied
    case throttled
    /// It depends on the source.
    case sifted
}

/// One class at one host: open, closed, or a token bucket; and whether the sieve is asked.
///
/// The bucket is kept as the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371
/// Annex A, virtual scheduling): one word holds it, and a packet that passes moves it by one interval.
/// A tenth of a second's packets may come at once.
public struct Gate: ~Copyable {
    /// Nanoseconds between packets that pass; 0 is open, `denyAll` is closed. With `watchBit` the sieve is
    /// asked about packets beyond, with `siftBit` about all.
    @usableFromInline let interval = Atomic<UInt64>(0)
    /// Theoretical arrival time of the next packet, nanoseconds on the packets' clock.
    @usableFromInline let arrival = Atomic<UInt64>(0)

    @usableFromInline static var denyAll: UInt64 { .max }
    @usableFromInline static var watchBit: UInt64 { 1 << 62 }
    @usableFromInline static var siftBit: UInt64 { 1 << 61 }
    /// Nothing passes unasked: an interval of 18 years.
    @usableFromInline static var never: UInt64 { 1 << 59 }
    /// 100 ms, the step in which rates are counted.
    @usableFromInline static var burst: UInt64 { 100_000_000 }

    /// Two seconds.
    @usableFromInline static var clockSkew: UInt64 { 2_000_000_000 }

    public init() {}

    public borrowing func set(_ setting: GateSetting) {
        switch setting {
        case .open: interval.store(0, ordering: .relaxed)
        case .deny, .throttle(0): interval.store(Gate.denyAll, ordering: .relaxed)
        case .throttle(let rate): interval.store(Gate.interval(rate), ordering: .relaxed)
        case .watch(let rate): interval.store(Gate.watchBit | Gate.interval(rate), ordering: .relaxed)
        case .sift(let rate): interval.store(Gate.siftBit | Gate.interval(rate), ordering: .relaxed)
        }
    }

    private static func interval(_ rate: UInt32) -> UInt64 { rate == 0 ? never : 1_000_000_000 / UInt64(rate) }

    /// Whether the sieve is asked about some of the packets.
    @inlinable
    public var asksSieve: Bool {
        let interval = interval.load(ordering: .relaxed)
        return interval != Gate.denyAll && interval & (Gate.watchBit | Gate.siftBit) != 0
    }

    /// Whether the sieve is asked about all packets: the class is attacked.
    @inlinable
    public var sifts: Bool {
        let interval = interval.load(ordering: .relaxed)
        return interval != Gate.denyAll && interval & Gate.siftBit != 0
    }

    /// May a packet that came at `time` pass? Nothing is kept of packets that do not.
    @inlinable @inline(__always)
    public borrowing func ask(_ time: UInt64) -> GateOutcome {
        let interval = interval.load(ordering: .relaxed)
        if interval == 0 { return .open }
        if interval == Gate.denyAll { return .denied }
        if interval & (Gate.watchBit | Gate.siftBit) == 0 { return take(time, interval) }
        if interval & Gate.siftBit != 0 { return .sifted }
        return take(time, interval & ~Gate.watchBit) == .open ? .open : .sifted
    }

    /// Whether one more of the unknown may pass, of those that the sieve is asked about.
    borrowing func takeUnknown(_ time: UInt64) -> Bool {
        let interval = interval.load(ordering: .relaxed)
        // What is watched was beyond the bucket before the sieve was asked.
        guard interval & Gate.siftBit != 0, interval != Gate.denyAll else { return interval == 0 }
        let bare = interval & ~Gate.siftBit
        return bare != Gate.never && take(time, bare) == .open
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
