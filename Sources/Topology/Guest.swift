import Wire

/// A protected VM, or a range of addresses whose hosts are protected one by one.
public struct Guest: Sendable, Equatable {
    public var name: String
    /// Single addresses and prefixes; IPv4 and IPv6 alike.
    public var addresses: [Prefix]
    /// Interfaces by which its frames come to a bridge, where the operator or the platform named them.
    public var ports: [String]
    /// Its hardware addresses, the first byte in bits 47…40; empty if they are not known.
    public var macs: [UInt64]
    /// What it is counted among where policies are given out.
    public var group: String?
    /// Verdicts for this guest are recorded, and its packets pass.
    public var shadow: Bool
    /// Whose addresses are not all known: what it says of itself is told (`Sighting`).
    public var learning: AddressLearning = []

    public init(
        name: String, addresses: [Prefix], port: String? = nil, macs: [UInt64] = [], group: String? = nil,
        shadow: Bool = false
    ) {
        self.name = name
        self.addresses = addresses
        self.ports = port.map { [$0] } ?? []
        self.macs = macs
        self.group = group
        self.shadow = shadow
    }
}

/// Which addresses of a guest are learned from what it sends.
@frozen
public struct AddressLearning: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Addresses of a family that are not known yet may be the guest's.
    @inlinable public static var v4: AddressLearning { AddressLearning(rawValue: 1) }
    @inlinable public static var v6: AddressLearning { AddressLearning(rawValue: 2) }
    /// From any packet, and not from ARP, neighbour discovery and DHCP alone.
    @inlinable public static var anyPacket: AddressLearning { AddressLearning(rawValue: 4) }
}
