import Events
import Foundation
import Lab
import Testing

@testable import Sinks

/// Tests with a real snmptrapd.
@Suite(.serialized)
struct SNMPTests {
    private func start(_ folder: String, _ port: UInt16, _ lines: [String]) throws -> Program {
        try (lines + ["format2 %v\\n", "printEventNumbers no"]).joined(separator: "\n")
            .write(toFile: folder + "/conf", atomically: true, encoding: .utf8)
        let program = try Program.start(
            [
                "snmptrapd", "-f", "-C", "-c", folder + "/conf", "-Lf", folder + "/log", "-On", "-m", "", "-n",
                "udp:127.0.0.1:\(port)",
            ], environment: ["SNMP_PERSISTENT_DIR": folder + "/persistent"])
        try #require(eventually { ((try? contents(folder + "/log")) ?? "").contains("NET-SNMP version") })
        return program
    }

    private func traps(_ folder: String) -> [String] {
        ((try? contents(folder + "/log")) ?? "").split(separator: "\n").map(String.init)
            .filter { $0.contains(".1.3.6.1.6.3.1.1.4.1.0") }
    }

    private func settings(_ port: UInt16, _ version: SNMPSettings.Version) -> SNMPSettings {
        var settings = SNMPSettings(to: Endpoint(.udp, host: "127.0.0.1", port: port), version: version)
        settings.engine = "lab"
        return settings
    }

    private static let root = ".1.3.6.1.4.1.32473.1"

