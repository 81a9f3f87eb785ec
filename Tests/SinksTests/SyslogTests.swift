import Foundation
import Lab
import Testing

@testable import Sinks

struct SyslogTests {
    /// A real rsyslogd that writes down how it has understood each message.
    private func start(_ folder: String, udp: UInt16, tcp: UInt16) throws -> Program {
        try """
        module(load="imudp")
        module(load="imtcp")
        input(type="imudp" address="127.0.0.1" port="\(udp)")
        input(type="imtcp" address="127.0.0.1" port="\(tcp)")
        template(name="parsed" type="string" string="%pri%|%protocol-version%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n")
        action(type="omfile" file="\(folder)/log" template="parsed")
        """.write(toFile: folder + "/rsyslog.conf", atomically: true, encoding: .utf8)
        let program = try Program.start(
            ["rsyslogd", "-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"])
        // Its sockets are what it opens last; 0A is LISTEN, 07 an unconnected datagram socket (tcp_states.h).
        try #require(
            try eventually { try isOpen("/proc/net/udp", udp, "07") && isOpen("/proc/net/tcp", tcp, "0A") },
            "\(program.complained)")
        return program
    }

    @Test(arguments: [Endpoint.Transport.udp, .tcp])
    func aRealReceiverUnderstands(_ transport: Endpoint.Transport) throws {
        try withFolder { folder in
            let ports = (udp: try freePort(SOCK_DGRAM), tcp: try freePort())
            let program = try start(folder, udp: ports.udp, tcp: ports.tcp)
            defer { program.stop() }
            let port = transport == .udp ? ports.udp : ports.tcp
            var settings = SyslogSettings(to: Endpoint(transport, host: "127.0.0.1", port: port))
            let sink = try Sink.sample(try SyslogChannel(settings))
            let evil = "x\" ] \\ y\n<13>1 - forged - - - - gone\u{1B}[2J"
            sink.offer([
                report(eveLine(0, message: "SMB probe", concern: "high")),
                report(eveLine(1, message: evil, concern: "low")),
            ])
            sink.end(within: 5)
            #expect(sink.health.delivered == 2, "\(sink.health.lastError ?? "")")
            settings.format = .eve
            let second = try Sink.sample(try SyslogChannel(settings))
            second.offer([report(eveLine(2))])
            second.end(within: 5)
            func log() -> [String] {
                ((try? contents(folder + "/log")) ?? "").split(separator: "\n").map(String.init)
            }
            #expect(eventually { log().count == 3 })
            let lines = log()
            try #require(lines.count == 3, "one line each, whatever packets say: \(lines)")
            #expect(
                lines[0]
                    == "171|1|2026-11-26T10:00:00.100000Z|lab|flinch|alert|[flinch@32473 concern=\"high\" guest=\"web\""
                    + " src=\"198.51.100.9:40000\" dst=\"192.0.2.10:445\" proto=\"TCP\" sid=\"1\" verdict=\"accept\""
                    + " reason=\"accepted\"]|high: SMB probe; 198.51.100.9:40000 → 192.0.2.10:445, guest web; accept")
            #expect(lines[1].hasPrefix("173|1|") && lines[1].hasSuffix("accept"))
            #expect(lines[1].contains("low: x\" ] \\ y·<13>1 - forged - - - - gone·[2J; "))
            #expect(lines[2].hasPrefix("171|1|") && lines[2].hasSuffix("|-|" + eveLine(2)))
        }
    }

    @Test func structuredDataIsEscaped() throws {
        var text = eveLine(0)
        text.replace("\"guest\":\"web\"", with: "\"guest\":\"a\\\"b]c\\\\d\"")
        let notice = try #require(Notice(line: line(text)))
        let channel = try SyslogChannel(SyslogSettings(to: Endpoint(.udp, host: "127.0.0.1", port: 1)))
        let message = String(decoding: channel.message(notice, line(text)), as: UTF8.self)
        #expect(message.contains(#"guest="a\"b\]c\\d""#))
    }

    @Test func theJournalsProtocol() throws {
        try withFolder { folder in
            let path = folder + "/socket"
            let listener = try Listener(path, datagram: true)
            let sink = try Sink.sample(JournalChannel(path: path))
            sink.offer([report(eveLine(0, message: "a\nPRIORITY=0\nb", concern: "medium"))])
            sink.end()
            #expect(sink.health.delivered == 1)
            let fields = listener.receive().split(separator: "\n").map(String.init)
            #expect(fields.count(where: { $0.hasPrefix("PRIORITY=") }) == 1)
            #expect(
                fields.contains(
                    "MESSAGE=medium: a·PRIORITY=0·b; 198.51.100.9:40000 → 192.0.2.10:445, guest web; accept"))
            for field in [
                "PRIORITY=4", "SYSLOG_IDENTIFIER=flinch", "FLINCH_SID=1", "FLINCH_GUEST=web", "FLINCH_CONCERN=medium",
            ] { #expect(fields.contains(field)) }
        }
    }
}
