import Foundation
import Lab
import Testing

@testable import Sinks

/// Posts what it gets into a file, one JSON document a line, and answers with the status that the file
/// `status` says.
private let server = """
    import http.server, json, os, ssl, sys
    folder, port, tls = sys.argv[1], int(sys.argv[2]), len(sys.argv) > 3
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = folder + "/status"
            status = int(open(path).read()) if os.path.exists(path) else 200
            if status == 200:
                with open(folder + "/got", "a") as f:
                    f.write(json.dumps({"body": body.decode(), "headers": dict(self.headers)}) + "\\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        def log_message(self, *arguments): pass
    s = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        s.socket = context.wrap_socket(s.socket, server_side=True)
    print("ready", flush=True)
    s.serve_forever()
    """

/// A certificate that signs itself: `cert.pem` and `key.pem`, which only its owner reads.
func makeCertificate(in folder: String, for names: String = "DNS:localhost,IP:127.0.0.1") throws {
    let program = try Program.start([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=\(names)", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem",
    ])
    try #require(program.wait(atMost: .seconds(20)) == .exited(0), "\(program.complained)")
}

/// A file that only its owner can read.
func writeSecret(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
}

struct WebhookTests {
    private struct Got: Decodable {
        var body: String
        var headers: [String: String]
    }

    private func got(_ folder: String) throws -> [Got] {
        guard FileManager.default.fileExists(atPath: folder + "/got") else { return [] }
        return try contents(folder + "/got").split(separator: "\n").map {
            try JSONDecoder().decode(Got.self, from: Data($0.utf8))
        }
    }

    private func start(_ folder: String, _ port: UInt16, tls: Bool = false) throws -> Program {
        let program = try Program.start(
            ["/usr/bin/python3", "-c", server, folder, String(port)] + (tls ? ["tls"] : []))
        try #require(program.waitUntilItSays("ready", atMost: .seconds(20)), "\(program.complained)")
        return program
    }

    @Test func signedAndInOrder() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port)
            defer { program.stop() }
            try writeSecret("key", to: folder + "/secret")
            var settings = WebhookSettings(url: "http://127.0.0.1:\(port)/hook")
            settings.secret = .file(folder + "/secret")
            let sink = try Sink.sample(try WebhookChannel(settings))
            let bodies = ["{\"n\":0}", "The quick brown fox jumps over the lazy dog", "{\"n\":2}"]
            sink.offer(bodies.map { report($0) })
            sink.end(within: 10)
            #expect(sink.health.delivered == 3, "\(sink.health.lastError ?? "")")
            let got = try got(folder)
            #expect(got.map(\.body) == bodies)
            #expect(got.allSatisfy { $0.headers["Content-Type"] == "application/json" })
            // The HMAC of this sentence with this key is known.
            #expect(
                got[1].headers["X-Flinch-Signature-256"]
                    == "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
            #expect(Set(got.compactMap { $0.headers["X-Flinch-Delivery"] }).count == 3)
        }
    }

    @Test func outagesRefusalsAndRecovery() throws {
        try withFolder { folder in
            let port = try freePort()
            let channel = try WebhookChannel(WebhookSettings(url: "http://127.0.0.1:\(port)/"))
            let sink = try Sink.sample(channel, spool: try Spool(folder: folder + "/spool", limit: 1 << 20))
            sink.offer(reports(0..<5))
            #expect(eventually { sink.health.failures > 1 })
            #expect(sink.health.lastError?.contains("connect") == true)

            try "503".write(toFile: folder + "/status", atomically: true, encoding: .utf8)
            let program = try start(folder, port)
            defer { program.stop() }
            #expect(eventually { sink.health.lastError == "the server answers with status 503" })
            #expect(sink.health.queued == 5)
            try FileManager.default.removeItem(atPath: folder + "/status")
            #expect(eventually { sink.health.delivered == 5 })

            try "400".write(toFile: folder + "/status", atomically: true, encoding: .utf8)
            sink.offer(reports(5..<7))
            #expect(eventually { sink.health.dropped == 2 })
            #expect(sink.health.lastError == "the server refuses an event: status 400")
            try FileManager.default.removeItem(atPath: folder + "/status")
            sink.offer(reports(7..<9))
            #expect(eventually { sink.health.delivered == 7 })
            sink.end()
            #expect(try got(folder).map(\.body) == [0, 1, 2, 3, 4, 7, 8].map { "line \($0)" })
        }
    }

    @Test func certificatesAreChecked() throws {
        try withFolder { folder in
            try makeCertificate(in: folder)
            let port = try freePort()
            let program = try start(folder, port, tls: true)
            defer { program.stop() }
            var settings = WebhookSettings(url: "https://localhost:\(port)/")
            let strict = try Sink.sample(try WebhookChannel(settings))
            strict.offer(reports(0..<1))
            #expect(eventually { strict.health.failures > 0 })
            #expect(strict.health.lastError?.lowercased().contains("certificate") == true)
            settings.authorities = folder + "/cert.pem"
            let trusting = try Sink.sample(try WebhookChannel(settings))
            trusting.offer(reports(1..<2))
            trusting.end(within: 10)
            #expect(trusting.health.delivered == 1, "\(trusting.health.lastError ?? "")")
            strict.end()
            #expect(try got(folder).map(\.body) == ["line 1"])
        }
    }

    /// A server that takes the connection and says nothing.
    @Test func aServerThatHangsDoesNotHoldUpTheEnd() throws {
        try withFolder { folder in
            let port = try freePort()
            let program = try start(folder, port)
            defer { program.stop() }
            program.send(SIGSTOP)
            let sink = try Sink.sample(try WebhookChannel(WebhookSettings(url: "http://127.0.0.1:\(port)/")))
            sink.offer(reports(0..<3))
            usleep(200_000)
            let begin = Date()
            sink.end(within: 0.3)
            #expect(Date().timeIntervalSince(begin) < 4)
            #expect(sink.health.dropped == 3)
            program.send(SIGCONT)
        }
    }
}
