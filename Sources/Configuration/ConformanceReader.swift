import Conformance
import Evidence

/// Reads what becomes of packets that fail a check.
///
/// A key is a check (`ip.land`), all of a protocol (`ip.*`) or `all`; the narrower one counts, wherever it stands. The
/// value is an action, or a mapping with `action` and `concern`, of which what is left out stays as it was.
enum ConformanceReader {
    static func read(_ value: Value, over settings: CheckSettings) -> CheckSettings {
        var settings = settings
        guard let entries = value.entries(like: "{ip.land: drop, tcp.bad_checksum: off}") else { return settings }
        var rules: [(width: Int, checks: [ConformanceCheck], change: Change)] = []
        for (name, value) in entries where !value.isEmpty {
            guard let checks = checks(named: name, value), let change = Change(value) else { continue }
            rules.append((checks.count == 1 && !name.hasSuffix("*") ? 0 : name == "all" ? 2 : 1, checks, change))
        }
        for rule in rules.sorted(by: { $0.width > $1.width }) {
            for check in rule.checks { rule.change.apply(&settings[check.check]) }
        }
        return settings
    }

    private static func checks(named name: String, _ value: Value) -> [ConformanceCheck]? {
        if name == "all" { return Checks.all }
        if name.hasSuffix(".*") {
            let checks = Checks.of(protocol: name.dropLast(2))
            if !checks.isEmpty { return checks }
        } else if let check = Checks.named(name) {
            return [check]
        }
        let known = Checks.all.map(\.identifier) + Set(Checks.all.map { "\($0.protocolName).*" }).sorted()
        let meant = suggestion(for: name, among: known).map { "did you mean \($0)?" }
        value.problem(
            "\(quoted(name)) is no check; "
                + (meant ?? "write one that `flinch policy checks` lists, a protocol like tcp.*, or all"))
        return nil
    }

    /// What one line of the file changes.
    private struct Change {
        var action: CheckAction?
        var concern: Concern?

        init?(_ value: Value) {
            if value.isMapping {
                guard let section = value.section(["action", "concern"]) else { return nil }
                action = section["action"]?.choice()
                concern = section["concern"]?.choice(ConcernWord.self).map(\.concern)
            } else {
                guard let choice = value.choice(CheckAction.self) else { return nil }
                action = choice
            }
        }

        func apply(_ setting: inout CheckSetting) {
            setting.action = action ?? setting.action
            setting.concern = concern ?? setting.concern
        }
    }
}
