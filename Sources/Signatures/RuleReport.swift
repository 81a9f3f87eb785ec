/// How many rules loaded, how many did not, and how often for which reason.
public struct RuleReport: Sendable, Equatable, Encodable {
    public let loaded: Int
    public let rejected: Int
    /// Those that stand in the files more than once, word for word; loaded once.
    public let repeated: Int
    public let reasons: [String: Int]

    public init(_ rules: RuleSet) {
        loaded = rules.rules.count
        rejected = rules.problems.count
        repeated = rules.repeated
        reasons = Dictionary(rules.problems.map { ($0.reason, 1) }, uniquingKeysWith: +)
    }

    /// The commonest first; equals in alphabetical order.
    public var ranked: [(reason: String, count: Int)] {
        reasons.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }
}
