import Foundation
import Lab
import Testing

extension Integration {
    /// `flinch demo` as a person or a script runs it.
    @Suite(.serialized)
    struct Demo {
        let flinch: String

        init() throws {
            try Requirements.root()
            flinch = try Binaries.find().flinch
        }

        private func namespaces(of pid: pid_t) -> [String] {
            let all = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
            return all.filter { $0.hasPrefix("fl-\(pid)-") }
        }

        /// The sensor that the demo runs: the only flinchd in its host's namespace.
        private func sensor(of demo: pid_t) throws -> pid_t {
            let host = try #require(namespaces(of: demo).first { $0.hasSuffix("-host") })
            let pids = try Command.run(["ip", "netns", "pids", host]).split(separator: "\n").compactMap {
                pid_t($0)
            }
            return try #require(
                pids.first {
                    (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "flinchd\n"
                })
        }

        @Test func printsALineOfJSONForEachScenario() throws {
            let demo = try Program.start([flinch, "demo", "--json", "icmp-flood"])
            #expect(demo.wait(atMost: .seconds(60)) == .exited(0), "\(demo.printed)\(demo.complained)")
            let rows = try demo.printed.split(separator: "\n").map {
                try JSONDecoder().decode(Outcome.self, from: Data($0.utf8))
            }
            #expect(rows.map(\.scenario) == ["ordinary", "icmp-flood"])
            #expect(rows.last?.flood?.action == "deny")
            #expect(namespaces(of: demo.pid).isEmpty)
        }

        @Test(arguments: [SIGINT, SIGTERM])
        func leavesNothingWhenItIsInterrupted(signal: Int32) throws {
            let demo = try Program.start([flinch, "demo"])
            #expect(eventually(within: .seconds(20)) { demo.printed.contains("SCENARIO") })
            rest(.milliseconds(500))
            let sensor = try sensor(of: demo.pid)
            demo.send(signal)
            #expect(demo.wait(atMost: .seconds(10)) == .exited(128 + signal))
            #expect(namespaces(of: demo.pid).isEmpty)
            // Its name may linger until init has asked for its exit status; it has no program any more.
            #expect(
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(sensor)/exe")) == nil)
        }

        @Test func leavesNothingWhenTheSensorCrashes() throws {
            let demo = try Program.start([flinch, "demo"])
            #expect(eventually(within: .seconds(20)) { demo.printed.contains("SCENARIO") })
            kill(try sensor(of: demo.pid), SIGKILL)
            #expect(demo.wait(atMost: .seconds(20)) == .exited(1))
            #expect(demo.complained.contains("flinchd"), "\(demo.complained)")
            #expect(namespaces(of: demo.pid).isEmpty)
        }

        @Test func namesTheScenariosThereAre() throws {
            let demo = try Program.start([flinch, "demo", "sin-flood"])
            #expect(demo.wait(atMost: .seconds(5)) == .exited(1))
            #expect(demo.complained.contains("there is no scenario sin-flood"))
            #expect(demo.complained.contains("syn-flood"))
        }
    }
}
