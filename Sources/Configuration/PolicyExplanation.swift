import Behaviour
import Conformance
import Evidence
import Floods
import Offload
import Signatures
import Topology
import Wire

/// What holds for an address, and why, for a person.
public struct PolicyExplanation {
    public let text: String

    /// With `peer`: also which of the two may begin to talk to the other.
    public init(_ settings: Settings, _ address: Address, _ peer: Address? = nil) {
        let guest = settings.guest(of: address)
        var lines = [PolicyExplanation.who(guest, address)]
        let choices = guest?.choices ?? []
        for (index, choice) in choices.enumerated() {
            let why = choice.target.map { "it is for \($0)" } ?? "the guest names it"
            lines.append(
                PolicyExplanation.line(index == 0 ? "policy" : "less specific", "\(choice.policy), because \(why)"))
        }
        if choices.isEmpty { lines.append(PolicyExplanation.line("policy", "what the file says for everybody")) }
        lines.append(
            PolicyExplanation.line("shadow", guest?.guest.shadow ?? settings.shadow ? "yes, everything passes" : "no"))
        let rules = guest?.rules ?? settings.policy.rules
        lines.append(
            PolicyExplanation.line("signatures", rules.standard == .alert ? "alert-only" : rules.standard.rawValue))
        lines += rules.statements.map { PolicyExplanation.line("", "\($0.name): \($0.handling.rawValue)") }
        lines.append(
            PolicyExplanation.line(
                "unknown protocols", (guest?.unknownProtocols ?? settings.policy.unknownProtocols).rawValue))
        lines += PolicyExplanation.topology(guest?.topology ?? PolicyTopology())
        if let peer {
            lines += [(address, peer), (peer, address)].map { PolicyExplanation.relation(settings, $0, $1) }
        }
        if let guest { lines += FloodClass.allCases.map { PolicyExplanation.flood($0, guest.floods[$0]) } }
        lines += PolicyExplanation.checks(guest?.conformance ?? settings.policy.conformance)
        lines += PolicyExplanation.behaviour(guest?.behaviour ?? settings.policy.behaviour)
        text = lines.joined(separator: "\n")
    }

    private static func who(_ guest: Settings.ProtectedGuest?, _ address: Address) -> String {
        guard let guest else { return "\(address) is no guest's; what follows is for packets between others" }
        return "\(address) is an address of guest \(guest.guest.name)"
    }

    private static func relation(_ settings: Settings, _ from: Address, _ to: Address) -> String {
        guard !settings.divert.excluded.covers(from, to) else {
            return line("\(from) → \(to)", "not looked at: it is excluded")
        }
        let relation = Relation.first(of: settings.relations, from: from, to: to)
        let why =
            relation.map { "\($0.action.rawValue), because \($0.text)" } ?? "allow, because no relation says otherwise"
        return line("\(from) → \(to)", why)
    }

    /// What the guest's policy, or it for itself, says; the rest is asked about by pairs.
    private static func topology(_ topology: PolicyTopology) -> [String] {
        var lines = topology.excluded.map { "not looked at with \($0.name)" }
        lines += topology.rules.map { "\($0.action.rawValue) \($0.isOutward ? "to" : "from") \($0.peer.name)" }
        return lines.enumerated().map { line($0.offset == 0 ? "topology" : "", $0.element) }
    }

    private static func line(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 19 - name.count)) + value
    }

    private static func flood(_ floodClass: FloodClass, _ limit: FloodLimit) -> String {
        var value = "from \(limit.entry) packets a second, \(limit.action)"
        if limit.action == .throttle { value += " to \(limit.pass)" }
        if limit.action == .defend, limit.truncatesDNS { value += ", DNS queries to TCP" }
        return line("\(floodClass.name) flood", value)
    }

    private static func behaviour(_ settings: BehaviourSettings) -> [String] {
        let changed = BehaviourKind.allCases.filter { settings[$0] != $0.setting }
        let dropping = BehaviourKind.allCases.filter { settings[$0].action == .drop }.count
        let all = BehaviourKind.allCases.count
        return [line("behaviour", "\(dropping) of \(all) kinds refuse; other than by default:")]
            + (changed.isEmpty
                ? ["    none"]
                : changed.map { "    \($0.identifier): \(settings[$0].action.rawValue), \(settings[$0].concern)" })
    }

    private static func checks(_ settings: CheckSettings) -> [String] {
        let changed = Checks.all.filter { settings[$0.check] != $0.setting }
        let dropping = Checks.all.filter { settings[$0.check].action == .drop }.count
        var lines = [line("conformance", "\(dropping) of \(Checks.all.count) checks drop; other than by default:")]
        for check in changed {
            let setting = settings[check.check]
            lines.append("    \(check.identifier): \(setting.action.rawValue), \(setting.concern)")
        }
        if changed.isEmpty { lines.append("    none") }
        return lines
    }
}
