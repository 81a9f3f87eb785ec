import Wire

/// Who says that a guest is there.
public enum Platform: String, Sendable, CaseIterable {
    /// Domains of libvirt, by the status files of its drivers.
    case libvirt
    /// Proxmox VE, virtual machines and containers.
    case proxmox
    /// Domains of libvirt that nova has made.
    case openstack
    /// A file that the operator, or a program of his, writes.
    case file

    /// Where it keeps what it knows; nil for a file, which is given by its path.
    public var standardPath: String? {
        switch self {
        case .libvirt, .openstack: "/run/libvirt"
        case .proxmox: "/etc/pve"
        case .file: nil
        }
    }
}

/// A platform, and where its files are.
public struct PlatformSource: Sendable, Hashable {
    public var platform: Platform
    public var path: String

    public init(_ platform: Platform, path: String) {
        self.platform = platform
        self.path = path
    }
}

/// A guest as its platform describes it.
public struct PlatformGuest: Sendable, Equatable {
    public var name: String
    /// What the platform tells it from all others by: a UUID, or Proxmox's number.
    public var identifier: String
    public var platform: Platform
    /// Whose it is: the project in OpenStack, the pool in Proxmox VE.
    public var owner: String?
    public var cards: [NetworkCard] = []

    public init(name: String, identifier: String, platform: Platform, owner: String? = nil) {
        self.name = PlatformGuest.printable(name)
        self.identifier = PlatformGuest.printable(identifier)
        self.platform = platform
        self.owner = owner.map(PlatformGuest.printable).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A name that may stand in a table, a log and a policy: at most 64 bytes, without what moves a cursor or turns
    /// the direction of text.
    static func printable(_ text: String) -> String {
        var kept = ""
        for scalar in text.unicodeScalars where !scalar.properties.isWhitespace || scalar == " " {
            guard ![.control, .format].contains(scalar.properties.generalCategory) else { continue }
            guard kept.utf8.count + String(scalar).utf8.count <= 64 else { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept.trimmed
    }
}

/// One network card of a guest.
public struct NetworkCard: Sendable, Equatable {
    /// Interfaces of the host by which the guest's frames come to a bridge; those that are there are its ports.
    public var ports: [String]
    /// The first byte in bits 47…40; nil where it is not said.
    public var mac: UInt64?
    /// The bridge that it is meant to be on.
    public var bridge: String?
    /// Identifier of its VLAN, 1…4094; nil for none.
    public var vlan: Int?
    /// Addresses that the platform gives to it. It has no others of their family.
    public var addresses: [Prefix]

    public init(
        ports: [String] = [], mac: UInt64? = nil, bridge: String? = nil, vlan: Int? = nil, addresses: [Prefix] = []
    ) {
        self.ports = ports
        self.mac = mac
        self.bridge = bridge
        self.vlan = vlan
        self.addresses = addresses
    }
}

/// What platforms write, read strictly: nil for what is not in order.
enum PlatformWord {
    /// A hardware address of a single host, `52:54:00:12:34:56`.
    static func mac(_ text: some StringProtocol) -> UInt64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else {
            return nil
        }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// One address. `192.0.2.10/24` is the address 192.0.2.10: the length is that of its network.
    static func address(_ text: some StringProtocol) -> Prefix? {
        guard let address = Address(text.prefix { $0 != "/" }), address != .none, address != Address(v4: 0) else {
            return nil
        }
        return Prefix(address)
    }

    static func vlan(_ text: some StringProtocol) -> Int? {
        Int(text).flatMap { (1...4094).contains($0) ? $0 : nil }
    }

    /// What the kernel takes for an interface's name (net/core/dev.c, dev_valid_name).
    static func interface(_ text: some StringProtocol) -> String? {
        let isGood =
            (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x2F || $0 == 0x3A }
        return isGood ? String(text) : nil
    }
}
