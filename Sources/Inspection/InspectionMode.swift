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
    /// Inline: segments that cannot be kept until they can be inspected with their stream pass, looked at by
    /// themselves. Otherwise they are dropped, and will be sent again.
    public var passesExceptions = false
    /// What is made of bytes that TCP calls urgent.
    public var urgent = UrgentData.both
    /// Listening: what receivers make of segments that contradict each other. Most are Windows or BSD to
    /// Suricata's stock configuration.
    public var segmentOverlap = SegmentOverlap.bsd
    /// Listening: the same for fragments that overlap; nil for Suricata's stock configuration.
    public var fragmentOverlap: FragmentOverlap?

    public init(isInline: Bool, verifiesChecksums: Bool, midstream: Bool = true) {
        self.isInline = isInline
        self.verifiesChecksums = verifiesChecksums
        self.midstream = midstream
    }

    /// On a bridge. Checksums are verified by whoever receives:
    /// a packet with a wrong one does no harm, and one that a virtual card has yet to fill in looks wrong.
    public static let live = InspectionMode(isInline: true, verifiesChecksums: false)
}
