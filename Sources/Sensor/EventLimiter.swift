import Evidence

/// Keeps one rule or check from filling the disk: so many events of it in ten seconds, and a count of those
/// held back.
///
/// A table of fixed size, looked up by the finding's number. An entry that another number had before is
/// taken over, so a finding is never held back on account of another one.
@safe
struct EventLimiter: ~Copyable {
    /// Events of one rule or check, a worker, that pass in a period.
    static let allowance: UInt32 = 20
    /// Nanoseconds on the packets' clock.
    static let period: UInt64 = 10_000_000_000
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

    /// Whether an event of this finding may be written.
    mutating func allows(_ finding: Finding, _ time: UInt64) -> Bool {
        let key = UInt64(finding.code) << 1 | UInt64(finding.source.rawValue & 1)
        let index = Int(key & UInt64(EventLimiter.entries - 1))
        var entry = unsafe table[index]
        if entry.key != key || time &- entry.start >= EventLimiter.period {
            entry = Entry(start: time, key: key, count: 0)
        }
        entry.count &+= 1
        unsafe table[index] = entry
        return entry.count <= EventLimiter.allowance
    }
}
