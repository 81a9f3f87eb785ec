import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What rules do to real programs' traffic.
    @Suite(.serialized)
    struct RuleActions {
        private static let rules = """
            reject tcp any any -> any 80 (msg:"TEST reject"; flow:established,to_server; content:"/rejected"; sid:1;)
            rejectboth tcp any any -> any 80 (msg:"TEST both"; flow:established,to_server; content:"/both"; sid:2;)
            drop tcp any any -> any 80 (msg:"TEST drop"; flow:established,to_server; content:"/dropped"; sid:3;)
            reject udp any any -> any 53 (msg:"TEST unreachable"; content:"rejected"; nocase; sid:4;)

            """

        /// curl's exit status (curl(1)) and seconds.
        private func get(_ path: String, _ lab: Lab, _ address: String) throws -> (status: Int32?, seconds: Double) {
            let start = ContinuousClock.now
            let program = try lab.client.start(
                ["curl", "-sS", "-g", "-o", "/dev/null", "--max-time", "3", "http://\(address)\(path)"],
                limit: .seconds(6))
            program.wait(atMost: .seconds(6))
            let duration = ContinuousClock.now - start
            var status: Int32? = nil
            if case .exited(let code) = program.ended { status = code }
            return (status, duration / .seconds(1))
        }

        @Test func refusedOnesAreToldAndDroppedOnesNotHeardOf() async throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            var configuration = SensorConfiguration()
            configuration.ruleFiles = [try lab.write(RuleActions.rules, to: "test.rules")]
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            let web = lab.guest("web")
            _ = try Services.start(in: lab)
            for address in [web.ipv4, "[\(web.ipv6)]"] {
                #expect(try get("/", lab, address).status == 0, "\(address)")
                // 56: the connection was reset.
                let rejected = try get("/rejected", lab, address)
                #expect(rejected.status == 56, "\(address)")
                #expect(rejected.seconds < 2, "\(address)")
                #expect(try get("/both", lab, address).status == 56, "\(address)")
                // 28: the time is up, though TCP sent it again and again.
                #expect(try get("/dropped", lab, address).status == 28, "\(address)")
            }
            let refusals = try lab.client.start(
                ["tcpdump", "-i", "eth0", "-n", "-c", "1", "--immediate-mode", "icmp[0] == 3 and icmp[1] == 13"],
                limit: .seconds(10))
            #expect(refusals.waitUntilItSays("listening on", atMost: .seconds(5)))
            _ = try? lab.client.run("dig", "+tries=1", "+time=2", "rejected.test", "@\(lab.guest("dns").ipv4)")
            #expect(refusals.wait(atMost: .seconds(3)) != nil, "no ICMP message came")
            let verdicts = try sensor.status().verdicts
            #expect(verdicts.rejectsSent >= 5, "\(verdicts)")
            // Lines are written by a thread of their own.
            for name in ["TEST reject", "TEST both", "TEST drop", "TEST unreachable"] {
                #expect(
                    eventually(within: .seconds(3)) {
                        (try? sensor.eve.records().contains { $0.alert?.signature == name }) == true
                    }, "\(name)")
            }
        }
    }
}
