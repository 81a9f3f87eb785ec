public import Flows

/// How packets are looked at, apart from what the configuration says of hosts and rules.
public struct InspectionMode: Sendable, Equatable {
    /// What is dropped is gone. Otherwise somebody else has delivered the packets already, and rules only
    /// alert.
    public var isInline: Bool
    /// A packet whose transport checksum is wrong is not what its receiver will read: rules are asked about
    /// the packet, but it is no part of its stream.
    public var verifiesChecksums: Bool
    /// The checksum of the IPv4 header, which is quick to verify and never left for later.
    public var verifiesHeaders = true
    /// TCP connections whose beginning was not seen are followed from where they are.
    public var midstream: Bool
    /// Not inline: which host's way of putting overlapping fragments together is gone by; nil for Suricata's stock
    /// configuration.
    public var overlaps: OverlapPolicy?

    public init(
        isInline: Bool, verifiesChecksums: Bool, midstream: Bool = true, overlaps: OverlapPolicy? = nil
    ) {
        self.overlaps = overlaps
        self.isInline = isInline
        self.verifiesChecksums = verifiesChecksums
        self.midstream = midstream
    }

    /// On a bridge. Checksums are verified by whoever receives:
    /// a packet with a wrong one does no harm, and one that a virtual card has yet to fill in looks wrong.
    public static let live = InspectionMode(isInline: true, verifiesChecksums: false)
}
