import Behaviour
import Configuration
import Conformance
import Evidence
import Events
import Floods
import Glibc
import Inspection
import Inventory
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
    public let senders: SenderTable
    public let handlings: RuleHandlingTable
    /// What policies say of rules that no rule is meant by.
    public let handlingProblems: [String]
    /// Guests, and what is done about what they, and others to them, do.
    public let watchedGuests: [WatchedGuest]
    /// Of the guests, those that were found.
    public let found: [Guest]
    /// Names of guests' ports, and their interface indices; 0 for one that is not there.
    public let ports: [String: UInt32]
    /// The addresses and ports that the rules were compiled for.
    private let variables: RuleVariables
    /// They are others than the guests have now.
    public let needsRules: Bool
    private let eventLimits: EventLimits
    private let inline: Stance
    /// Of the workers from `queueWorkers` on; nil where there are none.
    private let listening: Stance?
    private let queueWorkers: Int
    let memory: FlowMemory

    /// Reads the rule files and builds the tables for `workers` workers, of which the last `listeners` only listen. With
    /// the same guests as `former` its hosts and counters go on: floods that are open stay open. Flows go on in any
    /// case.
    ///
    /// `hostSeed` keys the host table and what behaviour is watched with; by default nobody can know it. `mode` is that
    /// of a live sensor, as the settings have it, unless it is given.
    ///
    /// `found` are the guests among those of the settings that were found. With `keepsRules` the rules are the former
    /// program's, although they may be compiled for other addresses (`needsRules`): that is a matter of milliseconds.
    ///
    /// Throws what the rule files are to blame for; a rule that is rejected is in `rules.problems`.
    public init(
        _ settings: Settings, workers: Int, former: Program? = nil, hostSeed: UInt64 = .random(in: .min ... .max),
        mode: InspectionMode? = nil, listeners: Int = 0, found: [Guest] = [], keepsRules: Bool = false
    ) throws(RuleLoadError) {
        var mode = mode ?? Program.live(settings.flows)
        mode.urgent = settings.flows.urgent
        mode.segmentOverlap = settings.flows.segmentOverlap
        mode.fragmentOverlap = settings.flows.fragmentOverlap
        let heard = Program.listening(settings.flows)
        queueWorkers = workers - listeners
        memory =
            former?.memory
            ?? FlowMemory(
                workers: workers, flows: settings.flows.count, streamBytes: settings.flows.streamMemory,
                tellsFlows: settings.events.flows,
                keeps: settings.evidence.memory > 0 ? UInt8(settings.evidence.packets) : 0, mode: mode, seed: hostSeed,
                listeners: listeners, listening: heard)
        self.settings = settings
        self.found = found
        let guests = settings.guests.map(\.guest)
        if let former, former.hosts.guests.map(\.addresses) == guests.map(\.addresses) {
            hosts = former.hosts
            floods = former.floods
        } else if let former, let extended = HostTable(extending: former.hosts, to: guests) {
            hosts = extended
            floods = former.floods
        } else {
            hosts = HostTable(guests, spare: settings.discovery.isOn ? Program.spareSlots : 0, seed: hostSeed)
            floods = FloodTable(slotCount: hosts.slotCount, workerCount: workers)
        }
        if keepsRules, let former {
            rules = former.rules
            variables = former.variables
        } else {
            variables = Program.variables(settings)
            rules = try RuleSet.load(
                files: settings.rules.files, thresholds: settings.rules.thresholds,
                classification: settings.rules.classification, variables: variables,
                precedence: settings.rules.actionOrder, cache: Program.cache(settings))
        }
        needsRules = keepsRules && variables != Program.variables(settings)
        // Where the numbers in events mean what they did, only more of them, they need no words of their own.
        var isSequel = keepsRules
        if let former { isSequel = isSequel && hosts.continues(former.hosts) }
        generation = (former?.generation ?? 0) + (isSequel ? 0 : 1)
        eventLimits = EventLimits(settings.events.limits, rules)
        inline = Stance(settings, mode)
        listening = listeners > 0 ? Stance(settings, heard, filters: workers > listeners) : nil
        let list = rules.rules
        handlings = RuleHandlingTable(
            guests: settings.guests.map { $0.rules.handlings(of: list) },
            others: settings.policy.rules.handlings(of: list))
        handlingProblems = settings.unmatchedRuleNames(among: list)
        watchedGuests = settings.guests.map {
            WatchedGuest(
                name: $0.guest.name, shadow: settings.shadow || $0.guest.shadow,
                settings: mode.isInline && $0.mode == .filtered ? $0.behaviour : $0.behaviour.alertOnly)
        }
        let names = Set(guests.flatMap(\.ports))
        let ports = Dictionary(uniqueKeysWithValues: names.map { ($0, unsafe if_nametoindex($0)) })
        self.ports = ports
        senders = SenderTable(guests) { ports[$0] }
    }

    /// Slots for addresses of guests that are found later; a slot takes about 4 KiB.
    private static let spareSlots = 1024

    private static func live(_ flows: Settings.Flows) -> InspectionMode {
        var mode = InspectionMode.live
        mode.midstream = flows.midstream
        mode.passesExceptions = flows.whenFull == .pass
        return mode
    }

    /// Of a mirror. It has the packets as they were sent, so that their checksums can be verified.
    private static func listening(_ flows: Settings.Flows) -> InspectionMode {
        var mode = InspectionMode(isInline: false, verifiesChecksums: true, midstream: flows.midstream)
        mode.urgent = flows.urgent
        mode.segmentOverlap = flows.segmentOverlap
        mode.fragmentOverlap = flows.fragmentOverlap
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

    /// `former`, for one who listens: the program whose diversion is still in force.
    public func inspector(
        for worker: Int, tally: Tally, former: Program? = nil
    ) throws(RuleLoadError) -> Inspector {
        var stance = inline
        if worker >= queueWorkers, let listening {
            stance =
                former.map { Stance(settings, listening.mode, filters: queueWorkers > 0, former: $0.settings) }
                ?? listening
        }
        return try Inspector(
            worker: worker, generation: generation, hosts: hosts, floods: floods, rules: rules,
            policies: stance.policies, checks: stance.checks, senders: senders, relations: stance.relations,
            unseen: stance.unseen, handlings: handlings, tally: tally, memory: memory, mode: stance.mode,
            eventLimits: eventLimits)
    }

    /// What is known of sources, for the controller of floods.
    public var floodMemory: FloodMemory { memory.floods }

    /// What workers said of guests' addresses since the last call.
    func takeSightings() -> [Sighting] { memory.takeSightings() }

    /// What watches over hosts' behaviour by this program.
    public func makeWatch() -> BehaviourWatch {
        BehaviourWatch(memory.behaviour, settings.behaviour, guests: watchedGuests, identify: guest)
    }

    /// Index of the guest that an address is of; nil for none.
    public func guest(of address: Address) -> Int? {
        let guest = hosts.view.guest(ofAddress: address)
        return guest < 0 ? nil : Int(guest)
    }

    /// Whether a guest that was watched is filtered, or the other way round.
    func movesGuests(from former: Program) -> Bool {
        settings.guests.contains { ![nil, $0.mode].contains(former.settings.mode(of: $0.guest.name)) }
    }

    /// Who holds a slot now.
    public func identify(_ slot: Int) -> HostIdentity? {
        // A slot that is nobody's here may be taken already in the program that comes.
        guard let address = hosts.address(of: slot), case let guest = hosts.view.guest(of: HostSlot(slot)), guest >= 0
        else { return nil }
        return HostIdentity(address: address, guest: Int(guest))
    }

    public var guestFloods: [GuestFloods] {
        settings.guests.map {
            GuestFloods(
                name: $0.guest.name, shadow: settings.shadow || $0.guest.shadow,
                limits: $0.mode == .filtered ? $0.floods : $0.floods.alertOnly)
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
            + rules.memoryBytes + memory.memoryBytes + eventLimits.memoryBytes + inline.memoryBytes
            + (listening?.memoryBytes ?? 0) + senders.memoryBytes + handlings.memoryBytes
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
