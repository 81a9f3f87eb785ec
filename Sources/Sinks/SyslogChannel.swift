import CLinux
import Glibc

/// Syslog messages (RFC 5424): one a datagram, or octet-counted on a stream (RFC 6587 §3.4.1), which TLS may
/// protect (RFC 5425).
final class SyslogChannel: Channel {
    let batchLimit = 64
    private let settings: SyslogSettings
    private let process = getpid()
    private let tls: TLSContext?
    private var socket: OutgoingSocket?

    /// Milliseconds for a connection, and for the receiver to take one batch.
    private static let timeout: UInt64 = 2000
    /// Bytes of a message in a datagram: what fits IPv6's largest without jumbograms is more.
    private static let datagramLimit = 60_000

    init(_ settings: SyslogSettings) throws(TLSContext.Failure) {
        self.settings = settings
        tls = settings.to.transport == .tls ? try TLSContext(settings.tls) : nil
    }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        let deadline = patience.deadline(within: SyslogChannel.timeout)
        // Looked at once a batch: a stream that breaks inside a message is not used again.
        if socket?.isClosed ?? true { socket = nil }
        let delivery = Delivery.noticeByNotice(lines) { notice, line throws(OutgoingSocket.Failure) in
            if socket == nil { socket = try OutgoingSocket(settings.to, tls: tls, by: deadline) }
            try socket?.send(frame(message(notice, line)), by: deadline)
        }
        if delivery.isFailure { socket = nil }
        return delivery
    }

    func reopen() { socket = nil }

    private func frame(_ message: [UInt8]) -> [UInt8] {
        settings.to.isDatagram
            ? Array(message.prefix(SyslogChannel.datagramLimit)) : Array("\(message.count) ".utf8) + message
    }

    /// `line` is what `notice` was read from.
    func message(_ notice: Notice, _ line: [UInt8]) -> [UInt8] {
        let priority = settings.facility.rawValue * 8 + Severity.of(notice)
        let header =
            "<\(priority)>1 \(SyslogChannel.timestamp(notice.time)) \(SyslogChannel.word(notice.sensor, 255)) flinch"
            + " \(process) \(SyslogChannel.word(notice.kind, 32)) "
        switch settings.format {
        case .eve: return Array((header + "- ").utf8) + line.dropLast()
        case .text: return Array((header + SyslogChannel.structured(notice) + " " + notice.sentence).utf8)
        }
    }

    /// EVE's zone has no colon, RFC 3339's has.
    private static func timestamp(_ time: String) -> String {
        time.hasSuffix("+0000") ? String(time.dropLast(5)) + "Z" : "-"
    }

    /// A header field: printable ASCII without blanks, "-" for none.
    private static func word(_ text: String, _ limit: Int) -> String {
        let bytes = text.utf8.filter { (0x21..<0x7F).contains($0) }.prefix(limit)
        return bytes.isEmpty ? "-" : String(decoding: Array(bytes), as: UTF8.self)
    }

    /// 32473 is the number for examples (RFC 5612), as long as we have none of our own.
    private static func structured(_ notice: Notice) -> String {
        let pairs = [
            ("concern", notice.concern), ("guest", notice.guest), ("src", notice.source), ("dst", notice.destination),
            ("proto", notice.proto), ("sid", notice.signature.map(String.init) ?? ""), ("verdict", notice.verdict),
            ("reason", notice.reason),
        ].filter { !$0.1.isEmpty }
        guard !pairs.isEmpty else { return "-" }
        return "[flinch@32473 \(pairs.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: " "))]"
    }

    /// RFC 5424 §6.3.3.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in PlainText.line(text) {
            if character == "\"" || character == "\\" || character == "]" { result.append("\\") }
            result.append(character)
        }
        return result
    }
}

/// Of RFC 5424 §6.2.1, for what has so much concern.
enum Severity {
    static func of(_ notice: Notice) -> Int {
        switch notice.concern {
        case "high": 3  // error
        case "medium": 4  // warning
        case "low": 5  // notice
        default: 6  // informational
        }
    }
}
