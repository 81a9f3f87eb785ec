import Foundation

/// A message as SMTP carries it (RFC 5322, MIME): the same words as text and as HTML.
struct MailMessage {
    let bytes: [UInt8]

    private static let boundary = "=_flinch_alternative"

    init(
        settings: MailSettings, groups: [MailChannel.Group], held: [(title: String, count: Int)], date: Date = Date()
    ) {
        let sensor = settings.sensor
        let text = MailMessage.text(sensor, groups, held)
        let html = MailMessage.html(sensor, groups, held)
        // The same for the same words: a server or reader can tell a message that comes twice.
        let identifier = Digest.hex(Digest.sha256(Array((text + settings.from).utf8)).prefix(16))
        let domain = settings.from.split(separator: "@").last.map(String.init) ?? "localhost"
        let headers = [
            "From: <\(settings.from)>", "To: " + settings.to.map { "<\($0)>" }.joined(separator: ",\r\n "),
            "Subject: " + MailMessage.encoded(MailMessage.subject(sensor, groups, held)),
            "Date: " + MailMessage.date(date), "Message-ID: <\(identifier)@\(domain)>",
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(MailMessage.boundary)\"",
        ]
        let body = [
            MailMessage.part("text/plain", text), MailMessage.part("text/html", html),
            "--\(MailMessage.boundary)--\r\n",
        ]
        bytes = Array((headers.joined(separator: "\r\n") + "\r\n\r\n" + body.joined()).utf8)
    }

    // MARK: - Words

    static func subject(_ sensor: String, _ groups: [MailChannel.Group], _ held: [(title: String, count: Int)])
        -> String
    {
        guard let first = groups.first else {
            return "[flinch \(sensor)] \(held.reduce(0) { $0 + $1.count }) events were held back"
        }
        let more = groups.count > 1 ? " and \(groups.count - 1) more" : ""
        let concern = first.concern.isEmpty ? "" : "\(first.concern): "
        return "[flinch \(sensor)] \(concern)\(first.title.prefix(100))\(more)"
    }

    private static func count(_ number: Int) -> String { number == 1 ? "once" : "\(number) times" }

    private static func text(
        _ sensor: String, _ groups: [MailChannel.Group], _ held: [(title: String, count: Int)]
    ) -> String {
        var lines: [String] = []
        for group in groups {
            lines.append("\(group.concern.uppercased())  \(PlainText.line(group.title))")
            lines.append("  \(count(group.count)); the last at \(PlainText.line(group.last))")
            for notice in group.examples {
                lines.append(
                    "  \(PlainText.line(notice.time))  \(PlainText.line(notice.way))  \(PlainText.line(notice.outcome))"
                )
            }
            if group.count > group.examples.count { lines.append("  and \(group.count - group.examples.count) more") }
            lines.append("")
        }
        if !held.isEmpty {
            lines.append("Held back, because there were many of the same:")
            lines += held.map { "  \($0.count)  \(PlainText.line($0.title))" }
            lines.append("")
        }
        lines.append("-- \nFlinch on \(PlainText.line(sensor))")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func html(
        _ sensor: String, _ groups: [MailChannel.Group], _ held: [(title: String, count: Int)]
    ) -> String {
        let colours = ["high": "#c0392b", "medium": "#d35400", "low": "#b7950b"]
        var page = "<!DOCTYPE html><html><body style=\"font-family: sans-serif\">\n"
        for group in groups {
            page +=
                "<h3><span style=\"color: \(colours[group.concern] ?? "#555555")\">&#9679; \(PlainText.html(group.concern))</span> "
            page +=
                "\(PlainText.html(group.title))</h3>\n<p>\(count(group.count)); the last at \(PlainText.html(group.last))</p>\n<table>\n"
            for notice in group.examples {
                page += "<tr><td>\(PlainText.html(notice.time))</td><td>\(PlainText.html(notice.way))</td>"
                page += "<td>\(PlainText.html(notice.outcome))</td></tr>\n"
            }
            page += "</table>\n"
            if group.count > group.examples.count { page += "<p>and \(group.count - group.examples.count) more</p>\n" }
        }
        if !held.isEmpty {
            page += "<h3>Held back, because there were many of the same</h3>\n<table>\n"
            for entry in held { page += "<tr><td>\(entry.count)</td><td>\(PlainText.html(entry.title))</td></tr>\n" }
            page += "</table>\n"
        }
        return page + "<p style=\"color: #777777\">Flinch on \(PlainText.html(sensor))</p>\n</body></html>\n"
    }

    // MARK: - Form

    /// A header's text (RFC 2047 §2), in words of at most 75 characters.
    static func encoded(_ text: String) -> String {
        let text = PlainText.line(text)
        if text.utf8.count <= 60, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "=") }) {
            return text
        }
        var words: [String] = []
        var word: [UInt8] = []
        for scalar in text.unicodeScalars {
            let piece = Array(String(scalar).utf8)
            if word.count + piece.count > 42 {
                words.append("=?UTF-8?B?\(Data(word).base64EncodedString())?=")
                word = []
            }
            word += piece
        }
        if !word.isEmpty { words.append("=?UTF-8?B?\(Data(word).base64EncodedString())?=") }
        return words.joined(separator: "\r\n ")
    }

    private static func part(_ type: String, _ text: String) -> String {
        let body = Data(text.utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        return
            "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\(body)\r\n"
    }

    /// RFC 5322 §3.3.
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: date)
    }
}
