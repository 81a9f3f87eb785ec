import Evidence
import Wire

/// Who may begin to talk to whom.
public struct Relation: Sendable, Equatable {
    /// Some hosts, under the name that the operator gave them.
    public struct Party: Sendable, Equatable {
        public var name: String
        public var addresses: [Prefix]

        public init(_ name: String, _ addresses: [Prefix]) {
            self.name = name
            self.addresses = addresses
        }
    }

    public enum Action: String, Sendable, CaseIterable {
        /// Nothing is said, and what stands below it is not asked.
        case allow
        case alert
        /// Dropped, with an alert.
        case deny
    }

    public var from: Party
    public var to: Party
    public var action: Action
    public var concern: Concern

    public init(from: Party, to: Party, action: Action, concern: Concern = .medium) {
        self.from = from
        self.to = to
        self.action = action
        self.concern = concern
    }

    /// For a person: `office may not talk to servers`.
    public var text: String {
        switch action {
        case .allow: "\(from.name) may talk to \(to.name)"
        case .alert: "\(from.name) talks to \(to.name)"
        case .deny: "\(from.name) may not talk to \(to.name)"
        }
    }

    /// The same, but nothing is denied: where packets were delivered long ago.
    public var alertOnly: Relation {
        var copy = self
        if action == .deny { copy.action = .alert }
        return copy
    }

    /// The first of several that is about `source` beginning to talk to `destination`.
    public static func first(
        of relations: [Relation], from source: Address, to destination: Address
    ) -> Relation? {
        relations.first { relation in
            relation.from.addresses.contains { $0.contains(source) }
                && relation.to.addresses.contains { $0.contains(destination) }
        }
    }
}
