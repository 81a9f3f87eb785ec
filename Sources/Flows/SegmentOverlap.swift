/// Which of two segments that say different things about the same place the receiver believes, as far as neither
/// was delivered to its application (Novak and Sturges, "Target-Based TCP Stream Reassembly", 2007; Suricata's
/// DoHandleDataOverlap). Who stands in the way needs none: he lets only what came first pass.
public enum SegmentOverlap: String, Sendable, CaseIterable {
    case first, last
    /// What begins further left. Also Windows, macOS, IRIX and HP-UX 10.
    case bsd
    /// As BSD; and of two that begin together, the longer if it came later, or (before 2.4) if it is not
    /// shorter.
    case linux
    case oldLinux = "old-linux"
    /// Also HP-UX 11.
    case solaris

    /// Whether bytes of the segment `from..<to` take the place of those of an earlier one, which began at 0 and
    /// ended at `end`.
    func replaces(_ from: Int, _ to: Int, end: Int) -> Bool {
        switch self {
        case .first: false
        case .last: true
        case .bsd: from < 0
        case .linux: from < 0 || from == 0 && to > end
        case .oldLinux: from < 0 || from == 0 && to >= end
        case .solaris: from <= 0 ? to >= end : to > end
        }
    }
}
