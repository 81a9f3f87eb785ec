import Evidence
import Offload
import Topology

/// What a policy says of whom its guests talk with.
public struct PolicyTopology: Sendable, Equatable {
    /// Who may begin to talk to the guests, or whom they may talk to.
    public struct Rule: Sendable, Equatable {
        public var peer: Relation.Party
        /// The guests begin.
        public var isOutward: Bool
        public var action: Relation.Action
        public var concern: Concern

        func relation(_ guests: Relation.Party) -> Relation {
            Relation(
                from: isOutward ? guests : peer, to: isOutward ? peer : guests, action: action, concern: concern)
        }
    }

    /// Hosts whose traffic with the guests is not looked at.
    public var excluded: [Relation.Party] = []
    /// The first that fits holds.
    public var rules: [Rule] = []

    public init() {}

    public var isEmpty: Bool { excluded.isEmpty && rules.isEmpty }
}

extension Settings {
    /// The guests whose topology is that of one policy for the same reason, or one guest's own.
    private struct Circle {
        var name: String
        var rank: Int
        var topology: PolicyTopology
        var guests: Relation.Party
    }

    /// Guests by whose topology theirs is, the most specific first.
    private var circles: [Circle] {
        var circles: [Circle] = []
        for guest in guests where !guest.topology.isEmpty {
            let choice = guest.choices.first
            let isOwn = guest.topology != policies.first { $0.name == choice?.policy }?.topology
            let name = isOwn ? guest.guest.name : "guests of \(choice?.policy ?? "")"
            // Its own before that of a policy which it names, then as policies are chosen.
            let rank = isOwn ? 5 << 16 : choice?.target?.narrowness ?? 4 << 16
            if let index = circles.firstIndex(where: { !isOwn && $0.name == name && $0.rank == rank }) {
                circles[index].guests.addresses += guest.guest.addresses
            } else {
                circles.append(
                    Circle(
                        name: name, rank: rank, topology: guest.topology,
                        guests: Relation.Party(name, guest.guest.addresses)))
            }
        }
        // The sort keeps the order of those that are as specific by their places.
        return circles.enumerated().sorted { ($1.element.rank, $0.offset) < ($0.element.rank, $1.offset) }
            .map(\.element)
    }

    /// What the policies come to: relations that are asked before those of the file, and pairs that are excluded beside
    /// what the file excludes.
    var topologyOfPolicies: (relations: [Relation], excluded: TrafficSelection) {
        var relations: [Relation] = []
        var excluded = TrafficSelection()
        for circle in circles {
            relations += circle.topology.rules.map { $0.relation(circle.guests) }
            let peers = circle.topology.excluded
            if peers.contains(where: \.isAll) {
                excluded.prefixes += circle.guests.addresses
            } else if !peers.isEmpty {
                excluded.pairs.append(.init(circle.guests.addresses, peers.flatMap(\.addresses)))
            }
        }
        return (relations, excluded)
    }
}

extension Relation.Party {
    var isAll: Bool { name == PartyReader.everybody }
}

extension Settings.Divert {
    /// Whose conversations the kernel does not bring up, both ways, as far as addresses tell; everybody's where they do
    /// not, or there are too many.
    public var unseen: [Relation] {
        let everybody = Relation.Party(PartyReader.everybody, PartyReader.allAddresses)
        let all = [Relation(from: everybody, to: everybody, action: .alert)]
        guard only.isEmpty, !excluded.isOfFrames else { return all }
        let pairs = excluded.pairs + (excluded.prefixes.isEmpty ? [] : [.init(excluded.prefixes, everybody.addresses)])
        let relations = pairs.flatMap { pair in
            let (one, other) = (Relation.Party("", pair.one), Relation.Party("", pair.other))
            return [
                Relation(from: one, to: other, action: .alert), Relation(from: other, to: one, action: .alert),
            ]
        }
        let fits =
            relations.count <= RelationTable.limit && RelationTable.classCount(of: relations) <= RelationTable.limit
        return fits ? relations : all
    }
}
