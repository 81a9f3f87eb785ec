/// What a guest received and sent in a second, for a `stats` event.
public struct GuestRate: Sendable, Equatable {
    public var name: String
    public var packetsIn: UInt64
    public var bitsIn: UInt64
    public var packetsOut: UInt64
    public var bitsOut: UInt64

    public init(name: String, packetsIn: UInt64, bitsIn: UInt64, packetsOut: UInt64, bitsOut: UInt64) {
        self.name = name
        self.packetsIn = packetsIn
        self.bitsIn = bitsIn
        self.packetsOut = packetsOut
        self.bitsOut = bitsOut
    }
}
