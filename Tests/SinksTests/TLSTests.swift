import Foundation
import Lab
import Testing

@testable import Sinks

/// Redis and syslog by TLS, with servers that others made.
struct TLSTests {
    private func redis(_ folder: String, _ port: UInt16, _ more: [String] = []) throws -> Program {
        let lines = [
            "port 0", "tls-port \(port)", "bind 127.0.0.1", "save \"\"", "dir \(folder)",
            "tls-cert-file \(folder)/cert.pem", "tls-key-file \(folder)/key.pem",
            "tls-ca-cert-file \(folder)/cert.pem",
        ]
        try (lines + more).joined(separator: "\n")
            .write(toFile: folder + "/redis.conf", atomically: true, encoding: .utf8)
        let program = try Program.start(["redis-server", folder + "/redis.conf"])
        try #require(program.waitUntilItSays("Ready to accept", atMost: .seconds(20)), "\(program.printed)")
        return program
    }

    private func list(_ folder: String, _ port: UInt16, _ more: String...) throws -> [String] {
        let program = try Program.start(
            ["redis-cli", "--tls", "--cacert", folder + "/cert.pem", "-p", String(port)] + more + [
                "LRANGE", "suricata", "0", "-1",
            ])
        try #require(program.wait(atMost: .seconds(10)) == .exited(0), "\(program.complained)")
        return program.printed.split(separator: "\n").map(String.init)
    }

    private func settings(_ port: UInt16, _ change: (inout RedisSettings) -> Void) -> RedisSettings {
        var settings = RedisSettings(server: Endpoint(.tls, host: "127.0.0.1", port: port))
        settings.mode = .rightPush
        change(&settings)
        return settings
    }

    /// What a sink that never delivers says is the matter.
    private func problem(_ channel: any Channel) throws -> String {
        let sink = try Sink.sample(channel)
        sink.offer([report(eveLine(0))])
        #expect(eventually { sink.health.failures > 1 })
        sink.end()
        #expect(sink.health.delivered == 0)
        return sink.health.lastError ?? ""
    }

    @Test func redisByTLS() throws {
        try withFolder { folder in
            try makeCertificate(in: folder)
            let port = try freePort()
            let program = try redis(folder, port, ["tls-auth-clients no", "requirepass open-sesame"])
            defer { program.stop() }
            try writeSecret("open-sesame", to: folder + "/right")
            try writeSecret("guess", to: folder + "/wrong")
            let right = settings(port) {
                $0.tls.authorities = folder + "/cert.pem"
                $0.password = .file(folder + "/right")
            }
            let sink = try Sink.sample(try RedisChannel(right))
            // More than one record of TLS holds, and one batch.
            let long = String(repeating: "x", count: 20_000)
            sink.offer((0..<20).map { report("line \($0) \(long)") } + reports(20..<220))
            sink.end(within: 10)
            #expect(sink.health.delivered == 220, "\(sink.health.lastError ?? "")")
            let got = try list(folder, port, "-a", "open-sesame", "--no-auth-warning")
            #expect(got == (0..<20).map { "line \($0) \(long)" } + (20..<220).map { "line \($0)" })

            var other = right
            other.password = .file(folder + "/wrong")
            let refused = try problem(try RedisChannel(other))
            #expect(refused.contains("WRONGPASS") && !refused.contains("guess"))
            other = right
            other.tls.authorities = nil
            #expect(try problem(try RedisChannel(other)).contains("not accepted: self-signed certificate"))
            // What speaks no TLS.
            other = right
            other.server.transport = .tcp
            #expect(try problem(try RedisChannel(other)).contains("127.0.0.1:\(port)"))
        }
    }

    /// A certificate of somebody else, whoever signed it.
    @Test(arguments: ["DNS:redis.example.net,IP:192.0.2.1", "DNS:localhost"])
    func theNameIsChecked(_ names: String) throws {
        try withFolder { folder in
            try makeCertificate(in: folder, for: names)
            let port = try freePort()
            let program = try redis(folder, port, ["tls-auth-clients no"])
            defer { program.stop() }
            for host in ["127.0.0.1", "localhost"] {
                var settings = settings(port) { $0.tls.authorities = folder + "/cert.pem" }
                settings.server.host = host
                if names.contains(host) {
                    let sink = try Sink.sample(try RedisChannel(settings))
                    sink.offer(reports(0..<3))
                    sink.end(within: 5)
                    #expect(sink.health.delivered == 3, "\(sink.health.lastError ?? "")")
                } else {
                    #expect(try problem(try RedisChannel(settings)).contains("mismatch"))
                }
            }
        }
    }

