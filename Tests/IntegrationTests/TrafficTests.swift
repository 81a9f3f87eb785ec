import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What happens to packets, beyond what the demo shows.
    @Suite(.serialized)
    struct Traffic {
        @Test func shadowModePassesEverythingAndRecords() throws {
            var configuration = SensorConfiguration()
            configuration.shadow = true
            try Integration.withSensor(configuration) { lab, sensor in
                let truth = try GroundTruth.install(in: lab)
                let web = lab.guest("web")
                try Attack.fragment(from: lab.outside, to: web, rate: 5000, seconds: 2).start().wait(
                    atMost: .seconds(4))
                let sent = try truth.sent(by: lab.outside).fragment
                #expect(sent > 7000)
                #expect(try truth.arrived(at: web).fragment == sent)
                let status = try sensor.status()
                #expect(status.verdicts.dropped == 0)
                #expect(status.verdicts.wouldDrop["flood denied"] ?? 0 > 3000, "\(status.verdicts)")
                #expect(
                    eventually(within: .seconds(2)) {
                        (try? sensor.eve.records().contains { $0.opens && $0.flinch?.shadow == true }) == true
                    })
            }
        }

        /// A guest in shadow mode beside one that is protected.
        @Test func shadowModeOfOneGuest() throws {
            var configuration = SensorConfiguration()
            let deny = [SensorConfiguration.Limit("fragment", rate: 500, exit: 250, action: "deny")]
            configuration.limits = ["smb": deny, "quiet": deny]
            configuration.shadowGuests = ["quiet"]
            try Integration.withSensor(configuration) { lab, _ in
                let truth = try GroundTruth.install(in: lab)
                for name in ["smb", "quiet"] {
                    let before = try truth.sent(by: lab.outside).fragment
                    try Attack.fragment(from: lab.outside, to: lab.guest(name), rate: 5000, seconds: 1.5)
                        .start().wait(atMost: .seconds(4))
                    let sent = try truth.sent(by: lab.outside).fragment - before
                    let arrived = try truth.arrived(at: lab.guest(name)).fragment
                    #expect(sent > 5000)
                    #expect(name == "quiet" ? arrived == sent : arrived < sent * 2 / 3)
                }
            }
        }

        @Test func ipv6IsProtectedAlike() throws {
            try Integration.withSensor { lab, sensor in
                let truth = try GroundTruth.install(in: lab)
                let web = lab.guest("web")
                try Attack.icmp6(from: lab.outside, to: web, rate: 5000, seconds: 2).start().wait(
                    atMost: .seconds(4))
                let sent = try truth.sent(by: lab.outside).icmp
                #expect(sent > 7000)
                #expect(try truth.arrived(at: web).icmp < sent / 2)
                #expect(try sensor.eve.records().contains { $0.opens && $0.dest_ip == web.ipv6 })
                #expect(try lab.pings(5, from: lab.client, to: lab.guest("quiet").ipv6) == 5)
            }
        }

        /// What the host itself exchanges with a guest passes other hooks than what is bridged.
        @Test func theHostsOwnTrafficIsInspectedOnce() throws {
            try Integration.withSensor { lab, sensor in
                // Neighbour discovery is over before the counting starts.
                #expect(try lab.pings(2, from: lab.host, to: lab.guest("web").ipv4) == 2)
                let before = try sensor.status().verdicts.accepted
                #expect(try lab.pings(100, from: lab.host, to: lab.guest("web").ipv4) == 100)
                let inspected = try sensor.status().verdicts.accepted - before
                #expect((200...230).contains(inspected), "\(inspected) packets inspected of 200")
            }
        }

        @Test func aPortThatVanishesDisturbsNobodyElse() throws {
            try Integration.withSensor { lab, sensor in
                let flood = try Attack.icmp(
                    from: lab.outside, to: lab.guest("watch"), rate: 10_000, seconds: 5
                ).start()
                #expect(eventually(within: .seconds(3)) { (try? sensor.status().floods.isEmpty) == false })
                try lab.host.run("ip", "link", "delete", lab.guest("watch").port)
                #expect(try lab.pings(50, from: lab.client, to: lab.guest("web").ipv4) == 50)
                flood.stop()
                #expect(sensor.program.ended == nil)
                #expect(eventually(within: .seconds(5)) { (try? sensor.status().floods.isEmpty) == true })
            }
        }

        @Test func aFullDiskIsCountedAndTrafficGoesOn() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let disk = lab.file("disk")
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            try Command.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk])
            var configuration = SensorConfiguration()
            configuration.eve = disk + "/eve.json"
            // An alert a packet: that fills a small disk at once.
            configuration.ruleFiles = [
                try lab.write(
                    "alert icmp any any -> any any (msg:\"TEST a long name that fills the disk\"; itype:8; sid:1;)\n",
                    to: "test.rules")
            ]
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            #expect(try lab.pings(200, from: lab.client, to: lab.guest("web").ipv4) == 200)
            #expect(eventually(within: .seconds(3)) { (try? sensor.status().events.lostWrite) ?? 0 > 0 })
            let events = try sensor.status().events
            #expect(events.lastError?.isEmpty == false)
            #expect(events.written > 0)
            #expect(events.written + events.lostWrite + events.lostRing >= 200)
            // Room again: it goes on writing by itself, and whole lines.
            try Command.run(["mount", "-o", "remount,size=10m", disk])
            let place = sensor.eve.end
            #expect(try lab.pings(20, from: lab.client, to: lab.guest("web").ipv4) == 20)
            #expect(
                eventually(within: .seconds(5)) {
                    ((try? sensor.eve.records(from: place)) ?? []).contains { $0.isSignature }
                })
        }
    }
}
