import Foundation

/// The client's ordinary business, for one window of time: web pages from `web` (wrk, four kept-alive
/// connections, about 400 requests a second), names from `dns` (dig, 20 a second), ping to `quiet`
/// (20 a second), and a download-like bulk transfer to `web` (iperf3, 200 Mbit/s). All of it is paced, so
/// that on a small machine the figures show the sensor and not the competition for the processor.
public struct OrdinaryTraffic: Sendable {
    private let web: Program
    private let names: Program
    private let ping: Program
    private let bulk: Program
    private let seconds: Double

    public static let bulkRate = 200.0

    /// Starts all of it; it ends by itself after `seconds` (whole seconds, for wrk).
    public static func start(in lab: Lab, seconds: Int) throws -> OrdinaryTraffic {
        let client = lab.client
        let script = try lab.write(report, to: "wrk.lua")
        let limit = Duration.seconds(seconds + 3)
        let (web, dns, quiet) = (lab.guest("web"), lab.guest("dns"), lab.guest("quiet"))
        let questions = seconds * 20
        return OrdinaryTraffic(
            web: try client.start(
                [
                    "wrk", "--threads", "1", "--connections", "4", "--duration", "\(seconds)s", "--timeout",
                    "1s",
                    "--script", script, "http://\(web.ipv4)/",
                ], limit: limit),
            names: try client.start(
                [
                    "sh", "-c",
                    "i=0; while [ $i -lt \(questions) ]; do echo www.lab; sleep 0.05; i=$((i+1)); done"
                        + " | stdbuf -oL dig @\(dns.ipv4) -u +tries=1 +time=1 +noall +answer +stats -f -",
                ], limit: limit),
            ping: try client.start(
                ["ping", "-n", "-i", "0.05", "-c", "\(seconds * 20)", "-w", "\(seconds + 1)", quiet.ipv4],
                limit: limit),
            bulk: try client.start(
                [
                    "iperf3", "--client", web.ipv4, "--bitrate", "\(Int(bulkRate))M", "--time", "\(seconds)",
                    "--connect-timeout", "1000", "--json",
                ], limit: limit),
            seconds: Double(seconds))
    }

    /// Waits for the end of the window and reads what each program says of it.
    public func finish() -> OrdinaryReport {
        let patience = Duration.seconds(seconds + 4)
        for program in [web, ping, bulk, names] { program.wait(atMost: patience) }
        for program in [web, ping, bulk, names] { program.stop(patience: .zero) }
        return OrdinaryReport(http: readWeb(), dns: readNames(), ping: readPing(), bulk: readBulk())
    }

    // MARK: Reading

    private static let report = """
        function delay() return 9 end
        done = function(summary, latency, requests)
          local e = summary.errors
          io.write(string.format('report %d %d %.3f %.3f\\n', summary.requests,
            e.connect + e.read + e.write + e.status + e.timeout,
            latency:percentile(50) / 1000, latency:percentile(99) / 1000))
        end

        """

    private func readWeb() -> Probe {
        let line = web.printed.split(separator: "\n").first { $0.hasPrefix("report ") }
        let fields = line?.split(separator: " ").dropFirst().compactMap { Double($0) } ?? []
        guard fields.count == 4 else { return Probe(asked: 1, answered: 0, times: []) }
        let answered = max(0, Int(fields[0]))
        return Probe(asked: answered + Int(fields[1]), answered: answered, p50: fields[2], p99: fields[3])
    }

    /// `;; Query time: 321 usec`, and `;; communications error … timed out` or `no servers could be reached`
    /// for a question that was not answered.
    private func readNames() -> Probe {
        let lines = names.printed.split(separator: "\n")
        let times = lines.compactMap { line -> Double? in
            guard line.hasPrefix(";; Query time: ") else { return nil }
            let words = line.split(separator: " ")
            return words.count == 5 ? Double(words[3]).map { $0 / 1000 } : nil
        }
        let answers = lines.count { $0.hasPrefix("www.lab.") && $0.contains("\tA\t") }
        let failures = lines.count { $0.contains("no servers could be reached") }
        return Probe(asked: answers + failures, answered: answers, times: times)
    }

    private func readPing() -> Probe {
        let lines = ping.printed.split(separator: "\n")
        let times = lines.compactMap { line -> Double? in
            guard let place = line.range(of: "time=") else { return nil }
            return Double(line[place.upperBound...].prefix { $0 != " " })
        }
        let summary = lines.first { $0.contains("packets transmitted") }
        let asked = summary.flatMap { Int($0.prefix { $0 != " " }) } ?? 1
        return Probe(asked: asked, answered: times.count, times: times)
    }

    private struct Transfer: Decodable {
        struct End: Decodable { var sum_received: Sum? }
        struct Sum: Decodable { var bits_per_second: Double }
        var end: End?
    }

    /// Mbit/s that arrived.
    private func readBulk() -> Double {
        let transfer = try? JSONDecoder().decode(Transfer.self, from: Data(bulk.printed.utf8))
        return (transfer?.end?.sum_received?.bits_per_second ?? 0) / 1e6
    }
}

/// How the requests of one kind fared in a window.
public struct Probe: Sendable, Codable, Equatable {
    public var asked: Int
    public var answered: Int
    /// Milliseconds; 0 when nothing was answered.
    public var p50: Double
    public var p99: Double

    public init(asked: Int, answered: Int, p50: Double, p99: Double) {
        (self.asked, self.answered, self.p50, self.p99) = (asked, answered, p50, p99)
    }

    init(asked: Int, answered: Int, times: [Double]) {
        let sorted = times.sorted()
        func quantile(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
        }
        self.init(asked: asked, answered: answered, p50: quantile(0.5), p99: quantile(0.99))
    }

    /// Percent.
    public var success: Double { asked == 0 ? 0 : 100 * Double(answered) / Double(asked) }
}

/// How ordinary traffic fared in a window.
public struct OrdinaryReport: Sendable, Codable {
    public var http: Probe
    public var dns: Probe
    public var ping: Probe
    /// Mbit/s of the `OrdinaryTraffic.bulkRate` asked for.
    public var bulk: Double

    public func probe(_ kind: Kind) -> Probe {
        switch kind {
        case .http: http
        case .dns: dns
        case .ping: ping
        }
    }

    public enum Kind: String, Sendable, Codable, CaseIterable { case http, dns, ping }
}
