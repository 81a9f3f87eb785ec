import Foundation
import Lab
import Store
import Testing

extension Integration {
    /// What an operator is told of mixed traffic by real programs: a line for each thing that happened, and no other.
    /// A minute and a half, or as many seconds as FLINCH_MIXED_SECONDS says (`make hour`).
    @Suite(.serialized)
    struct MixedTraffic {
        private static let seconds = max(
            60, ProcessInfo.processInfo.environment["FLINCH_MIXED_SECONDS"].flatMap { Int($0) } ?? 90)

        private static let rules = """
            alert http any any -> $HOME_NET any (msg:"Burglary"; flow:established,to_server; \
            content:"/cgi-bin/evil"; classtype:attempted-admin; sid:1;)
            alert tcp $HOME_NET any -> any 4444 (msg:"Call home"; flow:established,to_server; content:"/hello-master"; \
            classtype:trojan-activity; sid:2;)

            """

        /// Something that happens, and how it is known among the incidents: by the name of a part, and who did it.
        private struct Thing {
            var name: String
            var title: String
            /// nil for a flood, whose sources say nothing.
            var actor: String?
            var play: () throws -> Void
        }

        private static func things(_ lab: Lab) -> [Thing] {
            let (web, dns, shop, smb, quiet) = (
                lab.guest("web"), lab.guest("dns"), lab.guest("shop"), lab.guest("smb"), lab.guest("quiet")
            )
            // Addresses of the outside: who scans, who breaks in, and where the guest calls then.
            let (scanner, burglar, base) = ("10.77.0.211", "10.77.0.212", "10.77.0.213")
            func flood(_ attack: Attack) throws {
                let program = try attack.start()
                program.wait(atMost: .seconds(10))
            }
            func fetch(_ machine: Machine, from: String? = nil, _ url: String) throws {
                let source = from.map { ["--interface", $0] } ?? []
                let curl = try machine.start(["curl", "-s", "-o", "/dev/null"] + source + [url], limit: .seconds(5))
                curl.wait(atMost: .seconds(6))
            }
            return [
                Thing(name: "a scan of all guests", title: "scan", actor: scanner) {
                    let targets = lab.guests.map(\.ipv4)
                    let nmap = try lab.outside.start(
                        ["nmap", "-n", "-Pn", "-e", "eth0", "-S", scanner, "-sS", "-p1-60"] + targets,
                        limit: .seconds(30))
                    nmap.wait(atMost: .seconds(31))
                },
                Thing(name: "a SYN flood from everywhere", title: "syn flood", actor: nil) {
                    try flood(.spoofed("syn", from: lab.outside, to: shop, sources: 65_537, rate: 8000, seconds: 3))
                },
                Thing(name: "a burglary, and calls home", title: "Burglary", actor: burglar) {
                    let home = try Listener(on: lab.outside, ports: [4444]) { _ in
                        Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
                    }
                    try fetch(lab.outside, from: burglar, "http://\(web.ipv4)/cgi-bin/evil")
                    for _ in 0..<4 {
                        rest(.seconds(1))
                        try fetch(web, "http://\(base):4444/hello-master")
                    }
                    withExtendedLifetime(home) {}
                },
                Thing(name: "a UDP flood", title: "udp flood", actor: nil) {
                    try flood(.udp(from: lab.outside, to: dns, rate: 9000, seconds: 3))
                },
                Thing(name: "an ICMP flood", title: "icmp flood", actor: nil) {
                    try flood(.icmp(from: lab.outside, to: web, rate: 3000, seconds: 3))
                },
                Thing(name: "a guest that looks for its neighbours", title: "scan", actor: smb.ipv4) {
                    let others = lab.guests.filter { $0.name != "smb" }.map(\.ipv4)
                    let nmap = try smb.start(
                        ["nmap", "-n", "-Pn", "-sT", "-p3389,5900"] + others, limit: .seconds(20))
                    nmap.wait(atMost: .seconds(21))
                },
                Thing(name: "fragments of nothing", title: "fragment flood", actor: nil) {
                    try flood(.fragment(from: lab.outside, to: quiet, rate: 3000, seconds: 3))
                },
            ]
        }

        @Test(.timeLimit(.minutes(90)))
        func aLineForEachThingThatHappens() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let services = try Services.start(in: lab, limit: .seconds(Self.seconds + 120))
            defer { withExtendedLifetime(services) {} }
            for address in 211...213 {
                try lab.outside.run("ip", "address", "add", "10.77.0.\(address)/24", "dev", "eth0")
            }
            let binaries = try Binaries.find()
            var configuration = SensorConfiguration()
            configuration.ruleFiles = [try binaries.rules, try lab.write(Self.rules, to: "mixed.rules")]
            configuration.limits["quiet"] = [
                SensorConfiguration.Limit("fragment", rate: 1000, exit: 500, action: "deny")
            ]
            let store = lab.file("store.sqlite")
            configuration.more = "sinks: [{type: store, path: \(store)}]"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: binaries)

            let start = ContinuousClock.now
            let things = Self.things(lab)
            let share = Self.seconds / things.count
            for (number, thing) in things.enumerated() {
                let ordinary = try OrdinaryTraffic.start(in: lab, seconds: share)
                rest(.seconds(2))
                try thing.play()
                let report = ordinary.finish()
                // It is ordinary traffic that goes on, not one that failed to start.
                #expect(
                    report.http.answered > 0 && report.dns.answered > 0 && report.ping.answered > 0, "\(thing.name)")
                rest(start + .seconds(share * (number + 1)) - ContinuousClock.now)
            }
            rest(.seconds(12))
            #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")

            let incidents = try Self.incidents(store, binaries)
            let told = incidents.map { "\($0.actor.isEmpty ? "many" : $0.actor): \($0.parts.map(\.title))" }
            #expect(incidents.count == things.count, "\(told.joined(separator: "\n"))")
            for thing in things {
                let lines = incidents.filter {
                    $0.parts.contains { $0.title.contains(thing.title) } && (thing.actor ?? "") == $0.actor
                }
                #expect(lines.count == 1, "\(thing.name): \(told.joined(separator: "\n"))")
            }
            let burglary = incidents.first { $0.parts.first?.title == "Burglary" }
            #expect(burglary?.parts.contains { $0.title == "Call home" && $0.count == 4 } == true, "\(told)")
        }

        /// As the operator reads them.
        private static func incidents(_ store: String, _ binaries: Binaries) throws -> [Incident] {
            let lines = try Command.run([binaries.flinch, "alerts", "--json", "--store", store])
            return try lines.split(separator: "\n").map {
                try JSONDecoder().decode(Incident.self, from: Data($0.utf8))
            }
        }
    }
}
