import Inventory

/// A configuration for a host on which Flinch is new: shadow mode, and everything that was found.
public struct Proposal: Sendable, Equatable {
    /// The configuration, the same each time for the same host.
    public var text: String
    /// Lines of the list of guests beside it, where no platform says who there is; nil for none.
    public var guestList: String?
    /// What the operator should know.
    public var notes: [String]

    public static let listName = "guests.list"

    /// `rules` are rule files, relative to the configuration's folder.
    public init(_ survey: HostSurvey, rules: [String]) {
        var from = survey.sources.map { source in
            source.path == source.platform.standardPath
                ? source.platform.rawValue : "{\(source.platform.rawValue): \(Proposal.quoted(source.path))}"
        }
        if !survey.strangers.isEmpty || from.isEmpty {
            from.append("{file: \(Proposal.listName)}")
            guestList = Proposal.list(survey.strangers)
        }
        let own = survey.bridges.filter { !$0.isMade }.map(\.name)
        let hasContainers = survey.bridges.contains { $0.isMade && !$0.name.hasPrefix("fwbr") }
        text = """
            # Proposed by `flinch setup`, yours from now on. `flinch config check FILE` says what is wrong with it; all that
            # may stand here is in /usr/share/doc/flinch/flinch.yaml.

            # Everything passes, and what would have been dropped is told: `flinch policy shadow`. Take it away to protect.
            shadow: true

            guests:
              from: [\(from.joined(separator: ", "))]
              # Addresses that no platform says are learned, from ARP, neighbour discovery and DHCP.
              learn: neighbours

            divert:
              # Empty: every bridge, those that come later as well.
              bridges: [\(hasContainers ? own.map(Proposal.quoted).joined(separator: ", ") : "")]
              # What addresses are learned from.
              arp: inspect

            # policies:
            #   shops: {based-on: strict, for: ["shop*", "group:acme"]}

            rules: {files: [\(rules.map(Proposal.quoted).joined(separator: ", "))]}

            """
        notes = Proposal.notes(survey, own: own, hasContainers: hasContainers)
    }

    private static func quoted(_ word: String) -> String {
        "\"\(word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private static func list(_ ports: [String]) -> String {
        let lines = ports.sorted().map { "\($0) port=\($0)" }
        return """
            # Guests that no platform tells of, a line each: a name, then words of port= mac= address= owner= id= vlan=
            # bridge=. Proposed by `flinch setup`; the sensor follows this file while it runs.
            \(lines.joined(separator: "\n"))

            """
    }

    private static func notes(_ survey: HostSurvey, own: [String], hasContainers: Bool) -> [String] {
        var notes: [String] = []
        if !survey.openVSwitchPorts.isEmpty {
            notes.append(
                "Open vSwitch has \(Proposal.some(survey.openVSwitchPorts)): what passes it passes no bridge of the kernel, "
                    + "and cannot be filtered here. Watch it by a mirror (flinch mirror), or put the guests on a Linux bridge"
            )
        }
        if own.isEmpty { notes.append("no Linux bridge is there: nothing is diverted until one is") }
        switch survey.callsIPTables {
        case true?:
            notes.append(
                "net.bridge.bridge-nf-call-iptables is on, as Docker, Kubernetes and pve-firewall set it: bridged packets "
                    + "also pass the host's iptables rules. Flinch looks at each of them once all the same")
        case false?: break
        case nil:
            notes.append(
                "br_netfilter is not loaded: kernels without nft's queue for bridges need it (modprobe br_netfilter); "
                    + "`flinch divert print` says which this is")
        }
        if hasContainers { notes.append("bridges of containers are left out: divert.bridges lists the others") }
        let aware = survey.bridges.filter(\.isVLANAware).map(\.name)
        if !aware.isEmpty {
            notes.append("\(Proposal.some(aware)) keeps VLANs apart: all are inspected; exclude some by \"vlan:100\"")
        }
        if !survey.bonds.isEmpty {
            notes.append(
                "\(Proposal.some(survey.bonds)) is a bond: what comes by it is inspected at the bridge above it")
        }
        let away = survey.inventory.entries.filter { !$0.ports.isEmpty && $0.ports.allSatisfy { $0.bridge == nil } }
        if !away.isEmpty { notes.append("no bridge has the ports of \(Proposal.some(away.map(\.name)))") }
        if !survey.strangers.isEmpty {
            notes.append(
                "no platform tells whose \(Proposal.some(survey.strangers)) is: \(listName) has a line for each; give them names"
            )
        }
        return notes + survey.inventory.problems.map(\.description)
    }

    private static func some(_ names: [String]) -> String {
        names.count <= 4
            ? names.joined(separator: ", ") : names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more"
    }
}
