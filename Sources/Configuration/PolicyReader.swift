import Wire

/// Reads policies that have a name.
enum PolicyReader {
    /// `defaults` is what one starts from that is based on no other; `ready` are those that are there already.
    static func read(
        _ value: Value, over defaults: Settings.NamedPolicy, beside ready: [Settings.NamedPolicy]
    ) -> [Settings.NamedPolicy] {
        var policies = ready
        for (name, value) in value.entries(like: "{office: {based-on: strict, for: [web*]}}") ?? [] {
            guard !name.isEmpty, name.utf8.count <= 64 else {
                value.problem("\(quoted(name)) is not a policy's name; write 1 to 64 bytes")
                continue
            }
            guard !policies.contains(where: { $0.name == name }), name != defaults.name else {
                value.problem("\(name) is there without being written; give yours another name")
                continue
            }
            policies.append(read(value, name, over: defaults, beside: policies))
        }
        return policies
    }

    /// The name of a policy that there is.
    static func name(_ value: Value, among policies: [Settings.NamedPolicy]) -> String? {
        guard let word = value.text("a policy's name", atMost: 64) else { return nil }
        let names = policies.map(\.name)
        if names.contains(word) { return word }
        let hint = suggestion(for: word, among: names).map { "did you mean \($0)?" }
        value.problem(
            "\(quoted(word)) is no policy; \(hint ?? "write one of \(names.joined(separator: ", "))")")
        return nil
    }

    private static func read(
        _ value: Value, _ name: String, over defaults: Settings.NamedPolicy, beside policies: [Settings.NamedPolicy]
    ) -> Settings.NamedPolicy {
        let keys = [
            "based-on", "for", "shadow", "floods", "conformance", "behaviour", "unknown-protocols", "signatures",
            "rules", "topology",
        ]
        var policy = defaults
        guard let section = value.section(keys) else { return policy }
        if let base = section["based-on"].flatMap({ self.name($0, among: policies) }) {
            policy = policies.first { $0.name == base } ?? policy
        }
        policy.name = name
        policy.targets = section["for"].map(targets) ?? []
        policy.shadow = section["shadow"]?.flag() ?? policy.shadow
        policy.floods = section["floods"].map { FloodReader.read($0, over: policy.floods) } ?? policy.floods
        policy.conformance =
            section["conformance"].map { ConformanceReader.read($0, over: policy.conformance) } ?? policy.conformance
        policy.behaviour =
            section["behaviour"].map { BehaviourReader.read($0, over: policy.behaviour) } ?? policy.behaviour
        policy.unknownProtocols = section["unknown-protocols"]?.choice() ?? policy.unknownProtocols
        RuleActionReader.read(section, into: &policy.rules)
        return policy
    }

    /// Guests' names and patterns of them, prefixes, and groups.
    static func targets(_ value: Value) -> [Settings.PolicyTarget] {
        (value.elements(like: "[web*, 192.0.2.128/25, \"group:dmz\"]") ?? []).compactMap(target)
    }

    /// A guest's name or a pattern of them, a prefix, or a group.
    static func target(_ value: Value) -> Settings.PolicyTarget? {
        guard let word = value.text("a guest's name, a prefix or a group", atMost: 128) else { return nil }
        if word.hasPrefix("group:") { return .group(String(word.dropFirst("group:".count))) }
        guard Prefix(word) != nil else { return .name(word) }
        return value.prefix().map { .prefix($0) }
    }
}
