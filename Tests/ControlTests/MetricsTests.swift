import Control
import Foundation
import Lab
import Testing

private func sampleStatus(guests: Int = 2) -> Status {
    let rows = (0..<guests).map { number in
        Status.Guest(
            name: "guest\(number)", address: "192.0.2.\(number)", shadow: false, packetsIn: 10, bitsIn: 8000,
            packetsOut: 5, bitsOut: 4000, rates: ["syn": 1], received: ["syn": 100, "udp": 7], dropped: ["syn": 3],
            alerts: 2)
    }
    var status = Status(
        sensor: "lab \"\\\n", version: "0.1.0", pid: 1, uptime: 12.5, backend: "bridge", shadow: false,
        whenStopped: "pass", whenOverloaded: "pass",
        queues: [
            Status.Queue(
                number: 3, core: 0, packets: 9_007_199_254, rate: 1, waiting: 7, dropped: 11, undelivered: 13,
                batches: 2, userTime: 0.25, systemTime: 1,
                latency: Latency(counts: [5, 3] + Array(repeating: 0, count: 10) + [1], sum: 20_000_000))
        ], guests: rows,
        floods: [
            Status.Flood(
                identifier: 1, guest: "guest0", address: "192.0.2.0", floodClass: "syn", concern: "high",
                action: "deny", shadow: false, seconds: 1, rate: 1, peakRate: 1, packets: 1, dropped: 1)
        ], verdicts: Status.Verdicts(accepted: 1000, dropped: 5, byReason: ["rule": 5], wouldDrop: ["flood-deny": 2]),
        uninspected: Status.Uninspected(
            droppedQueueFull: 1, droppedSocketFull: 2, passedOverload: 3, passedUnbound: 4, droppedUnbound: 5,
            unreadable: 6, passedFragments: 0),
        rules: Status.Rules(loaded: 46, rejected: 1, generation: 1, lastError: nil),
        events: Status.Events(written: 20, withheld: 21, lostRing: 22, lostWrite: 23, waiting: 24, lastError: nil),
        sinks: [
            Status.Sink(
                name: "mail", channel: "mail", state: "failing", queued: 30, delivered: 31, dropped: 32, failures: 33,
                lastError: "secret things", lastErrorTime: 0)
        ], memoryBound: 1 << 20, memoryResident: 1 << 21)
    status.evidence = Status.Evidence(files: 2, bytes: 4096, missed: 3, lastError: nil)
    return status
}

struct MetricsTests {
    private func folder() -> String {
        // Tests/ControlTests/MetricsTests.swift stands in the third folder below the root.
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/Monitoring"
    }

    private func ask(_ server: MetricsServer, _ path: String = "/metrics") throws -> (status: String, body: String) {
        let program = try Program.start([
            "curl", "-s", "-i", "--noproxy", "*", "http://127.0.0.1:\(server.port)\(path)",
        ])
        try #require(program.wait(atMost: .seconds(10)) == .exited(0))
        let lines = program.printed.components(separatedBy: "\r\n")
        return (lines[0], lines.last ?? "")
    }

    @Test func promtoolAcceptsThePage() throws {
        let page = MetricsPage(sampleStatus()).text
        let program = try Program.start(["promtool", "check", "metrics"], input: page)
        #expect(program.wait(atMost: .seconds(20)) == .exited(0), "\(program.printed)\(program.complained)")
        for sample in [
            #"flinch_info{sensor="lab \"\\\n",version="0.1.0",backend="bridge"} 1"#, "flinch_uptime_seconds 12.5",
            #"flinch_queue_packets_total{queue="3"} 9007199254"#, #"flinch_packets_dropped_total{reason="rule"} 5"#,
            #"flinch_queue_kernel_dropped_packets_total{queue="3",cause="socket-full"} 13"#,
            #"flinch_guest_received_packets_total{guest="guest1",class="udp"} 7"#,
            #"flinch_floods_open{class="syn"} 1"#, #"flinch_sink_up{sink="mail",channel="mail"} 0"#,
            #"flinch_sink_dropped_total{sink="mail",channel="mail"} 32"#, "flinch_evidence_missed_total 3",
            #"flinch_verdict_latency_seconds_bucket{queue="3",le="4.096e-06"} 5"#,
            #"flinch_verdict_latency_seconds_bucket{queue="3",le="8.192e-06"} 8"#,
            #"flinch_verdict_latency_seconds_bucket{queue="3",le="+Inf"} 9"#,
            #"flinch_verdict_latency_seconds_sum{queue="3"} 0.02"#,
            #"flinch_verdict_latency_seconds_count{queue="3"} 9"#,
        ] { #expect(page.contains(sample + "\n"), "\(sample)") }
        #expect(!page.contains("secret things"))
    }

    @Test func guestsAreBounded() {
        let page = MetricsPage(sampleStatus(guests: 1000)).text
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("flinch_guest_findings_total") }
        #expect(rows.count == GuestTraffic.limit + 1)
        #expect(rows.contains("flinch_guest_findings_total{guest=\"_others\"} \(2 * (1000 - GuestTraffic.limit))"))
    }

