import Control
import Foundation
import Lab
import Testing

extension Integration.Mirror {
    /// Captures played into a mirror port, against `flinch replay` of the same files. By default a choice; with
    /// FLINCH_CAPTURES=all every one that tcpreplay can send (`make test-mirror`).
    @Suite(.serialized)
    struct Replay {
        private static let folder: String? = {
            var folder = URL(fileURLWithPath: #filePath)
            while folder.path != "/" {
                folder.deleteLastPathComponent()
                let captures = folder.appendingPathComponent("../shared/captures").standardized.path
                if FileManager.default.fileExists(atPath: captures) { return captures }
            }
            return nil
        }()

        private static let isComplete = ProcessInfo.processInfo.environment["FLINCH_CAPTURES"] == "all"

        /// Attacks, scans, evasions and ordinary protocols; a few of each.
        private static let captures: [String] = {
            guard let folder else { return [] }
            let kinds = ["exploits", "scans", "evasion", "protocols"]
            return kinds.flatMap { kind -> [String] in
                let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")) ?? []
                let all = names.filter { $0.contains(".pcap") }.sorted().map { "\(folder)/\(kind)/\($0)" }
                // tcpreplay's time is that of the packets, at 20 Mb/s: small ones alone, unless all are asked for.
                return isComplete ? all : Array(all.filter { size($0) < 200_000 }.prefix(4))
            }
        }()

        private static func size(_ path: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
        }

        /// Rules for whoever talks: the guests of a capture are not the lab's.
        private static func rules(_ lab: Lab, _ binaries: Binaries) throws -> String {
            let text = try String(contentsOfFile: try binaries.rules, encoding: .utf8)
                .replacing("$HOME_NET", with: "any").replacing("$EXTERNAL_NET", with: "any")
            return try lab.write(text, to: "any.rules")
        }

        @Test(.enabled(if: !captures.isEmpty)) func alertsAreThoseOfAReplay() throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let binaries = try Binaries.find()
            try lab.host.run("ip", "link", "add", "span", "type", "veth", "peer", "name", "span-in")
            for link in ["span", "span-in"] {
                try lab.host.run("ip", "link", "set", link, "addrgenmode", "none", "mtu", "65535", "up")
            }
            var configuration = Integration.Mirror.listening("span-in")
            configuration.ruleFiles = [try Replay.rules(lab, binaries)]
            var (found, played) = (0, 0)
            for (number, capture) in Replay.captures.enumerated() {
                configuration.eve = lab.file("mirror-\(number).json")
                let sensor = try SensorProcess.start(in: lab, configuration, binaries: binaries)
                let start = try sensor.status().mirrors[0].came
                let player = try lab.host.start(
                    ["tcpreplay", "-q", "-i", "span", "--mbps", "20", capture], limit: .seconds(120))
                player.wait(atMost: .seconds(120))
                let row = try Integration.Mirror.settle(sensor)
                sensor.terminate()
                // Link types and packets that tcpreplay does not send are not the mirror's to find.
                guard player.ended == .exited(0), player.printed.contains("Failed packets:            0\n") else {
                    continue
                }
                played += 1
                #expect(row.came > start && row.dropped == 0, "\(capture)")
                let replayed = EveLog(path: lab.file("replay-\(number).json"))
                // A capture may end within a record: what came before is played by both.
                _ = try? lab.host.run(
                    binaries.flinch, "replay", "--midstream", "--config", lab.file("flinch.yaml"), "--eve",
                    replayed.path, capture, limit: .seconds(60))
                let (mirror, replay) = (try Findings(sensor.eve).all, try Findings(replayed).all)
                #expect(mirror == replay, "\(capture)")
                found += mirror.count
            }
            #expect(
                found > 0 && played > Replay.captures.count / 2, "\(played) played, \(found) rules and checks found")
        }
    }
}
