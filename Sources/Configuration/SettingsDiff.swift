import Behaviour
import Conformance
import Evidence
import Floods
import Offload
import Signatures
import Sinks
import Topology
import Wire

/// What differs between two configurations, setting by setting, with what each comes to for each guest.
public struct SettingsDiff {
    public struct Change: Equatable, CustomStringConvertible {
        /// `guests.web.shadow`
        public var name: String
        /// nil for what is not there.
        public var old: String?
        public var new: String?

        public var description: String {
            switch (old, new) {
            case (nil, let new?): "+ \(name): \(new)"
            case (let old?, nil): "- \(name): \(old)"
            default: "~ \(name): \(old ?? "") → \(new ?? "")"
            }
        }
    }

    public private(set) var changes: [Change] = []
    /// Guests that leave shadow mode: what would have been dropped will be.
    public let promoted: Set<String>

    public init(from old: Settings, to new: Settings) {
        promoted = old.shadowGuests.subtracting(new.shadowGuests)
        add("shadow", "\(old.shadow)", "\(new.shadow)")
        for (before, after) in zip(SettingsDiff.sections(old), SettingsDiff.sections(new)) {
            compare(Outline(before.value, before.name).lines, Outline(after.value, after.name).lines)
        }
        add("relations", old.relations, new.relations) { "\($0.text) (\($0.action.rawValue), \($0.concern))" }
        if old.policy != new.policy {
            compare(SettingsDiff.lines(old.policy), SettingsDiff.lines(new.policy))
        }
        addNamed("policies", old.policies, new.policies, \.name)
        addGuests(old, new)
        addNamed("sinks", old.allSinks, new.allSinks, \.name)
    }

    private static func sections(_ settings: Settings) -> [(name: String, value: Any)] {
        [
            ("sensor", settings.sensor), ("queues", settings.queues), ("divert", settings.divert),
            ("mirror", settings.mirror as Any), ("deny", settings.deny), ("rules", settings.rules),
            ("flows", settings.flows),
            ("events", settings.events),
            ("behaviour", settings.behaviour), ("metrics", settings.metrics as Any),
        ]
    }

    // MARK: - Pieces

    private mutating func add(_ name: String, _ old: String?, _ new: String?) {
        if old != new { changes.append(Change(name: name, old: old, new: new)) }
    }

    private mutating func compare(_ old: [(name: String, value: String)], _ new: [(name: String, value: String)]) {
        let before = Dictionary(old.map { ($0.name, $0.value) }) { first, _ in first }
        let after = Dictionary(new.map { ($0.name, $0.value) }) { first, _ in first }
        for (name, _) in old where after[name] == nil { add(name, before[name], nil) }
        for (name, _) in new { add(name, before[name], after[name]) }
    }

    private mutating func add<Element: Equatable>(
        _ name: String, _ old: [Element], _ new: [Element], _ text: (Element) -> String
    ) {
        for change in new.difference(from: old) {
            switch change {
            case .remove(_, let element, _): add(name, text(element), nil)
            case .insert(_, let element, _): add(name, nil, text(element))
            }
        }
    }

    /// Of what has a name, that it came, went or changed.
    private mutating func addNamed<Element: Equatable>(
        _ list: String, _ old: [Element], _ new: [Element], _ name: (Element) -> String
    ) {
        for element in old where !new.contains(where: { name($0) == name(element) }) {
            add("\(list).\(name(element))", "there", nil)
        }
        for element in new {
            guard let former = old.first(where: { name($0) == name(element) }) else {
                add("\(list).\(name(element))", nil, "there")
                continue
            }
            if former != element { add("\(list).\(name(element))", "as it was", "changed") }
        }
    }

    private mutating func addGuests(_ old: Settings, _ new: Settings) {
        let before = Dictionary(old.guests.map { ($0.guest.name, $0) }) { first, _ in first }
        let after = Set(new.guests.map(\.guest.name))
        for guest in old.guests where !after.contains(guest.guest.name) {
            add("guests.\(guest.guest.name)", SettingsDiff.addresses(guest), nil)
        }
        for guest in new.guests {
            guard let former = before[guest.guest.name] else {
                add("guests.\(guest.guest.name)", nil, SettingsDiff.addresses(guest))
                continue
            }
            if former != guest { compare(SettingsDiff.lines(former), SettingsDiff.lines(guest)) }
        }
    }

    private static func addresses(_ guest: Settings.ProtectedGuest) -> String {
        guest.guest.addresses.map(\.description).joined(separator: ", ")
    }

    private static func lines(_ guest: Settings.ProtectedGuest) -> [(name: String, value: String)] {
        let name = "guests.\(guest.guest.name)"
        var lines = [
            ("\(name).addresses", addresses(guest)), ("\(name).port", guest.guest.ports.first ?? "none"),
            ("\(name).mac", guest.guest.macs.map { String($0, radix: 16) }.joined(separator: ", ")),
            ("\(name).group", guest.guest.group ?? "none"), ("\(name).shadow", "\(guest.guest.shadow)"),
            ("\(name).mode", guest.mode.rawValue),
            ("\(name).policy", guest.choices.first?.policy ?? "default"),
            ("\(name).unknown-protocols", guest.unknownProtocols?.rawValue ?? "default"),
            ("\(name).topology.exclude", guest.topology.excluded.map(\.name).joined(separator: ", ")),
        ]
        for floodClass in FloodClass.allCases {
            let limit = guest.floods[floodClass]
            lines.append(
                (
                    "\(name).floods.\(floodClass.name)",
                    "from \(limit.entry), until \(limit.exit), \(limit.action), pass \(limit.pass)"
                        + (limit.truncatesDNS ? ", truncate-dns" : "")
                ))
        }
        return lines + checks(name, guest.conformance) + behaviour(name, guest.behaviour) + rules(name, guest.rules)
    }

    private static func lines(_ policy: Settings.Policy) -> [(name: String, value: String)] {
        [
            ("policy.unknown-protocols", policy.unknownProtocols.rawValue),
            ("policy.fragments", policy.fragments.rawValue),
        ] + checks("policy", policy.conformance) + behaviour("policy", policy.behaviour)
            + rules("policy", policy.rules)
    }

    private static func behaviour(_ name: String, _ settings: BehaviourSettings) -> [(name: String, value: String)] {
        BehaviourKind.allCases.map { kind in
            ("\(name).behaviour.\(kind.identifier)", "\(settings[kind].action.rawValue), \(settings[kind].concern)")
        }
    }

    private static func checks(_ name: String, _ settings: CheckSettings) -> [(name: String, value: String)] {
        Checks.all.map { check in
            let setting = settings[check.check]
            return ("\(name).conformance.\(check.identifier)", "\(setting.action.rawValue), \(setting.concern)")
        }
    }

    private static func rules(_ name: String, _ actions: RuleActions) -> [(name: String, value: String)] {
        [("\(name).rules.all", actions.standard.rawValue)]
            + actions.statements.map { ("\(name).rules.\($0.name)", $0.handling.rawValue) }
    }
}