    @Test func rulesAndDashboardNameWhatThereIs() throws {
        let check = try Program.start(["promtool", "check", "rules", folder() + "/flinch-alerts.yml"])
        #expect(check.wait(atMost: .seconds(20)) == .exited(0), "\(check.printed)\(check.complained)")
        let page = MetricsPage(sampleStatus()).text
        let lines = page.split(separator: "\n")
        // Families, and the series of histograms.
        let known = Set(
            lines.filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
                + lines.filter { !$0.hasPrefix("#") }.map { String($0.prefix { $0 != "{" && $0 != " " }) })
        for file in ["/flinch-alerts.yml", "/flinch-dashboard.json"] {
            let text = try String(contentsOfFile: folder() + file, encoding: .utf8)
            let used = text.matches(of: /flinch_[a-z_]+/).map { String($0.output) }
            #expect(used.count > 5)
            for name in used { #expect(known.contains(name), "\(name) in \(file)") }
        }
        let dashboard = try Data(contentsOf: URL(fileURLWithPath: folder() + "/flinch-dashboard.json"))
        #expect(try JSONSerialization.jsonObject(with: dashboard) is [String: Any])
    }

    @Test func requests() throws {
        let server = try MetricsServer(host: "127.0.0.1", port: 0)
        server.start { "page\n" }
        defer { server.stop() }
        #expect(try ask(server) == ("HTTP/1.1 200 OK", "page\n"))
        #expect(try ask(server, "/metrics?name=x").status == "HTTP/1.1 200 OK")
        #expect(try ask(server, "/secrets").status == "HTTP/1.1 404 Not Found")
    }

    @Test func aUnixSocketForItsGroup() throws {
        try withFolder { folder in
            let path = folder + "/metrics.sock"
            let server = try MetricsServer(path: path)
            server.start { "page\n" }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & 0o007 == 0)
            let program = try Program.start(["curl", "-s", "--unix-socket", path, "http://flinch/metrics"])
            #expect(program.wait(atMost: .seconds(10)) == .exited(0))
            #expect(program.printed == "page\n")
            server.stop()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    /// A real Prometheus scrapes the page and answers a question about it.
    @Test func prometheusScrapes() throws {
        try withFolder { folder in
            let server = try MetricsServer(host: "127.0.0.1", port: 0)
            server.start { MetricsPage(sampleStatus()).text }
            defer { server.stop() }
            try """
            global: {scrape_interval: 1s}
            rule_files: ["\(self.folder())/flinch-alerts.yml"]
            scrape_configs:
              - job_name: flinch
                static_configs: [{targets: ["127.0.0.1:\(server.port)"]}]
            """.write(toFile: folder + "/prometheus.yml", atomically: true, encoding: .utf8)
            let program = try Program.start([
                "prometheus", "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/data",
                "--web.listen-address=127.0.0.1:0", "--log.level=info",
            ])
            defer { program.stop() }
            try #require(program.waitUntilItSays("\"Listening on\"", atMost: .seconds(30)), "\(program.complained)")
            let address = program.complained.firstMatch(of: /Listening on" address=(127\.0\.0\.1:[0-9]+)/)
            let place = String(try #require(address, "\(program.complained)").output.1)
            func query(_ text: String) throws -> String {
                let curl = try Program.start([
                    "curl", "-s", "--noproxy", "*", "-G", "--data-urlencode", "query=\(text)",
                    "http://\(place)/api/v1/query",
                ])
                curl.wait(atMost: .seconds(10))
                return curl.printed
            }
            #expect(
                try {
                    for _ in 0..<100 {
                        if try query("flinch_queue_waiting").contains("\"7\"") { return true }
                        usleep(100_000)
                    }
                    return false
                }())
            #expect(try query("up{job=\"flinch\"}").contains("\"1\""))
        }
    }
}
