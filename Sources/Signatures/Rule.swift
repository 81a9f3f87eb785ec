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
    /// The rule's `metadata`, as written.
    var metadataText: String
    public var target: RuleTarget
    public var file: String
    /// The line on which the rule starts, counted from 1.
    public var line: Int
}

/// The keyword `target`: which side of the packet is under attack.
public enum RuleTarget: UInt8, BitwiseCopyable, Sendable { case unsaid, source, destination }

extension Rule {
    /// Keys with their values, as Suricata's alerts have them: sorted by key, whose case does not matter. A word
    /// without a value says nothing.
    public var metadata: [(key: String, values: [String])] {
        var found: [(key: String, values: [String])] = []
        for pair in Array(metadataText.utf8)[...].listed {
            guard let key = pair.words.first, key.count < pair.count else { continue }
            let value = pair[key.endIndex...].trimmed.string
            let name = key.string.lowercased()
            if let index = found.firstIndex(where: { $0.key.lowercased() == name }) {
                found[index].values.append(value)
            } else {
                found.append((key.string, [value]))
            }
        }
        return found.sorted { $0.key.lowercased() < $1.key.lowercased() }
    }
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
