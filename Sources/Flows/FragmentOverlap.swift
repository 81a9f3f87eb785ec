/// Which of two fragments that overlap a host believes: J. Novak, "Target-Based Fragmentation Reassembly"
/// (2005), whose names and rules Suricata has taken over. The raw value is how a configuration says it.
public enum FragmentOverlap: String, Sendable, CaseIterable {
    /// What came first, always; and what came last.
    case first, last
    /// What came first, unless the later one begins before it.
    case bsd
    /// What begins further right: the later one, unless it begins before the first.
    case bsdRight = "bsd-right"
    /// What came first, unless the later one begins at the same place or before it.
    case linux
    /// What came first, unless the later one begins before it and ends behind it.
    case windows
    /// The same, or ends where it ends.
    case solaris

    /// Whether the bytes of the later one of two that overlap are taken. Both as they were sent, not as what
    /// others left of them.
    @inline(__always)
    func takes(_ later: Range<Int>, over earlier: Range<Int>) -> Bool {
        switch self {
        case .first: false
        case .last: true
        case .bsd: later.lowerBound < earlier.lowerBound
        case .bsdRight: later.lowerBound >= earlier.lowerBound
        case .linux: later.lowerBound <= earlier.lowerBound
        case .windows: later.lowerBound < earlier.lowerBound && later.upperBound > earlier.upperBound
        case .solaris: later.lowerBound < earlier.lowerBound && later.upperBound >= earlier.upperBound
        }
    }

    /// Suricata's `host-os-policy` as it comes: Windows for every IPv4 address, and for what is not listed BSD.
    static func stock(_ ipVersion: UInt8) -> FragmentOverlap { ipVersion == 4 ? .windows : .bsd }
}
