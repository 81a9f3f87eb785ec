import Signatures

/// Reads what a policy does about rules: `signatures`, and over it `rules`.
enum RuleActionReader {
    private enum Signatures: String, CaseIterable {
        case asWritten = "as-written"
        case alertOnly = "alert-only"
    }

    static func read(_ section: Section, into rules: inout RuleActions) {
        if let choice = section["signatures"]?.choice(Signatures.self) {
            rules.add([.all: choice == .alertOnly ? .alert : .asWritten])
        }
        guard let value = section["rules"] else { return }
        var layer: [RuleActions.Selector: RuleHandling] = [:]
        let example = "{2100498: alert, \"classtype:trojan-activity\": drop, \"file:emerging-scan.rules\": off}"
        for (name, value) in value.entries(like: example) ?? [] {
            guard let selector = selector(name, value), let handling = value.choice(RuleHandling.self) else { continue }
            if layer.updateValue(handling, forKey: selector) != nil {
                value.problem("\(selector) is said twice; write one of the two")
            }
        }
        rules.add(layer)
    }

    private static func selector(_ name: String, _ value: Value) -> RuleActions.Selector? {
        if name == "all" { return .all }
        if let number = Settings.RuleNumber(name) { return .rule(number) }
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2 {
            switch parts[0] {
            case "classtype": return .classtype(parts[1])
            case "file": return .file(parts[1])
            case "concern":
                if let concern = ConcernWord(rawValue: parts[1]) { return .concern(concern.concern) }
            default: break
            }
        }
        value.problem(
            "\(quoted(name)) names no rules; write a sid, gid:sid, classtype:NAME, file:NAME, concern:low, medium or"
                + " high, or all")
        return nil
    }
}
