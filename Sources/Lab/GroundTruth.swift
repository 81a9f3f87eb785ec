import Foundation

/// Packets by flood class.
public struct TrafficCount: Sendable, Equatable, Codable {
    public var syn = 0
    public var tcp = 0
    public var udp = 0
    public var icmp = 0
    public var fragment = 0

    public static let classes = ["syn", "tcp", "udp", "icmp", "fragment"]

    public var total: Int { syn + tcp + udp + icmp + fragment }

    public subscript(floodClass: String) -> Int {
        get {
            switch floodClass {
            case "syn": syn
            case "tcp": tcp
            case "udp": udp
            case "icmp": icmp
            default: fragment
            }
        }
        set {
            switch floodClass {
            case "syn": syn = newValue
            case "tcp": tcp = newValue
            case "udp": udp = newValue
            case "icmp": icmp = newValue
            default: fragment = newValue
            }
        }
    }

    public static func - (a: TrafficCount, b: TrafficCount) -> TrafficCount {
        var difference = a
        for name in classes { difference[name] -= b[name] }
        return difference
    }
}

/// What really was sent and what really arrived, counted by the kernel at both ends of the bridge and
/// independently of the sensor.
///
/// Sent: what comes in by a machine's port, before the bridge sees it. Arrived: what reaches a machine's
/// card, without the client's ordinary traffic. Both are nft counters at netdev ingress, which see every
/// packet, fragments as fragments.
public struct GroundTruth: Sendable {
    private let host: Machine

    public static func install(in lab: Lab) throws -> GroundTruth {
        let ports = lab.machines.map { table("sent_\($0.name)", device: $0.port, ignoring: nil) }
        try lab.host.run("nft", "-f", "-", input: ports.joined())
        for machine in lab.machines {
            let ignored = machine == lab.client ? nil : lab.client
            try machine.run("nft", "-f", "-", input: table("arrived", device: "eth0", ignoring: ignored))
        }
        return GroundTruth(host: lab.host)
    }

    /// Takes the counters away, so that new ones can start at nothing.
    public static func remove(from lab: Lab) throws {
        let tables = lab.machines.map { "delete table netdev sent_\($0.name)\n" }
        try lab.host.run("nft", "-f", "-", input: tables.joined())
        for machine in lab.machines { try machine.run("nft", "delete", "table", "netdev", "arrived") }
    }

    /// Packets that the machine has sent since the start.
    public func sent(by machine: Machine) throws -> TrafficCount {
        try Self.read(host, "sent_\(machine.name)")
    }

    /// Packets that have arrived at the machine since the start, the client's not among them.
    public func arrived(at machine: Machine) throws -> TrafficCount { try Self.read(machine, "arrived") }

    /// Packets that the machine has sent since the start, and packets that Flinch's rules had the kernel drop, read at
    /// once.
    func sentAndOffloaded(by machine: Machine) throws -> (sent: Int, offloaded: Int) {
        let text = try host.run("nft", "-j", "list", "counters")
        let counters = try JSONDecoder().decode(Listing.self, from: Data(text.utf8)).nftables.compactMap(\.counter)
        return (
            counters.filter { $0.table == "sent_\(machine.name)" }.reduce(0) { $0 + $1.packets },
            counters.first { $0.name == "flood_dropped" }?.packets ?? 0
        )
    }

    private static func table(_ name: String, device: String, ignoring: Machine?) -> String {
        let counters = TrafficCount.classes.map { "  counter c_\($0) {}\n" }.joined()
        let ignored =
            ignoring.map { "    ip saddr \($0.ipv4) return\n    ip6 saddr \($0.ipv6) return\n" } ?? ""
        return """
            table netdev \(name) {
            \(counters)
              chain \(name) {
                type filter hook ingress device \(device) priority 0;
            \(ignored)
                ip frag-off & 0x3fff != 0 counter name c_fragment return
                exthdr frag exists counter name c_fragment return
                tcp flags & (syn|ack) == syn counter name c_syn return
                meta l4proto tcp counter name c_tcp return
                meta l4proto udp counter name c_udp return
                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } return
                meta l4proto { icmp, ipv6-icmp } counter name c_icmp return
              }
            }

            """
    }

    private struct Listing: Decodable {
        struct Entry: Decodable { var counter: Counter? }
        struct Counter: Decodable {
            var table: String
            var name: String
            var packets: Int
        }
        var nftables: [Entry]
    }

    private static func read(_ machine: Machine, _ table: String) throws -> TrafficCount {
        let text = try machine.run("nft", "-j", "list", "counters", "table", "netdev", table)
        let listing = try JSONDecoder().decode(Listing.self, from: Data(text.utf8))
        var count = TrafficCount()
        for counter in listing.nftables.compactMap(\.counter) {
            count[String(counter.name.dropFirst(2))] = counter.packets
        }
        return count
    }
}
