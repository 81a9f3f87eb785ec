import Evidence
import Floods
import Foundation
import Inspection
import Policy
import Signatures
import Topology
import Wire

/// The whole inspection over real captures, with rule sets of three sizes; against Hyperscan alone with the
/// same literals over the same payloads.
enum RuleFigures {
    /// Beside the checkout, where it exists.
    private static let shared = "../shared"

    static var canMeasure: Bool { FileManager.default.fileExists(atPath: "\(shared)/captures/protocols") }

    private static let sets: [(name: String, folders: [String])] = [
        ("none", []), ("4000", ["snort29-community-2024"]),
        ("all", ["et-open-composite", "snort29-community-2024", "snort29-gpl-2005"]),
    ]

    static func rows(_ wanted: (String) -> Bool) throws -> [Row] {
        let chosen = sets.filter { set in
            ["", "allocations-"].contains { wanted("\($0)rules-\(set.name)") }
        }
        guard !chosen.isEmpty else { return [] }
        guard canMeasure else {
            note("rules-…: not measured, \(shared) is not here")
            return []
        }
        let traffic = try CapturedTraffic(folder: "\(shared)/captures/protocols")
        return try chosen.flatMap { try rows("rules-\($0.name)", $0.folders.flatMap(files), traffic) }
    }

    private static func files(_ folder: String) throws -> [String] {
        let path = "\(shared)/rules/\(folder)"
        let walk = FileManager.default.enumerator(atPath: path)
        return (walk?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".rules") }.sorted()
            .map { "\(path)/\($0)" }
    }

    private static func rows(_ name: String, _ files: [String], _ traffic: CapturedTraffic) throws -> [Row] {
        let subject = try CapturedInspection(traffic, rules: files)
        var passes = [subject.pass]
        if subject.ruleCount > 0 {
            let raw = try RawScan(try RuleSet.literals(files: files, variables: CapturedInspection.variables))
            passes.append { raw.pass(traffic) }
        }
        note("\(name): \(subject.ruleCount) rules loaded, \(traffic.packets.count) packets")
        let count = traffic.packets.count
        let costs = try Stopwatch(packets: count).measure(answer: UInt64(count), passes)
        // Bits a nanosecond are gigabits a second.
        func rate(_ cost: Cost) -> Double { traffic.bits / (cost.nanoseconds * Double(count)) }
        let raw = costs.count > 1 ? costs[1] : nil
        return [
            Row(name: name, value: costs[0].nanoseconds, unit: "ns/packet", baseline: raw?.nanoseconds),
            Row(name: "\(name)-rate", value: rate(costs[0]), unit: "Gb/s", baseline: raw.map(rate)),
            Row(name: "allocations-\(name)", value: costs[0].allocations, unit: "allocations/packet"),
        ]
    }
}

/// An inspector as a worker has one, and captured packets.
private final class CapturedInspection {
    static let home = ["192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12"].compactMap { Prefix($0) }
    static let variables = RuleVariables.stock(home: home)
    let ruleCount: Int
    private let traffic: CapturedTraffic
    private var inspector: Inspector
    /// Each pass is an hour after the one before: its flows are new ones, not retransmissions.
    private var shift: UInt64 = 0

    init(_ traffic: CapturedTraffic, rules files: [String]) throws {
        self.traffic = traffic
        let hosts = HostTable([Guest(name: "home", addresses: Self.home)])
        let rules = files.isEmpty ? .empty : try RuleSet.load(files: files, variables: Self.variables)
        ruleCount = rules.rules.count
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts,
            floods: FloodTable(slotCount: hosts.slotCount, workerCount: 1), rules: rules,
            policies: PolicyTable(guests: [GuestPolicy()], others: GuestPolicy()),
            tally: Tally(workerCount: 1), memory: FlowMemory(workers: 1))
    }

    func pass() -> UInt64 {
        shift &+= 3_600_000_000_000
        return Self.pass(&inspector, traffic, shift)
    }

    /// Apart from the class, so that exclusive access to it is asked for once a pass and not once a packet.
    private static func pass(
        _ inspector: inout Inspector, _ traffic: borrowing CapturedTraffic, _ shift: UInt64
    ) -> UInt64 {
        let bytes = unsafe traffic.bytes.span.bytes
        for packet in traffic.packets {
            let arrival = Arrival(time: packet.time &+ shift)
            _ = inspector.inspect(unsafe bytes.extracting(unchecked: packet.range), packet.link, arrival)
        }
        return UInt64(traffic.packets.count)
    }
}
