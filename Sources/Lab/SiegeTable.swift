import Control
import Foundation

extension SiegeCell {
    /// Plays one cell in a lab of its own, so that who is new is new, and judges nothing.
    ///
    /// - Throws: `LabError` when the lab cannot be built or the sensor ends.
    public static func play(_ plan: Plan, binaries: Binaries) throws -> SiegeCell {
        try Requirements.root()
        try Requirements.programs()
        let lab = try Lab.start()
        defer { lab.stop() }
        let services = try Services.start(in: lab)
        return try withExtendedLifetime(services) {
            let truth = try GroundTruth.install(in: lab)
            let guardian = try Guardian(plan.barrier, in: lab, binaries)
            let cell = try play(plan, lab, truth, guardian, binaries)
            guardian.stop()
            return cell
        }
    }

    private static func play(
        _ plan: Plan, _ lab: Lab, _ truth: GroundTruth, _ guardian: Guardian, _ binaries: Binaries
    ) throws -> SiegeCell {
        let shop = lab.guest("shop")
        let stolen = StolenTime()
        try Customers.prepare(in: lab)
        // All that goes on later but the flood, the readings of the counters as well: each costs some of the machine.
        let calm = try OrdinaryTraffic.start(in: lab, seconds: plan.seconds - 2)
        let visitors = try Customers.start(in: lab, seconds: plan.seconds - 2, visit: 0)
        try Track(lab, truth, to: shop).follow(for: .seconds(plan.seconds - 2))
        let knownBefore = visitors.finish().known
        let before = calm.finish().http

        let window = try OrdinaryTraffic.start(in: lab, seconds: plan.seconds)
        let place = guardian.sensor?.eve.end ?? 0
        let first = try Sighting.watch(lab.outside.port, of: lab.host, filter: "src net 11.0.0.0/8")
        let program = try lab.outside.start(plan.command(to: shop, binaries), limit: .seconds(plan.seconds + 2))
        let track = Track(lab, truth, to: shop)
        try track.follow(for: .milliseconds(500))
        let customers = try Customers.start(in: lab, seconds: plan.seconds - 2, visit: 1)
        try track.follow(for: .milliseconds(plan.seconds * 1000 - 700))
        program.wait(atMost: .seconds(plan.seconds + 3))
        let end = ContinuousClock.now
        let (known, new, slow) = customers.finish()
        var cell = SiegeCell(
            plan: plan, known: known, knownBefore: knownBefore, new: new, newSlow: slow,
            innocent: window.finish().http, innocentBefore: before)
        (cell.offered, cell.passing) = track.late
        cell.mitigated = track.mitigated
        if let sensor = guardian.sensor {
            let status = try sensor.status()
            (cell.resident, cell.uninspected) = (status.memoryResident, status.uninspected.total)
        }
        if plan.barrier == .flinch, let sensor = guardian.sensor {
            cell.beforeUserSpace = track.beforeUserSpace
            let over = eventually(within: .seconds(25), every: .milliseconds(100)) {
                (try? sensor.status().floods.isEmpty) ?? false
            }
            if over { cell.recovered = (ContinuousClock.now - end) / .seconds(1) }
            let opening = try sensor.eve.records(from: place).first { $0.opens }
            if let alert = opening?.time, let packet = first.time() { cell.detected = (alert - packet) * 1000 }
        }
        cell.stolen = StolenTime().share(since: stolen)
        return cell
    }
}

extension SiegeCell.Plan {
    /// The core of the generator, which also takes its packets through the bridge, as an interrupt would: the last.
    public static var generatorCore: Int { ProcessInfo.processInfo.activeProcessorCount - 1 }

    /// The cores of what stands between: the others, as it is advised for a sensor (README, `sensor.cores`).
    public static var barrierCores: [Int] { Array(0..<max(1, generatorCore)) }

    /// The generator in Benchmarks/Load: it keeps its rate and has no end of addresses.
    fileprivate func command(to shop: Machine, _ binaries: Binaries) -> [String] {
        return [
            "\(binaries.directory)/flinch-load", "flood", "--interface", "eth0", "--destination-mac", shop.mac,
            "--destination", shop.ipv4, "--class", floodClass, "--sources", "\(sources)", "--rate", "\(rate)",
            "--seconds", "\(seconds)", "--core", "\(SiegeCell.Plan.generatorCore)",
        ]
    }
}

