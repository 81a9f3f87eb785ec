import Control
import Foundation
import Glibc
import Lab
import Testing

extension Integration {
    /// Every channel in trouble of its own at once, and afterwards not any more.
    @Suite(.serialized)
    struct SinkOutages {
        /// A rule for each ping of a series, so that each is an event.
        private static let count = 200
        private static let rules =
            (1...count).map {
                #"alert icmp any any -> any any (msg:"TEST ping \#($0)"; itype:8; icmp_seq:\#($0); priority:1; sid:\#($0);)"#
            }.joined(separator: "\n") + "\n"

        /// Takes JSON by POST, answers with the status that a file says, and writes down what it took.
        private static let receiver = """
            import http.server, json, os, ssl, sys
            folder, port = sys.argv[1], int(sys.argv[2])
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                def do_POST(self):
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    status = int(open(folder + "/status").read())
                    if status == 200:
                        with open(folder + "/got", "a") as f:
                            f.write(json.dumps([self.headers["X-Flinch-Delivery"], json.loads(body)]) + "\\n")
                    self.send_response(status); self.send_header("Content-Length", "0"); self.end_headers()
                def log_message(self, *arguments): pass
            s = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            if len(sys.argv) > 3:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[3], sys.argv[4])
                s.socket = context.wrap_socket(s.socket, server_side=True)
            print("ready", flush=True)
            s.serve_forever()
            """

        /// Takes a connection and reads nothing before a file is there.
        private static let slowReader = """
            import os, socket, sys, time
            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", int(sys.argv[2]))); s.listen(4)
            print("ready", flush=True)
            c = s.accept()[0]
            while not os.path.exists(sys.argv[1] + "/go"): time.sleep(0.05)
            with open(sys.argv[1] + "/read", "ab") as f:
                while True:
                    data = c.recv(65536)
                    if not data: break
                    f.write(data); f.flush()
            """

        @Test(.timeLimit(.minutes(4)))
        func trafficGoesOnAndWhatIsDurableComesLater() throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            let stage = try Troubles(lab)
            defer { stage.end() }
            var configuration = SensorConfiguration()
            configuration.ruleFiles = [try lab.write(Self.rules, to: "pings.rules")]
            configuration.more = stage.sinks
            configuration.moreOfEvents = ", packets: false, limits: {default: 1000}"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())

