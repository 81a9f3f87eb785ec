import Wire

/// A protected VM, or a range of addresses whose hosts are protected one by one.
public struct Guest: Sendable, Equatable {
    public var name: String
    /// Single addresses and prefixes; IPv4 and IPv6 alike.
    public var addresses: [Prefix]
    /// The bridge port, where the operator named it.
    public var port: String?
    /// Its hardware addresses, the first byte in bits 47…40; empty if they are not known.
    public var macs: [UInt64]
    /// What it is counted among where policies are given out.
    public var group: String?
    /// Verdicts for this guest are recorded, and its packets pass.
    public var shadow: Bool

    public init(
        name: String, addresses: [Prefix], port: String? = nil, macs: [UInt64] = [], group: String? = nil,
        shadow: Bool = false
    ) {
        self.name = name
        self.addresses = addresses
        self.port = port
        self.macs = macs
        self.group = group
        self.shadow = shadow
    }
}