/// What stands on the bridge while a cell is played.
private final class Guardian {
    let sensor: SensorProcess?
    private let queue: Program?

    init(_ barrier: Barrier, in lab: Lab, _ binaries: Binaries) throws {
        var configuration = SensorConfiguration()
        configuration.cores = SiegeCell.Plan.barrierCores
        configuration.workers = configuration.cores.count
        configuration.hasServicePriority = true
        switch barrier {
        case .none:
            (sensor, queue) = (nil, nil)
        case .flinch:
            (sensor, queue) = (try SensorProcess.start(in: lab, configuration, binaries: binaries), nil)
        case .port:
            (sensor, queue) = (try SensorProcess.start(in: lab, configuration, binaries: binaries), nil)
            try lab.host.run("nft", "-f", "-", input: Self.portRule(lab.outside.port))
        case .queue:
            configuration.ruleFiles = [try binaries.rules]
            let file = try lab.write(configuration.yaml(for: lab), to: "queue.yaml")
            try lab.host.run(binaries.flinch, "divert", "install", "--config", file)
            let cores = configuration.cores.map(String.init).joined(separator: ",")
            let program = try lab.host.start(
                Program.servicePriority + ["\(binaries.directory)/flinch-floor", "--cores", cores],
                limit: .seconds(300))
            guard program.waitUntilItSays("ready", atMost: .seconds(5)) else {
                throw LabError("\(program.title): \(program.complained)")
            }
            (sensor, queue) = (nil, program)
        }
    }

    /// Behind the counters of what was sent (`GroundTruth`).
    private static func portRule(_ port: String) -> String {
        """
        table netdev control {
          chain control {
            type filter hook ingress device \(port) priority 10;
            ip saddr 11.0.0.0/8 drop
          }
        }

        """
    }

    func stop() {
        queue?.stop(patience: .seconds(2))
        sensor?.terminate()
    }
}

/// What was sent and what arrived in the course of a flood.
private final class Track {
    private struct Sample {
        var time: ContinuousClock.Instant
        var sent: Int
        var arrived: Int
        var offloaded: Int
    }

    private let lab: Lab
    private let truth: GroundTruth
    private let shop: Machine
    private var samples: [Sample] = []

    init(_ lab: Lab, _ truth: GroundTruth, to shop: Machine) {
        (self.lab, self.truth, self.shop) = (lab, truth, shop)
    }

    func follow(for time: Duration) throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            samples.append(try sample())
            rest(.milliseconds(100))
        }
    }

    private func sample() throws -> Sample {
        let (sent, offloaded) = try truth.sentAndOffloaded(by: lab.outside)
        // Customers' own packets are a few hundred among those that arrive.
        return Sample(
            time: ContinuousClock.now, sent: sent, arrived: try truth.arrived(at: shop).total, offloaded: offloaded)
    }

    /// The second half of it.
    private var lateHalf: (from: Sample, to: Sample)? {
        guard samples.count >= 4, let last = samples.last else { return nil }
        return (samples[samples.count / 2], last)
    }

    /// Packets a second.
    var late: (sent: Double, arrived: Double) {
        guard let (from, to) = lateHalf else { return (0, 0) }
        let seconds = (to.time - from.time) / .seconds(1)
        return (Double(to.sent - from.sent) / seconds, Double(to.arrived - from.arrived) / seconds)
    }

    var beforeUserSpace: Double? {
        guard let (from, to) = lateHalf, to.sent > from.sent else { return nil }
        return min(100, 100 * Double(to.offloaded - from.offloaded) / Double(to.sent - from.sent))
    }

    /// Milliseconds from the first sample with a packet to the one from which on less than a twentieth arrives.
    var mitigated: Double? {
        guard let start = samples.firstIndex(where: { $0.sent > 0 }), let last = samples.last else { return nil }
        var since: Sample?
        for (before, sample) in zip(samples[start...], samples[start...].dropFirst()) {
            let (sent, arrived) = (sample.sent - before.sent, sample.arrived - before.arrived)
            guard sent > 0, sample.time <= last.time else { continue }
            if Double(arrived) < 0.05 * Double(sent) { since = since ?? before } else { since = nil }
        }
        return since.map { ($0.time - samples[start].time) / .milliseconds(1) }
    }
}
