import Signatures

/// The section `rules`.
extension SettingsReader {
    func rules(_ value: Value, _ rules: inout Settings.Rules) {
        let keys = ["files", "thresholds", "classification", "variables", "cache", "action-order"]
        guard let section = value.section(keys) else { return }
        for element in section["files"]?.elements(like: "[rules/starter.rules]") ?? [] {
            if let path = element.text("a path") { rules.files.append(resolved(path)) }
        }
        if let path = section["thresholds"]?.text("a path") { rules.thresholds = resolved(path) }
        if let path = section["cache"]?.text("a folder") { rules.cache = resolved(path) }
        if let value = section["action-order"] { actionOrder(value, &rules) }
        if let path = section["classification"]?.text("a path") { rules.classification = resolved(path) }
        let example = #"{HOME_NET: "[10.0.0.0/8]", HTTP_PORTS: "[80,8080]"}"#
        for (name, value) in section["variables"]?.entries(like: example) ?? [] {
            guard !name.isEmpty, name.utf8.count <= 64,
                name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            else {
                value.problem(
                    "\(quoted(name)) is not the name of a variable; write letters, digits and _, like HOME_NET"
                )
                continue
            }
            guard let text = variable(value) else { continue }
            if name.hasSuffix("PORTS") {
                rules.variables.ports[name] = text
            } else {
                rules.variables.addresses[name] = text
            }
        }
    }

    private func actionOrder(_ value: Value, _ rules: inout Settings.Rules) {
        guard let elements = value.elements(like: "[pass, drop, reject, alert]") else { return }
        let order = elements.compactMap { $0.choice(RuleAction.self) }
        guard order.count == elements.count else { return }
        guard Set(order).count == order.count, order.count == RuleAction.allCases.count else {
            value.problem("each of pass, drop, reject and alert must stand in it once")
            return
        }
        rules.actionOrder = order
    }

    /// In rule syntax, or as a YAML list of its elements.
    private func variable(_ value: Value) -> String? {
        if value.word != nil { return value.text("a value in rule syntax") }
        guard let elements = value.elements(like: #""[10.0.0.0/8,!10.1.0.0/16]""#) else { return nil }
        let words = elements.compactMap { $0.text("a value in rule syntax") }
        return words.count == elements.count ? "[\(words.joined(separator: ","))]" : nil
    }
}

extension Settings.RuleNumber {
    /// `sid` or `gid:sid`; nil for what is neither.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt32($0) }
        guard (1...2).contains(parts.count), numbers.count == parts.count, numbers.last != 0 else { return nil }
        self.init(gid: parts.count == 2 ? numbers[0] : 1, sid: numbers.last!)
    }
}
