import Control
import Foundation

/// The lab with everything in it, ready to play scenarios: servers, counters, and the sensor.
public final class Stage: Sendable {
    public let lab: Lab
    public let truth: GroundTruth
    public let sensor: SensorProcess
    public let configuration: SensorConfiguration
    private let services: Services

    /// Seconds that a flood lasts, and whole seconds of ordinary traffic around it.
    private static let attackSeconds = 3.0
    private static let windowSeconds = 5

    public static func build(
        _ configuration: SensorConfiguration = SensorConfiguration(), binaries: Binaries
    ) throws -> Stage {
        try Requirements.root()
        try Requirements.programs()
        let lab = try Lab.start()
        do {
            let services = try Services.start(in: lab)
            let truth = try GroundTruth.install(in: lab)
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: binaries)
            return Stage(lab, services, truth, sensor, configuration)
        } catch {
            lab.stop()
            throw error
        }
    }

    private init(
        _ lab: Lab, _ services: Services, _ truth: GroundTruth, _ sensor: SensorProcess,
        _ configuration: SensorConfiguration
    ) {
        self.lab = lab
        self.services = services
        self.truth = truth
        self.sensor = sensor
        self.configuration = configuration
    }

    public func strike() { lab.stop() }

    /// Plays one scenario and judges it.
    ///
    /// - Parameter before: the ordinary traffic of a window without an attack; nil when this is that window.
    public func play(_ scenario: Scenario, before: OrdinaryReport?) throws -> Outcome {
        do {
            try checkSensor()
            let start = StolenTime()
            var outcome =
                switch scenario.play {
                case .ordinary: try playOrdinary(scenario)
                case .probe: try playProbe(scenario, before)
                case .flood(let flood): try play(flood, scenario, before)
                case .siege(let sources, let rate): try playSiege(sources, rate, scenario, before)
                }
            try checkSensor()
            outcome.stolen = StolenTime().share(since: start)
            outcome.judge()
            return outcome
        } catch {
            // A sensor that is gone explains whatever else failed.
            try checkSensor()
            throw error
        }
    }

    private func checkSensor() throws {
        guard let ending = sensor.program.ended else { return }
        throw LabError("flinchd has ended (\(ending)):\n\(sensor.program.complained)")
    }

    // MARK: Plays

    private func playOrdinary(_ scenario: Scenario) throws -> Outcome {
        let start = sensor.eve.end
        let report = try OrdinaryTraffic.start(in: lab, seconds: Self.windowSeconds).finish()
        var outcome = Outcome(scenario, ordinary: report, before: report)
        let records = try sensor.eve.records(from: start)
        outcome.alerts = alerts(records)
        if let alert = outcome.alerts.first { outcome.problems.append("a false alarm: \(alert.signature)") }
        noteOtherFloods(records, but: nil, &outcome)
        return outcome
    }

    private func playProbe(_ scenario: Scenario, _ before: OrdinaryReport?) throws -> Outcome {
        let window = try OrdinaryTraffic.start(in: lab, seconds: Self.windowSeconds)
        rest(.milliseconds(400))
        let guests = lab.guests
        let start = try Reading(self, from: lab.outside, to: guests)
        let first = try Sighting.watch(
            lab.outside.port, of: lab.host, filter: "src host \(lab.outside.ipv4) and tcp")
        let nmap = try lab.outside.start(
            [
                "nmap", "-n", "-Pn", "-sS", "-p139,445", "--script",
                "smb-protocols,smb-os-discovery,smb-security-mode,smb-vuln-ms17-010,smb2-security-mode",
            ] + guests.map(\.ipv4), limit: .seconds(30))
        nmap.wait(atMost: .seconds(30))
        let report = window.finish()
        let end = try Reading(self, from: lab.outside, to: guests)

        var outcome = Outcome(scenario, ordinary: report, before: before ?? report)
        outcome.program = "nmap"
        end.account(since: start, into: &outcome)
        let records = try sensor.eve.records(from: start.place)
        outcome.alerts = alerts(records)
        outcome.alertMilliseconds = delay(records.first { $0.isSignature }, first)
        let silent = guests.filter { guest in !outcome.alerts.contains { $0.guests.contains(guest.name) } }
        if !silent.isEmpty {
            outcome.problems.append("no alert for \(silent.map(\.name).joined(separator: ", "))")
        }
        noteOtherFloods(records, but: nil, &outcome)
        return outcome
    }

    private func play(_ flood: Scenario.Flood, _ scenario: Scenario, _ before: OrdinaryReport?) throws
        -> Outcome
    {
        let attack = flood.attack(in: lab, seconds: Self.attackSeconds)
        let window = try OrdinaryTraffic.start(in: lab, seconds: Self.windowSeconds)
        // Its connections stand before the flood begins, as those of ordinary users do.
        rest(.milliseconds(400))
        let start = try Reading(self, from: attack.from, to: [attack.to], only: flood.floodClass)
        let first = try Sighting.watch(attack.from.port, of: lab.host, filter: attack.filter)
        let program = try attack.start()
        // The flood is known by then and still goes on.
        rest(.milliseconds(1300))
        let early = try Passage(self, attack)
        rest(.milliseconds(1200))
        let late = try Passage(self, attack)
        program.wait(atMost: .seconds(Self.attackSeconds + 3))
        let report = window.finish()
        let target = attack.to.name
        _ = eventually(within: .seconds(6), every: .milliseconds(50)) {
            let records = (try? sensor.eve.records(from: start.place)) ?? []
            return records.contains { $0.closes && $0.isFlood(flood.floodClass, at: target) }
        }
        let end = try Reading(self, from: attack.from, to: [attack.to], only: flood.floodClass)

        var outcome = Outcome(scenario, ordinary: report, before: before ?? report)
        outcome.program = attack.program
        outcome.shared = flood.shared
        let limit = configuration.limit(flood.floodClass, at: target)
        end.account(since: start, denies: limit?.action == "deny", into: &outcome)
        (outcome.offered, outcome.passing) = late.rates(since: early)
        outcome.allowed = limit?.pass
        let records = try sensor.eve.records(from: start.place)
        outcome.alerts = alerts(records)
        let mine = records.filter { $0.isFlood(flood.floodClass, at: target) }
        let opening = mine.first { $0.opens }
        let closing = mine.first { $0.closes }?.flinch?.flood
        outcome.alertMilliseconds = delay(opening, first)
        outcome.flood = Outcome.Flood(
            guest: target, floodClass: flood.floodClass, action: limit?.action ?? "throttle",
            concern: opening?.flinch?.concern ?? "low", opened: mine.count { $0.opens },
            closed: mine.count { $0.closes }, packets: closing?.packets ?? 0,
            peakRate: closing?.peak_rate ?? 0,
            duration: closing?.duration ?? 0)
        noteOtherFloods(records, but: (flood.floodClass, target), &outcome)
        return outcome
    }

    // MARK: What the sensor said

    func delay(_ record: EveLog.Record?, _ first: Sighting) -> Double? {
        guard let alert = record?.time, let packet = first.time() else { return nil }
        return (alert - packet) * 1000
    }

    /// The signatures that alerted, in the order of their first alert.
    func alerts(_ records: [EveLog.Record]) -> [Outcome.Alert] {
        var alerts: [Outcome.Alert] = []
        for record in records where record.isSignature {
            guard let alert = record.alert else { continue }
            let guest = record.flinch?.guest ?? "–"
            if let index = alerts.firstIndex(where: { $0.sid == alert.signature_id }) {
                if !alerts[index].guests.contains(guest) { alerts[index].guests.append(guest) }
            } else {
                alerts.append(
                    Outcome.Alert(
                        sid: alert.signature_id, signature: alert.signature,
                        concern: record.flinch?.concern ?? "low", guests: [guest]))
            }
        }
        return alerts
    }

    /// A flood alert that nobody played is a false alarm.
    func noteOtherFloods(
        _ records: [EveLog.Record], but played: (floodClass: String, guest: String)?, _ outcome: inout Outcome
    ) {
        for record in records where record.opens {
            if let played, record.isFlood(played.floodClass, at: played.guest) { continue }
            outcome.problems.append("a false alarm: \(record.alert?.signature ?? "flood")")
        }
    }
}

