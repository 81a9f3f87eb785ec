import Evidence
import Topology

/// Reads what policies, and guests for themselves, say of whom their guests talk with. Guests are named in it, so it is
/// read when all are known.
struct PolicyTopologyReader {
    let parties: PartyReader

    /// `policies` and `guests` are the sections of the file. What a policy does not say is as in the one that it is
    /// based on.
    func read(policies: Value?, guests: Value?, into settings: inout Settings) {
        for (name, value) in policies?.quietEntries ?? [] {
            guard let index = settings.policies.firstIndex(where: { $0.name == name }) else { continue }
            let base = value.peek("based-on")?.word
            let inherited = settings.policies.first { $0.name == base }?.topology ?? PolicyTopology()
            settings.policies[index].topology = value.peek("topology").map { read($0, over: inherited) } ?? inherited
        }
        var own: [String: Value] = [:]
        let list = guests.flatMap { $0.isMapping ? $0.peek("list") : $0 }
        for value in list?.quietElements ?? [] {
            guard let name = value.peek("name")?.word else { continue }
            own[name] = value.peek("topology")
        }
        for index in settings.guests.indices {
            let choice = settings.guests[index].choices.first?.policy
            let common = settings.policies.first { $0.name == choice }?.topology ?? PolicyTopology()
            settings.guests[index].topology =
                own[settings.guests[index].guest.name].map { read($0, over: common) } ?? common
        }
    }

    private func read(_ value: Value, over base: PolicyTopology) -> PolicyTopology {
        var topology = base
        guard let section = value.section(["exclude", "relations"]) else { return topology }
        if let list = section["exclude"] {
            topology.excluded = (list.elements(like: "[backup, 192.0.2.0/24]") ?? []).compactMap(excluded)
        }
        if let list = section["relations"] {
            let example = "- {to: servers, action: deny}"
            topology.rules = (list.elements(numbered: true, like: example) ?? []).compactMap(rule)
        }
        return topology
    }

    private func excluded(_ element: Value) -> Relation.Party? {
        guard let word = element.word, !word.hasPrefix("vlan:"), !word.hasPrefix("port:") else {
            element.refuse("hosts; VLANs, ports and pairs belong into divert.exclude")
            return nil
        }
        return parties.single(element)
    }

    private func rule(_ value: Value) -> PolicyTopology.Rule? {
        guard let section = value.section(["from", "to", "action", "concern"]) else { return nil }
        let (from, to) = (section["from"], section["to"])
        if from == nil && to == nil || from != nil && to != nil {
            value.problem(
                "the guests of the policy are one side; write the other: to: and whom they may talk to, or from: and"
                    + " who may talk to them")
        }
        if section["action"] == nil { section.missing("action", "there is none; write action: allow, alert or deny") }
        let action = section["action"]?.choice(Relation.Action.self)
        let concern = section["concern"]?.choice(ConcernWord.self)?.concern ?? .medium
        guard (from == nil) != (to == nil), let peer = (from ?? to).flatMap(parties.read), let action else {
            return nil
        }
        return PolicyTopology.Rule(peer: peer, isOutward: to != nil, action: action, concern: concern)
    }
}
