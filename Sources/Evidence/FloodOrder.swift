import Wire

/// What the kernel is to do with one class at one host while it is flooded.
public struct FloodOrder: Sendable, Equatable {
    public var host: Address
    public var slot: Int
    public var floodClass: FloodClass
    /// Packets of sources that have proved themselves are all queued as ever.
    public var sparesTrusted: Bool
    /// Packets a second of the rest that are queued all the same; what is beyond is dropped.
    public var share: UInt32

    public init(host: Address, slot: Int, floodClass: FloodClass, sparesTrusted: Bool, share: UInt32) {
        self.host = host
        self.slot = slot
        self.floodClass = floodClass
        self.sparesTrusted = sparesTrusted
        self.share = share
    }
}
