/// What one classifier says of one packet.
@frozen
public struct Finding: Sendable, BitwiseCopyable {
    @frozen
    public enum Source: UInt8, BitwiseCopyable, Sendable, CaseIterable {
        /// `code` is the index of a rule in the rule set.
        case signature
        /// `code` is the index of a check in Conformance's table.
        case conformance
        /// The packet follows one that matched a rule with a `tag`. `code` means nothing.
        case tag
        /// `code` is the index of a relation in Topology's table: who talks to whom.
        case relation
    }

    public var source: Source
    public var concern: Concern
    /// What the rule or check itself asks for; the policy may soften it.
    public var asks: Verdict
    /// Index of the inspected packet that it is about: 0 is the captured one, others were unwrapped from it
    /// or put together.
    public var layer: UInt8
    /// It was found in a reassembled stream, perhaps in bytes of earlier packets.
    public var matchedStream: Bool
    /// It comes from a rule that lets the packet pass, and says so.
    public var passes = false
    /// Whom its rule wants told that the packet is refused.
    public var rejects: RejectSides = []
    public var code: UInt32

    @inlinable
    public init(
        _ source: Source, code: UInt32, concern: Concern, asks: Verdict, layer: UInt8 = 0,
        matchedStream: Bool = false
    ) {
        self.source = source
        self.layer = layer
        self.matchedStream = matchedStream
        self.concern = concern
        self.asks = asks
        self.code = code
    }
}

/// The findings of one packet, in fixed space. What no longer fits is counted, never lost silently.
///
/// A packet may hold several packets, each with its own: a rule set adds at most 15 for one of them, so that
/// there is room for what others find.
///
/// One list is made for a worker and used for all its packets. They are kept apart from the count, because
/// the compiler copies a struct of this size to ask for a part of it.
@safe @frozen
public struct Findings: ~Copyable, @unchecked Sendable {
    public static var capacity: Int { 64 }

    public private(set) var count = 0
    /// Findings that did not fit.
    public private(set) var overflow = 0
    private let storage: UnsafeMutablePointer<Finding>

    public init() {
        unsafe storage = .allocate(capacity: Findings.capacity)
    }

    deinit { unsafe storage.deallocate() }

    public mutating func append(_ finding: Finding) {
        guard count < Findings.capacity else {
            overflow += 1
            return
        }
        unsafe (storage + count).initialize(to: finding)
        count += 1
    }

    /// Counts a finding for which its classifier has no more room.
    public mutating func withhold() { overflow += 1 }

    /// Says of the findings from `index` on that they are about inspected packet `layer`.
    public mutating func place(from index: Int, layer: UInt8) {
        for i in index..<count { unsafe storage[i].layer = layer }
    }

    /// Takes away those from `index` on that repeat one between `start` and it: of one packet a rule says a thing
    /// once.
    public mutating func removeRepeats(from index: Int, since start: Int) {
        var kept = index
        for i in index..<count {
            let finding = unsafe storage[i]
            if (start..<kept).contains(where: { self[$0].code == finding.code && self[$0].source == finding.source }) {
                continue
            }
            unsafe storage[kept] = finding
            kept += 1
        }
        count = kept
    }

    public mutating func removeAll() {
        count = 0
        overflow = 0
    }

    /// Whether one of them asks to drop the packet.
    public var anyAskDrop: Bool {
        for index in 0..<count where self[index].asks == .drop { return true }
        return false
    }

    /// Whether the last of a rule's findings on packet `layer` is that of a rule which lets it pass.
    public func isPassed(layer: UInt8) -> Bool {
        for index in stride(from: count - 1, through: 0, by: -1)
        where self[index].layer == layer && self[index].source == .signature {
            return self[index].passes
        }
        return false
    }

    public subscript(index: Int) -> Finding {
        precondition(index >= 0 && index < count)
        return unsafe storage[index]
    }
}
