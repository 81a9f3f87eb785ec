/// What happens to a packet.
@frozen
public enum Verdict: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case accept
    case drop
    /// Passed or dropped by a token bucket. The packet that reaches the kernel's verdict is one or the
    /// other; this is the verdict of the policy.
    case throttle
}

/// Why a packet was not simply accepted. Raw values are counter indices: append, never reorder.
@frozen
public enum Reason: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case none
    /// A rule whose action is drop matched.
    case rule
    /// The guest is under a flood of this class and the class is denied to it.
    case floodDeny
    /// The guest is under a flood of this class and this packet is beyond the rate let through.
    case floodThrottle
    /// It fails a check of its form that the policy drops for.
    case malformed
    /// A protocol that the policy does not pass.
    case unknownProtocol
    /// It is not what its TCP stream has at its place, or cannot be kept until it can be inspected.
    case stream
    /// A fragment that contradicts others, of a datagram that was dropped, or of one that cannot be put together
    /// and so not be inspected.
    case fragment
    /// The guest is under a flood of this class, and the packet's source has not shown that it receives what
    /// is sent to it.
    case floodSource
    /// It fails a check of who it says that it is from.
    case spoofed
    /// It fails a check of what is only made to get past a filter or to crash a host.
    case evasion
    /// A guest says that it is a router or gives out addresses.
    case rogue
    /// Its sender may not begin a conversation with its receiver.
    case relation
    /// Its client scans, tries logins, or does another thing for which the policy refuses it for a while.
    case behaviour
    /// Nothing of its source passes for a while, because somebody who saw it attack asked for it.
    case denied

    /// Short, for a person.
    public var text: String {
        switch self {
        case .none: "accepted"
        case .rule: "signature"
        case .floodDeny: "flood denied"
        case .floodThrottle: "flood throttled"
        case .malformed: "malformed"
        case .unknownProtocol: "protocol not passed"
        case .stream: "stream"
        case .fragment: "fragment"
        case .floodSource: "flood, source unproved"
        case .spoofed: "spoofed"
        case .evasion: "evasion"
        case .rogue: "rogue service"
        case .relation: "relation denied"
        case .behaviour: "behaviour"
        case .denied: "source denied"
        }
    }
}

/// Who is told that a packet was refused: by a TCP reset, or an ICMP message.
@frozen
public struct RejectSides: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var source: RejectSides { RejectSides(rawValue: 1) }
    @inlinable public static var destination: RejectSides { RejectSides(rawValue: 2) }
}
