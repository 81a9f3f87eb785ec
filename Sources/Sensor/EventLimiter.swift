import Evidence
import Glibc

/// Keeps one rule or check from filling the disk: so many events of it in a period.
///
/// A table of fixed size, looked up by the finding's number. Of rules there is a place for each of the first 65,536:
/// two that shared one could let each other by. Those beyond take over each other's places, so that a finding is
/// never held back on account of another one.
@safe
struct EventLimiter: ~Copyable {
    private static let rules = 1 << 16
    /// For what is found by others, each.
    private static let checks = 1 << 9

    private struct Entry: BitwiseCopyable {
        /// All zero is an entry whose period is over.
        var start: UInt64
        /// The program's generation and, in the lower half, the finding's number.
        var key: UInt64
        var count: UInt32
    }

    private let table: UnsafeMutablePointer<Entry>

    private static var entries: Int { rules + (Finding.Source.allCases.count - 1) * checks }
    static var memoryBytes: Int { entries * MemoryLayout<Entry>.stride }

    init() {
        // Zero pages, which cost nothing until they are written.
        unsafe table = unsafe calloc(EventLimiter.entries, MemoryLayout<Entry>.stride)!
            .bindMemory(to: Entry.self, capacity: EventLimiter.entries)
    }

    deinit { unsafe free(table) }

    /// Whether an event of this finding may be written, where `allowance` may in a period. `generation` is of the
    /// program whose number the finding has. Times are nanoseconds on the packets' clock.
    mutating func allows(
        _ finding: Finding, generation: UInt32 = 0, _ time: UInt64, allowance: UInt32, period: UInt64
    ) -> Bool {
        let key = UInt64(generation) << 32 | UInt64(finding.code)
        let entry = unsafe table + EventLimiter.place(of: finding)
        if unsafe entry.pointee.key != key || time &- entry.pointee.start >= period {
            unsafe entry.pointee = Entry(start: time, key: key, count: 0)
        }
        // Not counted past the allowance, which a million findings a second would carry round the top.
        guard unsafe entry.pointee.count < allowance else { return false }
        unsafe entry.pointee.count &+= 1
        return true
    }

    private static func place(of finding: Finding) -> Int {
        let code = Int(finding.code)
        switch finding.source {
        case .signature: return code & (rules - 1)
        case .conformance, .tag, .relation:
            return rules + (Int(finding.source.rawValue) - 1) * checks + (code & (checks - 1))
        }
    }
}
