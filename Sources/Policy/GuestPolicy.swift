import Evidence

/// How findings about one guest's packets become a verdict.
@frozen
public struct GuestPolicy: Sendable, Equatable, BitwiseCopyable {
    /// Verdicts are recorded and the packet passes.
    public var shadow: Bool
    /// Protocols that Flinch has no view for.
    public var unknownProtocol: Handling
    /// Whether a rule with the action drop may drop.
    public var signaturesDrop: Bool
    /// Whether fragments pass that there is no room to put together.
    public var passesFragments: Bool
    /// Listening: somebody else inspects what the guest says and hears, inline.
    public var isElsewhere: Bool

    public init(
        shadow: Bool = false, unknownProtocol: Handling = .pass, signaturesDrop: Bool = true,
        passesFragments: Bool = false, isElsewhere: Bool = false
    ) {
        self.isElsewhere = isElsewhere
        self.shadow = shadow
        self.unknownProtocol = unknownProtocol
        self.signaturesDrop = signaturesDrop
        self.passesFragments = passesFragments
    }
}