    @Test(arguments: [false, true])
    func version2c(inform: Bool) throws {
        try withFolder { folder in
            let port = try freePort(SOCK_DGRAM)
            let program = try start(folder, port, ["authCommunity log hush"])
            defer { program.stop() }
            try writeSecret("hush", to: folder + "/community")
            var settings = settings(port, .v2c)
            settings.isInform = inform
            settings.community = .file(folder + "/community")
            let sink = try Sink.sample(try SNMPChannel(settings, boots: 1))
            sink.offer([report(eveLine(0, sid: 4711, message: "SMB probe"))])
            let flood = """
                {"timestamp":"2026-11-26T10:00:05.000000+0000","event_type":"flood","dest_ip":"192.0.2.10","flinch":{\
                "guest":"web","concern":"high","verdict":"drop","intended":"drop","reason":"flood-deny","shadow":false,\
                "flood":{"id":9,"class":"syn","phase":"close","packets":5000000000,"peak_rate":21000,"dropped":99000}}}
                """
            sink.offer([report(flood, .flood)])
            sink.end(within: 5)
            #expect(sink.health.delivered == 2, "\(sink.health.lastError ?? "")")
            #expect(eventually { traps(folder).count == 2 })
            let got = traps(folder)
            try #require(got.count == 2, "\((try? contents(folder + "/log")) ?? "")")
            for part in [
                ".1.3.6.1.6.3.1.1.4.1.0 = OID: \(SNMPTests.root).0.1", "\(SNMPTests.root).1.1.0 = STRING: \"lab\"",
                "\(SNMPTests.root).1.3.0 = INTEGER: 3", "\(SNMPTests.root).1.4.0 = STRING: \"SMB probe\"",
                "\(SNMPTests.root).1.5.0 = STRING: \"web\"",
                "\(SNMPTests.root).1.6.0 = STRING: \"198.51.100.9:40000\"", "\(SNMPTests.root).1.11.0 = Gauge32: 4711",
            ] { #expect(got[0].contains(part), "\(part) in \(got[0])") }
            for part in [
                "OID: \(SNMPTests.root).0.4", ".1.12.0 = Gauge32: 9", ".1.13.0 = Gauge32: 21000",
                ".1.14.0 = Gauge32: 4294967295", ".1.15.0 = Gauge32: 99000",
            ] { #expect(got[1].contains(part), "\(part) in \(got[1])") }
        }
    }

    @Test func version3TrapsAcrossARestart() throws {
        try withFolder { folder in
            let port = try freePort(SOCK_DGRAM)
            let engine = Digest.hex(SNMPSession.engineIdentifier("lab"))
            #expect(engine == "80007ed9046c6162")
            let program = try start(
                folder, port,
                [
                    "createUser -e 0x\(engine) flinch SHA-256 authpassword AES privpassword",
                    "authUser log flinch priv",
                ])
            defer { program.stop() }
            try writeSecret("authpassword", to: folder + "/auth")
            try writeSecret("privpassword", to: folder + "/priv")
            var settings = settings(port, .v3)
            settings.user = "flinch"
            settings.authentication = .file(folder + "/auth")
            settings.privacy = .file(folder + "/priv")
            for boots in 1...2 {
                let sink = try Sink.sample(try SNMPChannel(settings, boots: UInt32(boots)))
                sink.offer([report(eveLine(boots, message: "boot \(boots)"))])
                sink.end(within: 5)
                #expect(sink.health.delivered == 1, "\(sink.health.lastError ?? "")")
                #expect(eventually { traps(folder).count == boots })
                #expect(traps(folder).last?.contains("\"boot \(boots)\"") == true)
            }
        }
    }

    @Test func informsAreConfirmedAndWrongPasswordsSeen() throws {
        try withFolder { folder in
            let port = try freePort(SOCK_DGRAM)
            try writeSecret("authpassword", to: folder + "/auth")
            try writeSecret("privpassword", to: folder + "/priv")
            var settings = settings(port, .v3)
            settings.isInform = true
            settings.user = "flinch"
            settings.hash = .sha
            settings.authentication = .file(folder + "/auth")
            settings.privacy = .file(folder + "/priv")
            let spool = try Spool(folder: folder + "/spool", limit: 1 << 20)
            let sink = try Sink.sample(try SNMPChannel(settings, boots: 1), spool: spool)
            sink.offer([report(eveLine(0, sid: 1, message: "first")), report(eveLine(1, sid: 2, message: "second"))])
            #expect(eventually { sink.health.failures > 0 }, "nobody is there")
            #expect(sink.health.queued == 2)

            let program = try start(
                folder, port,
                [
                    "createUser flinch SHA authpassword AES privpassword", "authUser log flinch priv",
                    "createUser other SHA authpassword AES privpassword", "authUser log other priv",
                ])
            defer { program.stop() }
            #expect(eventually(within: 20) { sink.health.delivered == 2 }, "\(sink.health.lastError ?? "")")
            sink.end()
            #expect(traps(folder).count == 2)
            #expect(traps(folder).first?.contains("\"first\"") == true, "in order")

            try writeSecret("wrong password", to: folder + "/auth")
            settings.user = "other"
            let wrong = try Sink.sample(try SNMPChannel(settings, boots: 2))
            wrong.offer([report(eveLine(2))])
            #expect(eventually { wrong.health.failures > 0 })
            #expect(
                wrong.health.lastError?.isEmpty == false && wrong.health.lastError?.contains("wrong password") == false)
            wrong.end(within: 0.1)
            #expect(wrong.health.delivered == 0)
        }
    }

    @Test func manyOfTheSameAreOneTrapAndANumber() throws {
        try withFolder { folder in
            let port = try freePort(SOCK_DGRAM)
            let program = try start(folder, port, ["authCommunity log public"])
            defer { program.stop() }
            var settings = settings(port, .v2c)
            settings.limit = 1
            let sink = try Sink.sample(
                try SNMPChannel(settings, boots: 1, period: 1_000_000_000), queueLines: 10_000, queueBytes: 64 << 20)
            sink.offer(Array(repeating: report(eveLine(0, sid: 7, message: "the same")), count: 2000))
            sink.offer([report(eveLine(1, sid: 8, message: "another"))])
            #expect(eventually { traps(folder).contains { $0.contains("\(SNMPTests.root).0.5") } })
            sink.end()
            let got = traps(folder)
            #expect(got.count(where: { $0.contains("\(SNMPTests.root).0.1") }) <= 4)
            let held = got.compactMap {
                $0.firstMatch(of: /\.1\.16\.0 = Gauge32: ([0-9]+)/).flatMap { Int($0.output.1) }
            }
            let told = got.count(where: { $0.contains("\(SNMPTests.root).0.1") && $0.contains("the same") })
            #expect(held.reduce(0, +) + told == 2000)
        }
    }

    @Test func textsFitAndAreCutBetweenCharacters() {
        let octets = SNMPNotification.octets(String(repeating: "é", count: 200))
        #expect(octets.count == 254)
        #expect(String(validating: octets, as: UTF8.self) != nil)
        #expect(SNMPNotification.octets("a\u{1B}[2J\n") == Array("a·[2J·".utf8), "and nothing that a terminal obeys")
    }
}
