/// How bad a finding is. Yellow, orange, red where colours are shown.
@frozen
public enum Concern: UInt8, BitwiseCopyable, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    case low = 1
    case medium, high

    @inlinable
    public static func < (a: Concern, b: Concern) -> Bool { a.rawValue < b.rawValue }

    public var description: String {
        switch self {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        }
    }

    /// Suricata's `alert.severity`: 1 is the worst.
    public var severity: Int { 4 - Int(rawValue) }
}
