import Topology
import Wire

/// Reads hosts as people name them: a guest, a pattern of guests' names, `group:NAME`, a prefix, or `all`.
struct PartyReader {
    let guests: [Guest]
    /// Whether a guest that is not there may come yet. Until then it stands for nobody.
    var mayBeAway = false
    static let everybody = "all"
    static let allAddresses = [Prefix("0.0.0.0/0")!, Prefix("::/0")!]

    /// One of them, or a list.
    func read(_ value: Value) -> Relation.Party? {
        guard value.word == nil else { return single(value) }
        guard let elements = value.elements(like: "[web, \"group:dmz\", 192.0.2.0/24]") else { return nil }
        let parties = elements.compactMap(single)
        guard parties.count == elements.count else { return nil }
        guard !parties.isEmpty else {
            value.problem("the list is empty; write at least one, or all")
            return nil
        }
        return Relation.Party(parties.map(\.name).joined(separator: ", "), parties.flatMap(\.addresses))
    }

    func single(_ value: Value) -> Relation.Party? {
        if value.word == PartyReader.everybody {
            return Relation.Party(PartyReader.everybody, PartyReader.allAddresses)
        }
        guard let target = PolicyReader.target(value) else { return nil }
        if case .prefix(let prefix) = target { return Relation.Party("\(target)", [prefix]) }
        let addresses = guests.filter(target.covers).flatMap(\.addresses)
        guard !addresses.isEmpty || mayBeAway else {
            value.problem(unknown(target))
            return nil
        }
        return Relation.Party("\(target)", addresses)
    }

    private func unknown(_ target: Settings.PolicyTarget) -> String {
        let names = guests.map(\.name) + Set(guests.compactMap(\.group)).sorted().map { "group:\($0)" }
        let meant = suggestion(for: "\(target)", among: names).map { "did you mean \($0)?" }
        return "no guest is \(quoted("\(target)")); "
            + (meant ?? "write a guest's name, a pattern like web*, \"group:NAME\", a prefix, or all")
    }
}
