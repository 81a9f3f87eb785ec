import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// A guest that says that it is somebody else, or what it is not.
    @Suite(.serialized)
    struct Spoofing {
        private struct Line: Decodable {
            struct Anomaly: Decodable { var event: String }
            struct Flinch: Decodable { var reason: String }
            var in_iface: String?
            var anomaly: Anomaly?
            var flinch: Flinch?
        }

        /// Five packets that a machine sends as they are.
        private func send(_ packet: String, from machine: Machine) throws {
            try machine.run(
                "trafgen", "--in", "-", "--out", "eth0", "--cpus", "1", "--num", "5", "--gap", "10ms",
                "--no-sock-mem", "--no-cpu-stats", input: "{ \(packet) }\n")
        }

        /// Of these that have come to the client, counted before its own stack sees them.
        private func arrived(_ lab: Lab) throws -> Int {
            rest(.milliseconds(200))
            let text = try lab.client.run("nft", "list", "counter", "netdev", "spoofing", "seen")
            let words = text.split(whereSeparator: \.isWhitespace)
            let place = try #require(words.firstIndex(of: "packets"))
            return try #require(Int(words[place + 1]))
        }

        @Test(arguments: [false, true]) func aGuestThatIsNotWhoItSaysIsStoppedAndNamed(namesMACs: Bool) async throws {
            var configuration = SensorConfiguration()
            configuration.namesMACs = namesMACs
            configuration.more = "policies: {own: {for: [web], conformance: {\"guest.*\": drop}}}"
            try await Integration.withSensor(configuration) { lab, sensor in
                let (web, dns, client) = (lab.guest("web"), lab.guest("dns"), lab.client)
                try client.run(
                    "nft", "-f", "-",
                    input: """
                        table netdev spoofing {
                            counter seen {}
                            chain c {
                                type filter hook ingress device eth0 priority 0;
                                udp dport { 68, 7777 } counter name seen
                                icmpv6 type nd-router-advert counter name seen
                            }
                        }

                        """)
                func ethernet(_ source: Machine) -> String { "eth(da=\(client.mac), sa=\(source.mac))" }
                func ipv4(_ source: Machine) -> String { "ipv4(saddr=\(source.ipv4), daddr=\(client.ipv4), ttl=64)" }
                func ipv6(_ source: String) -> String { "ipv6(saddr=\(source), daddr=\(client.ipv6), hl=255)" }
                let udp = "udp(sport=5000, dport=7777) fill(0x41, 8)"
                let other = namesMACs ? "guest.mac_spoofed" : "guest.mac_changed"
                let rows: [(packet: String, event: String?, reason: String)] = [
                    ("\(ethernet(web)) \(ipv4(web)) \(udp)", nil, ""),
                    ("\(ethernet(web)) \(ipv6(web.ipv6)) \(udp)", nil, ""),
                    ("\(ethernet(web)) \(ipv4(dns)) \(udp)", "guest.address_spoofed", "spoofed"),
                    ("\(ethernet(web)) \(ipv6(dns.ipv6)) \(udp)", "guest.address_spoofed", "spoofed"),
                    ("\(ethernet(web)) \(ipv4(client)) \(udp)", "guest.address_spoofed", "spoofed"),
                    (
                        "\(ethernet(web)) ipv6(saddr=fe80::10, daddr=\(client.ipv6), nh=58, hl=255) 134, 0, fill(0, 14)",
                        "guest.rogue_router", "rogue service"
                    ),
                    (
                        "\(ethernet(web)) \(ipv4(web)) udp(sport=67, dport=68) 2, 1, 6, 0, fill(0, 236)",
                        "guest.rogue_dhcp", "rogue service"
                    ),
                    // The last: what comes from the port then is no longer what it was.
                    ("\(ethernet(dns)) \(ipv4(web)) \(udp)", other, "spoofed"),
                ]
                for row in rows {
                    let (place, seen) = (sensor.eve.end, try arrived(lab))
                    let dropped = try sensor.status().verdicts.byReason[row.reason] ?? 0
                    try send(row.packet, from: web)
                    let passed = try arrived(lab) - seen
                    guard let event = row.event else {
                        #expect(passed == 5, "\(row.packet)")
                        continue
                    }
                    // A hardware address that is new is new once.
                    #expect(passed == (event == "guest.mac_changed" ? 4 : 0), "\(event): \(passed) passed")
                    let now = try sensor.status().verdicts.byReason[row.reason] ?? 0
                    #expect(now - dropped == UInt64(5 - passed), "\(event)")
                    #expect(
                        eventually(within: .seconds(3)) {
                            let text = (try? String(contentsOfFile: sensor.eve.path, encoding: .utf8)) ?? ""
                            return text.utf8.dropFirst(place).split(separator: 10).contains { line in
                                let line = try? JSONDecoder().decode(Line.self, from: Data(line))
                                return line?.anomaly?.event == event && line?.in_iface == web.port
                                    && line?.flinch?.reason == row.reason
                            }
                        }, "\(event) is not told of")
                }
                // Others go on.
                try lab.expectAnswers(5, from: dns, to: client.ipv4)
            }
        }
    }
}
