import Wire

/// A guest, or whoever gives out addresses, said which address is the guest's.
@frozen
public struct Sighting: Sendable, BitwiseCopyable {
    @frozen
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// The guest sent a packet from it.
        case used
        /// The guest claimed it by ARP or neighbour discovery.
        case claimed
        /// A DHCP server that is no guest gave it to the guest (RFC 2131, DHCPACK).
        case leased
    }

    /// Nanoseconds since the Unix epoch.
    public var time: UInt64
    public var address: Address
    /// The guest's hardware address, the first byte in bits 47…40; 0 where it is not known.
    public var mac: UInt64
    /// Index of the interface that it came in by; 0 where that was not the guest's.
    public var port: UInt32
    public var kind: Kind

    @inlinable
    public init(_ kind: Kind, _ address: Address, port: UInt32, mac: UInt64, time: UInt64) {
        self.kind = kind
        self.address = address
        self.port = port
        self.mac = mac
        self.time = time
    }
}

extension Address {
    /// Whether it may be a guest's own: of one host, and of more than one link (RFC 6890, RFC 4291 §2.4).
    public var isLearnable: Bool {
        guard isV4 else {
            let isOfAGroup = high >> 56 == 0xFF
            let isLinkLocal = high >> 54 == 0xFE80 >> 6
            return !isOfAGroup && !isLinkLocal && (high != 0 || low > 1)
        }
        let bits = UInt32(truncatingIfNeeded: low)
        return (1...223).contains(bits >> 24) && bits >> 24 != 127 && bits >> 16 != 0xA9FE
    }
}
