import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Start, reload, stop and crash.
    @Suite(.serialized)
    struct Life {
        @Test func afterTheEndOurRulesAreGoneAndOthersStay() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            try lab.host.run("nft", "-f", "-", input: "table bridge theirs { chain c { counter; }; }\n")
            let before = try lab.rules()
            let sensor = try SensorProcess.start(in: lab, binaries: try Binaries.find())
            #expect(try lab.rules() != before)
            #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")
            #expect(try lab.rules() == before)
            try lab.expectAnswers(5, from: lab.client, to: lab.guest("web").ipv4)
        }

        @Test(arguments: [("pass", 20), ("drop", 0)])
        func killedUnderAFlood(whenStopped: String, answers: Int) async throws {
            var configuration = SensorConfiguration()
            configuration.whenStopped = whenStopped
            try await Integration.withSensor(configuration) { lab, sensor in
                let (client, quiet) = (lab.client, lab.guest("quiet").ipv4)
                let flood = try Attack.icmp(
                    from: lab.outside, to: lab.guest("watch"), rate: 10_000, seconds: 6
                ).start()
                #expect(eventually(within: .seconds(3)) { (try? sensor.status().floods.isEmpty) == false })
                sensor.program.send(SIGKILL)
                #expect(sensor.program.wait(atMost: .seconds(2)) == .killed(signal: SIGKILL))
                try lab.expectAnswers(answers, of: 20, from: client, to: quiet)
                let next = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
                try lab.expectAnswers(20, from: client, to: quiet)
                #expect(try next.status().verdicts.accepted > 0)
                flood.stop()
                #expect(next.terminate() == .exited(0), "\(next.program.complained)")
            }
        }

        @Test func aQueueThatIsTakenIsNamed() async throws {
            try await Integration.withSensor { lab, sensor in
                var configuration = SensorConfiguration()
                configuration.control = lab.file("second.sock")
                configuration.eve = lab.file("second.json")
                let rules = try lab.rules()
                let second = try SensorProcess.launch(in: lab, configuration, binaries: try Binaries.find())
                let ending = second.program.wait(atMost: .seconds(5))
                #expect(ending == .exited(1))
                #expect(second.program.complained.contains("queue 0"), "\(second.program.complained)")
                // The first one's work is not disturbed.
                #expect(try lab.rules() == rules)
                let seen = try sensor.status().verdicts.accepted
                try lab.expectAnswers(5, from: lab.client, to: lab.guest("web").ipv4)
                #expect(try sensor.status().verdicts.accepted >= seen + 10)
            }
        }

        @Test func aReloadTakesOverLimitsAndLosesNothing() async throws {
            try await Integration.withSensor { lab, sensor in
                let (client, web) = (lab.client, lab.guest("web").ipv4)
                let ping = Task.detached { try lab.pings(300, from: client, to: web) }
                var stricter = SensorConfiguration()
                stricter.limits["watch"] = [.init("fragment", rate: 500, exit: 250, action: "deny")]
                try sensor.reload(stricter)
                #expect(try sensor.status().rules.lastError == nil)
                let flood = try lab.flood(
                    .fragment(from: lab.outside, to: lab.guest("watch"), rate: 5000, seconds: 3))
                #expect(flood.sent > 1000)
                #expect(flood.late == 0, "packets passed a deny")
                let answers = try await ping.value
                #expect(answers == 300)
                // What came before the reload was this sensor's own.
                #expect(!sensor.program.complained.contains("while no sensor was bound"))
            }
        }

        @Test func aBadFileAtReloadIsReportedAndTheOldOneStays() async throws {
            try await Integration.withSensor { lab, sensor in
                let before = try sensor.status()
                try "guests: [{name: web, adresses: [10.77.0.10]}]\n".write(
                    toFile: lab.file("flinch.yaml"), atomically: true, encoding: .utf8)
                sensor.program.send(SIGHUP)
                #expect(
                    eventually(within: .seconds(5)) { (try? sensor.status().rules.lastError) ?? nil != nil })
                let after = try sensor.status()
                #expect(after.rules.generation == before.rules.generation)
                #expect(after.guests.map(\.name) == before.guests.map(\.name))
                #expect(after.rules.lastError?.contains("adresses") == true, "\(after.rules)")
                #expect(sensor.program.complained.contains("adresses"))
                try lab.expectAnswers(5, from: lab.client, to: lab.guest("web").ipv4)
            }
        }

        @Test func aRuleFileThatCannotBeReadIsNamed() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            var configuration = SensorConfiguration()
            configuration.ruleFiles = [lab.file("nowhere.rules")]
            let rules = try lab.rules()
            let sensor = try SensorProcess.launch(in: lab, configuration, binaries: try Binaries.find())
            #expect(sensor.program.waitUntilItSays("nowhere.rules", atMost: .seconds(5)))
            // Either it goes on without the file, or it ends and leaves nothing behind.
            if let ending = sensor.program.wait(atMost: .seconds(1)) {
                #expect(ending == .exited(1))
                #expect(try lab.rules() == rules)
            }
            try lab.expectAnswers(5, from: lab.client, to: lab.guest("web").ipv4)
        }
    }
}
