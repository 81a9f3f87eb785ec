import Behaviour
import Conformance
import Evidence
import Floods
import Topology
import Wire

extension Settings {
    /// What is done about the packets of some guests, under a name.
    public struct NamedPolicy: Sendable, Equatable {
        public var name: String
        /// Verdicts are recorded, and everything passes.
        public var shadow: Bool
        public var floods: FloodLimits
        public var conformance: CheckSettings
        public var behaviour: BehaviourSettings
        public var unknownProtocols: Handling
        public var rules: RuleActions
        public var topology = PolicyTopology()
        /// Whose it is, beside those that name it.
        public var targets: [PolicyTarget] = []

        public init(
            name: String, shadow: Bool = false, floods: FloodLimits = FloodLimits(),
            conformance: CheckSettings = CheckSettings(), behaviour: BehaviourSettings = BehaviourSettings(),
            unknownProtocols: Handling = .pass, rules: RuleActions = RuleActions()
        ) {
            self.name = name
            self.shadow = shadow
            self.floods = floods
            self.conformance = conformance
            self.behaviour = behaviour
            self.unknownProtocols = unknownProtocols
            self.rules = rules
        }

        /// Those that there are without being written: to look on, to begin with, and to let through nothing odd.
        public static var ready: [NamedPolicy] {
            [
                NamedPolicy(name: "watch", shadow: true), NamedPolicy(name: "balanced"),
                NamedPolicy(
                    name: "strict", floods: FloodLimits(.high), conformance: CheckSettings().strict,
                    behaviour: BehaviourSettings().strict, unknownProtocols: .drop),
            ]
        }
    }

    /// Who a policy is for.
    public enum PolicyTarget: Sendable, Equatable, CustomStringConvertible {
        /// A guest's name, in which `*` stands for anything.
        case name(String)
        /// Guests all of whose addresses of its family are in it.
        case prefix(Prefix)
        case group(String)

        public var description: String {
            switch self {
            case .name(let name): name
            case .prefix(let prefix): "\(prefix)"
            case .group(let group): "group:\(group)"
            }
        }

        public func covers(_ guest: Guest) -> Bool {
            switch self {
            case .name(let pattern): PolicyTarget.matches(Array(guest.name.utf8), Array(pattern.utf8))
            case .prefix(let prefix): PolicyTarget.holds(prefix, guest)
            case .group(let group): guest.group == group
            }
        }

        /// How narrow it is. A name before a prefix, the longer prefix before the shorter, then patterns by the
        /// letters in them, then groups.
        var narrowness: Int {
            switch self {
            case .name(let name) where !name.contains("*"): 3 << 16
            case .prefix(let prefix): 2 << 16 | Int(prefix.fixedBits)
            case .name(let pattern): 1 << 16 | pattern.utf8.count
            case .group: 0
            }
        }

        private static func holds(_ prefix: Prefix, _ guest: Guest) -> Bool {
            let addresses = guest.addresses.filter { $0.isV4 == prefix.isV4 }
            return !addresses.isEmpty
                && addresses.allSatisfy { $0.fixedBits >= prefix.fixedBits && prefix.contains($0.base) }
        }

        /// What a star stands for grows by one byte each time that what follows it does not fit; only the last star
        /// needs to be thought of again.
        private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
            let star = UInt8(ascii: "*")
            var (at, place) = (0, 0)
            var retry: (at: Int, place: Int)?
            while at < name.count {
                if place < pattern.count, pattern[place] == star {
                    retry = (at, place + 1)
                    place += 1
                } else if place < pattern.count, pattern[place] == name[at] {
                    at += 1
                    place += 1
                } else if let last = retry {
                    retry = (last.at + 1, last.place)
                    (at, place) = (last.at + 1, last.place)
                } else {
                    return false
                }
            }
            return pattern[place...].allSatisfy { $0 == star }
        }
    }

    /// A policy that could be a guest's, and why.
    public struct PolicyChoice: Sendable, Equatable {
        public var policy: String
        /// nil: the guest names it itself.
        public var target: PolicyTarget?
    }

    /// What the file says for whoever has no policy by name.
    var defaults: NamedPolicy {
        NamedPolicy(
            name: "default", shadow: shadow, floods: floods, conformance: policy.conformance,
            behaviour: policy.behaviour, unknownProtocols: policy.unknownProtocols, rules: policy.rules)
    }

    /// A guest with what the file says for everybody.
    public func protected(_ guest: Guest) -> ProtectedGuest {
        var protected = ProtectedGuest(
            guest: guest, floods: floods, conformance: policy.conformance, rules: policy.rules)
        protected.behaviour = policy.behaviour
        return protected
    }

    /// Names of the guests for which verdicts are recorded only.
    public var shadowGuests: Set<String> { Set(guests.filter { shadow || $0.guest.shadow }.map(\.guest.name)) }

    /// The guest whose address it is: of several the one with the longest prefix.
    public func guest(of address: Address) -> ProtectedGuest? {
        let all = guests.flatMap { guest in guest.guest.addresses.map { (prefix: $0, guest: guest) } }
        return all.filter { $0.prefix.contains(address) }.max { $0.prefix.fixedBits < $1.prefix.fixedBits }?.guest
    }

    /// The policies that could be a guest's, the one that is first.
    static func choices(for guest: Guest, named own: String?, among policies: [NamedPolicy]) -> [PolicyChoice] {
        var choices = own.map { [PolicyChoice(policy: $0, target: nil)] } ?? []
        let covering = policies.flatMap { policy in
            policy.targets.filter { $0.covers(guest) }.map { (policy: policy.name, target: $0) }
        }
        // Of two that are as narrow the first in the file; the sort keeps their order by their places.
        let ranked = covering.enumerated().sorted {
            ($1.element.target.narrowness, $0.offset) < ($0.element.target.narrowness, $1.offset)
        }
        for (_, element) in ranked where !choices.contains(where: { $0.policy == element.policy }) {
            choices.append(PolicyChoice(policy: element.policy, target: element.target))
        }
        return choices
    }
}
