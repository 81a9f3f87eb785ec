import Control
import Foundation
import Lab
import Testing

extension Integration.Mirror {
    /// What is listened to comes, goes and is changed while the sensor runs.
    @Suite(.serialized)
    struct Life {
        private func ip(_ lab: Lab, _ lines: String) throws {
            try Command.run(["ip", "-n", lab.host.namespace.name, "-batch", "-"], input: lines + "\n")
        }

        /// A pair of interfaces: what is sent by `name` comes by `name-in`.
        private func makeSpan(_ lab: Lab, _ name: String) throws {
            try ip(
                lab,
                """
                link add \(name) type veth peer name \(name)-in
                link set \(name) addrgenmode none up
                link set \(name)-in addrgenmode none up
                """)
        }

        /// Sends so many frames of a flow each, to UDP port 9 or another.
        private func send(_ count: Int, by span: String, _ lab: Lab, port: Int = 9) throws {
            try lab.host.run(
                "trafgen", "-o", span, "-n", "\(count)", "-P", "1", "-q", "--no-sock-mem",
                "{ eth(da=2:0:0:0:0:1), ipv4(sa=10.77.0.99, da=10.77.0.10, ttl=64), udp(sp=dinc(1024, 9000), dp=\(port)), "
                    + "fill(0x41, 40) }")
        }

        private func packets(_ sensor: SensorProcess, _ interface: String) throws -> UInt64? {
            guard let place = try sensor.status().mirrors.firstIndex(where: { $0.interface == interface }) else {
                return nil
            }
            let row = try Integration.Mirror.settle(sensor, place)
            #expect(row.packets + row.dropped == row.came && row.dropped == 0)
            return row.packets
        }

        /// One that goes down and up, is deleted and made anew, and at last is made anew at once; with one worker, and
        /// with two that share it.
        @Test(arguments: [1, 2]) func anInterfaceThatIsMadeAnewIsListenedTo(_ workers: Int) async throws {
            var configuration = Integration.Mirror.listening("span-in")
            configuration.more = "mirror: {interfaces: [span-in], workers: \(workers), filter: \"udp port 9\"}"
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            try makeSpan(lab, "span")
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            let row = { try sensor.status().mirrors[0] }
            func isSoon(_ condition: String) -> Bool {
                eventually(within: .seconds(1), every: .milliseconds(20)) { (try? row().condition) == condition }
            }
            try send(100, by: "span", lab)
            #expect(try packets(sensor, "span-in") == 100 && row().errors == 0 && row().missing == 0)

            try ip(lab, "link set span-in down")
            #expect(isSoon("down"))
            try ip(lab, "link set span-in up")
            #expect(isSoon("listening"))
            try send(100, by: "span", lab)
            #expect(try packets(sensor, "span-in") == 200 && row().errors == 1)
            let missing = try row().missing
            #expect(missing > 0 && missing < 3)

            try ip(lab, "link del span")
            #expect(isSoon("gone"))
            rest(.milliseconds(500))
            try makeSpan(lab, "span")
            #expect(isSoon("listening"), "\(sensor.program.complained)")
            // What is not meant by the filter still does not come.
            try send(50, by: "span", lab, port: 10)
            try send(100, by: "span", lab)
            #expect(try packets(sensor, "span-in") == 300 && row().errors == 2)
            #expect(try row().missing > missing + 0.5)

            try ip(lab, "link del span")
            try makeSpan(lab, "span")
            #expect(
                eventually(within: .seconds(1), every: .milliseconds(50)) {
                    try? send(1, by: "span", lab)
                    return (try? row().packets).map { $0 > 300 } ?? false
                }, "\(sensor.program.complained)")
            #expect(try row().errors == 3)
            #expect(try packets(sensor, "span-in") ?? 0 > 300)
            sensor.terminate()
            #expect(sensor.program.complained.contains("span-in is gone"))
            #expect(sensor.program.complained.contains("span-in is listened to again"))
        }

        /// Interfaces and the filter are changed by a reload; of those that stay nothing is lost.
        @Test func aReloadChangesWhatIsListenedTo() async throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            for name in ["one", "two"] { try makeSpan(lab, name) }
            let listening = { (mirror: String) in
                var configuration = Integration.Mirror.listening("one-in")
                configuration.more = "mirror: {\(mirror)}"
                return configuration
            }
            let hears = { (sensor: SensorProcess, interfaces: [String]) in
                eventually(within: .seconds(1), every: .milliseconds(20)) {
                    (try? sensor.status().mirrors.map(\.interface)) == interfaces
                }
            }
            let sensor = try SensorProcess.start(
                in: lab, listening("interfaces: [one-in], filter: \"udp port 9\""), binaries: try Binaries.find())
            // Frames come all the while.
            let player = try lab.host.start(
                [
                    "trafgen", "-o", "one", "-n", "3000", "-P", "1", "-q", "--no-sock-mem", "-t", "1ms",
                    "{ eth(da=2:0:0:0:0:1), ipv4(sa=10.77.0.99, da=10.77.0.10, ttl=64), udp(sp=5, dp=9), fill(0x41, 40) }",
                ], limit: .seconds(20))
            #expect(
                eventually(within: .seconds(3)) { (try? sensor.status().mirrors[0].packets).map { $0 > 100 } ?? false })
            try sensor.reload(listening("interfaces: [two-in, one-in], filter: \"udp port 9 or udp port 10\""))
            #expect(hears(sensor, ["two-in", "one-in"]))
            try send(70, by: "two", lab, port: 10)
            try send(30, by: "two", lab, port: 11)
            #expect(try packets(sensor, "two-in") == 70)
            // What cannot be listened to is refused, and all stays as it was.
            try sensor.reload(listening("interfaces: [three-in, one-in]"))
            let refused = try #require(try sensor.status().rules.lastError)
            #expect(refused.contains("there is no interface three-in to listen to"), "\(refused)")
            #expect(try sensor.status().mirrors.map(\.interface) == ["two-in", "one-in"])
            #expect(player.wait(atMost: .seconds(20)) == .exited(0))
            #expect(try packets(sensor, "one-in") == 3000)
            try sensor.reload(listening("interfaces: [two-in]"))
            #expect(hears(sensor, ["two-in"]))
            try send(30, by: "two", lab, port: 11)
            #expect(try packets(sensor, "two-in") == 100)
            // Threads and their memory are made at the start.
            try sensor.reload(listening("interfaces: [two-in], workers: 2, ring: 2 MiB"))
            #expect(try sensor.status().mirrors.map(\.workers) == [1])
            sensor.terminate()
            #expect(sensor.program.ended == .exited(0))
            #expect(sensor.program.complained.contains("only a restart takes over: mirror.workers, mirror.ring"))
        }
    }
}
