public import Evidence

/// What the rules that matched a packet ask for, beside what they say of it.
public struct MatchOutcome: BitwiseCopyable, Sendable {
    public var drops = false
    /// A rule lets it pass: no other rule is asked.
    public var passes = false
    /// It is to be so for the rest of the flow.
    public var dropsFlow = false
    public var passesFlow = false
    /// Who is to be told that it was dropped.
    public var rejects: RejectSides = []

    public init() {}
}

/// What a packet's source and its flow say of it, as the matcher asks for it.
public struct MatchContext: BitwiseCopyable, Sendable {
    /// Nanoseconds since the Unix epoch.
    public var time: UInt64
    /// 802.1Q tag that was taken off the frame before; −1 for none.
    public var outerTag: Int32
    /// The packet was put together from fragments.
    public var isReassembled: Bool
    /// Checksums are taken for right without being looked at.
    public var trustsChecksums: Bool
    /// What becomes of rules, if not what they say.
    public var handlings: RuleHandlings

    public init(
        time: UInt64 = 0, outerTag: Int32 = -1, isReassembled: Bool = false, trustsChecksums: Bool = false,
        handlings: RuleHandlings = .asWritten
    ) {
        self.time = time
        self.outerTag = outerTag
        self.isReassembled = isReassembled
        self.trustsChecksums = trustsChecksums
        self.handlings = handlings
    }
}
