import Evidence

/// The verdict on one packet.
@frozen
public struct Decision: Sendable, BitwiseCopyable, Equatable {
    /// What the kernel is told: accept or drop.
    public var verdict: Verdict
    /// What would have been said without shadow mode. `throttle` is a drop by the token bucket.
    public var intended: Verdict
    public var reason: Reason

    @inlinable
    public init(verdict: Verdict, intended: Verdict, reason: Reason) {
        self.verdict = verdict
        self.intended = intended
        self.reason = reason
    }

    @inlinable
    public static var accept: Decision { Decision(verdict: .accept, intended: .accept, reason: .none) }
}

/// What is known of a packet before it is looked into: what a flood gate said, in Policy's words because Policy does not
/// know Floods, and whose packets do not pass.
@frozen
public enum FloodAdvice: UInt8, Sendable, BitwiseCopyable {
    case none, deny, throttle
    /// The source has not proved itself.
    case refuse
    /// The source is denied.
    case denied
}

/// What the packet is, as far as a policy cares.
@frozen
public enum PacketSort: UInt8, Sendable, BitwiseCopyable {
    case ordinary, unknownProtocol
}

extension GuestPolicy {
    /// The heaviest says: a flood that is denied, one that is throttled, a source that is denied, two who may not talk, a rule that drops, a
    /// segment that contradicts its stream, a fragment that must not become part of a datagram, a client that behaves
    /// badly, a check of its form that drops, a protocol that is not passed. `relationDenies` is whether sender and
    /// receiver may not talk, `ruleDrops` whether a rule asks to drop, `streamRefuses` whether the stream does,
    /// `fragmentRefuses` whether what fragments are put together in does, `behaviourRefuses` whether its client's
    /// conversations are refused, `form` why a check does; `none` if none does.
    @inlinable
    public func decide(
        flood: FloodAdvice, relationDenies: Bool = false, ruleDrops: Bool, streamRefuses: Bool = false,
        fragmentRefuses: Bool = false, behaviourRefuses: Bool = false, form: Reason = .none, sort: PacketSort
    ) -> Decision {
        switch flood {
        case .deny: return refuse(.drop, .floodDeny)
        case .throttle: return refuse(.throttle, .floodThrottle)
        case .refuse: return refuse(.drop, .floodSource)
        case .denied: return refuse(.drop, .denied)
        case .none: break
        }
        if relationDenies { return refuse(.drop, .relation) }
        if ruleDrops && signaturesDrop { return refuse(.drop, .rule) }
        if streamRefuses { return refuse(.drop, .stream) }
        if fragmentRefuses { return refuse(.drop, .fragment) }
        if behaviourRefuses { return refuse(.drop, .behaviour) }
        if form != .none { return refuse(.drop, form) }
        switch sort {
        case .ordinary: return .accept
        case .unknownProtocol: return unknownProtocol == .drop ? refuse(.drop, .unknownProtocol) : .accept
        }
    }

    @inlinable
    func refuse(_ verdict: Verdict, _ reason: Reason) -> Decision {
        Decision(verdict: shadow ? .accept : .drop, intended: verdict, reason: reason)
    }
}
