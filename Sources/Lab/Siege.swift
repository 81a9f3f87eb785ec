import Foundation

/// The shop under a flood from everywhere, and its customers meanwhile: some who were there before, others
/// who come for the first time. Each asks with an address of its own, over a connection of its own.
struct Customers: Sendable {
    private let known: Program
    private let new: Program
    private let asked: (known: Int, new: Int)

    static let knownCount = 20
    /// Requests a second of each of the known, which is fifty of all of them, and of those who were never there.
    private static let knownRate = 2.5
    private static let newRate = 10

    /// Gives the customers their addresses, and the shop a way to answer them and everybody else; and sets the
    /// shop up as a server that a SYN flood harms: 512 half-open connections, no SYN cookies, no memory of
    /// proven peers.
    static func prepare(in lab: Lab) throws {
        let (shop, crowd) = (lab.guest("shop"), lab.crowd)
        try crowd.run(
            "sh", "-c",
            "for i in $(seq 1 250); do ip address replace 10.77.2.$i/32 dev eth0; ip address replace 10.77.3.$i/32 dev eth0; done"
        )
        try shop.run(
            "sh", "-c",
            "ip route replace 10.77.2.0/23 via \(crowd.ipv4); ip route replace default via \(lab.outside.ipv4); "
                + "sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=512 "
                + "net.ipv4.tcp_no_metrics_save=1")
        let visits = try ask(lab, "10.77.2.$((1 + i % \(knownCount)))", count: knownCount, pause: 0.02)
        visits.wait(atMost: .seconds(10))
        let first = read(visits, knownCount)
        guard first.answered == knownCount else {
            throw LabError("the shop answers only \(first.answered) of \(knownCount) customers before any attack")
        }
    }

    /// Fifty requests a second of the known, and ten of others who were never there, for `seconds` at most 12. `visit`
    /// says which of the others: 0 or 1.
    static func start(in lab: Lab, seconds: Int, visit: Int) throws -> Customers {
        let asked = (known: Int((Double(seconds) * knownRate).rounded()) * knownCount, new: min(125, seconds * newRate))
        return Customers(
            known: try returning(lab, count: asked.known / knownCount, seconds: seconds),
            new: try ask(
                lab, "10.77.3.$((1 + \(visit * 125) + i))", count: asked.new, pause: 1 / Double(newRate)),
            asked: asked)
    }

    func finish() -> (known: Probe, new: Probe, slow: Double) {
        for program in [known, new] { program.wait(atMost: .seconds(20)) }
        for program in [known, new] { program.stop(patience: .zero) }
        return (Self.read(known, asked.known), Self.read(new, asked.new), Self.quantile(0.95, Self.times(new)))
    }

    /// What curl prints: `read` reads it.
    private static let curl =
        "curl --silent --output /dev/null --write-out '%{http_code} %{time_connect}\\n' --max-time 6"

    /// Each with a curl of its own that goes on, a connection a request: to start one for each request would cost more
    /// than the request, and only several hundred of them have a 99th percentile. They begin one after the other, so
    /// that they do not come in step.
    private static func returning(_ lab: Lab, count: Int, seconds: Int) throws -> Program {
        let gap = 1 / knownRate / Double(knownCount)
        let curl =
            "timeout \(seconds + 4) stdbuf -oL \(curl) --http1.0 --rate \(Int(knownRate * 60))/m "
            + "--interface 10.77.2.$i 'http://\(lab.guest("shop").ipv4)/?[1-\(count)]'"
        return try lab.crowd.start(
            ["sh", "-c", "for i in $(seq 1 \(knownCount)); do \(curl) & sleep \(gap); done; wait"],
            limit: .seconds(seconds + 10))
    }

    private static func ask(_ lab: Lab, _ address: String, count: Int, pause: Double) throws -> Program {
        let curl = "\(curl) --interface \(address) http://\(lab.guest("shop").ipv4)/"
        return try lab.crowd.start(
            ["sh", "-c", "i=0; while [ $i -lt \(count) ]; do \(curl) & sleep \(pause); i=$((i+1)); done; wait"],
            limit: .seconds(Double(count) * pause * 2 + 10))
    }

    /// A line for each request: the status, 000 for none, and seconds until the connection stood. One that was not
    /// made, because those before it took so long, was not answered.
    private static func read(_ program: Program, _ asked: Int) -> Probe {
        let times = times(program)
        return Probe(asked: asked, answered: times.count, times: times)
    }

