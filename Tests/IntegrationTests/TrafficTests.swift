import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What happens to packets, beyond what the demo shows.
    @Suite(.serialized)
    struct Traffic {
        @Test func shadowModePassesEverythingAndRecords() async throws {
            var configuration = SensorConfiguration()
            configuration.shadow = true
            try await Integration.withSensor(configuration) { lab, sensor in
                let flood = try lab.flood(
                    .fragment(from: lab.outside, to: lab.guest("web"), rate: 5000, seconds: 3))
                #expect(flood.sent > 1000)
                #expect(flood.arrived == flood.sent)
                let status = try sensor.status()
                #expect(status.verdicts.dropped == 0)
                #expect(status.verdicts.wouldDrop["flood denied"] ?? 0 > 100, "\(status.verdicts)")
                #expect(
                    eventually(within: .seconds(2)) {
                        (try? sensor.eve.records().contains { $0.opens && $0.flinch?.shadow == true }) == true
                    })
            }
        }

        /// A guest in shadow mode beside one that is protected.
        @Test func shadowModeOfOneGuest() async throws {
            var configuration = SensorConfiguration()
            let deny = [SensorConfiguration.Limit("fragment", rate: 500, exit: 250, action: "deny")]
            configuration.limits = ["smb": deny, "quiet": deny]
            configuration.shadowGuests = ["quiet"]
            try await Integration.withSensor(configuration) { lab, _ in
                for name in ["smb", "quiet"] {
                    let flood = try lab.flood(
                        .fragment(from: lab.outside, to: lab.guest(name), rate: 5000, seconds: 3))
                    #expect(flood.sent > 1000)
                    if name == "quiet" {
                        #expect(flood.arrived == flood.sent)
                    } else {
                        #expect(flood.late == 0)
                    }
                }
            }
        }

        @Test func ipv6IsProtectedAlike() async throws {
            try await Integration.withSensor { lab, sensor in
                let web = lab.guest("web")
                let flood = try lab.flood(.icmp6(from: lab.outside, to: web, rate: 5000, seconds: 3))
                #expect(flood.sent > 1000)
                #expect(flood.late == 0)
                #expect(try sensor.eve.records().contains { $0.opens && $0.isTo(web.ipv6) })
                try lab.expectAnswers(5, from: lab.client, to: lab.guest("quiet").ipv6)
            }
        }

        /// What the host itself exchanges with a guest passes other hooks than what is bridged.
        @Test func theHostsOwnTrafficIsInspectedOnce() async throws {
            try await Integration.withSensor { lab, sensor in
                let web = lab.guest("web").ipv4
                func received() throws -> UInt64 {
                    let row = try #require(try sensor.status().guests.first { $0.address == web })
                    return row.received["icmp", default: 0]
                }
                try lab.expectAnswers(2, from: lab.host, to: web)
                let before = try received()
                try lab.expectAnswers(100, from: lab.host, to: web)
                #expect(try received() - before == 100)
            }
        }

        @Test func aPortThatVanishesDisturbsNobodyElse() async throws {
            try await Integration.withSensor { lab, sensor in
                let flood = try Attack.icmp(
                    from: lab.outside, to: lab.guest("watch"), rate: 10_000, seconds: 5
                ).start()
                #expect(eventually(within: .seconds(3)) { (try? sensor.status().floods.isEmpty) == false })
                try lab.host.run("ip", "link", "delete", lab.guest("watch").port)
                try lab.expectAnswers(50, from: lab.client, to: lab.guest("web").ipv4)
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
            try Command.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk])
            var configuration = SensorConfiguration()
            configuration.eve = disk + "/eve.json"
            // Ten alerts of one packet are more than the disk holds; those that follow are held back for now.
            let rules = (1...10).map {
                "alert icmpv4 any any -> any any (msg:\"TEST a long name that fills the disk\"; itype:8; sid:\($0);)\n"
            }
            configuration.ruleFiles = [
                try lab.write(
                    rules.joined()
                        + "alert icmpv6 any any -> any any (msg:\"TEST after\"; itype:128; sid:11;)\n",
                    to: "test.rules")
            ]
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            try lab.expectAnswers(200, from: lab.client, to: lab.guest("web").ipv4)
            #expect(eventually(within: .seconds(3)) { (try? sensor.status().events.lastError) != nil })
            let events = try sensor.status().events
            #expect(events.lastError?.isEmpty == false)
            #expect(events.written > 0)
            // Nothing is lost silently.
            #expect(events.written + events.waiting + events.withheld + events.lostWrite + events.lostRing == 2000)
            // Room again: it goes on writing by itself what waited, and whole lines.
            try Command.run(["mount", "-o", "remount,size=10m", disk])
            let place = sensor.eve.end
            try lab.expectAnswers(5, from: lab.client, to: lab.guest("web").ipv6)
            #expect(
                eventually(within: .seconds(5)) {
                    ((try? sensor.eve.records(from: place)) ?? []).contains {
                        $0.alert?.signature == "TEST after"
                    }
                })
        }
    }
}
