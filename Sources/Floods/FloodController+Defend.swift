import Evidence
import Wire

/// What the controller keeps of a class at a host that it may have to defend.
struct ClassDefence: Sendable {
    var baseline = Baseline()
    /// Of unknown sources, and of SYNs that come again.
    var unknown = Budget(start: 0, least: 0, most: 0)
    var repeats = Budget(start: 0, least: 0, most: 0)
    /// What the gate at rest lets through unasked.
    var watched: UInt32 = 0
    /// Which sketch counts the sources, from 1; 0 for none.
    var sketch: UInt32 = 0
}

extension FloodController {
    /// Ten seconds near the usual end an attack.
    private static let calmSteps = 100
    /// Nanoseconds that a heavy source is refused; for longer while it goes on.
    private static let refusal: UInt64 = 10_000_000_000
    /// Of the SYNs that passed, at the floor and above, that led to a handshake: fewer, and it is an attack.
    private static let hollowShare = 0.25
    /// Nanoseconds before the alarm in which an attack may have begun.
    private static let onset: UInt64 = 1_000_000_000
    /// What the sieve did, in the order in which a flood remembers it.
    static let sieved: [HostCounter] = [
        .challenged, .answered, .repeated, .trusted, .knownFlows, .unknown, .refused, .handshakes,
    ]

    // MARK: - One class at one host

    mutating func judgeDefended(
        _ slot: Int, _ floodClass: FloodClass, _ host: HostIdentity, _ sample: Sample, _ time: UInt64,
        isWholeSecond: Bool, _ events: inout [FloodEvent]
    ) {
        let limit = guests[host.guest].limits[floodClass]
        let floor = limit.floor(floodClass)
        let key = FloodController.key(slot, floodClass)
        let (rate, step) = FloodController.rates(floodClass, sample)
        let completed = sample.rate(.handshakes)
        let passed = max(0, sample.rate(.synIn) - sample.rate(.synStopped))
        guard var flood = open[key] else {
            let isExceeded = defences[key].baseline.isExceeded(by: step, floor: floor)
            // However much was learned, clients complete their handshakes.
            let isHollow =
                floodClass == .syn && rate >= floor && completed < passed * FloodController.hollowShare
            if isExceeded || isHollow {
                begin(slot, floodClass, floor: floor, isGood: Budget.isGood(passed: passed, completed: completed))
                raise(
                    slot, floodClass, host, rate: UInt64(rate), lastStep: UInt64(step / 10), limit, time, &events)
            } else if isWholeSecond {
                defences[key].baseline.learn(rate, floor: floor)
                watch(slot, floodClass, rate: rate, limit)
            }
            return
        }
        if floodClass == .syn {
            defences[key].unknown.adapt(passed: passed, completed: completed)
            defences[key].repeats.adapt(passed: passed, completed: completed)
            defend(flood)
        }
        flood.rate = UInt64(rate)
        flood.peakRate = max(flood.peakRate, UInt64(rate))
        let calm = max(Double(limit.exit) * floor / Double(max(1, limit.entry)), 1.5 * defences[key].baseline.usual)
        flood.quiet = rate < calm ? flood.quiet + 1 : 0
        open[key] = flood
        if flood.quiet >= FloodController.calmSteps { end(flood, host, time, &events) }
    }

    /// Over the last second and in the last step: packets of the class, of TCP only those of no known
    /// connection.
    private static func rates(_ floodClass: FloodClass, _ sample: Sample) -> (rate: Double, step: Double) {
        if floodClass == .tcp {
            return (
                sample.rate(.strays) + sample.rate(.tcpStopped), sample.step(.strays) + sample.step(.tcpStopped)
            )
        }
        let place = Int(floodClass.rawValue)
        return (sample.rates[place], sample.steps[place])
    }

    /// The budgets at the beginning of an attack: full if those who pass are clients, next to nothing if not.
    private mutating func begin(_ slot: Int, _ floodClass: FloodClass, floor: Double, isGood: Bool) {
        let key = FloodController.key(slot, floodClass)
        let threshold = defences[key].baseline.threshold(floor: floor)
        defences[key].unknown = Budget(start: isGood ? threshold : 0, least: 1, most: 10 * threshold)
        defences[key].repeats = Budget(start: threshold / 8, least: min(20, threshold / 8), most: threshold)
    }

    /// The gate of a flood that is defended against.
    mutating func defend(_ flood: OpenFlood) {
        let floor = flood.limit.floor(flood.floodClass)
        // A reload may have made it a flood that is defended against.
        if defences[FloodController.key(flood.slot, flood.floodClass)].repeats.most == 0 {
            begin(flood.slot, flood.floodClass, floor: floor, isGood: false)
        }
        let defence = defences[FloodController.key(flood.slot, flood.floodClass)]
        let unknown: UInt32 =
            switch flood.floodClass {
            case .syn: UInt32(defence.unknown.rate)
            case .tcp: 0
            case .udp, .icmp, .fragment: flood.limit.pass
            }
        setShares(flood.slot, flood.floodClass, flood.limit, repeats: UInt32(defence.repeats.rate))
        table.setGate(flood.slot, flood.floodClass, .sift(unknown))
        table.setOnset(flood.slot, flood.floodClass, flood.opened &- min(flood.opened, FloodController.onset))
    }

