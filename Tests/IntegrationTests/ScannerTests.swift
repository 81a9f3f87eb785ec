import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Scanners that the thresholds were not made with, and programs that ask many hosts and ports without scanning.
    @Suite(.serialized)
    struct Scanners {
        struct Scan: Sendable, CustomTestStringConvertible {
            var command: String
            var kind: String
            var shape: String
            var testDescription: String { command }

            init(_ command: String, _ kind: String, _ shape: String = "ports") {
                self.command = command
                self.kind = kind
                self.shape = shape
            }
        }

        /// T is the target, X its IPv6 address, S an address of the scanner's own; `each` says the command for all
        /// guests in turn, A their address and M their hardware address.
        private static let scans: [Scan] = [
            Scan("nmap -n -Pn -e eth0 -S S -sS --scan-delay 500ms -p1-40 T", "scan.syn"),
            Scan("nmap -n -Pn -e eth0 -S S -sS --scan-delay 1200ms --randomize-hosts -p20-40 T", "scan.syn"),
            Scan("nmap -n -Pn -sT --scan-delay 300ms -p1-40 T", "scan.connect"),
            Scan("nmap -n -Pn -e eth0 -S S -sY -p1-60 T", "scan.sctp"),
            Scan("nmap -n -Pn -e eth0 -S S -sW -p1-60 T", "scan.ack"),
            Scan("nmap -n -Pn -e eth0 -S S --scanflags SYNFIN -p1-60 T", "scan.odd_flags"),
            Scan("nmap -n -Pn -e eth0 -S S -sU --scan-delay 200ms --max-retries 0 -p1-50 T", "scan.udp"),
            Scan("nmap -n -Pn -e eth0 -S S -sS --source-port 53 --data-length 32 --ttl 200 -p1-60 T", "scan.syn"),
            Scan("nmap -6 -n -Pn -sT -p1-60 X", "scan.connect"),
            Scan("hping3 -n -q -a S -S -p ++1 -c 20 -i 1 T", "scan.syn"),
            Scan(
                "masscan -e eth0 --source-ip S --router-mac M --rate 50 --wait 0 -p1-100 T", "scan.syn"),
            Scan("each hping3 -n -q -a S -S -p 3389 -c 1 A", "scan.syn", "hosts"),
            Scan("each zmap -q -i eth0 -S S -G M -b /dev/null -p 8443 -c 1 -o /dev/null A/32", "scan.syn", "hosts"),
        ]

        @Test(.timeLimit(.minutes(8)))
        func scansAreNamed() async throws {
            try await Integration.withSensor { lab, sensor in
                let target = lab.guest("smb")
                for (index, scan) in Scanners.scans.enumerated() {
                    let source = "10.77.0.\(150 + index)"
                    try lab.outside.run("ip", "address", "add", "\(source)/24", "dev", "eth0")
                    let place = sensor.eve.end
                    let command = scan.command.replacing(" S ", with: " \(source) ")
                    let program: Program
                    if command.hasPrefix("each ") {
                        let lines = lab.guests.map { guest in
                            command.dropFirst(5).replacing(" A", with: " \(guest.ipv4)")
                                .replacing(" M ", with: " \(guest.mac) ")
                        }
                        program = try lab.outside.start(
                            ["sh", "-c", lines.joined(separator: "; ")], limit: .seconds(60))
                    } else {
                        program = try lab.outside.start(
                            command.split(separator: " ").map {
                                switch $0 {
                                case "T": target.ipv4
                                case "X": target.ipv6
                                case "M": target.mac
                                default: String($0)
                                }
                            }, limit: .seconds(60))
                    }
                    program.wait(atMost: .seconds(62))
                    let all = try Integration.behaviours(sensor, from: place)
                    #expect(
                        all.map { "\($0.flinch?.behaviour?.kind ?? "") \($0.flinch?.behaviour?.shape ?? "")" }
                            == ["\(scan.kind) \(scan.shape)"],
                        "\(scan.command): \(program.printed) \(program.complained)")
                }
            }
        }

        /// Listens at the places that it is given; what connects is let go.
        static let listener = """
            import selectors, socket, sys, time
            all = selectors.DefaultSelector()
            for place in sys.argv[1:]:
                address, port = place.rsplit(":", 1)
                s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((address, int(port))); s.listen(64)
                all.register(s, selectors.EVENT_READ)
            print("ready", flush=True)
            end = time.time() + 90
            while time.time() < end:
                for key, _ in all.select(1): key.fileobj.accept()[0].close()
            """

        /// Connects to the places that it is given, in turn.
        private static let caller = """
            import socket, sys
            for place in sys.argv[1:]:
                address, port = place.rsplit(":", 1)
                s = socket.socket(); s.settimeout(0.5)
                try: s.connect((address, int(port)))
                except OSError: pass
                s.close()
            """

        /// Whoever asks many hosts or ports because that is his work, and whom a part of them does not answer.
        @Test(.timeLimit(.minutes(4)))
        func whoOnlySeemsToScan() async throws {
            try await Integration.withSensor { lab, sensor in
                let outside = (30..<99).map { "10.77.0.\($0)" } + (110..<180).map { "10.77.0.\($0)" }
                for host in outside { try lab.outside.run("ip", "address", "add", "\(host)/24", "dev", "eth0") }
                let quiet = lab.guest("quiet").ipv4
                func listen(_ machine: Machine, _ places: [String]) throws -> Program {
                    let program = try machine.start(
                        ["python3", "-c", Scanners.listener] + places, limit: .seconds(100))
                    try #require(program.waitUntilItSays("ready", atMost: .seconds(10)), "\(program.complained)")
                    return program
                }
                // Of a hundred and forty hosts twenty are down; some have no HTTPS; peers have a port each.
                let up = outside.dropLast(20)
                var listeners = [try listen(lab.outside, up.map { "\($0):80" })]
                listeners.append(try listen(lab.outside, up.prefix(60).map { "\($0):443" }))
                let peers = outside.enumerated().map { "\($0.element):\(20_000 + 37 * $0.offset)" }
                listeners.append(try listen(lab.outside, Array(peers.prefix(60))))
                listeners.append(try listen(lab.guest("quiet"), (2000..<2025).map { "\(quiet):\($0)" }))
                listeners.append(
                    try lab.outside.start(
                        [
                            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                            "--bind-interfaces", "--user=root", "--pid-file=", "--address=/www.lab/10.77.0.10",
                        ] + up.map { "--listen-address=\($0)" }, limit: .seconds(100)))
                let balancer = try lab.write(
                    """
                    defaults
                        mode tcp
                        timeout connect 1s
                        timeout client 1s
                        timeout server 1s
                    listen shop
                        bind 127.0.0.1:9000
                        default-server check inter 2s
                    \((2000..<2040).map { "    server s\($0) \(quiet):\($0)" }.joined(separator: "\n"))

                    """, to: "haproxy.cfg")
                let names = try lab.write("www.lab A\n", to: "names")
                func shell(_ machine: Machine, _ line: String) throws -> Program {
                    try machine.start(["sh", "-c", line], limit: .seconds(60))
                }
                let urls = outside.map { "http://\($0)/" }.joined(separator: " ")
                let programs = [
                    // A monitoring system.
                    try shell(lab.guest("smb"), "curl -sZ --connect-timeout 1 \(urls); fping -q -r0 \(urls.hosts)"),
                    // A crawler that would rather have HTTPS.
                    try shell(
                        lab.guest("watch"),
                        "for h in \(outside.dropLast(20).prefix(100).joined(separator: " ")); do"
                            + " wget -q -t1 -T1 -O /dev/null https://$h/ || wget -q -t1 -T1 -O /dev/null http://$h/; done"
                    ),
                    // A resolver that is asked much, and asks many.
                    try shell(
                        lab.guest("dns"),
                        "for h in \(outside.suffix(60).joined(separator: " ")); do"
                            + " dig +tries=1 +time=1 +short @$h www.lab >/dev/null; done"),
                    try shell(lab.client, "dnsperf -s \(lab.guest("dns").ipv4) -d \(names) -l 8 -Q 1000 >/dev/null"),
                    // A load balancer, of whose forty servers fifteen are down.
                    try lab.crowd.start(["haproxy", "-db", "-f", balancer], limit: .seconds(20)),
                    // A swarm, half of whose peers have gone.
                    try lab.guest("quiet").start(["python3", "-c", Scanners.caller] + peers, limit: .seconds(60)),
                    // Thirty clients behind one address, some of whom have an old bookmark.
                    try lab.client.start(
                        ["python3", "-c", Scanners.caller]
                            + (0..<30).flatMap { client in
                                ["\(lab.guest("web").ipv4):80"]
                                    + (client < 20 ? ["\(lab.guest("web").ipv4):\(8000 + client % 10)"] : [])
                            }, limit: .seconds(60)),
                ]
                for program in programs { program.wait(atMost: .seconds(62)) }
                rest(.seconds(5))
                let said = try sensor.eve.records().filter { $0.flinch?.behaviour != nil }
                #expect(
                    said.isEmpty,
                    "\(said.compactMap { "\($0.alert?.signature ?? "") \($0.src_ip ?? "") \($0.dest_ip ?? "")" })")
                // They were there, and so were their failures.
                #expect(try sensor.status().behaviour.peers > 350)
                for listener in listeners { listener.stop() }
            }
        }
    }
}

extension String {
    /// Of addresses in URLs, the addresses.
    fileprivate var hosts: String { replacing("http://", with: "").replacing("/", with: "") }
}
