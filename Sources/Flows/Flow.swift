public import Wire

/// What two hosts say to each other between two ports: one conversation, both directions. Records live in a
/// `FlowTable`; they are handed out by pointer.
///
/// The client is who sent the first packet that was seen, unless that was a SYN with ACK.
@frozen
public struct Flow: BitwiseCopyable {
    public var client = Address.none
    public var server = Address.none
    public var clientPort: UInt16 = 0
    public var serverPort: UInt16 = 0
    /// 802.1Q identifiers of the tags, 12 bits each, and 0 for none.
    public var vlan: UInt32 = 0
    public var ipProtocol: UInt8 = 0
    public var state = FlowState.new
    public var flags: FlowFlags = []
    /// What the first bytes were recognised as; numbers are those of whoever recognises.
    public var application: UInt8 = 0
    /// Of TCP all flags that a direction had, of ICMP the type of its last message.
    public var marksToServer: UInt8 = 0
    public var marksToClient: UInt8 = 0
    /// Packets of it that are still to be kept as evidence.
    public var keeps: UInt8 = 0

    /// Different for every flow of a table.
    public var identifier: UInt64 = 0
    /// Nanoseconds since the Unix epoch, of the first and the last packet.
    public var firstTime: UInt64 = 0
    public var lastTime: UInt64 = 0
    public var packetsToServer: UInt32 = 0
    public var packetsToClient: UInt32 = 0
    /// Bytes of IP packets, as their headers state them.
    public var bytesToServer: UInt64 = 0
    public var bytesToClient: UInt64 = 0

    /// The first of its variables in the table's pool; 0 for none.
    public var variables: UInt32 = 0
    /// The next flow of the same bucket, and its neighbours by age; 0 for none.
    @usableFromInline var next: UInt32 = 0
    @usableFromInline var older: UInt32 = 0
    @usableFromInline var newer: UInt32 = 0

    public var session = TCPSession()

    @inlinable
    public init() {}

    /// Why it is over; means nothing as long as it is not.
    public internal(set) var end: FlowEnd {
        get { FlowEnd(rawValue: UInt8(flags.intersection(.end).rawValue >> 9)) ?? .timeout }
        set { flags = flags.subtracting(.end).union(FlowFlags(rawValue: UInt16(newValue.rawValue) << 9)) }
    }

    /// A number for it, the same for both directions, that nobody can choose who does not know the secret.
    public func number(_ hash: SecretHash) -> UInt64 {
        FlowKey(
            source: client, destination: server, sourcePort: clientPort, destinationPort: serverPort, vlan: vlan,
            ipProtocol: ipProtocol
        ).hash(hash)
    }

    /// For TCP: both sides have sent something to the other, and neither of them a reset.
    @inlinable
    public var isMutual: Bool {
        session.client.flags.intersection([.isOpen, .wasReset]) == .isOpen
            && session.server.flags.intersection([.isOpen, .wasReset]) == .isOpen
            && packetsToServer > 0 && packetsToClient > 0
    }

    /// Whether the rules that wait for more of a direction's stream are too many to be remembered, so that
    /// what is kept of it must be looked at again.
    @inlinable
    public func scansAgain(_ toServer: Bool) -> Bool {
        (toServer ? session.client : session.server).flags.contains(.scansAgain)
    }
}

@frozen
public enum FlowState: UInt8, BitwiseCopyable, Sendable {
    /// One side was heard, or a TCP handshake is under way.
    case new
    /// Both sides were heard; for TCP the handshake is complete, or was before the first packet seen.
    case established
    /// For TCP: both sides are done, or one reset.
    case closed
}

/// Why a flow is over, in the order of Suricata's words for it (`reason` of its flow events).
@frozen
public enum FlowEnd: UInt8, BitwiseCopyable, Sendable {
    /// It was silent for too long.
    case timeout
    /// It had to make room.
    case forced
    /// Whoever follows it stops.
    case shutdown
    /// A closed TCP connection began anew.
    case reuse
}

@frozen
public struct FlowFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whatever else it carries is dropped, or let pass, without being looked at.
    @inlinable public static var drop: FlowFlags { FlowFlags(rawValue: 1) }
    @inlinable public static var pass: FlowFlags { FlowFlags(rawValue: 2) }
    /// The rules that name nothing but addresses were asked, for this direction.
    @inlinable public static var askedToServer: FlowFlags { FlowFlags(rawValue: 4) }
    @inlinable public static var askedToClient: FlowFlags { FlowFlags(rawValue: 8) }
    /// Its beginning was not seen.
    @inlinable public static var midstream: FlowFlags { FlowFlags(rawValue: 16) }
    /// Not established: it goes before those that are when room is needed.
    @usableFromInline static var isYoung: FlowFlags { FlowFlags(rawValue: 128) }
    /// Why it ended (`FlowEnd`), once it did.
    static var end: FlowFlags { FlowFlags(rawValue: 0x600) }
    /// The server was heard.
    @inlinable public static var answered: FlowFlags { FlowFlags(rawValue: 32) }
    /// Whoever wants to know was told that it is established.
    @inlinable public static var announced: FlowFlags { FlowFlags(rawValue: 64) }
    /// Whoever knows who may talk to whom has nothing to say of it.
    @inlinable public static var isUnrelated: FlowFlags { FlowFlags(rawValue: 0x800) }
    /// What a side says first was looked at.
    @inlinable public static var examinedToServer: FlowFlags { FlowFlags(rawValue: 0x1000) }
    @inlinable public static var examinedToClient: FlowFlags { FlowFlags(rawValue: 0x2000) }
    /// A rule alerted on one of its packets.
    @inlinable public static var alerted: FlowFlags { FlowFlags(rawValue: 256) }
}
