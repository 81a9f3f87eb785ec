import Lab
import Testing

/// The real programs in the lab. One test after the other: they share the machine's two or more cores, and
/// a rate that one test measures is not another's to disturb.
///
/// Needs root. Without it every test fails with the line that says so: a test that is skipped would let
/// `make test` pass without having tried what Flinch is for.
@Suite(.serialized)
struct Integration {
    /// The lab with a sensor, and nothing else running in it.
    static func withSensor(
        _ configuration: SensorConfiguration = SensorConfiguration(),
        _ body: (Lab, SensorProcess) async throws -> Void
    ) async throws {
        try Requirements.root()
        try Requirements.programs()
        let lab = try Lab.start()
        defer { lab.stop() }
        let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
        try await body(lab, sensor)
    }

    /// What was told of hosts' behaviour from a place of the log on, when a program has just ended: the first within
    /// eight seconds, and what comes right behind it.
    static func behaviours(_ sensor: SensorProcess, from place: Int) throws -> [EveLog.Record] {
        func found() throws -> [EveLog.Record] {
            try sensor.eve.records(from: place).filter { $0.event_type == "alert" && $0.flinch?.behaviour != nil }
        }
        _ = eventually(within: .seconds(8)) { (try? found().isEmpty) == false }
        rest(.milliseconds(1500))
        return try found()
    }
}

extension Lab {
    /// Pings `count` times, a hundred a second, and returns how many answers came within three seconds. The
    /// kernel's counter is asked, because ping itself does not wait for the last ones.
    func pings(_ count: Int, from: Machine, to address: String) throws -> Int {
        let counter = address.contains(":") ? "Icmp6InEchoReplies" : "IcmpInEchoReps"
        func answers() throws -> Int {
            let lines = try from.run("nstat", "-asz", counter).split(separator: "\n")
            let fields = try #require(lines.first { $0.hasPrefix(counter) }).split(separator: " ")
            return try #require(Int(fields[1]))
        }
        let before = try answers()
        // On a busy machine ping keeps to two thirds of its pace: one that is ended early looks like a loss.
        let program = try from.start(
            ["ping", "-n", "-q", "-i", "0.01", "-c", "\(count)", "-W", "1", address],
            limit: .seconds(count / 50 + 4))
        program.wait(atMost: .seconds(count / 50 + 6))
        _ = eventually(within: .seconds(3), every: .milliseconds(50)) {
            (try? answers()).map { $0 - before >= count } ?? true
        }
        return try answers() - before
    }

    /// Pings as often as answers are expected, or `count` times, and checks that so many come.
    func expectAnswers(
        _ expected: Int, of count: Int? = nil, from: Machine, to address: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let answers = try pings(count ?? expected, from: from, to: address)
        #expect(answers == expected, sourceLocation: location)
    }

    /// Plays a flood to its end and counts what was sent and what arrived of its class, and what of it
    /// arrived late: when the flood had been known for long, and still went on.
    func flood(_ attack: Attack) throws -> (sent: Int, arrived: Int, late: Int) {
        let truth = try GroundTruth.install(in: self)
        defer { try? GroundTruth.remove(from: self) }
        let program = try attack.start()
        rest(.milliseconds(1800))
        let early = try truth.arrived(at: attack.to)[attack.floodClass]
        program.wait(atMost: .seconds(attack.seconds + 2))
        rest(.milliseconds(100))
        let arrived = try truth.arrived(at: attack.to)[attack.floodClass]
        return (try truth.sent(by: attack.from)[attack.floodClass], arrived, arrived - early)
    }

    /// The kernel's packet rules of the host, without their counters.
    func rules() throws -> String { try host.run("nft", "--stateless", "list", "ruleset") }
}