    private func setShares(_ slot: Int, _ floodClass: FloodClass, _ limit: FloodLimit, repeats: UInt32) {
        let floor = limit.floor(floodClass)
        let threshold = defences[FloodController.key(slot, floodClass)].baseline.threshold(floor: floor)
        table.setShares(
            slot, floodClass, trusted: UInt32(threshold), ceiling: UInt32(max(1, floor / 4)), repeats: repeats)
    }

    // MARK: - At rest

    func guardsFirst(_ floodClass: FloodClass, _ limit: FloodLimit) -> Bool {
        limit.action == .defend && floodClass == .syn
    }

    /// The gates of a host that is not under attack.
    mutating func rest(_ slot: Int, _ limits: FloodLimits) {
        for floodClass in FloodClass.allCases { rest(slot, floodClass, limits[floodClass]) }
    }

    /// A SYN flood fills the host's backlog before the controller's next step, so that the gate itself asks
    /// about SYNs beyond the threshold. Other classes wait for the controller.
    mutating func rest(_ slot: Int, _ floodClass: FloodClass, _ limit: FloodLimit) {
        let key = FloodController.key(slot, floodClass)
        guard guardsFirst(floodClass, limit) else {
            defences[key].watched = 0
            table.setGate(slot, floodClass, .open)
            return
        }
        let threshold = UInt32(defences[key].baseline.threshold(floor: limit.floor(floodClass)))
        defences[key].watched = threshold
        setShares(slot, floodClass, limit, repeats: threshold / 8)
        table.setGate(slot, floodClass, .watch(threshold))
    }

    /// Once a second, without an attack: the gate follows what was learned, and sources are counted where a
    /// class comes near its limit.
    private mutating func watch(_ slot: Int, _ floodClass: FloodClass, rate: Double, _ limit: FloodLimit) {
        let key = FloodController.key(slot, floodClass)
        if guardsFirst(floodClass, limit),
            UInt32(defences[key].baseline.threshold(floor: limit.floor(floodClass))) != defences[key].watched
        {
            rest(slot, floodClass, limit)
        }
        if rate >= limit.floor(floodClass) / 4 {
            countSources(slot, floodClass)
        } else {
            forgetSources(slot, floodClass)
        }
    }

    /// A new holder of a slot has learned nothing.
    mutating func forget(_ slot: Int, _ floodClass: FloodClass) {
        forgetSources(slot, floodClass)
        defences[FloodController.key(slot, floodClass)] = ClassDefence()
    }

    // MARK: - Sources

    mutating func countSources(_ slot: Int, _ floodClass: FloodClass) {
        let key = FloodController.key(slot, floodClass)
        guard defences[key].sketch == 0, let sketch = freeSketches.popLast() else { return }
        memory.clearSketch(sketch)
        defences[key].sketch = sketch
        table.setSketch(slot, floodClass, sketch)
    }

    mutating func forgetSources(_ slot: Int, _ floodClass: FloodClass) {
        let key = FloodController.key(slot, floodClass)
        guard defences[key].sketch != 0 else { return }
        table.setSketch(slot, floodClass, 0)
        freeSketches.append(defences[key].sketch)
        defences[key].sketch = 0
    }

    /// An estimate of how many addresses the packets of a flood came from; nil if they were not counted.
    public func sources(of flood: OpenFlood) -> UInt64? {
        let sketch = defences[FloodController.key(flood.slot, flood.floodClass)].sketch
        return sketch == 0 ? nil : UInt64(memory.estimate(sketch).rounded())
    }

    /// What the sieve did in a flood; nil where it was not asked.
    public func sieve(of flood: OpenFlood) -> SieveFigures? {
        guard flood.limit.action == .defend else { return nil }
        let sums = zip(FloodController.sieved, flood.sievedBefore).map { table.sum(flood.slot, $0) &- $1 }
        guard sums.count == FloodController.sieved.count else { return nil }
        return SieveFigures(
            challenged: sums[0], answered: sums[1], repeated: sums[2], trusted: sums[3], knownFlows: sums[4],
            unknown: sums[5], refused: sums[6], handshakes: sums[7])
    }

    /// Single sources that alone are a good part of an attack that is defended against are refused. One that
    /// is trusted has a ceiling, so it must be a whole attack by itself.
    func refuseHeavySources(_ time: UInt64) {
        guard open.values.contains(where: { $0.limit.action == .defend }) else { return }
        for source in memory.heavySources(since: time &- min(time, 1_500_000_000)) {
            guard let floodClass = FloodClass(rawValue: UInt8(source.classNumber)),
                let flood = open[FloodController.key(source.slot, floodClass)], flood.limit.action == .defend
            else { continue }
            let floor = flood.limit.floor(floodClass)
            let mark = memory.isTrusted(source.address) ? floor : floor / 4
            if Double(source.count) >= mark {
                memory.refuse(source, until: time &+ FloodController.refusal, time: time)
            }
        }
    }
}
