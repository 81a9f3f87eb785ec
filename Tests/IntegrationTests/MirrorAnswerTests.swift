import Control
import Foundation
import Lab
import Testing

extension Integration.Mirror {
    /// The packet that is answered may have put another flow out of the table, of which something is found at its end: it
    /// is the packet's ends that are told, not the other flow's.
    @Test func theResetIsThePacketsAlsoWhereItEndsAnotherFlow() throws {
        try Requirements.root()
        try Requirements.programs()
        let lab = try Lab.start()
        defer { lab.stop() }
        let rules = """
            drop tcp any any -> any 8080 (msg:"SYN"; flags:S; sid:1;)
            alert tcp any any -> any 8081:8085 (msg:"LEFT"; flow:to_server; content:"leftover"; sid:2;)

            """
        var configuration = Integration.Mirror.listening("br0")
        configuration.ruleFiles = [try lab.write(rules, to: "test.rules")]
        configuration.more = """
            mirror: {interfaces: [br0], filter: tcp, answer: {interface: br0, rate: 100}}
            flows: {count: \(Integration.Mirror.fewestFlows)}
            """
        let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
        let web = lab.guest("web")
        // They say nothing, so that a connection lasts until somebody ends it; each has 256 at most.
        let ports = UInt16(8080)...8085
        let listeners = try ports.map { try Listener(on: web, ports: [$0]) { _ in [] } }
        defer { withExtendedLifetime(listeners) {} }
        // More than there is room for: whoever comes now puts the oldest out.
        let share = Integration.Mirror.fewestFlows / (ports.count - 1) + 20
        let clients = try ports.dropFirst().map {
            try lab.client.start(
                ["wrk", "-t", "1", "-c", "\(share)", "-d", "9s", "http://\(web.ipv4):\($0)/leftover"],
                limit: .seconds(14))
        }
        defer { for client in clients { client.stop() } }
        let found = { (try? Findings(sensor.eve).all[2] ?? 0) ?? 0 }
        #expect(eventually(within: .seconds(6)) { found() >= 1 })
        // It says nothing, so that the server expects next what the reset has; who asked is not reset by it until he speaks.
        let silent = try lab.client.start(["sh", "-c", "sleep 5 | busybox nc \(web.ipv4) 8080"], limit: .seconds(8))
        defer { silent.stop() }
        #expect(eventually(within: .seconds(3)) { (try? sensor.status().verdicts.rejectsSent) ?? 0 >= 2 })
        let open = { (port: Int) in
            try web.run("ss", "-Htn", "state", "established", "sport", "=", ":\(port)").split(separator: "\n").count
        }
        #expect(eventually(within: .seconds(1)) { (try? open(8080)) == 0 })
        #expect(silent.ended == nil, "nobody but the sensor has ended it")
        for port in ports.dropFirst() { #expect(try open(Int(port)) == share) }
    }

    /// The least that `flows.count` may be.
    private static let fewestFlows = 1024
}
