import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Real clients who come for the first time while other TCP of the shop is flooded, of which the end of their
    /// handshake is: half of them answer challenges, the other half cannot.
    @Suite(.serialized)
    struct NewClients {
        private static let count = 10

        /// The status and the seconds of each request, one from each of the addresses 10.77.3.`first` and following.
        private func visit(_ lab: Lab, from first: Int) throws -> [(status: String, seconds: Double)] {
            let curl =
                "curl --silent --output /dev/null --write-out '%{http_code} %{time_total}\\n' --max-time 6 "
                + "--interface 10.77.3.$i http://\(lab.guest("shop").ipv4)/"
            let said = try lab.crowd.run(
                "sh", "-c",
                "for i in $(seq \(first) \(first + Self.count - 1)); do \(curl) & sleep 0.1; done; wait",
                limit: .seconds(15))
            return said.split(separator: "\n").map { line in
                let words = line.split(separator: " ")
                return (String(words[0]), Double(words[1]) ?? .infinity)
            }
        }

        @Test(arguments: [["tcp"], ["tcp", "syn"]])
        func theyAreServed(classes: [String]) async throws {
            try await Integration.withSensor { lab, sensor in
                let (shop, crowd) = (lab.guest("shop"), lab.crowd)
                let services = try Services.start(in: lab)
                try withExtendedLifetime(services) {
                    try crowd.run(
                        "sh", "-c", "for i in $(seq 1 40); do ip address replace 10.77.3.$i/32 dev eth0; done")
                    try shop.run("ip", "route", "replace", "10.77.3.0/24", "via", crowd.ipv4)
                    // Nobody is told of a wrong SYN-ACK by these.
                    try crowd.run(
                        "nft", "-f", "-",
                        input: """
                            table ip mute {
                              chain output {
                                type filter hook output priority 0;
                                ip saddr 10.77.3.21-10.77.3.40 tcp flags & rst == rst counter drop
                              }
                            }

                            """)
                    #expect(try visit(lab, from: 21).allSatisfy { $0.status == "200" }, "without a flood")
                    let floods = try classes.map {
                        try Attack.spoofed(
                            $0, from: lab.outside, to: shop, sources: 1 << 16, rate: 15_000, seconds: 20
                        ).start()
                    }
                    defer { for flood in floods { flood.stop() } }
                    #expect(
                        eventually(within: .seconds(3)) {
                            let open = (try? sensor.eve.records(from: 0))?.filter { $0.opens } ?? []
                            return classes.allSatisfy { name in open.contains { $0.isFlood(name, at: "shop") } }
                        })
                    rest(.milliseconds(500))
                    let answering = try visit(lab, from: 1)
                    let silent = try visit(lab, from: 31)
                    #expect(floods.allSatisfy { $0.ended == nil }, "the flood went on meanwhile")
                    #expect(answering.count == Self.count && silent.count == Self.count)
                    #expect(answering.allSatisfy { $0.status == "200" }, "\(answering)")
                    // After a second their SYN comes again; then the kernel has a step's time to learn of them.
                    #expect(silent.allSatisfy { $0.status == "200" && $0.seconds > 0.8 }, "\(silent)")
                    #expect(
                        try crowd.run("nft", "list", "table", "ip", "mute").contains("packets 0") == false,
                        "some reset was held back")
                }
            }
        }
    }
}
