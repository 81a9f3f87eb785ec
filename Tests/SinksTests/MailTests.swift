import Foundation
import Lab
import Testing

@testable import Sinks

/// A real SMTP server: STARTTLS with the folder's certificate, AUTH required, each message into a file.
private let server = """
    import asyncio, email, email.policy, json, ssl, sys
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword, SMTP
    folder, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    class Handler:
        async def handle_DATA(self, server, session, envelope):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            kinds = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
            record = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": str(message["Subject"]),
                      "id": message["Message-ID"], "text": kinds.get("text/plain", ""), "html": kinds.get("text/html", ""),
                      "defects": [str(d) for d in message.defects], "tls": session.ssl is not None,
                      "headers": message.keys()}
            with open(folder + "/mails", "a") as f: f.write(json.dumps(record) + "\\n")
            return "250 OK"
    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and data.login == b"flinch" and data.password == b"open sesame"
        return AuthResult(success=good)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    if mode == "starttls":
        controller = Controller(Handler(), "127.0.0.1", port, tls_context=context, require_starttls=True,
                                auth_required=True, authenticator=authenticate)
    else:
        controller = Controller(Handler(), "127.0.0.1", port)
    controller.start()
    print("ready", flush=True)
    asyncio.new_event_loop().run_forever()
    """

private struct Mail: Decodable {
    var from: String
    var to: [String]
    var subject: String
    var id: String
    var text: String
    var html: String
    var defects: [String]
    var headers: [String]
    var tls: Bool
}

/// An EVE line as the encoder writes it.
func eveLine(_ number: Int, sid: Int = 1, message: String = "Test rule", concern: String = "high") -> String {
    let text = String(decoding: (try? JSONEncoder().encode(message)) ?? Data(), as: UTF8.self)
    return """
        {"timestamp":"2026-11-26T10:00:00.\(100_000 + number)+0000","event_type":"alert","src_ip":"198.51.100.9",\
        "src_port":40000,"dest_ip":"192.0.2.10","dest_port":445,"proto":"TCP","alert":{"action":"allowed","gid":1,\
        "signature_id":\(sid),"rev":1,"signature":\(text),"category":"","severity":1},"flinch":{"guest":"web",\
        "concern":"\(concern)","reason":"accepted","verdict":"accept","intended":"accept","shadow":false},"host":"lab"}
        """
}

struct MailTests {
    private func mails(_ folder: String) throws -> [Mail] {
        guard FileManager.default.fileExists(atPath: folder + "/mails") else { return [] }
        return try contents(folder + "/mails").split(separator: "\n").map {
            try JSONDecoder().decode(Mail.self, from: Data($0.utf8))
        }
    }

    private func start(_ folder: String, _ port: UInt16, _ mode: String) throws -> Program {
        try makeCertificate(in: folder)
        let program = try Program.start(["/usr/bin/python3", "-c", server, folder, String(port), mode])
        try #require(program.waitUntilItSays("ready", atMost: .seconds(30)), "\(program.complained)")
        return program
    }

    private func settings(_ port: UInt16, _ change: (inout MailSettings) -> Void = { _ in }) -> MailSettings {
        var settings = MailSettings(
            host: "localhost", port: port, from: "flinch@example.net", to: ["ops@example.net", "noc@example.net"])
        settings.security = .none
        settings.sensor = "lab"
        settings.digest = 0
        change(&settings)
        return settings
    }

