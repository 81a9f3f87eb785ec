import Evidence
import Sketches

/// Keeps one rule or check from filling the disk: so many events of it in a period, whichever worker finds it.
///
/// A table of fixed size, looked up by the finding's number. Of rules there is a place for each of the first 65,536:
/// two that shared one could let each other by. Those beyond take over each other's places, so that a finding is
/// never held back on account of another one. Nothing waits: a place is two words, and an event is counted by one
/// exchange. Only while a place changes hands, at a reload, may a worker count for who had it before.
final class EventLimiter: Sendable {
    private static let rules = 1 << 16
    /// For what is found by others, each.
    private static let checks = 1 << 9

    /// Of each place whose it is, as the program's generation and, in the lower half, the finding's number; then in 44
    /// bits the millisecond in which the period began, and in 20 bits the events in it.
    private let words = AtomicWords(count: 2 * EventLimiter.entries)

    private static var entries: Int { rules + (Finding.Source.allCases.count - 1) * checks }
    private static let countBits: UInt64 = 20
    /// What exceeds what can be counted is no limit.
    private static let most: UInt64 = 1 << countBits - 1

    static var memoryBytes: Int { entries * 16 }

    /// Whether an event of this finding may be written, where `allowance` may in a period. `generation` is of the
    /// program whose number the finding has. Times are nanoseconds on the packets' clock.
    func allows(
        _ finding: Finding, generation: UInt32 = 0, _ time: UInt64, allowance: UInt32, period: UInt64
    ) -> Bool {
        guard allowance > 0 else { return false }
        guard allowance < EventLimiter.most else { return true }
        // Of the first of all places, 0 is nobody.
        let key = (UInt64(generation) << 32 | UInt64(finding.code)) &+ 1
        let place = 2 * EventLimiter.place(of: finding)
        let fresh = (time / 1_000_000) << EventLimiter.countBits | 1
        let owner = words[place]
        if owner != key, words.exchange(place, owner, key) {
            words[place + 1] = fresh
            return true
        }
        while true {
            let word = words[place + 1]
            let began = word >> EventLimiter.countBits &* 1_000_000
            let isOver = time &- began >= period
            guard isOver || word & EventLimiter.most < allowance else { return false }
            if words.exchange(place + 1, word, isOver ? fresh : word &+ 1) { return true }
        }
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
