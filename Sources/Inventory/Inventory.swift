import Topology
import Wire

/// Who is on this host, as its platforms and its kernel say, at one moment.
public struct Inventory: Sendable, Equatable {
    /// One guest, and where it is now.
    public struct Entry: Sendable, Equatable {
        public var guest: PlatformGuest
        /// As the platform has it; of several with one name all but the first have their identifier behind it.
        public var name: String
        /// The guest's interfaces that are there now.
        public var ports: [Port]

        /// What the platforms say that its addresses are.
        public var pinned: [Prefix] { guest.cards.flatMap(\.addresses) }
        public var macs: [UInt64] { guest.cards.compactMap(\.mac) }
    }

    /// An interface by which a guest's frames come to a bridge.
    public struct Port: Sendable, Equatable {
        public var name: String
        public var index: UInt32
        /// nil for one that is a port of no bridge.
        public var bridge: String?
        /// It belongs to Open vSwitch, whose packets pass none of the kernel's bridge hooks.
        public var isOpenVSwitch: Bool
    }

    public var entries: [Entry] = []
    public var problems: [InventoryProblem] = []

    public init() {}

    /// Guests that are followed; beyond it the rest is left out, and a problem says so.
    public static let maximumGuests = 4096

    /// Reads all sources, in their order.
    public static func read(_ sources: [PlatformSource], _ links: LinkTable) -> Inventory {
        var inventory = Inventory()
        var guests: [PlatformGuest] = []
        for source in sources {
            guests += PlatformReading.read(source, &inventory.problems)
        }
        inventory.take(guests, links)
        return inventory
    }

    /// Of what two guests are given the first keeps it.
    mutating func take(_ guests: [PlatformGuest], _ links: LinkTable) {
        var names: Set<String> = []
        var identities: Set<String> = []
        var owners: [Prefix: String] = [:]
        var hardware: [UInt64: String] = [:]
        for guest in guests {
            // The same domain by two sources.
            let identity = "\(guest.platform.rawValue) \(guest.identifier.isEmpty ? guest.name : guest.identifier)"
            guard identities.insert(identity).inserted else { continue }
            guard entries.count < Inventory.maximumGuests else {
                problem("more than \(Inventory.maximumGuests) guests; the rest is not followed")
                return
            }
            var name = guest.name
            if names.contains(name) {
                name = PlatformGuest.printable("\(guest.name.prefix(24)) (\(guest.identifier))")
                guard !guest.identifier.isEmpty, !names.contains(name) else {
                    problem("two guests are named '\(guest.name)'; the second is not followed")
                    continue
                }
            }
            names.insert(name)
            var entry = Entry(guest: guest, name: name, ports: [])
            for place in entry.guest.cards.indices {
                entry.guest.cards[place].addresses.removeAll { prefix in
                    guard let owner = owners[prefix] else {
                        owners[prefix] = name
                        return false
                    }
                    if owner != name {
                        problem("\(prefix) is given to '\(name)', and to '\(owner)' already, who keeps it")
                    }
                    return true
                }
                if let mac = entry.guest.cards[place].mac {
                    if let owner = hardware[mac], owner != name {
                        problem("'\(name)' has the hardware address of '\(owner)', who keeps it")
                        entry.guest.cards[place].mac = nil
                    } else {
                        hardware[mac] = name
                    }
                }
            }
            entry.ports = Inventory.ports(of: entry.guest, links)
            entries.append(entry)
        }
    }

    private mutating func problem(_ message: String) {
        problems.append(InventoryProblem(file: "guests", line: 0, message))
    }

    private static func ports(of guest: PlatformGuest, _ links: LinkTable) -> [Port] {
        guest.cards.flatMap(\.ports).compactMap { name in
            guard let link = links[name] else { return nil }
            let master = links[link.master]
            return Port(
                name: name, index: link.index, bridge: master?.name,
                isOpenVSwitch: link.kind == "openvswitch" || master?.name == "ovs-system"
                    || master?.kind == "openvswitch")
        }
    }
}
