import Wire

/// What the kernel is to do with one class at one host while it is flooded.
public struct FloodOrder: Sendable, Equatable {
    public var host: Address
    public var slot: Int
    public var floodClass: FloodClass
    /// Packets a second of sources that have proved themselves that are queued as ever, in bursts of a tenth of it; what
    /// is beyond counts as of the rest, because their addresses can be forged. 0 spares nobody.
    public var trusted: UInt32
    /// Packets a second of the rest that are queued all the same; what is beyond is dropped.
    public var share: UInt32

    public init(host: Address, slot: Int, floodClass: FloodClass, trusted: UInt32, share: UInt32) {
        self.host = host
        self.slot = slot
        self.floodClass = floodClass
        self.trusted = trusted
        self.share = share
    }
}
