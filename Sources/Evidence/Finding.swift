/// What one classifier says of one packet.
@frozen
public struct Finding: Sendable, BitwiseCopyable {
    @frozen
    public enum Source: UInt8, BitwiseCopyable, Sendable {
        /// `code` is the index of a rule in the rule set.
        case signature
        /// `code` is the index of a check in Conformance's table.
        case conformance
    }

    public var source: Source
    public var concern: Concern
    /// What the rule or check itself asks for; the policy may soften it.
    public var asks: Verdict
    public var code: UInt32

    @inlinable
    public init(_ source: Source, code: UInt32, concern: Concern, asks: Verdict) {
        self.source = source
        self.concern = concern
        self.asks = asks
        self.code = code
    }
}

/// The findings of one packet, in fixed space. What no longer fits is counted, never lost silently.
@frozen
public struct Findings: Sendable, BitwiseCopyable {
    public static var capacity: Int { 16 }

    public var count = 0
    /// Findings that did not fit.
    public var overflow = 0
    @usableFromInline
    var storage: InlineArray<16, Finding>

    @inlinable
    public init() {
        storage = InlineArray(repeating: Finding(.signature, code: 0, concern: .low, asks: .accept))
    }

    @inlinable
    public mutating func append(_ finding: Finding) {
        guard count < Findings.capacity else {
            overflow += 1
            return
        }
        storage[count] = finding
        count += 1
    }

    @inlinable
    public mutating func removeAll() {
        count = 0
        overflow = 0
    }

    /// Whether one of them asks to drop the packet.
    @inlinable
    public var anyAskDrop: Bool {
        for index in 0..<count where storage[index].asks == .drop { return true }
        return false
    }

    @inlinable
    public subscript(index: Int) -> Finding { storage[index] }
}
