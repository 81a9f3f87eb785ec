import CCurl
import CLinux

/// Mails to people: what came in a while in one message, so many an hour about the same, and the rest in a
/// summary that says how many were held back.
final class MailChannel: Channel {
    let batchLimit = 1000
    private let settings: MailSettings
    private let transfer: Transfer
    private var restraint: Restraint
    /// Monotonic time at which what waits is sent; nil while nothing does.
    private var digestDue: UInt64?

    /// `period` is what the limit is about, in nanoseconds: an hour, but in tests.
    init(_ settings: MailSettings, period: UInt64 = 3_600_000_000_000) throws {
        self.settings = settings
        restraint = Restraint(limit: settings.limit, period: period)
        transfer = try Transfer(schemes: "smtp,smtps")
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        transfer.set(CURLOPT_URL, "\(settings.security == .tls ? "smtps" : "smtp")://\(host):\(settings.port)")
        if settings.security == .startTLS { transfer.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let authorities = settings.authorities { transfer.set(CURLOPT_CAINFO, authorities) }
        if let user = settings.user, let source = settings.password {
            transfer.set(CURLOPT_USERNAME, user)
            transfer.set(CURLOPT_PASSWORD, try Secret(source).text)
        }
        transfer.set(CURLOPT_MAIL_FROM, "<\(settings.from)>")
        transfer.set(CURLOPT_MAIL_RCPT, settings.to.map { "<\($0)>" })
        transfer.limit(connection: 5000, whole: 20_000)
    }

    var dueTime: UInt64? { restraint.summaryDue }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        let now = flinch_monotonic()
        if !lines.isEmpty {
            let due = digestDue ?? now &+ settings.digest
            digestDue = due
            if now < due, !patience.isEnding { return Delivery(taken: 0, notBefore: due) }
        }
        // Of a copy, so that a message that does not go out has not been counted.
        var next = restraint
        let groups = MailChannel.groups(lines).filter { group in
            let isAllowed = next.allows(group.key, at: now)
            if !isAllowed { next.hold(group.key, title: group.title, count: group.count, at: now) }
            return isAllowed
        }
        let tellsOfHeld = patience.isEnding || next.summaryDue.map { now >= $0 } ?? false
        let held = tellsOfHeld ? next.summary : []
        if !groups.isEmpty || !held.isEmpty {
            let message = MailMessage(settings: settings, groups: groups, held: held)
            do throws(Transfer.Failure) {
                try transfer.upload(message.bytes, patience)
            } catch {
                return .failed(error.description)
            }
            if tellsOfHeld { next.forgetSummary() }
        }
        restraint = next
        digestDue = nil
        return Delivery(taken: lines.count)
    }

    /// Events of one kind in a message.
    struct Group {
        var key: String
        var title: String
        var concern: String
        var count: Int
        /// The first of them, and the last one's time.
        var examples: [Notice]
        var last: String
    }

    private static let examples = 5

    /// In the order in which they began, the worst concern first.
    private static func groups(_ lines: ArraySlice<[UInt8]>) -> [Group] {
        var groups: [Group] = []
        var places: [String: Int] = [:]
        for notice in lines.lazy.compactMap(Notice.init) {
            if let place = places[notice.group] {
                groups[place].count += notice.count
                groups[place].last = notice.last.isEmpty ? notice.time : notice.last
                if groups[place].examples.count < examples { groups[place].examples.append(notice) }
            } else {
                places[notice.group] = groups.count
                groups.append(
                    Group(
                        key: notice.group, title: notice.title, concern: notice.concern, count: notice.count,
                        examples: [notice], last: notice.last.isEmpty ? notice.time : notice.last))
            }
        }
        let rank = ["high": 0, "medium": 1, "low": 2]
        return groups.enumerated().sorted {
            (rank[$0.element.concern] ?? 3, $0.offset) < (rank[$1.element.concern] ?? 3, $1.offset)
        }.map(\.element)
    }
}
