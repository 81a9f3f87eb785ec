/// How packets are looked at, apart from what the configuration says of hosts and rules.
public struct InspectionMode: Sendable, Equatable {
    /// What is dropped is gone. Otherwise somebody else has delivered the packets already, and rules only
    /// alert.
    public var isInline: Bool
    /// A packet whose transport checksum is wrong is not what its receiver will read: it is decoded and
    /// counted, but no rule is asked about it.
    public var verifiesChecksums: Bool

    public init(isInline: Bool, verifiesChecksums: Bool) {
        self.isInline = isInline
        self.verifiesChecksums = verifiesChecksums
    }

    /// On a bridge. Checksums are verified by whoever receives:
    /// a packet with a wrong one does no harm, and one that a virtual card has yet to fill in looks wrong.
    public static let live = InspectionMode(isInline: true, verifiesChecksums: false)
}
