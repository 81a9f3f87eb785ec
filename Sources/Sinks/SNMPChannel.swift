import CLinux

/// SNMP notifications: traps, or informs, which the receiver confirms. So many an hour about the same, and the
/// rest in a summary.
final class SNMPChannel: Channel {
    let batchLimit = 32
    private let settings: SNMPSettings
    private let session: SNMPSession
    private var restraint: Restraint
    private var sensor = ""

    /// `boots` as `SNMPSession` has it; `period` is what the limit is about, in nanoseconds: an hour, but in tests.
    init(_ settings: SNMPSettings, boots: UInt32, period: UInt64 = 3_600_000_000_000) throws {
        self.settings = settings
        session = try SNMPSession(settings, boots: boots)
        restraint = Restraint(limit: settings.limit, period: period)
    }

    var dueTime: UInt64? { restraint.summaryDue }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        let now = flinch_monotonic()
        var delivery = Delivery(taken: 0)
        for line in lines {
            guard let notice = Notice(line: line) else {
                delivery.taken += 1
                delivery.refused += 1
                delivery.problem = "a line that is no event"
                continue
            }
            sensor = notice.sensor
            var next = restraint
            if next.allows(notice.group, at: now) {
                if let problem = session.send(SNMPNotification(notice)) {
                    return Delivery(
                        taken: delivery.taken, refused: delivery.refused, isFailure: true, problem: problem)
                }
            } else {
                next.hold(notice.group, title: notice.title, count: notice.count, at: now)
            }
            restraint = next
            delivery.taken += 1
            if patience.isOver { return delivery }
        }
        if patience.isEnding || restraint.summaryDue.map({ now >= $0 }) ?? false { summarise() }
        return delivery
    }

    /// A summary that is not taken is not sent again: its numbers are not worth holding up events for.
    private func summarise() {
        for held in restraint.summary.prefix(SNMPChannel.summaryLimit) {
            if session.send(SNMPNotification(sensor: sensor, title: held.title, held: held.count)) != nil { break }
        }
        restraint.forgetSummary()
    }

    /// Kinds told of in one period; the first are those with the most events.
    private static let summaryLimit = 16
}
