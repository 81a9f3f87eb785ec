import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Promotion out of shadow mode, and back.
    @Suite(.serialized)
    struct PolicyChanges {
        private static let rules = #"drop udp any any -> any 9 (msg:"TEST discard"; content:"x"; sid:1;)"# + "\n"

        /// Five packets that the rule drops.
        private func strike(_ lab: Lab) throws {
            let web = lab.guest("web").ipv4
            try lab.client.run("bash", "-c", "for i in 1 2 3 4 5; do echo x >/dev/udp/\(web)/9; done")
        }

        private func verdicts(_ sensor: SensorProcess) throws -> [UInt64] {
            let verdicts = try sensor.status().verdicts
            return [verdicts.byReason["signature"] ?? 0, verdicts.wouldDrop["signature"] ?? 0]
        }

        private func json<Answer: Decodable>(_ text: String, _: Answer.Type = Answer.self) throws -> Answer {
            try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
        }

        private func history(_ sensor: SensorProcess) throws -> [ConfigurationChange] {
            try json(try sensor.policy("history", "--json"))
        }

        @Test func promotedAndRolledBackUnderLoadWithoutALoss() async throws {
            var configuration = SensorConfiguration()
            configuration.shadowGuests = ["web"]
            let rules = FileManager.default.temporaryDirectory.appendingPathComponent("flinch-\(UUID()).rules")
            try Data(PolicyChanges.rules.utf8).write(to: rules)
            defer { try? FileManager.default.removeItem(at: rules) }
            configuration.ruleFiles = [rules.path]
            try await Integration.withSensor(configuration) { lab, sensor in
                let truth = try GroundTruth.install(in: lab)
                defer { try? GroundTruth.remove(from: lab) }
                let file = lab.file("flinch.yaml")
                let first = try String(contentsOfFile: file, encoding: .utf8)
                try strike(lab)
                #expect(try verdicts(sensor) == [0, 5])

                let load = Attack.udp(from: lab.outside, to: lab.guest("quiet"), rate: 4000, seconds: 8)
                let program = try load.start()
                let (client, dns) = (lab.client, lab.guest("dns").ipv4)
                let ping = Task.detached { try lab.pings(600, from: client, to: dns) }

                // What would have been dropped is told before it is.
                let found = eventually(within: .seconds(15)) {
                    let entries = (try? json(sensor.policy("shadow", "--json"), ShadowFigures.self))?.entries ?? []
                    return entries.first?.source == "1:1" && entries.first?.guest == "web"
                }
                #expect(found)
                configuration.shadowGuests = []
                try sensor.write(configuration)
                let diff = try sensor.policy("diff")
                #expect(diff.contains("~ guests.web.shadow: true → false\n"), "\(diff)")
                #expect(diff.contains("1:1  TEST discard") && diff.contains("\(client.ipv4):"), "\(diff)")
                #expect(try history(sensor).count == 1)

                let said = try sensor.policy("apply", "--yes", "--comment", "promote web")
                #expect(said.hasSuffix("Configuration 2 is running.\n"), "\(said)")
                try strike(lab)
                #expect(try verdicts(sensor) == [5, 5])

                #expect(try sensor.policy("rollback", "-y").hasSuffix("Configuration 3 is running.\n"))
                #expect(try String(contentsOfFile: file, encoding: .utf8) == first)
                try strike(lab)
                #expect(try verdicts(sensor) == [5, 10])

                // Not a packet of the load is missing, nor went by uninspected.
                program.wait(atMost: .seconds(12))
                #expect(program.ended != nil)
                #expect(try await ping.value == 600)
                rest(.milliseconds(200))
                let sent = try truth.sent(by: lab.outside)["udp"]
                #expect(sent > 5000)
                #expect(try truth.arrived(at: lab.guest("quiet"))["udp"] == sent)
                #expect(try sensor.status().uninspected.total == 0)

                let changes = try history(sensor)
                #expect(changes.map(\.how) == ["start", "apply", "rollback to 1"])
                #expect(changes[1].comment == "promote web" && changes[1].who.hasSuffix("root"), "\(changes[1])")
                #expect(try sensor.policy("history", "1") == first)
            }
        }

        /// A bad file is refused by line; what somebody had edited is not lost in a rollback.
        @Test func whatCannotBeAppliedIsNot() async throws {
            try await Integration.withSensor { lab, sensor in
                let file = lab.file("flinch.yaml")
                try sensor.write(SensorConfiguration())
                var other = SensorConfiguration()
                other.shadow = true
                try sensor.reload(other)
                #expect(try history(sensor).map(\.how) == ["start", "SIGHUP"])
                let bad = "guests: [{name: web, adresses: [10.77.0.10]}]\n"
                try bad.write(toFile: file, atomically: true, encoding: .utf8)
                let refusal = #expect(throws: LabError.self) { try sensor.policy("apply", "-y") }
                #expect("\(String(describing: refusal))".contains("flinch.yaml:1:"))
                #expect(try sensor.status().shadow)
                #expect(try sensor.policy("rollback", "-y", "1").contains("is in \(file).edited"))
                #expect(try String(contentsOfFile: file + ".edited", encoding: .utf8) == bad)
                #expect(try !sensor.status().shadow)
                #expect(throws: LabError.self) { try sensor.policy("rollback", "-y", "99") }
            }
        }

        /// The figures of shadow mode go on after a restart, and after a crash ten seconds later.
        @Test(arguments: [SIGTERM, SIGKILL]) func shadowFiguresOutliveTheSensor(_ signal: Int32) async throws {
            var configuration = SensorConfiguration()
            configuration.shadow = true
            let rules = FileManager.default.temporaryDirectory.appendingPathComponent("flinch-\(UUID()).rules")
            try Data(PolicyChanges.rules.utf8).write(to: rules)
            defer { try? FileManager.default.removeItem(at: rules) }
            configuration.ruleFiles = [rules.path]
            try await Integration.withSensor(configuration) { lab, sensor in
                func counted(_ sensor: SensorProcess) -> UInt64 {
                    let figures = try? json(sensor.policy("shadow", "--json"), ShadowFigures.self)
                    return figures?.entries.first { $0.source == "1:1" }?.count ?? 0
                }
                try strike(lab)
                if signal == SIGKILL {
                    // What follows the first of a rule is told of ten seconds later, and written within ten more.
                    #expect(eventually(within: .seconds(15)) { counted(sensor) == 5 })
                    rest(.seconds(11))
                    sensor.program.send(SIGKILL)
                    #expect(sensor.program.wait(atMost: .seconds(2)) == .killed(signal: SIGKILL))
                } else {
                    #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")
                }
                let next = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
                #expect(counted(next) == 5)
                try strike(lab)
                #expect(eventually(within: .seconds(15)) { counted(next) == 10 })
                #expect(next.terminate() == .exited(0), "\(next.program.complained)")
            }
        }

        /// A configuration that was right once and is refused now: the file is as it was, and so is the sensor.
        @Test func aRollbackThatIsRefusedLeavesTheFile() async throws {
            var configuration = SensorConfiguration()
            let rules = FileManager.default.temporaryDirectory.appendingPathComponent("flinch-\(UUID()).rules")
            try Data(PolicyChanges.rules.utf8).write(to: rules)
            defer { try? FileManager.default.removeItem(at: rules) }
            configuration.ruleFiles = [rules.path]
            try await Integration.withSensor(configuration) { lab, sensor in
                let file = lab.file("flinch.yaml")
                configuration.ruleFiles = []
                configuration.shadow = true
                try sensor.reload(configuration)
                let running = try String(contentsOfFile: file, encoding: .utf8)
                try FileManager.default.removeItem(at: rules)
                let refusal = #expect(throws: LabError.self) { try sensor.policy("rollback", "-y", "1") }
                let said = "\(String(describing: refusal))"
                #expect(said.contains("refused, the old configuration stays:") && said.contains(rules.path), "\(said)")
                #expect(try String(contentsOfFile: file, encoding: .utf8) == running)
                #expect(try sensor.status().shadow && history(sensor).map(\.how) == ["start", "SIGHUP"])
                // The next start finds what ran.
                #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")
                let next = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
                #expect(try next.status().shadow)
                #expect(next.terminate() == .exited(0), "\(next.program.complained)")
            }
        }
    }
}
