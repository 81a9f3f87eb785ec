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
    /// It resets the connection, with a number that its receiver will not believe (RFC 5961 §3.2).
    public var isResetDoubted = false
    /// The packet itself was asked about before, or there is none: what counts is the window.
    public var isStreamOnly = false
    /// There may be another window (`FlowTable.nextWindow`).
    public var hasMore = false
    /// How many readings of the window there are beside that of the wire, and the number of the one that is in it
    /// (`FlowTable.nextWindow`): a bit for each urgent byte that is taken out.
    var readings: UInt8 = 0
    public internal(set) var reading: UInt8 = 0
    /// It called a byte urgent that was not yet.
    var marks = false
    /// Nothing more will come: what was not acknowledged is given as well.
    var isEnd = false
    /// What became of the flow by this packet; empty for nearly all.
    public var changes: FlowChanges = []
    public var events = StreamEvents()
    public var window = StreamWindow()

    @inlinable
    public init() { unsafe flow = nil }
}

/// What a packet changed in the life of its flow.
@frozen
public struct FlowChanges: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It is the first that was seen of it.
    @inlinable public static var began: FlowChanges { FlowChanges(rawValue: 1) }
    /// It is the first of the server's.
    @inlinable public static var answered: FlowChanges { FlowChanges(rawValue: 2) }
    /// Both sides were heard; for TCP, the handshake is complete.
    @inlinable public static var established: FlowChanges { FlowChanges(rawValue: 4) }
    /// For TCP: both sides are done, or one reset.
    @inlinable public static var closed: FlowChanges { FlowChanges(rawValue: 8) }
    /// The client has sent a power of two of packets, 1,024 or more, and the server none.
    @inlinable public static var pouring: FlowChanges { FlowChanges(rawValue: 16) }
}

/// The part of a stream, one direction of a TCP session, that a packet gives to inspect.
@safe @frozen
public struct StreamWindow: BitwiseCopyable {
    /// What stands right before `fresh`, and was inspected before; at most `historyLimit` bytes.
    public var history: UnsafePointer<UInt8>?
    public var historyLength: Int32 = 0
    /// To be inspected. The packet's own payload, where nothing follows it yet.
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
