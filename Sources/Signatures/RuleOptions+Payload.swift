extension ParsedRule {
    /// What must stand in the payload, and where. Returns whether the option is one of these.
    mutating func applyPayload(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        if Content.modifiers.contains(name) {
            guard !contents.isEmpty else { throw Rejection("\(name) has no content before it") }
            try contents[contents.count - 1].modify(name, value ?? [])
            return true
        }
        switch name {
        case "content":
            contents.append(try Content.parse(try required(name, value)))
        default: return false
        }
        return true
    }
}
