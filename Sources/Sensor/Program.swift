import Behaviour
import Configuration
import Conformance
import Evidence
import Events
import Floods
import Glibc
import Inspection
import Offload
import Policy
import Signatures
import Topology
import Wire

/// Everything that one configuration says to the packet path: hosts, counters, rules, policies. Made whole,
/// then never changed: a reload makes another one, and the workers change over between two batches.
public final class Program: Sendable {
    /// From 1; each reload makes the next.
    public let generation: UInt32
    public let settings: Settings
    public let hosts: HostTable
    public let floods: FloodTable
    public let rules: RuleSet
    public let policies: PolicyTable
    public let checks: CheckTable
    public let senders: SenderTable
    public let relations: RelationTable
    private let unseen: RelationTable
    public let handlings: RuleHandlingTable
    /// What policies say of rules that no rule is meant by.
    public let handlingProblems: [String]
    /// Guests, and what is done about what they, and others to them, do.
    public let watchedGuests: [WatchedGuest]
    private let eventLimits: EventLimits
    private let mode: InspectionMode
    let memory: FlowMemory

    /// Reads the rule files and builds the tables for `workers` workers. With the same guests as `former`
    /// its hosts and counters go on: floods that are open stay open. Flows go on in any case.
    ///
    /// `hostSeed` keys the host table and what behaviour is watched with; by default nobody can know it. `mode` is that of a live sensor, as the
    /// settings have it, unless it is given.
    ///
    /// Throws what the rule files are to blame for; a rule that is rejected is in `rules.problems`.
    public init(
        _ settings: Settings, workers: Int, former: Program? = nil, hostSeed: UInt64 = .random(in: .min ... .max),
        mode: InspectionMode? = nil
    ) throws(RuleLoadError) {
        var mode = mode ?? Program.live(settings.flows)
        mode.segmentOverlap = settings.flows.segmentOverlap
        mode.fragmentOverlap = settings.flows.fragmentOverlap
        self.mode = mode
        memory =
            former?.memory
            ?? FlowMemory(
                workers: workers, flows: settings.flows.count, streamBytes: settings.flows.streamMemory,
                tellsFlows: settings.events.flows,
                keeps: settings.evidence.memory > 0 ? UInt8(settings.evidence.packets) : 0, mode: mode, seed: hostSeed)
        generation = (former?.generation ?? 0) + 1
        self.settings = settings
        let guests = settings.guests.map(\.guest)
        if let former, former.hosts.guests.map(\.addresses) == guests.map(\.addresses) {
            hosts = former.hosts
            floods = former.floods
        } else {
            hosts = HostTable(guests, seed: hostSeed)
            floods = FloodTable(slotCount: hosts.slotCount, workerCount: workers)
        }
        rules = try RuleSet.load(
            files: settings.rules.files, thresholds: settings.rules.thresholds,
            classification: settings.rules.classification, variables: Program.variables(settings),
            precedence: settings.rules.actionOrder, cache: Program.cache(settings))
        eventLimits = EventLimits(settings.events.limits, rules)
        let decide = { (shadow: Bool, unknown: Handling?) in
            GuestPolicy(
                shadow: settings.shadow || shadow, unknownProtocol: unknown ?? settings.policy.unknownProtocols,
                signaturesDrop: mode.isInline, passesFragments: settings.policy.fragments == .pass)
        }
        policies = PolicyTable(
            guests: settings.guests.map { decide($0.guest.shadow, $0.unknownProtocols) },
            others: decide(false, nil))
        let list = rules.rules
        handlings = RuleHandlingTable(
            guests: settings.guests.map { $0.rules.handlings(of: list) },
            others: settings.policy.rules.handlings(of: list))
        handlingProblems = settings.unmatchedRuleNames(among: list)
        // What is dropped elsewhere, or was delivered long ago, is only told.
        let settled = { (checks: CheckSettings) in mode.isInline ? checks : checks.alertOnly }
        checks = CheckTable(
            guests: settings.guests.map { settled($0.conformance) }, others: settled(settings.policy.conformance))
        unseen = RelationTable(mode.isInline ? settings.divert.unseen : [])
        relations = RelationTable(mode.isInline ? settings.relations : settings.relations.map(\.alertOnly))
        watchedGuests = settings.guests.map {
            WatchedGuest(
                name: $0.guest.name, shadow: settings.shadow || $0.guest.shadow,
                settings: mode.isInline ? $0.behaviour : $0.behaviour.alertOnly)
        }
        senders = SenderTable(guests) { name in
            let index = unsafe if_nametoindex(name)
            return index == 0 ? nil : index
        }
    }

