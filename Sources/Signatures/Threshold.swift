/// How often a rule that matches alerts or acts: its own `threshold` or `detection_filter`, or what a line of a
/// threshold file says of it. What the kinds mean is Suricata's (detect-engine-threshold.c).
struct Threshold: Sendable, Hashable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// Of so many seconds, only the first `count` matches are told of.
        case limit
        /// Every `count`-th match within so many seconds counts; the others are none.
        case threshold
        /// Of so many seconds, only the `count`-th match is told of. Those before it are none.
        case both
        /// Told of are the `count`-th match of a flow, and from then on one in `multiplier` times as many.
        case backoff
        /// What exceeds `count` matches within so many seconds counts; the others are none.
        case detectionFilter
        /// What exceeds `count` matches within so many seconds acts otherwise, for `timeout` seconds.
        case rateFilter
        /// Those of certain addresses are not told of.
        case suppress
    }

    /// Whose matches are counted together.
    enum Track: UInt8, BitwiseCopyable, Sendable {
        case source, destination
        /// Two hosts, whichever of them is the source.
        case pair
        case rule, flow
        /// For suppressions: one of the two.
        case either
    }

    /// For a `detectionFilter`: matches with the same port count once.
    enum Port: UInt8, BitwiseCopyable, Sendable { case none, source, destination }

    var kind: Kind
    var track: Track
    var count: UInt32 = 1
    var seconds: UInt32 = 0
    var multiplier: UInt32 = 1
    var uniquePort = Port.none
    /// Seconds for which `action` then stands.
    var timeout: UInt32 = 0
    var action = RuleAction.alert
    /// The new action says nothing.
    var isSilent = false
    /// Whom a suppression is about; of whom a rate filter counts.
    var addresses = AddressSet.all
}

/// A `Threshold` in a rule set.
struct CompiledThreshold: BitwiseCopyable, Sendable {
    var kind: Threshold.Kind
    var track: Threshold.Track
    var uniquePort: Threshold.Port
    var action: RuleAction
    var isSilent: Bool
    var count: UInt32
    var seconds: UInt32
    var multiplier: UInt32
    var timeout: UInt32
    /// In `addressRanges`.
    var addresses: Run
    /// The rule's gid and sid, and revision, kind and track: what is counted stays counted when the same rule is
    /// loaded again.
    var rule: UInt64
    var variant: UInt64
}

/// What a threshold makes of a match.
enum ThresholdRuling {
    /// It is none: nothing is said or done.
    case none
    /// The rule acts, but says nothing.
    case silent
    case told
}
