/// What there is on this host for Flinch to protect, and what stands in its way.
public struct HostSurvey: Sendable, Equatable {
    public struct Bridge: Sendable, Equatable {
        public var name: String
        public var ports: [String]
        /// It keeps VLANs apart by itself (vlan_filtering).
        public var isVLANAware: Bool
        /// A container engine's, or one that Proxmox VE makes for a card's firewall: not the operator's own.
        public var isMade: Bool

        public init(name: String, ports: [String], isVLANAware: Bool = false, isMade: Bool = false) {
            self.name = name
            self.ports = ports
            self.isVLANAware = isVLANAware
            self.isMade = isMade
        }
    }

    public var bridges: [Bridge] = []
    /// Where guests are found.
    public var sources: [PlatformSource] = []
    public var inventory = Inventory()
    /// Ports of bridges that look like guests', and are no platform's.
    public var strangers: [String] = []
    public var openVSwitchPorts: [String] = []
    public var bonds: [String] = []
    /// Bridged packets also pass this host's iptables rules; nil where the kernel's br_netfilter is not loaded.
    public var callsIPTables: Bool?

    public init() {}

    /// Looks at the host. Files are looked for below `root`.
    public static func take(root: String = "") throws(InventoryProblem) -> HostSurvey {
        HostSurvey(try LinkTable.read(), root: root)
    }

    init(_ links: LinkTable, root: String) {
        for platform in [Platform.proxmox, .libvirt] {
            guard let path = platform.standardPath.map({ root + $0 }), HostSurvey.isThere(platform, path) else {
                continue
            }
            sources.append(PlatformSource(platform, path: path))
        }
        inventory = Inventory.read(sources, links)
        // What nova made is the cloud's; where all is, nothing else is to be followed.
        if sources.map(\.platform) == [.libvirt], !inventory.entries.isEmpty,
            inventory.entries.allSatisfy({ $0.guest.platform == .openstack })
        {
            sources[0].platform = .openstack
        }
        for bridge in links.bridges {
            bridges.append(
                Bridge(
                    name: bridge.name, ports: links.ports(of: bridge).map(\.name),
                    isVLANAware: HostSurvey.number("/sys/class/net/\(bridge.name)/bridge/vlan_filtering") == 1,
                    isMade: HostSurvey.isMade(bridge.name)))
        }
        openVSwitchPorts = links.links.filter { link in
            links[link.master].map { $0.name == "ovs-system" || $0.kind == "openvswitch" } ?? false
        }.map(\.name)
        bonds = links.links.filter { $0.kind == "bond" }.map(\.name)
        callsIPTables = HostSurvey.number("/proc/sys/net/bridge/bridge-nf-call-iptables").map { $0 != 0 }
        let known = Set(inventory.entries.flatMap(\.guest.cards).flatMap(\.ports))
        strangers = links.links.filter { link in
            guard let bridge = links.bridge(of: link), !HostSurvey.isMade(bridge.name) else { return false }
            return (link.kind == "tun" || link.kind == "veth" && link.isForeign) && !known.contains(link.name)
        }.map(\.name)
    }

    private static func isThere(_ platform: Platform, _ path: String) -> Bool {
        PlatformStamp.folders(PlatformSource(platform, path: path)).contains {
            ((try? PlatformFile.names(in: $0, ending: platform == .proxmox ? ".conf" : ".xml")) ?? []).isEmpty == false
        }
    }

    /// docker0, br- and the number of a network of Docker's; fwbr and a card of Proxmox VE's.
    private static func isMade(_ name: String) -> Bool {
        let network = name.dropFirst(3)
        return name == "docker0" || name.hasPrefix("fwbr")
            || name.hasPrefix("br-") && network.utf8.count == 12 && network.allSatisfy(\.isHexDigit)
    }

    private static func number(_ path: String) -> Int? {
        guard let lines = try? PlatformFile.lines(path) else { return nil }
        return lines.first.flatMap { Int($0) }
    }
}
