import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What is only listened to: in a copy of the bridge's traffic, beside what is filtered.
    @Suite(.serialized)
    struct Mirror {
        /// By rule: what was told of at once, and all findings (each line of EVE counts for what it tells of together).
        struct Findings {
            var events: [Int: UInt64] = [:]
            var all: [Int: UInt64] = [:]

            init(_ eve: EveLog) throws {
                for record in try eve.records() where record.event_type == "alert" {
                    guard record.flinch?.flood == nil, record.flinch?.behaviour == nil, let alert = record.alert else {
                        continue
                    }
                    if record.flinch?.count == nil { events[alert.signature_id, default: 0] += 1 }
                    all[alert.signature_id, default: 0] += record.flinch?.count ?? 1
                }
            }
        }

        /// All findings of a rule in a conversation, whoever of the two is its source.
        struct Place: Hashable {
            var ends: Set<String>
            var sid: Int
        }

        /// By conversation and rule, each finding for itself; those in packets, and those in what was put together of a
        /// stream.
        private static func places(_ eve: EveLog) throws -> (packets: [Place: Int], streams: [Place: Int]) {
            var (packets, streams): ([Place: Int], [Place: Int]) = ([:], [:])
            for record in try eve.records() where record.isSignature && record.flinch?.behaviour == nil {
                guard let alert = record.alert else { continue }
                let ends = [(record.src_ip, record.src_port), (record.dest_ip, record.dest_port)].map {
                    "\($0.0 ?? "") \($0.1 ?? 0)"
                }
                let place = Place(ends: Set(ends), sid: alert.signature_id)
                if record.stream == 1 { streams[place, default: 0] += 1 } else { packets[place, default: 0] += 1 }
            }
            return (packets, streams)
        }

        /// Every class only alerts: whoever filters and whoever watches have the same packets.
        private static func alerting() -> SensorConfiguration {
            var configuration = SensorConfiguration()
            configuration.workers = 1
            configuration.limits = [:]
            configuration.shadow = true
            // Each finding is told of by itself, so that they can be counted.
            configuration.moreOfEvents = ", limits: {default: 1000000}"
            return configuration
        }

        static func listening(_ interface: String, beside: Bool = false) -> SensorConfiguration {
            var configuration = alerting()
            configuration.shadow = false
            configuration.workers = 0
            configuration.more = "mirror: {interfaces: [\(interface)]}"
            if beside {
                configuration.control = "/tmp/flinch-mirror-\(getpid()).sock"
                configuration.state = "state-mirror"
            }
            return configuration
        }

        /// What is left of the last frames is on its way for as long as a block waits to be handed over.
        static func settle(_ sensor: SensorProcess, _ interface: Int = 0) throws -> Status.Mirror {
            var row = try sensor.status().mirrors[interface]
            _ = eventually(within: .seconds(5), every: .milliseconds(30)) {
                guard let next = try? sensor.status().mirrors[interface] else { return false }
                defer { row = next }
                return next.packets == row.packets && next.packets + next.dropped == next.came
            }
            return row
        }

        /// Two sensors at the same bridge, one by the queues and one by the mirror, while nmap and curl are at work.
        @Test(arguments: ["br0", "flinch-mirror"])
        func findsWhatIsFoundInline(_ interface: String) throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            let binaries = try Binaries.find()
            if interface != "br0" { try lab.host.run(binaries.flinch, "mirror", "install", "br0") }
            let services = try Services.start(in: lab)
            defer { withExtendedLifetime(services) {} }
            let inline = try SensorProcess.start(in: lab, Mirror.alerting(), binaries: binaries)
            var configuration = Mirror.listening(interface, beside: true)
            configuration.eve = lab.file("mirror.json")
            let mirror = try SensorProcess.start(in: lab, configuration, binaries: binaries)
            let capture = lab.file("br0.pcap")
            let tcpdump = try lab.host.start(
                ["tcpdump", "--immediate-mode", "-Z", "root", "-i", "br0", "-s0", "-U", "-w", capture],
                limit: .seconds(90))
            #expect(tcpdump.waitUntilItSays("listening on", atMost: .seconds(5)))
            let nmap = try lab.outside.start(
                [
                    "nmap", "-n", "-Pn", "-sS", "-p139,445", "--script", "smb-protocols,smb-os-discovery",
                    lab.guest("smb").ipv4, lab.guest("web").ipv4,
                ], limit: .seconds(40))
            nmap.wait(atMost: .seconds(40))
            for path in ["/", "/?q=/../../../../etc/passwd", "/${jndi:ldap://x}"] {
                _ = try? lab.client.run(
                    "curl", "-gs", "-m", "3", "-A", "() { :;}; /bin/id", "http://\(lab.guest("web").ipv4)\(path)")
            }
            let seen = try Mirror.settle(mirror)
            #expect(seen.packets > 50 && seen.dropped == 0 && seen.left == 0)
            inline.terminate()
            mirror.terminate()
            tcpdump.stop()
            let (expected, found) = (try Findings(inline.eve), try Findings(mirror.eve))
            #expect(found.events.keys == expected.events.keys)
            #expect(!expected.events.isEmpty, "nothing was found inline, so that this shows nothing")
            // By conversation and rule as often. What differs is this alone: a rule that says where in the payload is
            // asked about the packet and about its stream. Inline that is one question, because a packet's stream is known
            // when it comes; whoever listens knows it when it was acknowledged, and finds there again what he found in the
            // packet, as Suricata does. So where the mirror found a thing in packets, what it found in the stream is that.
            let (filtered, heard) = (try Mirror.places(inline.eve), try Mirror.places(mirror.eve))
            let inlineCounts = filtered.packets.merging(filtered.streams, uniquingKeysWith: +)
            #expect(heard.packets.merging(heard.streams) { packets, _ in packets } == inlineCounts)
            for (place, count) in heard.streams where heard.packets[place] != nil {
                #expect(count <= heard.packets[place] ?? 0, "\(place)")
            }
            // To the last finding it is what a replay of the same traffic says.
            let replayed = EveLog(path: lab.file("replay.json"))
            try lab.host.run(
                binaries.flinch, "replay", "--midstream", "--no-checksums", "--config",
                lab.file("\(configuration.control!.split(separator: "/").last!).yaml"),
                "--eve", replayed.path, capture, limit: .seconds(60))
            let again = try Findings(replayed)
            #expect(found.all == again.all)
        }

        /// One guest filtered and one watched, by one sensor; then the other way round.
        @Test func aGuestIsWatchedBesideOneThatIsFiltered() async throws {
            var configuration = SensorConfiguration()
            configuration.watchedGuests = ["dns"]
            configuration.only = ["web", "dns"]
            configuration.more = "mirror: {interfaces: [br0], filter: icmp}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let (web, dns, client) = (lab.guest("web"), lab.guest("dns"), lab.client)
                let expectPlaces = { (isWebFiltered: Bool) in
                    let isDNSFiltered = !isWebFiltered
                    for (to, isFiltered) in [(web, isWebFiltered), (dns, isDNSFiltered)] {
                        try lab.expectAnswers(1, from: client, to: to.ipv4)
                        let (before, heard) = (try sensor.status(), try Mirror.settle(sensor))
                        try lab.expectAnswers(20, from: client, to: to.ipv4)
                        let (after, now) = (try sensor.status(), try Mirror.settle(sensor))
                        #expect(after.verdicts.accepted - before.verdicts.accepted == (isFiltered ? 40 : 0))
                        // The mirror has all of it, and leaves to the queue what is the queue's.
                        #expect(now.packets - heard.packets >= 40)
                        #expect((now.packets - now.left) - (heard.packets - heard.left) == (isFiltered ? 0 : 40))
                    }
                    // Between the two it is filtered, whoever begins.
                    let before = try sensor.status().verdicts.accepted
                    try lab.expectAnswers(10, from: web, to: dns.ipv4)
                    try lab.expectAnswers(10, from: dns, to: web.ipv4)
                    #expect(try sensor.status().verdicts.accepted - before == 40)
                    let guests = try sensor.status().guests
                    let filtered = Set(guests.filter { $0.mode == "filtered" }.map(\.name)).intersection(["web", "dns"])
                    #expect(filtered == [isWebFiltered ? "web" : "dns"])
                }
                try expectPlaces(true)
                #expect(try sensor.move("dns", to: "filtered").contains("guests.dns.mode: watched → filtered"))
                #expect(try sensor.move("web", to: "watched").contains("guests.web.mode: filtered → watched"))
                try expectPlaces(false)
            }
        }

        /// Pings go on while a guest is moved to and fro: all are answered, and each is inspected at least once.
        @Test func aMoveLosesNoPacket() async throws {
            var configuration = SensorConfiguration()
            configuration.watchedGuests = ["quiet"]
            configuration.only = ["quiet"]
            configuration.more = "mirror: {interfaces: [br0], filter: icmp}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let quiet = lab.guest("quiet")
                try lab.expectAnswers(1, from: lab.client, to: quiet.ipv4)
                let (before, heard) = (try sensor.status(), try Mirror.settle(sensor))
                let mover = Task.detached {
                    for round in 0..<6 {
                        try sensor.move("quiet", to: round % 2 == 0 ? "filtered" : "watched")
                        rest(.milliseconds(300))
                    }
                }
                try lab.expectAnswers(400, from: lab.client, to: quiet.ipv4)
                try await mover.value
                let (after, now) = (try sensor.status(), try Mirror.settle(sensor))
                let filtered = after.verdicts.accepted - before.verdicts.accepted
                let watched = (now.packets - now.left) - (heard.packets - heard.left)
                #expect(filtered > 100 && watched > 100, "both took part")
                #expect(filtered + watched >= 800, "\(filtered) filtered, \(watched) watched")
                #expect(after.uninspected.total == before.uninspected.total)
                #expect(after.verdicts.dropped == 0 && after.verdicts.wouldDrop.isEmpty)
            }
        }

        /// Who only listens can still end a connection: where the operator asks, and no more often than he says.
        @Test(arguments: [(true, 56), (false, 28)])
        func anAttackIsAnsweredIfAsked(_ answers: Bool, _ status: Int32) throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            // It says where, and so is asked about each packet; a stream is inspected in chunks, later.
            let rule =
                #"drop tcp any any -> any 8080 (msg:"TEST"; flow:established,to_server; content:"GET /attack"; depth:11; sid:1;)"#
            var configuration = Mirror.listening("br0")
            configuration.ruleFiles = [try lab.write(rule + "\n", to: "test.rules")]
            configuration.more =
                "mirror: {interfaces: [br0]\(answers ? ", answer: {interface: br0, rate: 100}" : "")}"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            let web = lab.guest("web")
            // Says nothing, so that a connection lasts until somebody ends it.
            let listener = try Listener(on: web, ports: [8080]) { _ in [] }
            defer { withExtendedLifetime(listener) {} }
            for address in [web.ipv4, "[\(web.ipv6)]"] {
                let curl = try lab.client.start(
                    ["curl", "-sS", "-g", "--max-time", "2", "http://\(address):8080/attack"], limit: .seconds(6))
                // 56: the connection was reset; 28: the time is up.
                #expect(curl.wait(atMost: .seconds(6)) == .exited(status), "\(address)")
            }
            #expect(eventually(within: .seconds(2)) { (try? Findings(sensor.eve).events[1] ?? 0) ?? 0 >= 2 })
            let verdicts = try sensor.status().verdicts
            #expect(answers ? (4...20).contains(verdicts.rejectsSent) : verdicts.rejectsSent == 0)
            #expect(verdicts.dropped == 0)
        }

        /// More than a small ring holds, faster than it is read: what was sent is what was seen and what was dropped.
        @Test func whatIsSentIsSeenOrCounted() async throws {
            var configuration = Mirror.listening("watch0")
            configuration.more = "mirror: {interfaces: [watch0], ring: 1 MiB, filter: \"udp port 9\"}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let sent = 400_000
                let to = lab.guest("watch")
                let trafgen = try lab.outside.start(
                    [
                        "trafgen", "-o", "eth0", "-n", "\(sent)", "-P", "1", "-q",
                        "{ eth(da=\(to.mac)), ipv4(sa=\(lab.outside.ipv4), da=\(to.ipv4), ttl=64), "
                            + "udp(sp=drnd(1024, 65535), dp=9), fill(0x41, 900) }",
                    ], limit: .seconds(30))
                #expect(trafgen.wait(atMost: .seconds(30)) == .exited(0))
                let row = try Mirror.settle(sensor)
                #expect(row.came == UInt64(sent) && row.packets + row.dropped == row.came)
                #expect(row.dropped > 0 && row.packets > 0, "the ring was never full, so that this shows nothing")
            }
        }

        /// tc is asked for nothing but what is ours, and has nothing of it afterwards.
        @Test func aMirrorIsSetUpAndTakenAway() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let flinch = try Binaries.find().flinch
            let (host, port) = (lab.host, lab.guest("web").port)
            let state = { () throws -> String in
                try host.run("ls", "/sys/class/net") + host.run("tc", "qdisc", "show")
                    + host.run("tc", "filter", "show", "dev", port, "ingress")
            }
            // Somebody else's, which must stay and go on to see what it saw.
            try host.run("tc", "qdisc", "add", "dev", port, "clsact")
            try host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "other-p")
            for link in ["other", "other-p"] { try host.run("ip", "link", "set", link, "addrgenmode", "none", "up") }
            try host.run(
                "tc", "filter", "add", "dev", port, "ingress", "protocol", "all", "pref", "9", "u32", "match", "u32",
                "0", "0", "action", "mirred", "egress", "mirror", "dev", "other")
            let before = try state()
            #expect(try host.run(flinch, "mirror", "install", "br0").contains("br0 is mirrored to flinch-mirror"))
            let once = try state()
            #expect(try host.run(flinch, "mirror", "install", "br0").contains("nothing changed"))
            let twice = try state()
            #expect(twice == once)
            // Pings that an interface has, both directions, while 50 of web's are answered.
            let copies = { (link: String) throws -> Int in
                let capture = lab.file("\(link).pcap")
                let tcpdump = try host.start(
                    ["tcpdump", "--immediate-mode", "-Z", "root", "-i", link, "-U", "-w", capture, "icmp"],
                    limit: .seconds(20))
                #expect(tcpdump.waitUntilItSays("listening on", atMost: .seconds(5)))
                try lab.expectAnswers(50, from: lab.guest("web"), to: lab.guest("dns").ipv4)
                rest(.milliseconds(100))
                tcpdump.stop()
                return try host.run("tcpdump", "-r", capture).count { $0 == "\n" }
            }
            // Both ends of it are guests, and each frame is there once.
            try lab.expectAnswers(1, from: lab.guest("web"), to: lab.guest("dns").ipv4)
            let (copied, seenByOthers) = (try copies("flinch-mirror"), try copies("other"))
            #expect(copied == 100)
            #expect(seenByOthers == 50)
            #expect(throws: (any Error).self) { try host.run(flinch, "mirror", "install", port) }
            #expect(try host.run(flinch, "mirror", "remove").contains("removed"))
            var after = try state()
            #expect(after == before)
            // A single port: both directions.
            let other = lab.guest("dns").port
            try host.run(flinch, "mirror", "install", other)
            #expect(throws: (any Error).self) { try host.run(flinch, "mirror", "install", lab.guest("smb").port) }
            let both = try copies("flinch-mirror")
            #expect(both == 100)
            try host.run(flinch, "mirror", "remove", other)
            after = try state()
            #expect(after == before)
        }
    }
}
