import Evidence

/// Keeps one rule or check from filling the disk: so many events of it in a period.
///
/// A table of fixed size, looked up by the finding's number. An entry that another number had before is
/// taken over, so a finding is never held back on account of another one.
@safe
struct EventLimiter: ~Copyable {
    private static let entries = 4096

    private struct Entry: BitwiseCopyable {
        var start: UInt64 = 0
        var key: UInt64 = .max
        var count: UInt32 = 0
    }

    private let table: UnsafeMutablePointer<Entry>

    static var memoryBytes: Int { entries * MemoryLayout<Entry>.stride }

    init() {
        let table = UnsafeMutablePointer<Entry>.allocate(capacity: EventLimiter.entries)
        unsafe table.initialize(repeating: Entry(), count: EventLimiter.entries)
        unsafe self.table = unsafe table
    }

    deinit { unsafe table.deallocate() }

    /// Whether an event of this finding may be written, where `allowance` may in a period. Times are
    /// nanoseconds on the packets' clock.
    mutating func allows(_ finding: Finding, _ time: UInt64, allowance: UInt32, period: UInt64) -> Bool {
        let key = UInt64(finding.code) << 2 | UInt64(finding.source.rawValue & 3)
        let index = Int(key & UInt64(EventLimiter.entries - 1))
        var entry = unsafe table[index]
        if entry.key != key || time &- entry.start >= period {
            entry = Entry(start: time, key: key, count: 0)
        }
        // Not counted past the allowance, which a million findings a second would carry round the top.
        let isAllowed = entry.count < allowance
        if isAllowed { entry.count &+= 1 }
        unsafe table[index] = entry
        return isAllowed
    }
}
