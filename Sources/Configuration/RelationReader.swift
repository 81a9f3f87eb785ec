import Evidence
import Topology

/// Reads who may talk to whom.
struct RelationReader {
    let parties: PartyReader

    func read(_ value: Value) -> [Relation] {
        let example = "- {from: \"group:office\", to: servers, action: deny}"
        guard let elements = value.elements(numbered: true, like: example) else { return [] }
        var relations = elements.compactMap(relation)
        RelationReader.limit(&relations, value)
        return relations
    }

    /// Refuses, and forgets, what is more than a table holds.
    static func limit(_ relations: inout [Relation], _ value: Value, with others: String = "") {
        if relations.count > RelationTable.limit {
            value.problem("\(relations.count) relations\(others) are too many; write at most \(RelationTable.limit)")
            relations = []
        }
        let classes = RelationTable.classCount(of: relations)
        if classes > RelationTable.limit {
            value.problem(
                "these\(others) name \(classes) different sets of hosts, more than \(RelationTable.limit): "
                    + "put guests into groups and name the groups")
            relations = []
        }
    }

    private func relation(_ value: Value) -> Relation? {
        guard let section = value.section(["from", "to", "action", "concern"]) else { return nil }
        for key in ["from", "to", "action"] where section[key] == nil {
            section.missing(
                key,
                "there is none; write \(key == "action" ? "action: allow, alert or deny" : "\(key): and hosts, or all")"
            )
        }
        let (from, to) = (section["from"].flatMap(parties.read), section["to"].flatMap(parties.read))
        let action = section["action"]?.choice(Relation.Action.self)
        let concern = section["concern"]?.choice(ConcernWord.self)?.concern ?? .medium
        guard let from, let to, let action else { return nil }
        return Relation(from: from, to: to, action: action, concern: concern)
    }
}
