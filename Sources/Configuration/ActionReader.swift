import Behaviour
import Conformance
import Evidence

/// Reads what becomes of packets that fail a check, or of hosts that do what they should not.
///
/// A key is one of them (`ip.land`), all of a family (`ip.*`) or `all`; the narrower one counts, wherever it stands. The
/// value is an action, or a mapping with `action` and `concern`, of which what is left out stays as it was.
struct ActionReader<Item> {
    let all: [Item]
    let identifier: (Item) -> String
    /// An example of the whole, what one is called, and where people find them.
    let example: String
    let noun: String
    let hint: String

    /// Gives each item that a line is about, the broadest line first, and what it changes.
    func read(_ value: Value, _ apply: (Item, (inout CheckSetting) -> Void) -> Void) {
        guard let entries = value.entries(like: example) else { return }
        var rules: [(width: Int, items: [Item], change: Change)] = []
        for (name, value) in entries where !value.isEmpty {
            guard let items = items(named: name, value), let change = Change(value) else { continue }
            rules.append((items.count == 1 && !name.hasSuffix("*") ? 0 : name == "all" ? 2 : 1, items, change))
        }
        for rule in rules.sorted(by: { $0.width > $1.width }) {
            for item in rule.items { apply(item) { rule.change.apply(&$0) } }
        }
    }

    private func family(_ item: Item) -> Substring { identifier(item).prefix { $0 != "." } }

    private func items(named name: String, _ value: Value) -> [Item]? {
        if name == "all" { return all }
        if name.hasSuffix(".*") {
            let items = all.filter { family($0) == name.dropLast(2) }
            if !items.isEmpty { return items }
        } else if let item = all.first(where: { identifier($0) == name }) {
            return [item]
        }
        let known = all.map(identifier) + Set(all.map { "\(family($0)).*" }).sorted()
        let meant = suggestion(for: name, among: known).map { "did you mean \($0)?" }
        value.problem("\(quoted(name)) is no \(noun); " + (meant ?? hint))
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

enum ConformanceReader {
    static func read(_ value: Value, over settings: CheckSettings) -> CheckSettings {
        var settings = settings
        ActionReader(
            all: Checks.all, identifier: \.identifier, example: "{ip.land: drop, tcp.bad_checksum: off}", noun: "check",
            hint: "write one that `flinch policy checks` lists, a protocol like tcp.*, or all"
        ).read(value) { check, change in change(&settings[check.check]) }
        return settings
    }
}

enum BehaviourReader {
    static func read(_ value: Value, over settings: BehaviourSettings) -> BehaviourSettings {
        var settings = settings
        ActionReader(
            all: BehaviourKind.allCases, identifier: \.identifier, example: "{login.*: drop, guest.beacon: off}",
            noun: "behaviour", hint: "write one that docs/behaviour.md lists, a family like scan.*, or all"
        ).read(value) { kind, change in change(&settings[kind]) }
        return settings
    }
}