    @Test func textAndHTMLOverSTARTTLSWithAPassword() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port, "starttls")
            defer { program.stop() }
            let file = folder + "/password"
            func sink(_ password: String) throws -> Sink {
                try writeSecret(password, to: file)
                let settings = settings(port) {
                    $0.security = .startTLS
                    $0.user = "flinch"
                    $0.password = .file(file)
                    $0.authorities = folder + "/cert.pem"
                }
                return try Sink.sample(try MailChannel(settings))
            }
            let wrong = try sink("wrong")
            wrong.offer([report(eveLine(0))])
            #expect(eventually { wrong.health.failures > 0 })
            #expect(wrong.health.lastError?.isEmpty == false)
            wrong.end()
            #expect(wrong.health.delivered == 0)

            let right = try sink("open sesame\n")
            right.offer([report(eveLine(1, message: "SMB probe"))])
            right.end(within: 20)
            #expect(right.health.delivered == 1, "\(right.health.lastError ?? "")")
            let mails = try mails(folder)
            #expect(mails.count == 1)
            let mail = try #require(mails.first)
            #expect(mail.tls && mail.defects.isEmpty)
            #expect(mail.from == "flinch@example.net" && mail.to == ["ops@example.net", "noc@example.net"])
            #expect(mail.subject == "[flinch lab] high: SMB probe")
            #expect(mail.text.contains("HIGH  SMB probe"))
            #expect(mail.text.contains("198.51.100.9:40000 → 192.0.2.10:445, guest web"))
            #expect(mail.html.contains("SMB probe") && mail.html.contains("198.51.100.9:40000 → 192.0.2.10:445"))
            for header in ["Date", "Message-ID", "Auto-Submitted", "MIME-Version"] {
                #expect(mail.headers.contains(header))
            }
        }
    }

    @Test func aCertificateThatNobodySigned() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port, "starttls")
            defer { program.stop() }
            let sink = try Sink.sample(try MailChannel(settings(port) { $0.security = .startTLS }))
            sink.offer([report(eveLine(0))])
            #expect(eventually { sink.health.failures > 0 })
            #expect(sink.health.lastError?.lowercased().contains("certificate") == true)
            sink.end()
            #expect(try mails(folder).isEmpty)
        }
    }

    @Test func aMillionOfTheSameAreOneMailAndANumber() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port, "plain")
            defer { program.stop() }
            let channel = try MailChannel(settings(port) { $0.limit = 1 }, period: 3_000_000_000)
            let sink = try Sink.sample(channel, queueLines: 100_000, queueBytes: 64 << 20)
            let line = report(eveLine(0, sid: 7, message: "the same"))
            for _ in 0..<20 {
                sink.offer(Array(repeating: line, count: 250))
                usleep(5000)
            }
            sink.offer([report(eveLine(1, sid: 8, message: "another"))])
            #expect(try eventually(within: 20) { try mails(folder).count >= 3 })
            sink.end(within: 10)
            let got = try mails(folder)
            // One of each kind, and the summary when the period is over.
            #expect(got.count == 3, "\(got.map(\.subject))")
            let told = got.flatMap { $0.text.split(separator: "\n") }.filter { $0.contains("times; the last") }
                .compactMap { Int($0.trimmingCharacters(in: .whitespaces).prefix { $0.isNumber }) }
            let heldBack = got.compactMap { mail in
                mail.text.split(separator: "\n").first { $0.hasSuffix("  the same") && $0.first == " " }
                    .flatMap { Int($0.trimmingCharacters(in: .whitespaces).prefix { $0.isNumber }) }
            }
            let accounted = told.reduce(0, +) + heldBack.reduce(0, +)
            #expect(accounted == 5000, "all are accounted for: \(told) \(heldBack)")
            #expect(got.last?.subject.hasSuffix("events were held back") == true)
            #expect(sink.health.delivered == 5001)
            #expect(Set(got.map(\.id)).count == 3)
        }
    }

    @Test func whatPacketsSayIsEscaped() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port, "plain")
            defer { program.stop() }
            let evil =
                "<script>alert(1)</script>\r\nBcc: victim@example.net\r\n\r\n.\r\nQUIT \u{1B}[31m \u{202E}gnp.exe \"&' é日"
            let sink = try Sink.sample(try MailChannel(settings(port)))
            sink.offer([report(eveLine(0, message: evil))])
            sink.end(within: 20)
            let mail = try #require(try mails(folder).first)
            #expect(mail.to == ["ops@example.net", "noc@example.net"])
            #expect(!mail.headers.contains("Bcc") && mail.defects.isEmpty)
            #expect(!mail.html.contains("<script") && mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
            for text in [mail.text, mail.html] {
                #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
                #expect(text.contains("é日"))
            }
            #expect(!mail.text.contains("\nBcc") && !mail.subject.contains("\n"))
        }
    }
}

struct RestraintTests {
    @Test func soManyAPeriodAndTheRestCounted() {
        var restraint = Restraint(limit: 2, period: 100)
        let allowed = [0, 1, 2, 3, 4].map { restraint.allows("a", at: $0) }
        #expect(allowed == [true, true, false, false, false])
        let others = [restraint.allows("b", at: 5), restraint.allows("a", at: 100)]
        #expect(others == [true, true], "another kind, and a new period")
        #expect(restraint.summaryDue == nil)
        restraint.hold("a", title: "A", count: 3, at: 50)
        restraint.hold("b", title: "B", count: 5, at: 60)
        restraint.hold("a", title: "A", count: 4, at: 70)
        #expect(restraint.summaryDue == 150)
        #expect(restraint.summary.map(\.title) == ["A", "B"] && restraint.summary.map(\.count) == [7, 5])
        restraint.forgetSummary()
        #expect(restraint.summaryDue == nil && restraint.summary.isEmpty)
    }

    @Test func moreKindsThanItKnowsAreOne() {
        var restraint = Restraint(limit: 1, period: 1000)
        let allowed = (0..<5000).filter { restraint.allows("kind \($0)", at: 1) }
        #expect(allowed.count == 1025)
        for number in 0..<5000 { restraint.hold("kind \(number)", title: "t", count: 1, at: 1) }
        #expect(restraint.summary.count == 1025)
        #expect(restraint.summary.first?.title == "others" && restraint.summary.first?.count == 3976)
    }
}
