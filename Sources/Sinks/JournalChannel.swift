import CLinux
import Glibc

/// Entries of systemd's journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of
/// `FIELD=value` lines. `journalctl SYSLOG_IDENTIFIER=flinch FLINCH_CONCERN=high` finds them.
final class JournalChannel: Channel {
    let batchLimit = 64
    private let endpoint: Endpoint
    private var socket: OutgoingSocket?

    private static let timeout: UInt64 = 2000

    /// `path` is the journal's socket, but in tests.
    init(path: String = "/run/systemd/journal/socket") { endpoint = Endpoint(.unixDatagram, host: path) }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        let deadline = patience.deadline(within: JournalChannel.timeout)
        let delivery = Delivery.noticeByNotice(lines) { notice, _ throws(OutgoingSocket.Failure) in
            if socket == nil { socket = try OutgoingSocket(endpoint, by: deadline) }
            try socket?.send(JournalChannel.entry(notice), by: deadline)
        }
        if delivery.isFailure { socket = nil }
        return delivery
    }

    /// No value has a line end: each is one line.
    static func entry(_ notice: Notice) -> [UInt8] {
        let fields = [
            ("MESSAGE", notice.sentence), ("PRIORITY", "\(Severity.of(notice))"), ("SYSLOG_IDENTIFIER", "flinch"),
            ("FLINCH_EVENT", notice.kind), ("FLINCH_CONCERN", notice.concern), ("FLINCH_GUEST", notice.guest),
            ("FLINCH_SOURCE", notice.source), ("FLINCH_DESTINATION", notice.destination),
            ("FLINCH_SID", notice.signature.map(String.init) ?? ""), ("FLINCH_VERDICT", notice.verdict),
            ("FLINCH_REASON", notice.reason), ("FLINCH_TIME", notice.time),
        ]
        let lines = fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(PlainText.line($0.1))\n" }
        return Array(lines.joined().utf8)
    }
}
