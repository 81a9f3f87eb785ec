import Control
import Foundation
import Lab
import Testing

extension Integration.Mirror {
    /// Who only listens has the attacker kept out by those who filter.
    @Suite(.serialized)
    struct Denial {
        private static let rule =
            #"drop tcp any any -> any 8080 (msg:"TEST"; flow:established,to_server; content:"GET /attack"; depth:11; sid:1;)"#

        private static func filtering() -> SensorConfiguration {
            var configuration = SensorConfiguration()
            configuration.workers = 1
            configuration.limits = [:]
            return configuration
        }

        private func attack(_ lab: Lab, _ guest: Machine) throws {
            let curl = try lab.client.start(
                ["curl", "-sS", "--max-time", "1", "http://\(guest.ipv4):8080/attack"], limit: .seconds(6))
            #expect(curl.wait(atMost: .seconds(6)) == .exited(28), "nobody answers, and nobody resets it")
        }

        /// Pings of the client pass, or none does.
        private func passes(_ lab: Lab, to guest: Machine) -> Bool? {
            guard let answers = try? lab.pings(3, from: lab.client, to: guest.ipv4) else { return nil }
            return answers == 3 ? true : answers == 0 ? false : nil
        }

        private func ask(_ sensor: SensorProcess, _ request: String) throws -> String {
            String(decoding: try ControlClient.request(path: sensor.control, request), as: UTF8.self)
        }

        /// Two sensors: one listens and one filters, which knows the rule as little as its guests do.
        @Test func anotherSensorDropsWhatTheAttackerSends() throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            let (web, client) = (lab.guest("web"), lab.client)
            let binaries = try Binaries.find()
            var configuration = Denial.filtering()
            configuration.ruleFiles = [try lab.write("", to: "none.rules")]
            configuration.more = "deny: {never: [\(lab.outside.ipv4)], longest: 4}"
            let inline = try SensorProcess.start(in: lab, configuration, binaries: binaries)
            var listening = Integration.Mirror.listening("br0", beside: true)
            listening.eve = lab.file("mirror.json")
            listening.ruleFiles = [try lab.write(Denial.rule + "\n", to: "test.rules")]
            let gone = lab.file("gone.sock")
            listening.more =
                "mirror: {interfaces: [br0], deny: {seconds: 60, sensors: [\(inline.control), \(gone)]}}"
            let mirror = try SensorProcess.start(in: lab, listening, binaries: binaries)
            // Says nothing, so that a connection lasts until somebody ends it.
            let listener = try Listener(on: web, ports: [8080]) { _ in [] }
            defer { withExtendedLifetime(listener) {} }

            #expect(passes(lab, to: web) == true)
            try attack(lab, web)
            #expect(eventually(within: .seconds(2)) { (try? inline.status().denials.active) == 1 })
            let entry = try #require(try inline.status().denials.entries.first)
            #expect(entry.source == client.ipv4 && entry.by == "sensor lab" && entry.seconds <= 4, "\(entry)")
            #expect(passes(lab, to: web) == false)
            #expect(try inline.status().verdicts.byReason["source denied"] ?? 0 >= 3)
            // Others go on, and so does what the client says to nobody's guests.
            try lab.expectAnswers(5, from: lab.outside, to: web.ipv4)
            try lab.expectAnswers(5, from: client, to: lab.host.ipv4)
            // It ends by itself.
            #expect(eventually(within: .seconds(8)) { passes(lab, to: web) == true })
            let after = try inline.status().denials
            #expect(after.active == 0 && after.made == 1 && after.entries.isEmpty)

            // Nobody who must not be denied is, whoever asks.
            for (source, why) in [
                (web.ipv4, "is of the guest web"), (lab.outside.ipv4, "deny.never has"),
                ("224.0.0.1", "is not the address"),
                ("nonsense", "write deny, an address"),
            ] {
                #expect(try ask(inline, "deny \(source) 5 test").contains(why))
            }
            try lab.expectAnswers(5, from: lab.outside, to: web.ipv4)
            // The operator can do it, and lift it.
            let command = [binaries.flinch, "deny", "--control", inline.control, client.ipv4]
            #expect(try Command.run(command + ["--for", "4"]) == "\(client.ipv4) is denied for 4 s at most\n")
            #expect(passes(lab, to: web) == false)
            #expect(try Command.run(command + ["--lift"]) == "\(client.ipv4) passes again\n")
            #expect(passes(lab, to: web) == true)
            #expect(try ask(mirror, "deny \(client.ipv4) 4 test").contains("filters nothing"))

            let sensors = try mirror.status().denials.sensors
            #expect(sensors[0].delivered >= 1 && sensors[0].undelivered == 0 && sensors[0].problem == nil)
            // One that is not there costs the other nothing, and is not forgotten.
            #expect(
                eventually(within: .seconds(12)) {
                    (try? mirror.status().denials.sensors[1]).map { $0.undelivered >= 1 && $0.waiting == 0 } ?? false
                })
            #expect(try mirror.status().denials.sensors[1].problem?.contains("is not running") == true)
            #expect(try mirror.status().verdicts.dropped == 0)
        }

        /// One sensor: who attacks a guest that is watched is kept from those that are filtered.
        @Test func whoAttacksAWatchedGuestIsKeptFromTheOthers() async throws {
            var configuration = Denial.filtering()
            configuration.watchedGuests = ["dns"]
            configuration.more = "mirror: {interfaces: [br0], deny: {seconds: 3}}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let (web, dns) = (lab.guest("web"), lab.guest("dns"))
                configuration.ruleFiles = [try lab.write(Denial.rule + "\n", to: "test.rules")]
                try sensor.reload(configuration)
                let listener = try Listener(on: dns, ports: [8080]) { _ in [] }
                defer { withExtendedLifetime(listener) {} }
                try attack(lab, dns)
                #expect(eventually(within: .seconds(2)) { (try? sensor.status().denials.active) == 1 })
                let by = try sensor.status().denials.entries.first?.by
                #expect(by == "mirror, sid 1")
                #expect(passes(lab, to: web) == false)
                // What is only watched cannot be kept from anybody.
                #expect(passes(lab, to: dns) == true)
                try lab.expectAnswers(5, from: lab.outside, to: web.ipv4)
                #expect(eventually(within: .seconds(8)) { passes(lab, to: web) == true })
            }
        }
    }
}