    private static func live(_ flows: Settings.Flows) -> InspectionMode {
        var mode = InspectionMode.live
        mode.midstream = flows.midstream
        mode.passesExceptions = flows.whenFull == .pass
        return mode
    }

    private static func cache(_ settings: Settings) -> PatternCache? {
        let systemd = unsafe getenv("CACHE_DIRECTORY").map { unsafe String(cString: $0) }
        return (settings.rules.cache ?? systemd).map { PatternCache(directory: $0) }
    }

    /// Suricata's stock variables with the guests as HOME_NET, and over them what the file sets.
    public static func variables(_ settings: Settings) -> RuleVariables {
        var variables = RuleVariables.stock(home: settings.guests.flatMap(\.guest.addresses))
        variables.addresses.merge(settings.rules.variables.addresses) { $1 }
        variables.ports.merge(settings.rules.variables.ports) { $1 }
        return variables
    }

    public func inspector(for worker: Int, tally: Tally) throws(RuleLoadError) -> Inspector {
        try Inspector(
            worker: worker, generation: generation, hosts: hosts, floods: floods, rules: rules,
            policies: policies, checks: checks, senders: senders, relations: relations, unseen: unseen,
            handlings: handlings,
            tally: tally, memory: memory, mode: mode, eventLimits: eventLimits)
    }

    /// What is known of sources, for the controller of floods.
    public var floodMemory: FloodMemory { memory.floods }

    /// What watches over hosts' behaviour by this program.
    public func makeWatch() -> BehaviourWatch {
        BehaviourWatch(memory.behaviour, settings.behaviour, guests: watchedGuests, identify: guest)
    }

    /// Index of the guest that an address is of; nil for none.
    public func guest(of address: Address) -> Int? {
        let guest = hosts.view.guest(ofAddress: address)
        return guest < 0 ? nil : Int(guest)
    }

    /// Who holds a slot now.
    public func identify(_ slot: Int) -> HostIdentity? {
        guard let address = hosts.address(of: slot) else { return nil }
        return HostIdentity(address: address, guest: Int(hosts.view.guest(of: HostSlot(slot))))
    }

    public var guestFloods: [GuestFloods] {
        settings.guests.map {
            GuestFloods(name: $0.guest.name, shadow: settings.shadow || $0.guest.shadow, limits: $0.floods)
        }
    }

    /// The words that EVE lines use.
    public var names: EVENames {
        let rules = rules
        let guests = settings.guests.map(\.guest.name)
        let relations = settings.relations.map(\.text)
        return EVENames(
            rule: { code in
                guard Int(code) < rules.rules.count else { return nil }
                let rule = rules.rules[Int(code)]
                return EVENames.Rule(
                    gid: rule.gid, sid: rule.sid, rev: rule.rev, message: rule.message,
                    category: rule.category, severity: Int(rule.priority),
                    target: EVENames.Target(rule.target), metadata: rule.metadata)
            },
            check: { code in
                Int(code) < Checks.all.count ? Checks.all[Int(code)].identifier : nil
            },
            relation: { relations.indices.contains(Int($0)) ? relations[Int($0)] : nil },
            guest: { guests.indices.contains(Int($0)) ? guests[Int($0)] : nil },
            application: { Application(rawValue: $0)?.name })
    }

    /// Of them, bytes for the records of flows, and for streams.
    public var flowBytes: (records: Int, streams: Int) { memory.bytes }

    /// Bytes the tables hold, for `workers` workers.
    public var memoryBytes: Int {
        hosts.memoryBytes + floods.memoryBytes + FloodController.memoryBytes(slots: hosts.slotCount)
            + rules.memoryBytes + memory.memoryBytes + eventLimits.memoryBytes + checks.memoryBytes
            + senders.memoryBytes + relations.memoryBytes + handlings.memoryBytes
            + BehaviourWatch.memoryBytes(settings.behaviour)
    }
}

extension EventLimits {
    convenience init(_ settings: Settings.Events.Limits, _ rules: RuleSet) {
        let standard = UInt32(settings.standard)
        self.init(
            period: UInt64(settings.period) * 1_000_000_000, standard: standard,
            rules: rules.rules.map { rule in
                settings.rules[Settings.RuleNumber(gid: rule.gid, sid: rule.sid)].map { UInt32($0) } ?? standard
            }, tellsDrops: settings.drops == .alert)
    }
}

extension EVENames.Target {
    fileprivate init(_ target: RuleTarget) {
        switch target {
        case .unsaid: self = .unsaid
        case .source: self = .source
        case .destination: self = .destination
        }
    }
}
