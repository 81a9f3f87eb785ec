/// One thing that is played in the lab, with what must come of it.
public struct Scenario: Sendable {
    public enum Play: Sendable {
        /// Ordinary traffic alone: what all others are measured against.
        case ordinary
        /// nmap at the SMB ports of every guest.
        case probe
        /// A flood from one machine to another.
        case flood(Flood)
        /// A SYN flood from many addresses on the shop, at so many packets a second.
        case siege(sources: Int, rate: Int)
    }

    public struct Flood: Sendable {
        public var floodClass: String
        public var from: String
        public var target: String
        /// Packets a second asked of the program.
        public var rate: Int
    }

    public var name: String
    /// What happens, for a person.
    public var story: String
    public var play: Play

    /// The name of all scenarios in which Flinch only alerts.
    public static let alertOnly = "alert-only"

    public static let all: [Scenario] = [
        Scenario(name: "ordinary", story: "web, DNS, ping and bulk TCP; nobody attacks", play: .ordinary),
        Scenario(name: "smb-probe", story: "the SMB ports of every guest are probed", play: .probe),
        flood("udp-guest", "guest web pounds the DNS port of guest dns", "udp", from: "web", to: "dns"),
        flood("syn-flood", "connection requests pour in on web", "syn", to: "web"),
        flood("icmp-flood", "echo requests pour in on web", "icmp", to: "web"),
        flood("tcp-flood", "acknowledgements of no connection hit smb", "tcp", to: "smb"),
        flood("fragment-flood", "fragments that never become whole hit web", "fragment", to: "web"),
        Scenario(
            name: "ddos", story: "connection requests from a million addresses pour in on shop",
            play: .siege(sources: 1 << 20, rate: 20_000)),
        flood("udp-alert", "UDP flood from web to watch", "udp", from: "web", to: "watch"),
        flood("syn-alert", "SYN flood to watch", "syn", to: "watch"),
        flood("icmp-alert", "ICMP flood to watch", "icmp", to: "watch"),
        flood("tcp-alert", "TCP flood to watch", "tcp", to: "watch"),
        flood("fragment-alert", "fragment flood to watch", "fragment", to: "watch"),
    ]

    private static func flood(
        _ name: String, _ story: String, _ floodClass: String, from: String = "outside", to target: String
    ) -> Scenario {
        Scenario(
            name: name, story: story,
            play: .flood(Flood(floodClass: floodClass, from: from, target: target, rate: 15_000)))
    }

    /// The scenarios of these names, in playing order, `ordinary` always among them because the others are
    /// measured against it; all of them for no names.
    ///
    /// - Throws: `LabError` that lists the names there are.
    public static func named(_ names: [String]) throws -> [Scenario] {
        guard !names.isEmpty else { return all }
        let known = Set(all.map(\.name)).union([alertOnly])
        if let unknown = names.first(where: { !known.contains($0) }) {
            let list = (all.map(\.name) + [alertOnly]).joined(separator: ", ")
            throw LabError("there is no scenario \(unknown); there are: \(list)")
        }
        return all.filter { scenario in
            scenario.name == "ordinary" || names.contains(scenario.name)
                || names.contains(alertOnly) && scenario.name.hasSuffix("-alert")
        }
    }
}

extension Scenario.Flood {
    /// The program and its command for this flood in a lab.
    func attack(in lab: Lab, seconds: Double) -> Attack {
        let (from, to) = (lab.machine(from), lab.machine(target))
        return switch floodClass {
        case "syn": .syn(from: from, to: to, rate: rate, seconds: seconds)
        case "icmp": .icmp(from: from, to: to, rate: rate, seconds: seconds)
        case "tcp": .tcp(from: from, to: to, rate: rate, seconds: seconds)
        case "udp": .udp(from: from, to: to, rate: rate, seconds: seconds)
        default: .fragment(from: from, to: to, rate: rate, seconds: seconds)
        }
    }

    /// Ordinary traffic that is of the flooded class and goes to the flooded guest: a limit that acts on
    /// the class as a whole cannot spare it.
    var shared: OrdinaryReport.Kind? { floodClass == "udp" && target == "dns" ? .dns : nil }
}
