/// What is known of a TCP connection.
@frozen
public struct TCPSession: BitwiseCopyable {
    public var state = TCPState.none
    public internal(set) var marks: TCPSessionMarks = []
    /// SYNs, and answers to them, that were not like the one before.
    var otherRequests: UInt8 = 0
    var otherAnswers: UInt8 = 0
    /// The number of a SYN or, once there was an answer, of an answer that is not the one that counts so far.
    var other: UInt32 = 0
    /// What the client sends, and what the server sends.
    public var client = TCPStream()
    public var server = TCPStream()

    @inlinable public init() {}

    /// Whether something waits to be inspected.
    var holdsSome: Bool { client.held | server.held != 0 }
}

/// RFC 9293 §3.3.2, as far as somebody who looks on can tell.
@frozen
public enum TCPState: UInt8, BitwiseCopyable, Sendable {
    /// Not followed: its beginning was not seen and it was not picked up.
    case none
    case synSent, synReceived, established, closing, closed
}

@frozen
public struct TCPSessionMarks: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The server answered the SYN with one of its own (RFC 9293 §3.5, figure 7; "4-way handshake").
    static var isSplit: TCPSessionMarks { TCPSessionMarks(rawValue: 1) }
    /// The SYN or its answer had the option of Fast Open (RFC 7413).
    static var isFast: TCPSessionMarks { TCPSessionMarks(rawValue: 2) }
    /// Of the handshake the SYN was not seen.
    static var lacksRequest: TCPSessionMarks { TCPSessionMarks(rawValue: 4) }
    /// Who sent a reset went on, and it was said.
    static var wentOnAfterReset: TCPSessionMarks { TCPSessionMarks(rawValue: 8) }
}

/// One direction of a TCP connection. Sequence numbers are those on the wire.
@frozen
public struct TCPStream: BitwiseCopyable {
    /// Of the SYN, or for one that was picked up the one before the first byte seen.
    public var initial: UInt32 = 0
    /// Behind the highest byte that was sent.
    public var next: UInt32 = 0
    /// What the other side acknowledged.
    public var acknowledged: UInt32 = 0
    /// Behind the last byte that its receiver ever had room for; where its beginning was not seen it means nothing.
    var edge: UInt32 = 0
    /// Bytes of the stream before `inspected`.
    public var offset: UInt64 = 0
    /// Receive window that this side announced, scaled.
    public var window: UInt32 = 0
    /// Its history's block, and the first and the last of its pieces, in the pools; 0 for none.
    var history: UInt32 = 0
    var held: UInt32 = 0
    var lastHeld: UInt32 = 0
    /// The last timestamp that its receiver took note of (RFC 7323 §4.3).
    var timestamp: UInt32 = 0
    var heldCount: UInt16 = 0
    public var scale: UInt8 = 0
    public var flags: TCPStreamFlags = []
    /// Rules whose pattern was found, but not all that they ask: one more than the numbers of whoever asked to
    /// remember them, and 0 for none.
    var pending = InlineArray<4, UInt32>(repeating: 0)

    @inlinable public init() {}

    /// Behind the last byte that was given to inspect.
    public var inspected: UInt32 { initial &+ 1 &+ UInt32(truncatingIfNeeded: offset) }
}

@frozen
public struct TCPStreamFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `initial` and what follows from it are known.
    @inlinable public static var isOpen: TCPStreamFlags { TCPStreamFlags(rawValue: 1) }
    @inlinable public static var hasFinished: TCPStreamFlags { TCPStreamFlags(rawValue: 2) }
    @inlinable public static var wasReset: TCPStreamFlags { TCPStreamFlags(rawValue: 4) }
    @inlinable public static var hasScale: TCPStreamFlags { TCPStreamFlags(rawValue: 8) }
    @inlinable public static var hasTimestamps: TCPStreamFlags { TCPStreamFlags(rawValue: 32) }
    /// More rules than can be remembered wait for the rest of what they ask.
    @inlinable public static var scansAgain: TCPStreamFlags { TCPStreamFlags(rawValue: 16) }
    /// The other side had not finished when this one did.
    static var finishedFirst: TCPStreamFlags { TCPStreamFlags(rawValue: 64) }
    /// Its last byte was sent though the receiver had no room (RFC 9293 §3.8.6.1), and is not acknowledged.
    static var probes: TCPStreamFlags { TCPStreamFlags(rawValue: 128) }
}
