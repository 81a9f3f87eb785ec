/// A machine of the lab: a network namespace with one card, `eth0`, whose other end is a port of the bridge.
public struct Machine: Sendable, Hashable {
    /// `web`, `client`, … ; `host` for the machine with the bridge.
    public let name: String
    public let namespace: Namespace
    /// The bridge port in the host's namespace, `web0`; `br0` for the host itself.
    public let port: String
    public let ipv4: String
    public let ipv6: String
    /// Of `eth0`, fixed by the address: 02:00:00:00:00:0a for 10.77.0.10.
    public let mac: String

    /// Runs a program in the machine to its end and returns what it printed; see ``Namespace/run(_:limit:input:)``.
    @discardableResult
    public func run(_ command: String..., limit: Duration = .seconds(10), input: String? = nil) throws
        -> String
    {
        try Command.run(["ip", "netns", "exec", namespace.name] + command, limit: limit, input: input)
    }

    /// Starts a program in the machine; see ``Namespace/start(_:limit:input:environment:)``.
    public func start(
        _ command: [String], limit: Duration?, input: String? = nil, environment: [String: String] = [:]
    ) throws -> Program {
        try namespace.start(command, limit: limit, input: input, environment: environment)
    }
}

/// What the lab is built from: the machines and where they sit in 10.77.0.0/24 and fd77::/64.
public struct LabPlan: Sendable {
    public struct Entry: Sendable {
        public var name: String
        /// Last byte of the IPv4 address, 2…254; the IPv6 address ends in the same digits.
        public var number: UInt8

        public init(_ name: String, _ number: UInt8) {
            self.name = name
            self.number = number
        }
    }

    public var machines: [Entry]

    public init(machines: [Entry]) { self.machines = machines }

    /// The guests web, dns, smb, quiet, watch (all of whose limits only alert in the demo) and shop (which is
    /// defended source by source); a client with ordinary business, a crowd of clients of the shop in one
    /// machine, and an attacker outside.
    public static let standard = LabPlan(machines: [
        Entry("web", 10), Entry("dns", 11), Entry("smb", 12), Entry("quiet", 13), Entry("watch", 14),
        Entry("shop", 15), Entry("crowd", 101),
        Entry("client", 100), Entry("outside", 200),
    ])

    /// Names as they are used for interfaces: `outside` becomes `out0`, so that it stays within 15 bytes.
    static func port(_ name: String) -> String { (name == "outside" ? "out" : name) + "0" }
}
