/// What one packet did to its flow. Valid until the table's next call.
@safe @frozen
public struct FlowStep: BitwiseCopyable {
    /// nil for what belongs to no flow: not IP, malformed, a later fragment.
    public var flow: UnsafeMutablePointer<Flow>?
    public var toServer = true
    /// What `flow:established` asks: the flow was established before the packet, or is by it and the packet has
    /// a payload. A bare third packet of a handshake is none of an established flow (Suricata's flow.c and
    /// stream-tcp.c set FLOW_PKT_ESTABLISHED so).
    public var isEstablished = false
    /// The packet's payload became part of the stream, or is there already: what is asked of streams is not
    /// asked of the packet again.
    public var isAdded = false
    /// Inline only: it is not what the stream has at its place, or cannot be kept until it can be inspected.
    public var mustDrop = false
    public var events = StreamEvents()
    public var window = StreamWindow()

    @inlinable
    public init() { unsafe flow = nil }
}

/// The part of a stream, one direction of a TCP session, that a packet gives to inspect.
@safe @frozen
public struct StreamWindow: BitwiseCopyable {
    /// What was inspected before and stands right before `fresh`; at most `historyLimit` bytes.
    public var history: UnsafePointer<UInt8>?
    public var historyLength: Int32 = 0
    /// Not inspected before. The packet's own payload, where that is what comes next.
    public var fresh: UnsafePointer<UInt8>?
    public var freshLength: Int32 = 0
    /// Whether `fresh` is the payload of the packet at hand.
    public var isPayload = false
    /// Bytes of the stream before `history`.
    public var offset: UInt64 = 0

    /// As many bytes as Suricata's chunks have (stream.reassembly.toserver-chunk-size).
    @inlinable public static var historyLimit: Int { 2_560 }

    @inlinable
    public init() {
        unsafe history = nil
        unsafe fresh = nil
    }
}