extension EveLog.Record {
    public func isFlood(_ floodClass: String, at guest: String) -> Bool {
        flinch?.flood?.class == floodClass && flinch?.guest == guest
    }
}

/// All counters at one moment.
struct Reading {
    let place: Int
    let sent: Int
    let arrived: Int
    let status: Status

    /// - Parameter only: the flood class that counts; all of them when nil.
    init(_ stage: Stage, from: Machine, to targets: [Machine], only floodClass: String? = nil) throws {
        func figure(_ count: TrafficCount) -> Int { floodClass.map { count[$0] } ?? count.total }
        place = stage.sensor.eve.end
        sent = figure(try stage.truth.sent(by: from))
        arrived = try targets.reduce(0) { $0 + figure(try stage.truth.arrived(at: $1)) }
        status = try stage.sensor.status()
    }

    func account(since start: Reading, denies: Bool = false, into outcome: inout Outcome) {
        let throttle = ["flood throttled", "flood, source unproved"]
        func throttled(_ status: Status) -> UInt64 { throttle.reduce(0) { $0 + (status.verdicts.byReason[$1] ?? 0) } }
        outcome.sent = sent - start.sent
        outcome.delivered = arrived - start.arrived
        func offloaded(_ status: Status) -> UInt64 { status.verdicts.byReason[Status.Verdicts.offloaded] ?? 0 }
        outcome.offloaded = Int(offloaded(status) - offloaded(start.status))
        // The kernel does what the action is.
        outcome.throttled = Int(throttled(status) - throttled(start.status)) + (denies ? 0 : outcome.offloaded)
        outcome.dropped = Int(status.verdicts.dropped - start.status.verdicts.dropped) - outcome.throttled
        outcome.uninspected = Int(status.uninspected.total - start.status.uninspected.total)
    }
}

/// Packets that had been sent and had arrived at a moment, for the rates between two.
struct Passage {
    let time = ContinuousClock.now
    let sent: Int
    let arrived: Int

    init(_ stage: Stage, _ attack: Attack) throws {
        sent = try stage.truth.sent(by: attack.from)[attack.floodClass]
        arrived = try stage.truth.arrived(at: attack.to)[attack.floodClass]
    }

    func rates(since early: Passage) -> (sent: Double, arrived: Double) {
        let seconds = (time - early.time) / .seconds(1)
        return (Double(sent - early.sent) / seconds, Double(arrived - early.arrived) / seconds)
    }
}
