import Glibc

/// What confirming candidates costs, told rule by rule. What confirms is compiled twice, so that a live
/// matcher has none of it.
protocol RuleMeter {
    /// From here on a candidate of `rule` is looked at.
    func turn(to rule: UInt32)
    func matched()
    /// The last candidate of a packet is done.
    func end()
}

/// Of a live matcher.
struct NoMeter: RuleMeter {
    @inline(__always) func turn(to rule: UInt32) {}
    @inline(__always) func matched() {}
    @inline(__always) func end() {}
}

/// What each rule of a set cost since it was made.
public final class RuleCosts: RuleMeter {
    public struct Cost: Sendable, Equatable {
        /// How often it was confirmed, since its pattern was found or because it has none, and how often it matched.
        public var checks: UInt64 = 0
        public var matches: UInt64 = 0
        /// Spent on it.
        public var nanoseconds: UInt64 = 0
    }

    /// By index of the rule.
    public private(set) var costs: [Cost]
    private var current = -1
    private var began: UInt64 = 0

    public init(_ rules: RuleSet) { costs = Array(repeating: Cost(), count: rules.rules.count) }

    func turn(to rule: UInt32) {
        let now = RuleCosts.now
        close(now)
        current = Int(rule)
        costs[current].checks += 1
        began = now
    }

    func matched() { costs[current].matches += 1 }

    func end() {
        close(RuleCosts.now)
        current = -1
    }

    private func close(_ now: UInt64) {
        if current >= 0 { costs[current].nanoseconds += now - began }
    }

    private static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
