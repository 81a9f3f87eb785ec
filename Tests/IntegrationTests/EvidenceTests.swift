import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// What the real sensor keeps and tells of real conversations.
    @Suite(.serialized)
    struct Evidence {
        private func events(_ sensor: SensorProcess, _ kind: String) throws -> [[String: Any]] {
            let data = FileManager.default.contents(atPath: sensor.eve.path) ?? Data()
            return try data.split(separator: 10).compactMap {
                try JSONSerialization.jsonObject(with: $0) as? [String: Any]
            }.filter { $0["event_type"] as? String == kind }
        }

        private func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }

        /// An exploit is alerted on: the line names a capture that holds it from the handshake to the answer, and
        /// the conversation's own event comes when it is over, with the same number.
        @Test(arguments: [false, true]) func aCaptureAndAnEventOfTheFlow(ipv6: Bool) async throws {
            try Requirements.root()
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            var configuration = SensorConfiguration()
            configuration.flows = true
            configuration.ruleFiles = [
                try lab.write(
                    #"alert tcp any any -> any 80 (msg:"TEST exploit"; flow:established,to_server; content:"/exploit"; priority:1; sid:1;)"#
                        + "\n", to: "test.rules")
            ]
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            _ = try Services.start(in: lab)
            let web = lab.guest("web")
            let address = ipv6 ? "[\(web.ipv6)]" : web.ipv4
            for path in ["/ordinary", "/exploit"] {
                try lab.client.run(
                    "curl", "-sS", "-g", "-o", "/dev/null", "--max-time", "3", "http://\(address)\(path)")
            }
            #expect(eventually(within: .seconds(5)) { ((try? events(sensor, "alert"))?.isEmpty ?? true) == false })
            let alert = try #require(try events(sensor, "alert").first)
            let file = try #require(alert["capture_file"] as? String, "\(alert)")
            #expect(file.hasPrefix(lab.file("state/evidence/")))
            #expect(try mode(file) == 0o600 && mode(lab.file("state/evidence")) == 0o700)
            #expect(try sensor.status().evidence?.files == 1)
            // What comes after the alert is added within three seconds.
            #expect((alert["payload_printable"] as? String)?.hasPrefix("GET /exploit HTTP/1.1") == true)
            let text = try {
                _ = eventually(within: .seconds(5)) {
                    (try? lab.host.run("tcpdump", "-n", "-A", "-r", file).contains("HTTP/1.1 404")) == true
                }
                return try lab.host.run("tcpdump", "-n", "-A", "-r", file)
            }()
            #expect(text.contains("Flags [S],") && text.contains("Flags [S.],"))
            #expect(text.contains("GET /exploit HTTP/1.1") && text.contains("HTTP/1.1 404"))
            #expect(!text.contains("/ordinary"), "of this flow alone")
            #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")

            let flows = try events(sensor, "flow").filter { $0["dest_port"] as? Int == 80 }
            #expect(flows.count == 2, "\(flows)")
            let flow = try #require(flows.first { $0["flow_id"] as? Int == alert["flow_id"] as? Int })
            let course = try #require(flow["flow"] as? [String: Any])
            #expect(course["alerted"] as? Bool == true && course["reason"] as? String == "shutdown")
            #expect(flow["app_proto"] as? String == "http" && flow["src_port"] as? Int == alert["src_port"] as? Int)
            #expect((course["pkts_toserver"] as? Int ?? 0) >= 4 && (course["pkts_toclient"] as? Int ?? 0) >= 3)
            let port = try #require(flow["in_iface"] as? String)
            #expect(port == alert["in_iface"] as? String)
            let other = try #require(flows.first { $0["flow_id"] as? Int != alert["flow_id"] as? Int })
            #expect((other["flow"] as? [String: Any])?["alerted"] as? Bool == false)
        }
    }
}
