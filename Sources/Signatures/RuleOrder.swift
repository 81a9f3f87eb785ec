/// In which order rules that match the same packet are acted on (Suricata's detect-engine-sigorder.c): by
/// action, then what sets a variable before what asks for it, then by priority, then as loaded.
struct RuleOrder: Comparable {
    private var action: Int
    private var variables: [UInt8]
    private var priority: UInt8
    private var index: Int

    /// `precedence` names every action, the first to be acted on first.
    init(_ parsed: ParsedRule, _ rule: Rule, index: Int, precedence: [RuleAction]) {
        action = precedence.firstIndex(of: rule.action) ?? precedence.count
        variables = [.flowBit, .flowInteger, .hostBit, .pairBit].map { store in
            RuleOrder.rank(parsed.operations.filter { $0.store == store })
        }
        priority = rule.priority
        self.index = index
    }

    /// Those that only set are first; then those that do both, those that only ask, and all others.
    private static func rank(_ operations: [StateOperation]) -> UInt8 {
        let asks = operations.contains(where: \.verb.isTest)
        let sets = operations.contains { !$0.verb.isTest }
        return sets ? (asks ? 1 : 0) : (asks ? 2 : 3)
    }

    static func < (a: RuleOrder, b: RuleOrder) -> Bool {
        if a.action != b.action { return a.action < b.action }
        for (x, y) in zip(a.variables, b.variables) where x != y { return x < y }
        return (a.priority, a.index) < (b.priority, b.index)
    }
}
