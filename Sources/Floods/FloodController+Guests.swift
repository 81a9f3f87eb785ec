import Evidence

/// The hosts of one guest taken together: what floods each of them a little floods the guest a lot (carpet
/// bombing).
struct GuestGroup: Sendable {
    /// By class.
    var defences = [ClassDefence](repeating: ClassDefence(), count: FloodClass.allCases.count)
    /// Of the tracked counters, since the start.
    private(set) var totals = [UInt64](repeating: 0, count: FloodController.tracked.count)
    /// Of the current step: the hosts, and what all their counters did.
    private(set) var slots: [Int] = []
    private(set) var sample = FloodController.Sample()

    /// The floor for all hosts together, as a multiple of that for one.
    static let floorFactor = 4.0

    static func memoryBytes(slots: Int) -> Int { slots * MemoryLayout<Int>.stride }

    mutating func begin() {
        slots.removeAll(keepingCapacity: true)
        for place in totals.indices { (sample.rates[place], sample.steps[place]) = (0, 0) }
    }

    mutating func addSilent(_ slot: Int) { slots.append(slot) }

    mutating func add(_ slot: Int, _ host: FloodController.Sample) {
        slots.append(slot)
        for place in totals.indices {
            sample.rates[place] += host.rates[place]
            sample.steps[place] += host.steps[place]
            totals[place] &+= UInt64((host.steps[place] * Double(FloodController.step) / 1e9).rounded())
        }
    }
}

extension FloodController {
    /// Judges every guest of more than one host as a whole.
    mutating func judgeGuests(
        _ time: UInt64, isWholeSecond: Bool, identify: (Int) -> HostIdentity?, _ events: inout [FloodEvent]
    ) {
        for guest in groups.indices where groups[guest].slots.count > 1 {
            for floodClass in FloodClass.allCases {
                // After a reload one may be open that is to be defended against no longer.
                let isOpen = open[FloodController.key(guest: guest, floodClass)] != nil
                guard isOpen || guests[guest].limits[floodClass].action == .defend else { continue }
                guard let slot = groups[guest].slots.first, let host = identify(slot) else { continue }
                judge(guest, floodClass, slot, host, time, isWholeSecond: isWholeSecond, &events)
            }
        }
    }

    private mutating func judge(
        _ guest: Int, _ floodClass: FloodClass, _ slot: Int, _ host: HostIdentity, _ time: UInt64,
        isWholeSecond: Bool, _ events: inout [FloodEvent]
    ) {
        let limit = guests[guest].limits[floodClass]
        let floor = limit.floor(floodClass) * GuestGroup.floorFactor
        let place = Int(floodClass.rawValue)
        let key = FloodController.key(guest: guest, floodClass)
        let sample = groups[guest].sample
        let (rate, step) = ClassDefence.rates(floodClass, sample)
        guard var flood = open[key] else {
            // A flood at one of its hosts is that host's.
            let isAtOne = groups[guest].slots.contains { open[FloodController.key($0, floodClass)] != nil }
            if groups[guest].defences[place].isAttacked(floodClass, sample, floor: floor), !isAtOne {
                groups[guest].defences[place].begin(sample, floor: floor)
                let flood = newFlood(
                    slot, floodClass, guest: guest, rate: UInt64(rate), lastStep: UInt64(step / 10), limit, time)
                open[key] = flood
                countSources(guest, flood)
                defend(guest, flood)
                events.append(event(flood, host, .open, time))
            } else if isWholeSecond, !isAtOne {
                groups[guest].defences[place].baseline.learn(rate, floor: floor)
            }
            return
        }
        groups[guest].defences[place].adapt(floodClass, sample)
        flood.limit = limit
        flood.slot = slot
        flood.rate = UInt64(rate)
        flood.peakRate = max(flood.peakRate, UInt64(rate))
        flood.quiet = rate < groups[guest].defences[place].calm(limit, floor: floor) ? flood.quiet + 1 : 0
        open[key] = flood
        guard flood.quiet >= FloodController.calmSteps || limit.action != .defend else {
            countSources(guest, flood)
            defend(guest, flood)
            return
        }
        open[key] = nil
        events.append(event(flood, host, .close, time))
        relax(guest, flood)
    }

    /// The gates of all hosts; each gets its part of the budgets. Those that came since the last step as well.
    private func defend(_ guest: Int, _ flood: OpenFlood) {
        let defence = groups[guest].defences[Int(flood.floodClass.rawValue)]
        let slots = groups[guest].slots
        for slot in slots { defend(flood, at: slot, defence, share: 1 / Double(slots.count)) }
    }

    /// All hosts share one sketch.
    private mutating func countSources(_ guest: Int, _ flood: OpenFlood) {
        let place = Int(flood.floodClass.rawValue)
        if groups[guest].defences[place].sketch == 0, let sketch = freeSketches.popLast() {
            memory.clearSketch(sketch)
            groups[guest].defences[place].sketch = sketch
        }
        for slot in groups[guest].slots {
            forgetSources(slot, flood.floodClass)
            table.setSketch(slot, flood.floodClass, groups[guest].defences[place].sketch)
        }
    }

    /// The gates of all hosts as they are without the flood.
    mutating func relax(_ guest: Int, _ flood: OpenFlood) {
        let place = Int(flood.floodClass.rawValue)
        for slot in groups[guest].slots {
            rest(slot, flood.floodClass, flood.limit)
            table.setSketch(slot, flood.floodClass, 0)
        }
        if groups[guest].defences[place].sketch != 0 { freeSketches.append(groups[guest].defences[place].sketch) }
        groups[guest].defences[place].sketch = 0
    }

    func defence(of flood: OpenFlood) -> ClassDefence {
        guard let guest = flood.guest else { return defences[FloodController.key(flood.slot, flood.floodClass)] }
        return groups[guest].defences[Int(flood.floodClass.rawValue)]
    }

    /// The flood that a class at a host is defended against, its own or its guest's.
    func defended(_ slot: Int, _ floodClass: FloodClass) -> OpenFlood? {
        if let flood = open[FloodController.key(slot, floodClass)] {
            return flood.limit.action == .defend ? flood : nil
        }
        return open.values.first {
            $0.floodClass == floodClass && $0.guest.map { groups[$0].slots.contains(slot) } ?? false
        }
    }
}
