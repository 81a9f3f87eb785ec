public import Evidence

/// How many events a rule may give, and how long what follows one is held back: what workers read for each finding.
/// Never changes: a reload makes another.
@safe
public final class EventLimits: @unchecked Sendable {
    public let view: View

    /// `rules` are the allowances of the rules, by their index; `standard` is that of checks. `period` is in
    /// nanoseconds.
    public init(period: UInt64, standard: UInt32, rules: [UInt32], tellsDrops: Bool = true) {
        let allowances = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, rules.count))
        unsafe allowances.initialize(from: rules, count: rules.count)
        view = unsafe View(
            period: period, standard: standard, tellsDrops: tellsDrops, allowances: UnsafePointer(allowances),
            count: rules.count)
    }

    deinit { unsafe view.allowances.deallocate() }

    public var memoryBytes: Int { max(1, view.count) * MemoryLayout<UInt32>.stride }

    /// Valid while its limits live.
    @safe @frozen
    public struct View: BitwiseCopyable, @unchecked Sendable {
        public let period: UInt64
        /// Of tagged packets, which a rule asked for: as many as a tag has at most.
        @usableFromInline static let tagged: UInt32 = 256
        @usableFromInline let standard: UInt32
        /// Whether packets that a rule drops are told of.
        public let tellsDrops: Bool
        @usableFromInline let allowances: UnsafePointer<UInt32>
        @usableFromInline let count: Int

        /// Events of one rule or check that go out in a period, of all workers together.
        @inlinable
        public func allowance(of finding: Finding) -> UInt32 {
            switch finding.source {
            case .signature:
                let index = Int(finding.code)
                return unsafe index < count ? allowances[index] : standard
            case .conformance, .relation: return standard
            case .tag: return View.tagged
            }
        }
    }
}
