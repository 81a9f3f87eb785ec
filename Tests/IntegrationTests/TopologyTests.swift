import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What is not looked at, and who may talk to whom.
    @Suite(.serialized)
    struct Topology {
        /// What the kernel's rules counted.
        private struct Diverted: Decodable {
            var diverted: UInt64
            var excluded: UInt64

            init(_ lab: Lab) throws {
                let text = try lab.host.run(try Binaries.find().flinch, "divert", "status", "--json")
                self = try JSONDecoder().decode(Diverted.self, from: Data(text.utf8))
            }
        }

        /// Nothing but web's traffic is looked at, so that what two others say in the background does not count.
        @Test func whatIsExcludedDoesNotComeUp() async throws {
            var configuration = SensorConfiguration()
            configuration.only = ["web"]
            configuration.exclude = ["[web, quiet]", "\"port:smb0\""]
            // The lab's ports are known to the inet backend by its table of frames.
            try await Integration.withSensor(configuration) { lab, sensor in
                let (web, smb, quiet) = (lab.guest("web"), lab.guest("smb"), lab.guest("quiet"))
                for (name, from, to, isDiverted) in [
                    ("looked at", lab.client, web.ipv4, true), ("by an excluded port", web, smb.ipv4, false),
                    ("an excluded pair", web, quiet.ipv4, false), ("not included", lab.client, quiet.ipv6, false),
                ] {
                    // Its neighbours are known by then.
                    try lab.expectAnswers(1, from: from, to: to)
                    let (before, seen) = (try Diverted(lab), try sensor.status().verdicts.accepted)
                    try lab.expectAnswers(20, from: from, to: to)
                    let after = try Diverted(lab)
                    #expect(after.diverted - before.diverted == (isDiverted ? 40 : 0), "\(name)")
                    #expect(after.excluded - before.excluded >= (isDiverted ? 0 : 40), "\(name)")
                    #expect(
                        eventually(within: .seconds(2)) {
                            (try? sensor.status().verdicts.accepted) == seen + (isDiverted ? 40 : 0)
                        }, "\(name)")
                }
            }
        }

        @Test func whoMayNotTalkIsStoppedAndNamed() async throws {
            var configuration = SensorConfiguration()
            configuration.more = "relations: [{from: web, to: [dns, smb], action: deny, concern: high}]"
            try await Integration.withSensor(configuration) { lab, sensor in
                let (web, dns) = (lab.guest("web"), lab.guest("dns"))
                for to in [dns.ipv4, dns.ipv6] { try lab.expectAnswers(0, of: 10, from: web, to: to) }
                // The other way round, and to others.
                try lab.expectAnswers(10, from: dns, to: web.ipv4)
                try lab.expectAnswers(10, from: web, to: lab.guest("quiet").ipv4)
                #expect(try sensor.status().verdicts.byReason["relation denied"] == 20)
                let records = { try sensor.eve.records().filter { $0.alert?.gid == 3510 } }
                #expect(eventually(within: .seconds(3)) { (try? records().count) == 2 })
                let record = try #require(try records().first)
                #expect(record.alert?.signature == "TOPOLOGY web may not talk to dns, smb")
                #expect(record.flinch?.guest == "dns" && record.flinch?.concern == "high")

                configuration.more = ""
                try sensor.reload(configuration)
                try lab.expectAnswers(10, from: web, to: dns.ipv4)
            }
        }
    }
}