    private static func times(_ program: Program) -> [Double] {
        program.printed.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "200" else { return nil }
            return Double(words[1]).map { $0 * 1000 }
        }
    }

    private static func quantile(_ share: Double, _ times: [Double]) -> Double {
        let sorted = times.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
}

extension Outcome {
    /// How customers of the shop fared, and what of the flood they shared it with. Times are milliseconds
    /// until the connection stood.
    public struct Siege: Sendable, Codable {
        public var known: Probe
        public var new: Probe
        /// The 95th percentile of those who came for the first time.
        public var newSlow: Double
        /// Addresses that the flood came from, as the sensor estimates it.
        public var sources: UInt64
        /// What telling sources apart came to, as the closing event has it.
        public var sieve: [String: UInt64]
        /// Seconds from the end of the flood to the end of all restrictions.
        public var recovery: Double?
    }

    mutating func judge(_ siege: Siege) {
        if siege.known.success < 99 {
            problems.append("only \(Self.text(siege.known.success)) % of known customers' requests succeeded")
        }
        if siege.new.success < 98 {
            problems.append("only \(Self.text(siege.new.success)) % of new customers connected")
        }
        if siege.newSlow > 1200 { noteSlow("new customers took up to \(Int(siege.newSlow)) ms to connect") }
        if let passing, let offered, passing > 0.05 * offered {
            problems.append("\(Int(passing)) of \(Int(offered)) attack packets a second reached the shop")
        }
        guard let recovery = siege.recovery else { return problems.append("restrictions were not lifted") }
        if recovery > 15 { problems.append("restrictions were lifted only after \(Int(recovery)) s") }
    }
}

extension Stage {
    private static let siegeSeconds = 8.0

    func playSiege(_ sources: Int, _ rate: Int, _ scenario: Scenario, _ before: OrdinaryReport?) throws -> Outcome {
        let shop = lab.guest("shop")
        try Customers.prepare(in: lab)
        let attack = Attack.spoofed(
            "syn", from: lab.outside, to: shop, sources: sources, rate: rate, seconds: Self.siegeSeconds)
        let window = try OrdinaryTraffic.start(in: lab, seconds: Int(Self.siegeSeconds) + 2)
        let start = try Reading(self, from: attack.from, to: [shop], only: "syn")
        let first = try Sighting.watch(attack.from.port, of: lab.host, filter: attack.filter)
        let program = try attack.start()
        // They begin when the flood is there.
        rest(.milliseconds(500))
        let customers = try Customers.start(in: lab, seconds: Int(Self.siegeSeconds) - 2, visit: 0)
        rest(.milliseconds(1000))
        let early = try Passage(self, attack)
        rest(.milliseconds(4000))
        let late = try Passage(self, attack)
        program.wait(atMost: .seconds(Self.siegeSeconds + 3))
        let end = ContinuousClock.now
        let (known, new, slow) = customers.finish()
        let report = window.finish()
        let isOver = eventually(within: .seconds(20), every: .milliseconds(50)) {
            let records = (try? sensor.eve.records(from: start.place)) ?? []
            return records.contains { $0.closes && $0.isFlood("syn", at: "shop") }
        }
        let recovery = (ContinuousClock.now - end) / .seconds(1)
        let last = try Reading(self, from: attack.from, to: [shop], only: "syn")

        var outcome = Outcome(scenario, ordinary: report, before: before ?? report)
        outcome.program = attack.program
        last.account(since: start, into: &outcome)
        (outcome.offered, outcome.passing) = late.rates(since: early)
        let records = try sensor.eve.records(from: start.place)
        outcome.alerts = alerts(records)
        let mine = records.filter { $0.isFlood("syn", at: "shop") }
        let closing = mine.first { $0.closes }?.flinch?.flood
        outcome.alertMilliseconds = delay(mine.first { $0.opens }, first)
        outcome.flood = Outcome.Flood(
            guest: "shop", floodClass: "syn", action: "defend",
            concern: mine.first { $0.opens }?.flinch?.concern ?? "low", opened: mine.count { $0.opens },
            closed: mine.count { $0.closes }, packets: closing?.packets ?? 0, peakRate: closing?.peak_rate ?? 0,
            duration: closing?.duration ?? 0)
        outcome.siege = Outcome.Siege(
            known: known, new: new, newSlow: slow, sources: closing?.sources ?? 0, sieve: closing?.sieve ?? [:],
            recovery: isOver ? recovery : nil)
        noteOtherFloods(records, but: ("syn", "shop"), &outcome)
        return outcome
    }
}
