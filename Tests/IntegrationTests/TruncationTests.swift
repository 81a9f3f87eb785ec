import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// A real resolver and a real name server while the server's UDP port is flooded from everywhere.
    @Suite(.serialized)
    struct Truncation {
        /// What dig said: its answers, and whether it went on over TCP.
        private func dig(_ lab: Lab, from machine: Machine) throws -> String {
            try machine.run(
                "sh", "-c", "dig @\(lab.guest("dns").ipv4) +tries=3 +time=1 www.lab || true")
        }

        @Test(arguments: [true, false])
        func whoIsSentToTCPIsAnswered(truncates: Bool) async throws {
            var configuration = SensorConfiguration()
            configuration.limits = [
                "dns": [
                    SensorConfiguration.Limit(
                        "udp", rate: 1000, exit: 500, action: "defend", pass: 1, truncatesDNS: truncates)
                ]
            ]
            try await Integration.withSensor(configuration) { lab, sensor in
                let dns = lab.guest("dns")
                let services = try Services.start(in: lab)
                try withExtendedLifetime(services) {
                    // Whom to answer for is known from the server's own packets, with the inet backend.
                    #expect(try dig(lab, from: lab.outside).contains(lab.guest("web").ipv4))
                    let flood = try Attack.spoofed(
                        "udp", from: lab.outside, to: dns, sources: 1 << 16, rate: 5000, seconds: 8
                    ).start()
                    defer { flood.stop() }
                    #expect(
                        eventually(within: .seconds(3)) {
                            (try? sensor.eve.records(from: 0).contains { $0.opens && $0.flinch?.flood?.class == "udp" })
                                ?? false
                        })
                    rest(.milliseconds(500))
                    let address = lab.guest("web").ipv4
                    let first = try dig(lab, from: lab.client)
                    #expect(first.contains("retrying in TCP mode") == truncates, "\(first)")
                    #expect(first.contains(address) == truncates, "\(first)")
                    guard truncates else { return }
                    // Now it is known, and its datagrams pass.
                    let second = try dig(lab, from: lab.client)
                    #expect(second.contains(address) && !second.contains("TCP mode"), "\(second)")
                    let challenged = try sensor.status().floods.first?.sieve?["challenged"] ?? 0
                    #expect((1...10).contains(challenged), "what is no query is not answered")
                }
            }
        }
    }
}
