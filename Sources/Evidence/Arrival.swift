/// How and when a packet came: what its source (queue, mirror, capture) knows beside the bytes.
@frozen
public struct Arrival: Sendable, BitwiseCopyable {
    /// Nanoseconds since the Unix epoch. The only clock of the packet path.
    public var time: UInt64
    /// Interface indices; 0 where unknown. `port` is the bridge port it came in by, `outPort` the one
    /// that it would leave by, `bridge` the bridge.
    public var port: UInt32 = 0
    public var outPort: UInt32 = 0
    public var bridge: UInt32 = 0
    public var mark: UInt32 = 0
    /// EtherType as the kernel states it, host order.
    public var hardwareProtocol: UInt16 = 0
    /// 802.1Q tag control information that the kernel took off the frame; `hasTag` says if there was one.
    public var tag: UInt16 = 0
    public var hasTag = false
    public var checksum = ChecksumState.present
    /// Source and destination MAC address, the first byte in bits 47…40; 0 where the source gave none.
    public var sourceMAC: UInt64 = 0
    public var destinationMAC: UInt64 = 0

    @inlinable
    public init(time: UInt64) { self.time = time }
}

/// What may be said of a packet's checksums (NFQA_SKB_INFO, linux/netfilter/nfnetlink_queue.h).
@frozen
public enum ChecksumState: UInt8, BitwiseCopyable, Sendable {
    /// In the packet, and to be verified by whoever cares.
    case present
    /// Not filled in yet: the sending virtual card left it to hardware that is never reached. A checksum
    /// that looks wrong says nothing (NFQA_SKB_CSUMNOTREADY).
    case unfinished
    /// Verified by the kernel or the card; absence of NFQA_SKB_CSUM_NOTVERIFIED.
    case verified
}
