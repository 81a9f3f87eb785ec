import Evidence

/// How bad a finding is, as it is written.
enum ConcernWord: String, CaseIterable {
    case low, medium, high

    var concern: Concern {
        switch self {
        case .low: .low
        case .medium: .medium
        case .high: .high
        }
    }
}
