import Conformance
import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Topology
import Wire

/// An inspector as a worker has one, and the packets that it is given.
final class InspectedTraffic {
    private let traffic: SampleTraffic
    private var inspector: Inspector
    private var arrival = Arrival(time: 1_800_000_000_000_000_000)

    /// With `hasRelations`, 200 networks of which none may talk to any other, and none of which is in the traffic.
    init(_ traffic: SampleTraffic, rules file: String, hasRelations: Bool = false) throws {
        self.traffic = traffic
        let guest = Guest(name: "web", addresses: ["10.77.0.0/24", "fd77::/64"].compactMap { Prefix($0) })
        let hosts = HostTable([guest])
        let rules = try RuleSet.load(files: [file], variables: .stock(home: guest.addresses))
        // The same fragment comes again in every pass.
        var checks = CheckSettings()
        checks[.fragmentOverlap].action = .off
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts,
            floods: FloodTable(slotCount: hosts.slotCount, workerCount: 1), rules: rules,
            policies: PolicyTable(guests: [GuestPolicy()], others: GuestPolicy()),
            checks: CheckTable(guestCount: 1, checks),
            relations: hasRelations ? InspectedTraffic.relations : nil, tally: Tally(workerCount: 1),
            memory: FlowMemory(workers: 1))
        arrival.hardwareProtocol = 0x0800
        arrival.checksum = .verified
    }

    private static var relations: RelationTable {
        let all = Relation.Party("all", [Prefix("172.16.0.0/12")!])
        return RelationTable(
            (0..<200).map { number in
                let network = Relation.Party("\(number)", [Prefix("172.16.\(number).0/24")!])
                return Relation(from: network, to: all, action: .deny)
            })
    }

    /// Inspects every packet once, a microsecond apart. Returns how many were accepted without a finding,
    /// which all of them should be.
    func pass() -> UInt64 { Self.pass(&inspector, &arrival, traffic) }

    /// Apart from the class, so that exclusive access to it is asked for once a pass and not once a packet.
    private static func pass(
        _ inspector: inout Inspector, _ arrival: inout Arrival, _ traffic: borrowing SampleTraffic
    ) -> UInt64 {
        var clean: UInt64 = 0
        let bytes = unsafe traffic.bytes.span.bytes
        for range in traffic.ranges {
            arrival.time &+= 1000
            let decision = inspector.inspect(unsafe bytes.extracting(unchecked: range), .ip, arrival)
            if decision.verdict == .accept, inspector.findings.count == 0 { clean &+= 1 }
        }
        return clean
    }
}
