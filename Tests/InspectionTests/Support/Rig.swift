import Conformance
import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Testing
import Topology
import Wire

/// An inspector with two guests, `web` (0) and `dns` (1), and all that it works on.
struct Rig: ~Copyable {
    static let home = [
        [Prefix(Family.v4.address(of: .web)), Prefix(Family.v6.address(of: .web))],
        [Prefix(Family.v4.address(of: .dns)), Prefix(Family.v6.address(of: .dns))],
    ]

    let hosts: HostTable
    let floods: FloodTable
    let rules: RuleSet
    let tally: Tally
    private let policies: PolicyTable
    private let memory: FlowMemory
    private let mode: InspectionMode
    var inspector: Inspector
    /// Where packets leave.
    var outPort: UInt32 = 0
    /// Nanoseconds; each packet comes when the test says so.
    var time: UInt64 = 1_700_000_000_000_000_000

    init(
        rules text: String = "", web: GuestPolicy = GuestPolicy(), dns: GuestPolicy = GuestPolicy(),
        others: GuestPolicy = GuestPolicy(), checks: CheckTable? = nil, senders: [Guest] = [],
        relations: [Relation] = [], unseen: [Relation] = [], handlings: RuleHandlingTable? = nil,
        mode: InspectionMode = .live, datagrams: Int = 1 << 10,
        eventLimits: EventLimits = EventLimits(period: 0, standard: .max, rules: [])
    ) throws {
        let hosts = HostTable([
            Guest(name: "web", addresses: Rig.home[0]), Guest(name: "dns", addresses: Rig.home[1]),
        ])
        let floods = FloodTable(slotCount: hosts.slotCount, workerCount: 1)
        let rules = try RuleSet.compile(
            text: text, file: "test.rules", variables: .stock(home: Rig.home.flatMap { $0 }))
        try #require(rules.problems == [])
        let tally = Tally(workerCount: 1)
        let policies = PolicyTable(guests: [web, dns], others: others)
        let memory = FlowMemory(workers: 1, datagrams: datagrams, mode: mode)
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts, floods: floods, rules: rules, policies: policies, checks: checks,
            senders: SenderTable(senders) { _ in 7 }, relations: RelationTable(relations),
            unseen: RelationTable(unseen),
            handlings: handlings, tally: tally, memory: memory,
            mode: mode,
            eventLimits: eventLimits)
        self.policies = policies
        self.memory = memory
        self.mode = mode
        self.hosts = hosts
        self.floods = floods
        self.rules = rules
        self.tally = tally
    }

    /// The handshake of the connection that `Family.tcp` speaks of.
    mutating func open(_ from: Party, _ to: Party, _ family: Family, port: Int = 80) {
        _ = inspect(family.tcp(from, to, port: port, flags: .syn))
        _ = inspect(family.answer(to, from, port: port))
    }

    /// Another inspector in place of this one, as after a reload.
    mutating func reload(relations: [Relation] = []) throws {
        inspector = try Inspector(
            worker: 0, generation: inspector.generation + 1, hosts: hosts, floods: floods, rules: rules,
            policies: policies, relations: RelationTable(relations), tally: tally, memory: memory, mode: mode)
    }

    mutating func inspect(
        _ bytes: some Sequence<UInt8>, _ link: LinkLayer = .ip, hardwareProtocol: UInt16 = 0,
        capturedShort: Bool = false,
        checksum: ChecksumState = .present, port: UInt32 = 0, mac: UInt64 = 0
    ) -> Decision {
        var arrival = Arrival(time: time)
        arrival.port = port
        arrival.sourceMAC = mac
        arrival.hardwareProtocol = hardwareProtocol
        arrival.checksum = checksum
        arrival.outPort = outPort
        let bytes = Array(bytes)
        return unsafe inspector.inspect(bytes.span.bytes, link, arrival, capturedShort: capturedShort)
    }

    /// What was said of guests' addresses since the last call: kind, address, port.
    func sightings() -> [String] { memory.takeSightings().map { "\($0.kind) \($0.address) \($0.port)" } }

    /// The bytes of inspected packet `index` of the last one, which were these.
    func bytes(of index: Int, in frame: [UInt8]) -> [UInt8] {
        let bytes = unsafe inspector.packets.bytes(of: index, in: frame.span.bytes)
        return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }

    func slot(of party: Party, _ family: Family) -> Int {
        Int(hosts.view.slot(of: family.address(of: party)))
    }

    func sum(_ party: Party, _ family: Family, _ counter: HostCounter) -> UInt64 {
        floods.sum(slot(of: party, family), counter)
    }

    /// What was found on the last packet: `sid:1`, or a check's identifier.
    var findings: [String] {
        (0..<inspector.findings.count).map { index in
            let finding = inspector.findings[index]
            return switch finding.source {
            case .signature: "sid:\(rules.rules[Int(finding.code)].sid)"
            case .conformance: Checks.all[Int(finding.code)].identifier
            case .tag: "tag"
            case .relation: "relation \(finding.code)"
            }
        }
    }
}
