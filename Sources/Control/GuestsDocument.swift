/// Who is protected, as `flinch guests --json` prints it.
public struct GuestsDocument: Codable, Sendable {
    /// Those that are written in the configuration first.
    public var guests: [Guest]
    /// What of the platforms' files cannot be used.
    public var problems: [String]

    public struct Guest: Codable, Sendable {
        public var name: String
        /// `libvirt`, `proxmox`, `openstack` or `file`; nil for one that is only written in the configuration.
        public var platform: String?
        /// What the platform calls it.
        public var identifier: String?
        public var owner: String?
        /// Interfaces that are there now.
        public var ports: [Port]
        public var macs: [String]
        public var addresses: [Address]
        /// The policy's name; `default` for what the configuration says for everybody.
        public var policy: String
        public var shadow: Bool
        /// `running`; `stopped` for one without a port; `no bridge` or `openvswitch` where its port is not seen by the
        /// sensor; `configured` for one whose port nobody knows.
        public var state: String
        /// The last address that it claimed and that is another's: `192.0.2.7 of web`.
        public var conflict: String?

        public init(
            name: String, platform: String?, identifier: String?, owner: String?, ports: [Port], macs: [String],
            addresses: [Address], policy: String, shadow: Bool, state: String, conflict: String?
        ) {
            self.name = name
            self.platform = platform
            self.identifier = identifier
            self.owner = owner
            self.ports = ports
            self.macs = macs
            self.addresses = addresses
            self.policy = policy
            self.shadow = shadow
            self.state = state
            self.conflict = conflict
        }
    }

    public struct Port: Codable, Sendable {
        public var name: String
        public var index: UInt32
        public var bridge: String?

        public init(name: String, index: UInt32, bridge: String?) {
            self.name = name
            self.index = index
            self.bridge = bridge
        }
    }

    public struct Address: Codable, Sendable {
        public var address: String
        /// `configured`, `pinned` by the platform, `leased` by DHCP, `claimed` by ARP or neighbour discovery, `used`.
        public var known: String

        public init(address: String, known: String) {
            self.address = address
            self.known = known
        }
    }

    public init(guests: [Guest], problems: [String]) {
        self.guests = guests
        self.problems = problems
    }
}
