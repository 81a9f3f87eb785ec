public import Evidence

/// What a rule asks for when it matches, in the order in which matching rules are acted on.
/// unless the operator chose another (Suricata's `action-order`).
public enum RuleAction: String, BitwiseCopyable, Sendable, CaseIterable {
    /// The packet is none of the other rules' business.
    case pass
    case drop
    /// Dropped, and answered: a RST or an ICMP unreachable.
    case reject
    case alert
}

/// What is said of a rule that loaded. A finding's `code` is the index of the rule in `RuleSet.rules`.
public struct Rule: Sendable {
    public var gid: UInt32
    public var sid: UInt32
    public var rev: UInt32
    public var message: String
    /// Short name of the class, and its text; both empty for a rule without one.
    public var classtype: String
    public var category: String
    /// 1 is the worst, 255 the least: the rule's own, else its class's, else 3.
    public var priority: UInt8
    public var action: RuleAction
    /// From the priority: 1 is high, 2 medium, all else low.
    public var concern: Concern
    public var file: String
    /// The line on which the rule starts, counted from 1.
    public var line: Int
}

extension Concern {
    init(priority: UInt8) {
        switch priority {
        case 0, 1: self = .high
        case 2: self = .medium
        default: self = .low
        }
    }
}
