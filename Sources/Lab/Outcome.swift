/// What came of a scenario: one row of the demo, one JSON object of `flinch demo --json`.
public struct Outcome: Sendable, Codable {
    /// A signature that alerted, and at which guests.
    public struct Alert: Sendable, Codable {
        public var sid: Int
        public var signature: String
        public var concern: String
        public var guests: [String]
    }

    public struct Flood: Sendable, Codable {
        public var guest: String
        public var floodClass: String
        public var action: String
        public var concern: String
        /// Alerts that opened and events that closed it: one of each if all is well.
        public var opened: Int
        public var closed: Int
        /// As the closing event has them: packets, packets a second, seconds.
        public var packets: UInt64
        public var peakRate: UInt64
        public var duration: Double
    }

    public var scenario: String
    public var story: String
    /// The program that attacked.
    public var program: String?
    /// Packets of the attack, counted by the kernel at the attacker's port and at the guests' cards.
    public var sent = 0
    public var delivered = 0
    /// Packets that the sensor says it did not let through: by a deny or a rule, and beyond a throttle.
    public var dropped = 0
    public var throttled = 0
    /// Of both, packets that the kernel dropped before they were queued.
    public var offloaded = 0
    /// Packets that the sensor says were not inspected (queue or socket full, nobody bound).
    public var uninspected = 0
    /// Packets a second that arrived once the flood was known, and that the configuration lets through.
    public var passing: Double?
    /// Packets a second that were sent meanwhile.
    public var offered: Double?
    public var allowed: Int?
    /// From the first packet of the attack to the alert.
    public var alertMilliseconds: Double?
    public var alerts: [Alert] = []
    public var flood: Flood?
    public var siege: Siege?
    public var ordinary: OrdinaryReport
    /// The same before any attack.
    public var before: OrdinaryReport
    /// Ordinary traffic that shares the flooded class and guest, and so cannot be spared.
    public var shared: OrdinaryReport.Kind?
    /// Percent of the machine's processor time that its hypervisor gave to others meanwhile.
    public var stolen = 0.0
    /// What would have been a problem, had the machine had its processors to itself.
    public var excused: [String] = []
    /// Why the row is not as it must be; empty when it is.
    public var problems: [String] = []
    public var ok = true

    init(_ scenario: Scenario, ordinary: OrdinaryReport, before: OrdinaryReport) {
        self.scenario = scenario.name
        story = scenario.story
        self.ordinary = ordinary
        self.before = before
    }
}

extension Outcome {
    /// The bars of every row. Latency has a wide one: the machine that plays all parts at once is busy.
    enum Bar {
        static let webSuccess = 99.5
        static let otherSuccess = 97.0
        /// Milliseconds.
        static let slowerMedian = 5.0
        static let slowerTail = 100.0
        static let bulkShare = 0.8
        static let alertMilliseconds = 1000.0
        /// Of what was sent: what may be unaccounted for, and what alert-only may lose.
        static let unaccounted = 0.01
        static let throttleTolerance = 0.25
        /// Percent of stolen processor time from which times and rates are not judged.
        static let stolen = 2.0
    }

    /// Looks at the row and writes down what is not as it must be.
    mutating func judge() {
        judgeOrdinary()
        if let siege { judge(siege) }
        if let flood { judge(flood) } else if program != nil { judgeProbe() }
        if sent > 0 { judgeAccount() }
        ok = problems.isEmpty
    }

    /// Notes a time or a rate that is not as it must be. It says nothing of Flinch while the hypervisor lets
    /// nobody here run.
    mutating func noteSlow(_ problem: String) {
        if stolen < Bar.stolen { problems.append(problem) } else { excused.append(problem) }
    }

    private mutating func judgeOrdinary() {
        for kind in OrdinaryReport.Kind.allCases where kind != shared {
            let (now, was) = (ordinary.probe(kind), before.probe(kind))
            let bar = kind == .http ? Bar.webSuccess : Bar.otherSuccess
            if now.success < bar {
                problems.append("only \(Self.text(now.success)) % of \(kind.rawValue) requests succeeded")
            }
            // A hundred pings have no 99th percentile worth a bar; their median has.
            if now.p50 > was.p50 + Bar.slowerMedian {
                noteSlow(
                    "\(kind.rawValue) median rose from \(Self.text(was.p50)) to \(Self.text(now.p50)) ms")
            }
        }
        if ordinary.http.p99 > before.http.p99 + Bar.slowerTail {
            noteSlow(
                "http p99 rose from \(Self.text(before.http.p99)) to \(Self.text(ordinary.http.p99)) ms")
        }
        if ordinary.bulk < OrdinaryTraffic.bulkRate * Bar.bulkShare {
            noteSlow("bulk TCP reached only \(Int(ordinary.bulk)) Mbit/s")
        }
    }

    private mutating func judge(_ flood: Flood) {
        if flood.opened != 1 || flood.closed != 1 {
            problems.append("the flood opened \(flood.opened) and closed \(flood.closed) times, not once")
        }
        guard let alertMilliseconds else {
            problems.append("no alert")
            return
        }
        if alertMilliseconds > Bar.alertMilliseconds {
            noteSlow("the alert took \(Int(alertMilliseconds)) ms")
        }
        let passing = passing ?? 0
        switch flood.action {
        case "defend": break
        case "deny":
            if passing > 0 { problems.append("\(Int(passing)) packets a second passed a deny") }
        case "throttle":
            let allowed = min(Double(allowed ?? 0), offered ?? .infinity)
            let text = "\(Int(passing)) packets a second passed a throttle of \(Int(allowed))"
            if passing > allowed * (1 + Bar.throttleTolerance) { problems.append(text) }
            if passing < allowed * (1 - Bar.throttleTolerance) { noteSlow(text) }
        default:
            if Double(delivered) < Double(sent) * (1 - Bar.unaccounted) {
                problems.append("alert-only, but \(sent - delivered) packets did not arrive")
            }
        }
    }

    private mutating func judgeProbe() {
        if alerts.count < 3 { problems.append("alerts of \(alerts.count) signatures, not of several") }
        if alertMilliseconds == nil { problems.append("no alert") }
    }

    /// Every packet that was sent either arrived or was not let through for a reason that is counted.
    private mutating func judgeAccount() {
        let missing = abs(sent - delivered - dropped - throttled)
        if Double(missing) > max(5, Double(sent) * Bar.unaccounted) {
            problems.append("\(missing) packets are unaccounted for")
        }
        if Double(uninspected) > Double(sent) * Bar.unaccounted {
            problems.append("\(uninspected) packets were not inspected")
        }
    }

    static func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
