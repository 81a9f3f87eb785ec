import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What the kernel drops of a flood by itself.
    @Suite(.serialized)
    struct Offload {
        private func offloaded(_ sensor: SensorProcess) throws -> UInt64 {
            try sensor.status().verdicts.byReason["flood, by the kernel"] ?? 0
        }

        /// Seconds of flood, each class of them at a guest that denies or throttles it.
        @Test(arguments: ["icmp", "syn"])
        func aVerdictThatLastsIsTheKernels(floodClass: String) async throws {
            try await Integration.withSensor { lab, sensor in
                let web = lab.guest("web")
                let attack =
                    floodClass == "icmp"
                    ? Attack.icmp(from: lab.outside, to: web, rate: 15_000, seconds: 4)
                    : .syn(from: lab.outside, to: web, rate: 15_000, seconds: 4)
                let flood = try lab.flood(attack)
                let kernel = try Int(offloaded(sensor))
                #expect(kernel > flood.sent / 4, "\(kernel) of \(flood.sent)")
                let closed = eventually(within: .seconds(6)) {
                    (try? sensor.eve.records(from: 0).contains { $0.closes && $0.flinch?.flood?.class == floodClass })
                        ?? false
                }
                #expect(closed)
                let status = try sensor.status()
                let dropped = Int(status.verdicts.dropped)
                #expect(abs(flood.sent - flood.arrived - dropped) <= max(5, flood.sent / 100))
                #expect(status.uninspected.total == 0)
                // What a throttle lets through is what the gate says, not the kernel's share.
                if floodClass == "icmp" { #expect(flood.late == 0) } else { #expect(flood.late < 500 * 3) }
            }
        }

        @Test(arguments: ["syn", "tcp", "udp", "icmp", "fragment"])
        func aDefendedClassIsMostlyTheKernels(floodClass: String) async throws {
            try await Integration.withSensor { lab, sensor in
                let shop = lab.guest("shop")
                let attack = Attack.spoofed(
                    floodClass, from: lab.outside, to: shop, sources: 1 << 16, rate: 20_000, seconds: 5)
                if floodClass == "syn" {
                    // Clients, so that it is known what theirs look like.
                    try lab.learnClients()
                }
                let flood = try lab.flood(attack)
                let kernel = try Int(offloaded(sensor))
                #expect(kernel > flood.sent / 2, "\(kernel) of \(flood.sent)")
                #expect(flood.late < flood.sent / 10)
                #expect(try sensor.status().uninspected.total == 0)
                try lab.expectAnswers(20, from: lab.client, to: lab.guest("quiet").ipv4)
            }
        }

        /// The rules stay behind, and pass everything once the last sign of life is old.
        @Test func whoIsKilledBlocksNothingForGood() async throws {
            try await Integration.withSensor { lab, sensor in
                let (web, outside) = (lab.guest("web"), lab.outside)
                let flood = try Attack.icmp(from: outside, to: web, rate: 15_000, seconds: 5).start()
                #expect(eventually(within: .seconds(4)) { ((try? offloaded(sensor)) ?? 0) > 0 })
                sensor.program.send(SIGKILL)
                #expect(sensor.program.wait(atMost: .seconds(2)) == .killed(signal: SIGKILL))
                flood.stop()
                #expect(try lab.pings(5, from: outside, to: web.ipv4) == 0, "the deny holds for a moment")
                #expect(
                    eventually(within: .seconds(6), every: .milliseconds(200)) {
                        ((try? lab.pings(1, from: outside, to: web.ipv4)) ?? 0) == 1
                    })
                try lab.expectAnswers(20, from: outside, to: web.ipv4)
            }
        }
    }
}

extension Lab {
    /// Some connections of known clients to the shop.
    func learnClients() throws {
        let shop = guest("shop")
        let listener = try Listener(on: shop, ports: [80]) { _ in nil }
        withExtendedLifetime(listener) {
            for _ in 0..<40 { _ = try? crowd.run("curl", "--silent", "--max-time", "1", "http://\(shop.ipv4)/") }
        }
    }
}
