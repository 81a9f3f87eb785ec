/// Keeps one kind of event from filling a mailbox: so many messages about it in a period, and a count of the
/// events that were held back.
///
/// Bounded: beyond so many kinds at once, all others are one kind.
struct Restraint {
    /// Messages about one kind in a period, and its length in nanoseconds.
    let limit: Int
    let period: UInt64

    private struct Entry {
        var start: UInt64
        var count: Int
    }

    private var entries: [String: Entry] = [:]
    private var held: [String: (title: String, count: Int)] = [:]
    /// When the first of those held back now was.
    private var heldSince: UInt64?

    private static let kinds = 1024
    private static let others = "others"

    init(limit: Int, period: UInt64 = 3_600_000_000_000) {
        self.limit = limit
        self.period = period
    }

    /// Whether a message about this kind may go out now, and then counts it. `time` is monotonic.
    mutating func allows(_ group: String, at time: UInt64) -> Bool {
        let group = known(group, time)
        var entry = entries[group] ?? Entry(start: time, count: 0)
        if time &- entry.start >= period { entry = Entry(start: time, count: 0) }
        entry.count += 1
        entries[group] = entry
        return entry.count <= limit
    }

    mutating func hold(_ group: String, title: String, count: Int, at time: UInt64) {
        let isKnown = held[group] != nil || held.count < Restraint.kinds
        let group = isKnown ? group : Restraint.others
        held[group] = (isKnown ? title : Restraint.others, (held[group]?.count ?? 0) + count)
        heldSince = heldSince ?? time
    }

    /// When those held back are to be told of; nil while there are none.
    var summaryDue: UInt64? { heldSince.map { $0 &+ period } }

    /// What was held back, most of it first.
    var summary: [(title: String, count: Int)] {
        held.values.sorted { ($0.count, $1.title) > ($1.count, $0.title) }
    }

    mutating func forgetSummary() {
        held = [:]
        heldSince = nil
    }

    private mutating func known(_ group: String, _ time: UInt64) -> String {
        if entries[group] != nil || entries.count < Restraint.kinds { return group }
        entries = entries.filter { time &- $0.value.start < period }
        return entries.count < Restraint.kinds ? group : Restraint.others
    }
}
