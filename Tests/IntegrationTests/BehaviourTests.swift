import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What real scanners and real clients are taken for.
    @Suite(.serialized)
    struct Behaviours {
        struct Scan: Sendable, CustomStringConvertible {
            var command: [String]
            var kind: String
            var seconds = 20
            var isFragmented = false
            var sources = 1
            var description: String { command.joined(separator: " ") }

            init(_ command: String, _ kind: String, seconds: Int = 20, fragmented: Bool = false, sources: Int = 1) {
                self.command = command.split(separator: " ").map(String.init)
                self.kind = kind
                self.seconds = seconds
                isFragmented = fragmented
                self.sources = sources
            }
        }

        /// nmap's scan types and speeds, decoys and fragments, and the same with hping3. T is the target, S an address
        /// of the scanner's own for each, so that one is not taken for the rest of the one before.
        private static let scans: [Scan] = [
            Scan("nmap -n -Pn -e eth0 -S S -sS -p1-200 T", "scan.syn"),
            Scan("nmap -n -Pn -e eth0 -S S -sS -T2 -p1-30 T", "scan.syn", seconds: 40),
            Scan("nmap -n -Pn -e eth0 -S S -sS -T3 -p1-100 T", "scan.syn"),
            Scan("nmap -n -Pn -e eth0 -S S -sS -T4 -p1-100 T", "scan.syn"),
            Scan("nmap -n -Pn -e eth0 -S S -sS -T5 -p1-100 T", "scan.syn"),
            Scan("nmap -n -Pn -sT -p1-200 T", "scan.connect"),
            Scan("nmap -n -Pn -e eth0 -S S -sF -p1-100 T", "scan.fin"),
            Scan("nmap -n -Pn -e eth0 -S S -sX -p1-100 T", "scan.xmas"),
            Scan("nmap -n -Pn -e eth0 -S S -sN -p1-100 T", "scan.null"),
            Scan("nmap -n -Pn -e eth0 -S S -sA -p1-100 T", "scan.ack"),
            Scan("nmap -n -Pn -e eth0 -S S -sM -p1-100 T", "scan.maimon"),
            Scan("nmap -n -Pn -e eth0 -S S -sU -T5 --max-retries 0 -p1-60 T", "scan.udp", seconds: 30),
            Scan("nmap -n -Pn -e eth0 -S S -sO -T5 --max-retries 0 -p100-160 T", "scan.ip_protocols", seconds: 30),
            Scan("nmap -n -Pn -e eth0 -S S -sS -f -p1-100 T", "scan.syn", fragmented: true),
            Scan(
                "nmap -n -Pn -e eth0 -S S -sS -D 10.77.0.231,10.77.0.232,10.77.0.233 -p1-100 T", "scan.syn", sources: 4),
            Scan("hping3 -n -q -a S -S --scan 1-100 T", "scan.syn"),
            Scan("hping3 -n -q -a S -F --scan 1-100 T", "scan.fin"),
            Scan("hping3 -n -q -a S -F -P -U --scan 1-100 T", "scan.xmas"),
            Scan("hping3 -n -q -a S -A --scan 1-100 T", "scan.ack"),
            Scan("hping3 -n -q -a S -2 -p ++1 -c 60 -i u20000 T", "scan.udp"),
        ]

        @Test(.timeLimit(.minutes(6)))
        func scansAreNamed() async throws {
            try await Integration.withSensor { lab, sensor in
                let target = lab.guest("smb")
                for (index, scan) in Behaviours.scans.enumerated() {
                    let source = "10.77.0.\(150 + index)"
                    try lab.outside.run("ip", "address", "add", "\(source)/24", "dev", "eth0")
                    let place = sensor.eve.end
                    let program = try lab.outside.start(
                        scan.command.map { $0 == "S" ? source : $0 == "T" ? target.ipv4 : $0 },
                        limit: .seconds(scan.seconds))
                    program.wait(atMost: .seconds(scan.seconds + 2))
                    let all = try Integration.behaviours(sensor, from: place)
                    #expect(all.count == 1, "\(scan): \(all.compactMap { $0.alert?.signature }); \(program.complained)")
                    let behaviour = try #require(all.first?.flinch?.behaviour, "\(scan)")
                    #expect(behaviour.kind == scan.kind, "\(scan)")
                    #expect(behaviour.shape == "ports", "\(scan)")
                    #expect(behaviour.fragmented == scan.isFragmented, "\(scan)")
                    #expect(behaviour.source_count ?? 1 == scan.sources, "\(scan)")
                    #expect(all.first?.dest_ip == target.ipv4 && all.first?.flinch?.guest == "smb", "\(scan)")
                    if scan.sources == 1, scan.kind != "scan.connect" {
                        #expect(all.first?.src_ip == source, "\(scan)")
                    }
                }
                let status = try sensor.status().behaviour
                #expect(status.raised["scan.syn"] ?? 0 >= 8 && status.lost == 0)
            }
        }

        @Test func aGuestThatLooksForItsNeighbours() async throws {
            try await Integration.withSensor { lab, sensor in
                let others = lab.guests.filter { $0.name != "web" }.map(\.ipv4)
                let program = try lab.guest("web").start(
                    ["nmap", "-n", "-Pn", "-sT", "-p3389"] + others, limit: .seconds(20))
                program.wait(atMost: .seconds(20))
                #expect(
                    eventually(within: .seconds(8)) {
                        (try? sensor.eve.records().contains {
                            $0.flinch?.behaviour?.kind == "scan.connect" && $0.flinch?.behaviour?.shape == "hosts"
                                && $0.flinch?.concern == "high" && $0.flinch?.guest == "web"
                        }) == true
                    })
            }
        }

        /// One that is refused gets no further; others do.
        @Test func whoScansIsRefusedWhereThePolicySaysSo() async throws {
            var configuration = SensorConfiguration()
            configuration.more = "policy: {behaviour: {scan.*: drop}}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let target = lab.guest("quiet").ipv4
                try lab.expectAnswers(3, from: lab.outside, to: target)
                let program = try lab.outside.start(
                    ["nmap", "-n", "-Pn", "-sS", "-p1-100", target], limit: .seconds(20))
                program.wait(atMost: .seconds(20))
                #expect(eventually(within: .seconds(8)) { (try? sensor.status().behaviour.open.isEmpty) == false })
                rest(.milliseconds(300))
                #expect(try lab.pings(5, from: lab.outside, to: target) == 0)
                try lab.expectAnswers(5, from: lab.client, to: target)
                try lab.expectAnswers(5, from: lab.outside, to: lab.guest("watch").ipv4)
                #expect(try sensor.status().verdicts.byReason["behaviour"] ?? 0 >= 5)
            }
        }

        private static let poller = """
            import socket, sys, time
            for round in range(int(sys.argv[1])):
                for place in sys.argv[2:]:
                    address, port = place.rsplit(":", 1)
                    s = socket.socket(); s.settimeout(0.3)
                    try: s.connect((address, int(port)))
                    except OSError: pass
                    s.close()
                time.sleep(1)
            """

        /// A monitoring system that asks fifty ports of three guests, some of which are closed, again and again, and
        /// is not disturbed when one of them goes away; a guest that calls port 443 of fifty hosts.
        @Test func whoOnlySeemsToScan() async throws {
            try await Integration.withSensor { lab, sensor in
                let asked = ["web", "dns", "quiet"].map { lab.guest($0) }
                var listeners: [Program] = []
                for guest in asked {
                    let places = (1000..<1040).map { "\(guest.ipv4):\($0)" }
                    listeners.append(
                        try guest.start(["python3", "-c", Scanners.listener] + places, limit: .seconds(60)))
                }
                let hosts = (150..<200).map { "10.77.0.\($0)" }
                for host in hosts { try lab.outside.run("ip", "address", "add", "\(host)/24", "dev", "eth0") }
                listeners.append(
                    try lab.outside.start(
                        ["python3", "-c", Scanners.listener] + hosts.prefix(45).map { "\($0):443" },
                        limit: .seconds(60)))
                for listener in listeners {
                    try #require(listener.waitUntilItSays("ready", atMost: .seconds(10)), "\(listener.complained)")
                }
                let places = asked.flatMap { guest in (1000..<1050).map { "\(guest.ipv4):\($0)" } }
                let monitor = try lab.client.start(
                    ["python3", "-c", Behaviours.poller, "6"] + places, limit: .seconds(60))
                let browser = try lab.guest("smb").start(
                    ["python3", "-c", Behaviours.poller, "3"] + hosts.map { "\($0):443" }, limit: .seconds(60))
                rest(.seconds(4))
                listeners[2].stop()
                monitor.wait(atMost: .seconds(60))
                browser.wait(atMost: .seconds(60))
                rest(.seconds(5))
                let said = try sensor.eve.records().filter { $0.flinch?.behaviour != nil }
                #expect(said.isEmpty, "\(said.compactMap { $0.alert?.signature })")
                // It was seen: the map has all of it.
                let map = try Behaviours.peers(sensor)
                #expect(map.relationships.filter { $0.client == lab.client.ipv4 }.count == 120)
                #expect(map.relationships.filter { $0.service == "443/tcp" && $0.clientGuest == "smb" }.count == 45)
            }
        }

        private static func peers(_ sensor: SensorProcess) throws -> PeersDocument {
            let answer = try ControlClient.request(path: sensor.control, "peers")
            return try JSONDecoder().decode(PeersDocument.self, from: Data(answer))
        }

        /// What was learned outlives the sensor; what is new to it is told.
        @Test func guestsThatNeverTalked() async throws {
            var configuration = SensorConfiguration()
            configuration.more = "behaviour: {learning: 2}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let web = lab.guest("web")
                try lab.expectAnswers(2, from: web, to: lab.guest("dns").ipv4)
                #expect(eventually(within: .seconds(3)) { (try? Behaviours.peers(sensor).known) == 1 })
                #expect(sensor.terminate() == .exited(0))
                rest(.seconds(2))
                let next = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
                #expect(try Behaviours.peers(next).known == 1)
                let place = next.eve.end
                try lab.expectAnswers(2, from: web, to: lab.guest("dns").ipv4)
                try lab.expectAnswers(2, from: web, to: lab.guest("quiet").ipv4)
                func found() throws -> [EveLog.Record] {
                    try next.eve.records(from: place).filter { $0.flinch?.behaviour != nil }
                }
                #expect(eventually(within: .seconds(5)) { (try? found().isEmpty) == false })
                let all = try found()
                #expect(all.map(\.flinch?.behaviour?.kind) == ["guest.new_pair"])
                #expect(all.first?.src_ip == web.ipv4 && all.first?.dest_ip == lab.guest("quiet").ipv4)
            }
        }

        /// An SSH server of the lab's own, with a key of its own, that lets nobody in by a password.
        private static func startSSH(_ lab: Lab, on guest: Machine) throws -> Program {
            for name in ["host", "user"] {
                try Command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", lab.file(name)])
            }
            // Where sshd's unprivileged part lives.
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
            let configuration = try lab.write(
                """
                ListenAddress \(guest.ipv4):22
                HostKey \(lab.file("host"))
                AuthorizedKeysFile \(lab.file("user.pub"))
                PidFile none
                StrictModes no
                UsePAM no
                PasswordAuthentication yes
                PermitRootLogin prohibit-password
                MaxStartups 100

                """, to: "sshd.conf")
            return try guest.start(["/usr/sbin/sshd", "-D", "-e", "-f", configuration], limit: .seconds(120))
        }

        private static let options =
            "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o NumberOfPasswordPrompts=1"

        /// Real passwords at a real server, one after the other, beside somebody who has a key and a guest that is asked
        /// now and then.
        @Test(.timeLimit(.minutes(3))) func whoTriesLogins() async throws {
            try await Integration.withSensor { lab, sensor in
                let guest = lab.guest("quiet")
                let server = try Behaviours.startSSH(lab, on: guest)
                try #require(
                    eventually(within: .seconds(10)) { (try? guest.run("ss", "-Hltn").contains(":22")) == true },
                    "\(server.complained)")
                let good = try lab.client.start(
                    [
                        "sh", "-c",
                        "for i in 1 2 3 4 5; do ssh -i \(lab.file("user")) \(Behaviours.options) root@\(guest.ipv4) true"
                            + " && echo in; done",
                    ], limit: .seconds(60))
                let bad = try lab.outside.start(
                    [
                        "sh", "-c",
                        "for i in $(seq 14); do sshpass -p wrong$i ssh \(Behaviours.options) -o"
                            + " PreferredAuthentications=password nobody@\(guest.ipv4) true; done; echo done",
                    ], limit: .seconds(100))
                #expect(good.waitUntilItSays("in", atMost: .seconds(20)), "\(good.complained)")
                #expect(bad.waitUntilItSays("done", atMost: .seconds(100)), "\(bad.complained)")
                #expect(bad.complained.components(separatedBy: "Permission denied").count > 12, "\(bad.complained)")
                func found() throws -> [EveLog.Record] {
                    try sensor.eve.records().filter {
                        $0.flinch?.behaviour?.kind == "login.ssh" && $0.event_type == "alert"
                    }
                }
                #expect(eventually(within: .seconds(10)) { (try? found().isEmpty) == false })
                let all = try found()
                #expect(all.count == 1)
                #expect(all.first?.src_ip == lab.outside.ipv4 && all.first?.dest_ip == guest.ipv4)
                #expect(all.first?.flinch?.concern == "high" && all.first?.flinch?.guest == "quiet")
                server.stop()
            }
        }

        /// A guest that curls a server outside every two seconds and a half, and one that does so when it likes.
        @Test(.timeLimit(.minutes(3))) func whoCallsAtAFixedPeriod() async throws {
            var configuration = SensorConfiguration()
            configuration.more = "behaviour: {learning: 0}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let outside = lab.outside.ipv4
                let server = try lab.outside.start(
                    ["python3", "-u", "-m", "http.server", "8080", "--bind", outside, "--directory", lab.file(".")],
                    limit: .seconds(120))
                try #require(
                    eventually(within: .seconds(10)) {
                        (try? lab.outside.run("ss", "-Hltn").contains(":8080")) == true
                    }, "\(server.complained)")
                func calls(_ pauses: String) -> [String] {
                    ["sh", "-c", "for p in \(pauses); do curl -so /dev/null http://\(outside):8080/; sleep $p; done"]
                }
                let regular = try lab.guest("quiet").start(
                    calls(Array(repeating: "2.5", count: 19).joined(separator: " ")), limit: .seconds(90))
                let whimsical = try lab.guest("web").start(
                    calls("1 4 2 6 1 3 7 2 1 5 1 2 6 1 3 1 4 2 1"), limit: .seconds(90))
                regular.wait(atMost: .seconds(90))
                whimsical.wait(atMost: .seconds(90))
                func found() throws -> [EveLog.Record] {
                    try sensor.eve.records().filter { $0.flinch?.behaviour?.kind == "guest.beacon" }
                }
                #expect(eventually(within: .seconds(10)) { (try? found().isEmpty) == false })
                let all = try found()
                #expect(all.map(\.src_ip) == [lab.guest("quiet").ipv4] && all.first?.dest_ip == outside)
                server.stop()
            }
        }

        @Test func theMapIsShown() async throws {
            try await Integration.withSensor { lab, sensor in
                try lab.expectAnswers(3, from: lab.client, to: lab.guest("web").ipv4)
                #expect(eventually(within: .seconds(3)) { (try? Behaviours.peers(sensor).known) == 1 })
                let flinch = try Binaries.find().flinch
                let page = try Command.run([flinch, "peers", "--control", sensor.control])
                #expect(page.contains("web (\(lab.guest("web").ipv4))") && page.contains("icmp"), "\(page)")
                let json = try Command.run([flinch, "peers", "--control", sensor.control, "--json", "--of", "web"])
                let document = try JSONDecoder().decode(PeersDocument.self, from: Data(json.utf8))
                #expect(document.relationships.map(\.client) == [lab.client.ipv4])
            }
        }
    }
}