    @Test func ourOwnCertificate() throws {
        try withFolder { folder in
            try makeCertificate(in: folder)
            let port = try freePort()
            let program = try redis(folder, port, ["tls-auth-clients yes"])
            defer { program.stop() }
            var settings = settings(port) { $0.tls.authorities = folder + "/cert.pem" }
            // The server says so after it has taken the connection, so it may be gone before it is heard.
            let refused = try Sink.sample(try RedisChannel(settings))
            refused.offer(reports(0..<1))
            #expect(eventually { refused.health.lastError?.contains("certificate required") == true })
            refused.end()
            settings.tls.certificate = folder + "/cert.pem"
            settings.tls.key = .file(folder + "/key.pem")
            let sink = try Sink.sample(try RedisChannel(settings))
            sink.offer(reports(0..<3))
            sink.end(within: 5)
            #expect(sink.health.delivered == 3, "\(sink.health.lastError ?? "")")

            // Files that cannot be used, at the start and in words for the operator.
            func refusal() -> String {
                do {
                    _ = try RedisChannel(settings)
                    return ""
                } catch {
                    return "\(error)"
                }
            }
            unsafe _ = chmod(folder + "/key.pem", 0o644)
            #expect(refusal().contains("can be read or changed by others"))
            unsafe _ = chmod(folder + "/key.pem", 0o600)
            try writeSecret("no key", to: folder + "/other")
            settings.tls.key = .file(folder + "/other")
            #expect(refusal().contains("the key is none of the certificate"))
            settings.tls.key = nil
            settings.tls.certificate = folder + "/none.pem"
            #expect(refusal().contains("cannot use the certificate in \(folder)/none.pem"))
            settings.tls.certificate = nil
            settings.tls.authorities = folder + "/other"
            #expect(refusal().contains("cannot use the certificate authorities in \(folder)/other"))
        }
    }

    // MARK: - Syslog

    private func rsyslog(_ folder: String, _ port: UInt16) throws -> Program {
        try """
        global(
            defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="\(folder)/cert.pem"
            defaultNetstreamDriverCertFile="\(folder)/cert.pem" defaultNetstreamDriverKeyFile="\(folder)/key.pem")
        module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
        input(type="imtcp" address="127.0.0.1" port="\(port)")
        template(name="parsed" type="string" string="%pri%|%app-name%|%msgid%|%msg%\\n")
        action(type="omfile" file="\(folder)/log" template="parsed")
        """.write(toFile: folder + "/rsyslog.conf", atomically: true, encoding: .utf8)
        let program = try Program.start(["rsyslogd", "-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"])
        try #require(try eventually { try isOpen("/proc/net/tcp", port, "0A") }, "\(program.complained)")
        return program
    }

    /// RFC 5425, with a real rsyslogd; over its end and a new start.
    @Test func syslogByTLS() throws {
        try withFolder { folder in
            try makeCertificate(in: folder)
            let port = try freePort()
            func log() -> [String] {
                ((try? contents(folder + "/log")) ?? "").split(separator: "\n").map(String.init)
            }
            var settings = SyslogSettings(to: Endpoint(.tls, host: "localhost", port: port))
            settings.tls.authorities = folder + "/cert.pem"
            let sink = try Sink.sample(try SyslogChannel(settings))
            sink.offer([report(eveLine(0))])
            #expect(eventually { sink.health.failures > 0 })
            #expect(sink.health.lastError?.contains("Connection refused") == true)
            do {
                let program = try rsyslog(folder, port)
                defer { program.stop() }
                #expect(eventually { log().count == 1 })
                sink.offer((1..<50).map { report(eveLine($0)) })
                #expect(eventually { log().count == 50 }, "\(sink.health.lastError ?? "")")
                #expect(log().allSatisfy { $0.hasPrefix("171|flinch|alert|high: ") })

                var other = settings
                other.tls.authorities = nil
                #expect(try problem(try SyslogChannel(other)).contains("not accepted: self-signed certificate"))
                other.to.transport = .tcp
                other.to.port = port
                // Without TLS it hears nothing that it would write down.
                let plain = try Sink.sample(try SyslogChannel(other))
                plain.offer([report(eveLine(99))])
                plain.end()
                #expect(log().count == 50)
            }
            sink.end()
            #expect(sink.health.dropped == 0)
        }
    }
}
