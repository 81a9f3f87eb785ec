/// What is known of a TCP connection.
@frozen
public struct TCPSession: BitwiseCopyable {
    /// What the client sends, and what the server sends.
    public var client = TCPStream()
    public var server = TCPStream()
    public var state = TCPState.none

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

/// One direction of a TCP connection. Sequence numbers are those on the wire.
@frozen
public struct TCPStream: BitwiseCopyable {
    /// Of the SYN, or for one that was picked up the one before the first byte seen.
    public var initial: UInt32 = 0
    /// Behind the highest byte that was sent.
    public var next: UInt32 = 0
    /// What the other side acknowledged.
    public var acknowledged: UInt32 = 0
    /// Behind the last byte that was given to inspect.
    public var inspected: UInt32 = 0
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
}