            try lab.expectAnswers(Self.count, from: lab.client, to: lab.guest("web").ipv4)
            // Each says what is wrong with it, and none of the others' words; no secret is among them.
            func sinks() throws -> [String: Status.Sink] {
                Dictionary(uniqueKeysWithValues: try sensor.status().sinks.map { ($0.name, $0) })
            }
            func state(_ name: String) -> String {
                (try? sinks()[name]).map { "\($0.state), \($0.lastError ?? "no error")" } ?? "not there"
            }
            for (name, words) in Troubles.complaints {
                #expect(
                    eventually(within: .seconds(15)) {
                        guard let sink = try? sinks()[name], sink.state == "failing" else { return false }
                        return words.contains { sink.lastError?.contains($0) == true }
                    }, "\(name): \(state(name))")
            }
            #expect(eventually(within: .seconds(5)) { (try? sinks()["eve"]?.delivered ?? 0 >= 200) == true })
            let said = try Command.run([try Binaries.find().flinch, "status", "--json", "--control", sensor.control])
            #expect(!said.contains(Troubles.password) && !sensor.program.complained.contains(Troubles.password))
            // All the while, and after: as if there were no sinks.
            try lab.expectAnswers(Self.count, from: lab.client, to: lab.guest("web").ipv4)
            #expect(try sensor.status().uninspected.passedOverload == 0)

            try stage.mend()
            // In order, each once by the number that tells; a second series of the same pings is told of in sums.
            let wanted = Array(1...Self.count)
            for (name, read) in stage.received {
                let isThere = eventually(within: .seconds(45), every: .milliseconds(100)) {
                    read().filter { $0 > 0 }.count >= Self.count
                }
                #expect(isThere, "\(name): \(read().count); \(state(name))")
                #expect(Array(read().prefix(Self.count)) == wanted, "\(name)")
            }
            let isMailed = eventually(within: .seconds(70)) { stage.mails.contains("TEST ping") }
            #expect(isMailed, "\(state("mail"))")
            // What cannot be mended by waiting is still said.
            #expect(try sinks()["forged"]?.state == "failing")
            for name in ["disk", "database", "slow", "queue", "hook", "mail"] {
                let sink = try #require(try sinks()[name])
                #expect(sink.dropped == 0, "\(name): \(sink.dropped) lost")
            }
            #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")
        }

        /// Receivers that are down, slow, refusing, full, not who they say, or do not know the password.
        private final class Troubles {
            static let password = "open-sesame-4711"
            static let complaints: [String: [String]] = [
                "disk": ["No space left"], "database": ["disk"], "queue": ["WRONGPASS", "invalid password"],
                "hook": ["503"], "forged": ["certificate"], "mail": ["onnect"], "gone": ["refused"],
            ]
            private let lab: Lab
            private let full: String
            private var programs: [Program] = []

            init(_ lab: Lab) throws {
                self.lab = lab
                full = lab.file("full")
                for folder in ["full", "hook", "forged", "slow"] {
                    try FileManager.default.createDirectory(
                        atPath: lab.file(folder), withIntermediateDirectories: false)
                }
                // An odd size, so that the filler leaves nothing of a page.
                try Command.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", full])
                try lab.host.run("ip", "link", "set", "lo", "up")
                _ = try? Command.run(["dd", "if=/dev/zero", "of=\(full)/filler", "bs=4096", "count=2000"])
                try "503".write(toFile: lab.file("hook/status"), atomically: true, encoding: .utf8)
                try "200".write(toFile: lab.file("forged/status"), atomically: true, encoding: .utf8)
                try Command.run([
                    "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere",
                    "-keyout", lab.file("key.pem"), "-out", lab.file("cert.pem"),
                ])
                try Data(Self.password.utf8).write(to: URL(fileURLWithPath: lab.file("secret")))
                chmod(lab.file("secret"), 0o600)
                try start(["/usr/bin/python3", "-c", receiver, lab.file("hook"), "7003"], "ready")
                try start(
                    [
                        "/usr/bin/python3", "-c", receiver, lab.file("forged"), "7004", lab.file("cert.pem"),
                        lab.file("key.pem"),
                    ], "ready")
                try start(["/usr/bin/python3", "-c", slowReader, lab.file("slow"), "7001"], "ready")
                try start(
                    [
                        "redis-server", "--port", "7002", "--bind", "127.0.0.1", "--save", "", "--requirepass",
                        "another", "--dir", lab.directory,
                    ], "Ready to accept")
            }

            private func start(_ command: [String], _ words: String) throws {
                let program = try lab.host.start(command, limit: .seconds(200))
                programs.append(program)
                guard program.waitUntilItSays(words, atMost: .seconds(20)) else {
                    throw LabError("\(command[0]) did not start: \(program.complained)\(program.printed)")
                }
            }

            var sinks: String {
                """
                sinks:
                  - {type: eve, name: disk, path: \(full)/eve.json, events: [alert]}
                  - {type: store, name: database, path: \(full)/store.sqlite}
                  - {type: socket, name: slow, to: "tcp:127.0.0.1:7001", events: [alert]}
                  - {type: redis, name: queue, server: "127.0.0.1:7002", mode: rpush, key: eve, events: [alert], password: {file: \(lab.file("secret"))}}
                  - {type: webhook, name: hook, url: "http://127.0.0.1:7003/", events: [alert]}
                  - {type: webhook, name: forged, url: "https://127.0.0.1:7004/", events: [alert]}
                  - {type: mail, name: mail, server: "127.0.0.1:7005", security: none, from: a@example.net, to: [b@example.net], digest: 1}
                  - {type: syslog, name: gone, to: "tcp:127.0.0.1:7006"}
                """
            }

            /// Each trouble ends, but for the forged certificate and the receiver that is gone.
            func mend() throws {
                try FileManager.default.removeItem(atPath: full + "/filler")
                try "".write(toFile: lab.file("slow/go"), atomically: true, encoding: .utf8)
                try "200".write(toFile: lab.file("hook/status"), atomically: true, encoding: .utf8)
                try lab.host.run(
                    "redis-cli", "-p", "7002", "-a", "another", "--no-auth-warning", "CONFIG", "SET", "requirepass",
                    Self.password)
                programs.append(
                    try lab.host.start(
                        [
                            "/usr/bin/python3", "-u", "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:7005", "-c",
                            "aiosmtpd.handlers.Debugging", "stdout",
                        ], limit: .seconds(100)))
            }

            var mails: String { programs.last?.printed ?? "" }

            /// The rules' numbers in what each has received, in its order; 0 for what stands for many.
            var received: [(String, () -> [Int])] {
                let (lab, full) = (lab, full)
                return [
                    ("disk", { Self.lines(try? String(contentsOfFile: full + "/eve.json", encoding: .utf8)) }),
                    ("slow", { Self.lines(try? String(contentsOfFile: lab.file("slow/read"), encoding: .utf8)) }),
                    (
                        "queue",
                        {
                            Self.lines(
                                try? lab.host.run(
                                    "redis-cli", "-p", "7002", "-a", Self.password, "--no-auth-warning", "LRANGE",
                                    "eve", "0", "-1"))
                        }
                    ),
                    ("hook", { Self.posts(try? String(contentsOfFile: lab.file("hook/got"), encoding: .utf8)) }),
                    (
                        "database",
                        {
                            Self.lines(
                                try? Command.run([
                                    "/usr/bin/python3", "-c",
                                    "import sqlite3, sys; [print(r[0]) for r in sqlite3.connect(sys.argv[1]).execute("
                                        + "\"SELECT line FROM event WHERE kind = 'alert' ORDER BY id\")]",
                                    full + "/store.sqlite",
                                ]))
                        }
                    ),
                ]
            }

            private static func number(_ event: Any?) -> Int {
                guard let event = event as? [String: Any], let alert = event["alert"] as? [String: Any] else {
                    return 0
                }
                let isSum = (event["flinch"] as? [String: Any])?["count"] != nil
                return isSum ? 0 : alert["signature_id"] as? Int ?? 0
            }

            private static func lines(_ text: String?) -> [Int] {
                (text ?? "").split(separator: "\n").map {
                    number(try? JSONSerialization.jsonObject(with: Data($0.utf8)))
                }
            }

            /// Without those that came twice, which their number shows.
            private static func posts(_ text: String?) -> [Int] {
                var seen: Set<String> = []
                return (text ?? "").split(separator: "\n").compactMap { line in
                    let post = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any]
                    guard let name = post?.first as? String, seen.insert(name).inserted else { return nil }
                    return number(post?.last)
                }
            }

            func end() {
                for program in programs { program.stop() }
                unsafe _ = umount2(full, Int32(MNT_DETACH))
            }
        }
    }
}
