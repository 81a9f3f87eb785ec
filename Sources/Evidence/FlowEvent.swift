import Wire

/// A conversation that is over, as a worker writes it into its ring: fixed size, no references.
@frozen
public struct FlowEvent: Sendable, BitwiseCopyable {
    @frozen
    public enum State: UInt8, BitwiseCopyable, Sendable {
        case new, established, closed
    }

    /// Of a TCP connection (RFC 9293 §3.3.2, as far as somebody who looks on can tell).
    @frozen
    public enum TCPState: UInt8, BitwiseCopyable, Sendable {
        case none, synSent, synReceived, established, closing, closed
    }

    @frozen
    public enum End: UInt8, BitwiseCopyable, Sendable {
        case timeout, forced, shutdown, reuse
    }

    /// Who began it, and who was meant.
    public var client = Address.none
    public var server = Address.none
    public var clientPort: UInt16 = 0
    public var serverPort: UInt16 = 0
    /// 802.1Q identifiers, 12 bits each, the innermost lowest; 0 for none.
    public var vlan: UInt32 = 0
    public var ipProtocol: UInt8 = 0
    public var state = State.new
    public var end = End.timeout
    public var tcpState = TCPState.none
    /// What its first bytes were recognised as; numbers are those of whoever recognises.
    public var application: UInt8 = 0
    /// Of TCP all flags that a direction had, of ICMP the type of its last message.
    public var marksToServer: UInt8 = 0
    public var marksToClient: UInt8 = 0
    /// A rule alerted on one of its packets.
    public var isAlerted = false
    /// A rule had the rest of it dropped, or let pass without being looked at.
    public var isDropped = false
    public var isPassed = false
    public var packetsToServer: UInt64 = 0
    public var packetsToClient: UInt64 = 0
    /// Bytes of IP packets, as their headers state them.
    public var bytesToServer: UInt64 = 0
    public var bytesToClient: UInt64 = 0
    /// Nanoseconds since the Unix epoch: of the first packet, of the last, and when it was found to be over.
    public var start: UInt64 = 0
    public var last: UInt64 = 0
    public var time: UInt64 = 0
    /// Interface index of the port that its first packet came in by; 0 where that is not known.
    public var port: UInt32 = 0
    /// Index of the configured guest concerned (the server before the client); -1 for none.
    public var guest: Int32 = -1
    /// Which program `guest` is an index of.
    public var generation: UInt32 = 0
    /// As events about its packets have it.
    public var flow: UInt64 = 0

    @inlinable
    public init() {}
}
