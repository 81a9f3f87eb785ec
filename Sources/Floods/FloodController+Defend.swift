import Evidence
import Wire

extension FloodController {
    /// Ten seconds near the usual end an attack.
    static let calmSteps = 100
    /// Nanoseconds that a heavy source is refused; for longer while it goes on.
    private static let refusal: UInt64 = 10_000_000_000
    /// Nanoseconds before the alarm in which an attack may have begun.
    private static let onset: UInt64 = 1_000_000_000
    /// DNS queries a second to one host that are answered truncated; all challenges of the sensor have as much.
    static let truncatedAnswers = KnownSources.challengeRate
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
        let (rate, step) = ClassDefence.rates(floodClass, sample)
        guard var flood = open[key] else {
            // What is defended as part of its guest is not defended again.
            guard open[FloodController.key(guest: host.guest, floodClass)] == nil else { return }
            if defences[key].isAttacked(floodClass, sample, floor: floor) {
                defences[key].begin(sample, floor: floor)
                raise(
                    slot, floodClass, host, rate: UInt64(rate), lastStep: UInt64(step / 10), limit, time, &events)
            } else if isWholeSecond {
                defences[key].baseline.learn(rate, floor: floor)
                watch(slot, floodClass, rate: rate, limit)
            }
            return
        }
        defences[key].adapt(floodClass, sample)
        if floodClass == .syn { defend(flood) }
        flood.rate = UInt64(rate)
        flood.peakRate = max(flood.peakRate, UInt64(rate))
        flood.quiet = rate < defences[key].calm(limit, floor: floor) ? flood.quiet + 1 : 0
        open[key] = flood
        if flood.quiet >= FloodController.calmSteps { end(flood, host, time, &events) }
    }

    /// The gate of a flood at a host that is defended against.
    mutating func defend(_ flood: OpenFlood) {
        let floor = flood.limit.floor(flood.floodClass)
        let key = FloodController.key(flood.slot, flood.floodClass)
        // A reload may have made it a flood that is defended against.
        if !defences[key].isReady { defences[key].begin(nil, floor: floor) }
        defend(flood, at: flood.slot, defences[key], share: 1)
    }

    /// The gate of a class at a host, which gets `share` of the budgets.
    func defend(_ flood: OpenFlood, at slot: Int, _ defence: ClassDefence, share: Double) {
        func part(_ budget: Budget) -> UInt32 { UInt32(max(1, (budget.rate * share).rounded())) }
        let unknown: UInt32 =
            switch flood.floodClass {
            case .syn: part(defence.unknown)
            case .tcp: 0
            case .udp, .icmp, .fragment: flood.limit.pass
            }
        let repeats =
            flood.floodClass == .syn
            ? part(defence.repeats) : flood.limit.truncatesDNS ? FloodController.truncatedAnswers : 0
        table.setShares(
            slot, flood.floodClass, trusted: part(defence.trusted),
            ceiling: FloodController.ceiling(flood.floodClass, flood.limit), repeats: repeats)
        table.setOnset(slot, flood.floodClass, flood.opened &- min(flood.opened, FloodController.onset))
        table.setGate(slot, flood.floodClass, .sift(unknown))
    }

    /// Packets a second of one trusted source. One that is beyond it is not dropped but asked for proof, and
    /// proof of a SYN is cheap.
    private static func ceiling(_ floodClass: FloodClass, _ limit: FloodLimit) -> UInt32 {
        UInt32(max(10, limit.floor(floodClass) / (floodClass == .syn ? 40 : 4)))
    }

    static func key(guest: Int, _ floodClass: FloodClass) -> Int {
        -1 - (guest * FloodClass.allCases.count + Int(floodClass.rawValue))
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
        table.setShares(
            slot, floodClass, trusted: threshold, ceiling: FloodController.ceiling(floodClass, limit),
            repeats: threshold / 8)
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
        let sketch = defence(of: flood).sketch
        return sketch == 0 ? nil : UInt64(memory.estimate(sketch).rounded())
    }

    /// What the sieve did in a flood; nil where it was not asked.
    public func sieve(of flood: OpenFlood) -> SieveFigures? {
        guard flood.limit.action == .defend else { return nil }
        let sums = zip(FloodController.sieved, flood.sievedBefore).map { counter, before in
            // Hosts of a guest come and go.
            let now = sum(flood, counter.rawValue)
            return now > before ? now - before : 0
        }
        guard sums.count == FloodController.sieved.count else { return nil }
        return SieveFigures(
            challenged: sums[0], answered: sums[1], repeated: sums[2], trusted: sums[3], knownFlows: sums[4],
            unknown: sums[5], refused: sums[6], handshakes: sums[7])
    }

    /// Single sources that alone are a good part of an attack that is defended against are refused; but not a
    /// trusted one, which has its ceiling, and whose address may be spoofed by who wants it refused.
    func refuseHeavySources(_ time: UInt64) {
        guard open.values.contains(where: { $0.limit.action == .defend }) else { return }
        for source in memory.heavySources(since: time &- min(time, 1_500_000_000)) {
            guard let floodClass = FloodClass(rawValue: UInt8(source.classNumber)),
                let flood = defended(source.slot, floodClass)
            else { continue }
            let floor = flood.limit.floor(floodClass)
            let mark = memory.isTrusted(source.address) ? floor : floor / 4
            if Double(source.count) >= mark {
                memory.refuse(source, until: time &+ FloodController.refusal, time: time)
            }
        }
    }
}
