/// Contradictions between headers and bytes that the decoder met on its way. It goes on as far as it
/// can; whether one of them matters is for Conformance and Policy to say.
@frozen
public struct Anomalies: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt64
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
