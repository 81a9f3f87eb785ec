public import Wire

/// What became of a conversation, as a worker tells it to whoever watches: a few records a conversation, none for
/// the packets in between.
@frozen
public struct Contact: Sendable, BitwiseCopyable {
    @frozen
    public enum Change: UInt8, Sendable, BitwiseCopyable {
        /// The client's first packet; `probe` says what it was.
        case began
        /// The server said something that is no refusal.
        case answered
        /// By a TCP reset, or an ICMP message that says that there is nobody.
        case refused
        /// Both sides were heard; for TCP, the handshake is complete.
        case established
        /// The client reset a TCP connection between question and handshake.
        case abandoned
        /// A TCP connection that was established is over.
        case ended
        /// The client has sent `packetsToServer`, and the server nothing.
        case pouring
        /// The first words of one side say what is spoken: `login`.
        case spoke
    }

    public var client: Address
    public var server: Address
    /// Nanoseconds since the Unix epoch: of the packet, and of the conversation's first.
    public var time: UInt64
    public var started: UInt64
    /// Bytes of IP packets.
    public var bytesToServer: UInt64 = 0
    public var bytesToClient: UInt64 = 0
    public var packetsToServer: UInt32 = 0
    public var clientPort: UInt16
    /// Of what has no ports 0; of ICMP too.
    public var serverPort: UInt16
    public var ipProtocol: UInt8
    public var change: Change
    public var probe = Probe.other
    public var login = Login.none
    /// What began it came in fragments.
    public var isFragmented = false

    @inlinable
    public init(
        _ change: Change, client: Address, server: Address, clientPort: UInt16, serverPort: UInt16, ipProtocol: UInt8,
        time: UInt64, started: UInt64
    ) {
        self.change = change
        self.client = client
        self.server = server
        self.clientPort = clientPort
        self.serverPort = serverPort
        self.ipProtocol = ipProtocol
        self.time = time
        self.started = started
    }

    /// What is asked for.
    @inlinable
    public var service: Service { Service(ipProtocol: ipProtocol, port: serverPort) }
}

/// Protocols that one logs in by, told by the first bytes of a stream.
@frozen
public enum Login: UInt8, Sendable, BitwiseCopyable {
    case none, ssh, rdp, smb

    /// RFC 4253 §4.2; [MS-RDPBCGR] 2.2.1.1: TPKT and an X.224 connection request; [MS-SMB2] 2.1 and 2.2.1, [MS-CIFS].
    public init(_ start: RawSpan) {
        self = .none
        guard start.byteCount >= 8 else { return }
        let bytes = (0..<8).reduce(0 as UInt64) {
            unsafe $0 << 8 | UInt64(start.unsafeLoad(fromByteOffset: $1, as: UInt8.self))
        }
        if bytes >> 32 == 0x5353_482D {
            self = .ssh
        } else if bytes >> 48 == 0x0300, bytes >> 16 & 0xFF == 0xE0 {
            self = .rdp
        } else if bytes >> 56 == 0, bytes & 0xFFFF_FFFF == 0xFE53_4D42 || bytes & 0xFFFF_FFFF == 0xFF53_4D42 {
            self = .smb
        }
    }
}

/// A port of a protocol.
@frozen
public struct Service: Hashable, Sendable, BitwiseCopyable {
    public var ipProtocol: UInt8
    public var port: UInt16

    @inlinable
    public init(ipProtocol: UInt8, port: UInt16) {
        self.ipProtocol = ipProtocol
        self.port = port
    }
}

/// The first packet of a conversation, as scanners name what they send.
@frozen
public enum Probe: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// No probe: the middle of a conversation whose beginning was not seen.
    case none
    /// A SYN as no operating system sends it: no options, or a segment size alone.
    case rawSYN
    /// A SYN with the options of a host that wants to talk.
    case syn
    /// TCP with none but these flags (nmap's -sN, -sF, -sX, -sM, -sA): none; FIN; FIN, PSH and URG; FIN and ACK; ACK.
    case null, fin, xmas, maimon, ack
    /// TCP with flags that no conversation has.
    case oddFlags
    case udp
    case ping
    case sctp
    /// Another IP protocol.
    case ipProtocol
    case other

    /// Of the first packet of a flow.
    @inline(never)
    public init(_ packet: Packet) {
        switch packet.kind {
        case .tcp: self = Probe.tcp(packet)
        case .udp: self = packet.looksLikeAnswer || packet.isTraceroute ? .none : .udp
        case .icmp: self = packet.icmpType == 8 ? .ping : .none
        case .icmp6: self = packet.icmpType == 128 ? .ping : .none
        case .otherIP: self = packet.ipProtocol == IPProtocol.sctp ? .sctp : .ipProtocol
        default: self = .none
        }
    }

    private static func tcp(_ packet: Packet) -> Probe {
        let flags = packet.tcpFlags.subtracting([.ece, .cwr])
        if flags == .syn { return packet.transportLength <= 24 ? .rawSYN : .syn }
        // What follows on a conversation that is over has gone to a port that somebody chose.
        guard !packet.looksLikeAnswer else { return .none }
        switch flags {
        case []: return .null
        case .fin: return .fin
        case [.fin, .psh, .urg]: return .xmas
        case [.fin, .ack]: return .maimon
        case .ack: return packet.payloadLength <= 0 ? .ack : .none
        default: return flags.contains([.syn, .fin]) ? .oddFlags : .none
        }
    }
}

extension Packet {
    /// It goes from a service's port to one that a client has.
    fileprivate var looksLikeAnswer: Bool { sourcePort < 1024 && destinationPort >= 1024 }

    /// Ports and hop limits of traceroute (33434 and on), which asks for silence.
    fileprivate var isTraceroute: Bool { hopLimit <= 32 && (33_434...33_689).contains(destinationPort) }
}
