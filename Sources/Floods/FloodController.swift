import Evidence
import Wire

/// Who holds a slot, as the controller needs to know it.
public struct HostIdentity: Sendable {
    public var address: Address
    /// Index into the configured guests.
    public var guest: Int

    public init(address: Address, guest: Int) {
        self.address = address
        self.guest = guest
    }
}

/// What the controller knows of a guest.
public struct GuestFloods: Sendable {
    public var name: String
    public var shadow: Bool
    public var limits: FloodLimits

    public init(name: String, shadow: Bool, limits: FloodLimits) {
        self.name = name
        self.shadow = shadow
        self.limits = limits
    }
}

/// Sums the workers' counters ten times a second, knows what is under flood, and opens and closes gates.
///
/// A rate is counted over the last ten steps. A flood many times over the limit therefore raises the alarm
/// in its first step, one just over it within a second. It ends once the rate has stayed below the exit
/// limit for two seconds, so that an alarm does not flap.
///
/// Where the action is `defend`, the limit is the floor of one that is learned, and the sieve gets its orders
/// here (`FloodController+Defend.swift`).
public struct FloodController {
    /// Nanoseconds between steps.
    public static let step: UInt64 = 100_000_000
    static let window = 10
    static let quietSteps = 20
    /// A claimed slot without a packet for this many steps is given back: one minute.
    static let idleSteps = 600
    /// The counters that a history is kept of; the first nine are in the order of their raw values.
    static let tracked: [HostCounter] = [
        .synIn, .tcpIn, .udpIn, .icmpIn, .fragmentIn, .otherIn, .bytesIn, .packetsOut, .bytesOut,
        .synStopped, .tcpStopped, .udpStopped, .icmpStopped, .fragmentStopped, .handshakes, .strays,
        .trustedSYNs, .otherSYNs, .trustedHandshakes,
    ]
    static let trackedPlaces: [Int?] = (0..<HostCounter.count).map { counter in
        tracked.firstIndex { $0.rawValue == counter }
    }

    public struct OpenFlood: Sendable {
        public var identifier: UInt64
        /// Of the host, or of one of the hosts of a guest that is attacked as a whole.
        public var slot: Int
        /// Index of that guest; nil for a flood at one host.
        public var guest: Int?
        public var floodClass: FloodClass
        public var concern: Concern
        public var limit: FloodLimit
        public var opened: UInt64
        public var rate: UInt64
        public var peakRate: UInt64
        var receivedBefore: UInt64
        var stoppedBefore: UInt64
        var offloadedBefore: UInt64 = 0
        /// By the order of `FloodDefence.counters`.
        var sievedBefore: [UInt64] = []
        var quiet = 0
    }

    /// What a host's counters did: a second, over the last second and in the last step.
    struct Sample {
        var rates = [Double](repeating: 0, count: tracked.count)
        var steps = [Double](repeating: 0, count: tracked.count)

        func rate(_ counter: HostCounter) -> Double { rates[trackedPlaces[counter.rawValue]!] }
        func step(_ counter: HostCounter) -> Double { steps[trackedPlaces[counter.rawValue]!] }
    }

    public let table: FloodTable
    public private(set) var guests: [GuestFloods]
    /// By slot and class: `slot * 5 + class`.
    public internal(set) var open: [Int: OpenFlood] = [:]
    /// Floods opened since the start, by class.
    public internal(set) var raised = [UInt64](repeating: 0, count: FloodClass.allCases.count)

    private var holders: [Address?]
    private var everHeld: [Bool]
    private var history: [UInt64]  // sums, [ring position][slot][counter]
    private var times: [UInt64]
    private var position = 0
    private var bases: [UInt64]  // sums when the slot's holder took it, [slot][counter]
    private var idle: [UInt16]
    var nextIdentifier: UInt64 = 1
    private var sample = Sample()
    var stepCount = 0
    var defences: [ClassDefence]  // by slot and class, as `open`
    var groups: [GuestGroup]  // by guest
    let memory: FloodMemory
    var freeSketches: [UInt32]
    var hostile = HostileShapes()
    var queuedShare = QueuedShare()

    public init(table: FloodTable, guests: [GuestFloods], memory: FloodMemory) {
        self.table = table
        self.guests = guests
        self.memory = memory
        freeSketches = memory.sketchNumbers
        groups = Array(repeating: GuestGroup(), count: guests.count)
        defences = Array(repeating: ClassDefence(), count: table.slotCount * FloodClass.allCases.count)
        holders = Array(repeating: nil, count: table.slotCount)
        everHeld = Array(repeating: false, count: table.slotCount)
        history = Array(repeating: 0, count: FloodController.window * table.slotCount * FloodController.tracked.count)
        times = Array(repeating: 0, count: FloodController.window)
        bases = Array(repeating: 0, count: table.slotCount * HostCounter.count)
        idle = Array(repeating: 0, count: table.slotCount)
    }

    /// Bytes held for `slots` hosts.
    public static func memoryBytes(slots: Int) -> Int {
        slots
            * (window * tracked.count * 8 + HostCounter.count * 8 + MemoryLayout<Address?>.stride + 2
                + FloodClass.allCases.count * MemoryLayout<ClassDefence>.stride)
            + HostileShapes.memoryBytes
            + GuestGroup.memoryBytes(slots: slots)
    }

    /// New limits for the same guests, and perhaps more behind them: open floods stay open, under their new action.
    public mutating func replaceLimits(_ guests: [GuestFloods], identify: (Int) -> HostIdentity?) {
        self.guests = guests
        while groups.count < guests.count { groups.append(GuestGroup()) }
        for slot in 0..<table.slotCount where holders[slot] != nil {
            if let host = identify(slot) { rest(slot, guests[host.guest].limits) }
        }
        for (key, var flood) in open where flood.guest == nil {
            guard let host = identify(flood.slot) else { continue }
            flood.limit = guests[host.guest].limits[flood.floodClass]
            open[key] = flood
            act(flood)
        }
    }

    /// One step. `time` is the packets' clock in nanoseconds; `identify` names the holder of a slot;
    /// `release` gives back the slot of a host that has been idle. Returns the floods that opened or closed.
    public mutating func step(
        _ time: UInt64, identify: (Int) -> HostIdentity?, release: (Int) -> Void
    ) -> [FloodEvent] {
        var events: [FloodEvent] = []
        let elapsed = elapsed(to: time, atLeast: 1_000_000_000)
        let isWholeSecond = stepCount % 10 == 9
        for guest in groups.indices { groups[guest].begin() }
        times[position] = time
        for slot in 0..<table.slotCount {
            guard let host = identify(slot) else {
                holders[slot] = nil
                continue
            }
            if holders[slot] != host.address { take(slot, host) }
            let moved = hasMoved(slot)
            defer { keepOrRelease(slot, moved, release) }
            // A host that has been silent for a whole window has a flat history, and nothing to be judged.
            guard moved || idle[slot] < FloodController.window || hasOpen(slot, of: host.guest) else {
                groups[host.guest].addSilent(slot)
                continue
            }
            for (place, counter) in FloodController.tracked.enumerated() {
                let sum = table.sum(slot, counter)
                let last = newest(slot, place)
                // In its first second a host's history is empty: the count since it was first seen.
                // A statement of its own: while a call on self waits for it, the history would be copied.
                let oldest = exchange(slot, place, sum)
                sample.rates[place] = Double(scaled(sum &- oldest, elapsed))
                sample.steps[place] = Double(sum &- last) * 1e9 / Double(FloodController.step)
            }
            groups[host.guest].add(slot, sample)
            for floodClass in FloodClass.allCases {
                if guests[host.guest].limits[floodClass].action == .defend {
                    judgeDefended(slot, floodClass, host, sample, time, isWholeSecond: isWholeSecond, &events)
                } else {
                    let place = Int(floodClass.rawValue)
                    judge(
                        slot, floodClass, host, rate: UInt64(sample.rates[place]),
                        lastStep: UInt64(sample.steps[place] / 10), time, &events)
                }
            }
        }
        judgeGuests(time, isWholeSecond: isWholeSecond, identify: identify, &events)
        position = (position + 1) % FloodController.window
        stepCount += 1
        refuseHeavySources(time)
        judgeShapes()
        if stepCount % 10 == 0 { memory.rotateHistory(time: time) }
        return events
    }

    /// Whether packets came from or to the host since the last step.
    private func hasMoved(_ slot: Int) -> Bool {
        for place in 0...HostCounter.bytesOut.rawValue where table.sum(slot, place) != newest(slot, place) {
            return true
        }
        return false
    }

    private func hasOpen(_ slot: Int, of guest: Int) -> Bool {
        !open.isEmpty
            && FloodClass.allCases.contains {
                open[FloodController.key(slot, $0)] != nil || open[FloodController.key(guest: guest, $0)] != nil
            }
    }

    private mutating func keepOrRelease(_ slot: Int, _ moved: Bool, _ release: (Int) -> Void) {
        idle[slot] = moved ? 0 : idle[slot] &+ 1
        if idle[slot] >= FloodController.idleSteps {
            idle[slot] = 0
            release(slot)
        }
    }

    /// The alarm of every open flood ends, as it does before the tables are replaced or the sensor stops.
    public mutating func closeAll(_ time: UInt64, identify: (Int) -> HostIdentity?) -> [FloodEvent] {
        let closing = open.values.sorted { $0.identifier < $1.identifier }
        open = [:]
        return closing.compactMap { flood in
            relax(flood)
            return identify(flood.slot).map { event(flood, $0, .close, time) }
        }
    }

    // MARK: - For the status

    /// A counter's increase a second, over the last second.
    public func rate(_ slot: Int, _ counter: HostCounter) -> UInt64 {
        guard let place = FloodController.trackedPlaces[counter.rawValue] else { return 0 }
        let newestTime = times[(position + FloodController.window - 1) % FloodController.window]
        // Between ten sums lie nine steps.
        let elapsed = elapsed(to: newestTime, atLeast: 9 * FloodController.step)
        let oldest = history[index(position, slot, place)]
        return scaled(newest(slot, place) &- oldest, elapsed)
    }

    /// A counter since its holder took the slot.
    public func total(_ slot: Int, _ counter: Int) -> UInt64 {
        table.sum(slot, counter) &- bases[slot * HostCounter.count + counter]
    }

    public func stopped(by flood: OpenFlood) -> UInt64 {
        sum(flood, HostCounter.synStopped.rawValue + Int(flood.floodClass.rawValue)) &- flood.stoppedBefore
    }

    public func received(by flood: OpenFlood) -> UInt64 {
        sum(flood, Int(flood.floodClass.rawValue)) &- flood.receivedBefore
    }

    /// A counter of the host that a flood is at, or of all hosts of its guest.
    func sum(_ flood: OpenFlood, _ counter: Int) -> UInt64 {
        guard let guest = flood.guest else { return table.sum(flood.slot, counter) }
        if let place = FloodController.trackedPlaces[counter] { return groups[guest].totals[place] }
        return groups[guest].slots.reduce(0) { $0 &+ table.sum($1, counter) }
    }

    // MARK: - One class at one host

    private mutating func judge(
        _ slot: Int, _ floodClass: FloodClass, _ host: HostIdentity, rate: UInt64, lastStep: UInt64,
        _ time: UInt64, _ events: inout [FloodEvent]
    ) {
        let key = FloodController.key(slot, floodClass)
        guard var flood = open[key] else {
            let limit = guests[host.guest].limits[floodClass]
            guard rate >= UInt64(limit.entry) else { return }
            raise(slot, floodClass, host, rate: rate, lastStep: lastStep, limit, time, &events)
            return
        }
        flood.rate = rate
        flood.peakRate = max(flood.peakRate, rate)
        flood.quiet = rate < UInt64(flood.limit.exit) ? flood.quiet + 1 : 0
        open[key] = flood
        guard flood.quiet >= FloodController.quietSteps else { return }
        end(flood, host, time, &events)
    }

    /// A flood at a host begins. `lastStep` is how many packets came since the last step.
    mutating func raise(
        _ slot: Int, _ floodClass: FloodClass, _ host: HostIdentity, rate: UInt64, lastStep: UInt64,
        _ limit: FloodLimit, _ time: UInt64, _ events: inout [FloodEvent]
    ) {
        let flood = newFlood(slot, floodClass, guest: nil, rate: rate, lastStep: lastStep, limit, time)
        open[FloodController.key(slot, floodClass)] = flood
        countSources(slot, floodClass)
        act(flood)
        events.append(event(flood, host, .open, time))
    }

    /// The record of a flood that begins, at a host or at all hosts of `guest`.
    mutating func newFlood(
        _ slot: Int, _ floodClass: FloodClass, guest: Int?, rate: UInt64, lastStep: UInt64, _ limit: FloodLimit,
        _ time: UInt64
    ) -> OpenFlood {
        let momentary = max(rate, lastStep &* 10)
        let offset = Int(floodClass.rawValue)
        var flood = OpenFlood(
            identifier: nextIdentifier, slot: slot, guest: guest, floodClass: floodClass,
            concern: FloodController.concern(momentary, limit), limit: limit, opened: time, rate: rate,
            peakRate: momentary, receivedBefore: 0, stoppedBefore: 0)
        flood.receivedBefore = sum(flood, offset) &- lastStep
        flood.stoppedBefore = sum(flood, HostCounter.synStopped.rawValue + offset)
        flood.offloadedBefore = sum(flood, HostCounter.synOffloaded.rawValue + offset)
        flood.sievedBefore = FloodController.sieved.map { sum(flood, $0.rawValue) }
        nextIdentifier += 1
        raised[offset] += 1
        return flood
    }

    mutating func end(_ flood: OpenFlood, _ host: HostIdentity, _ time: UInt64, _ events: inout [FloodEvent]) {
        open[FloodController.key(flood.slot, flood.floodClass)] = nil
        events.append(event(flood, host, .close, time))
        relax(flood)
        forgetSources(flood.slot, flood.floodClass)
    }

    /// Sets the gates as they are without the flood.
    private mutating func relax(_ flood: OpenFlood) {
        guard let guest = flood.guest else { return rest(flood.slot, flood.floodClass, flood.limit) }
        relax(guest, flood)
    }

    /// Sets the gate for a flood that is open.
    private mutating func act(_ flood: OpenFlood) {
        switch flood.limit.action {
        case .alert: table.setGate(flood.slot, flood.floodClass, .open)
        case .throttle: table.setGate(flood.slot, flood.floodClass, .throttle(flood.limit.pass))
        case .deny: table.setGate(flood.slot, flood.floodClass, .deny)
        case .defend: defend(flood)
        }
    }

    static func key(_ slot: Int, _ floodClass: FloodClass) -> Int {
        slot * FloodClass.allCases.count + Int(floodClass.rawValue)
    }

    /// High from ten times the limit on, low below twice.
    static func concern(_ rate: UInt64, _ limit: FloodLimit) -> Concern {
        rate >= UInt64(limit.entry) * 10 ? .high : rate >= UInt64(limit.entry) * 2 ? .medium : .low
    }

    func event(
        _ flood: OpenFlood, _ host: HostIdentity, _ phase: FloodEvent.Phase, _ time: UInt64
    ) -> FloodEvent {
        let guest = guests[host.guest]
        return FloodEvent(
            identifier: flood.identifier, phase: phase, host: host.address, guest: guest.name,
            floodClass: flood.floodClass,
            concern: phase == .open
                ? flood.concern : max(flood.concern, FloodController.concern(flood.peakRate, flood.limit)),
            action: "\(flood.limit.action)", shadow: guest.shadow, opened: flood.opened, time: time,
            packets: received(by: flood), peakRate: flood.peakRate, dropped: stopped(by: flood),
            threshold: UInt64(flood.limit.entry), hosts: flood.guest.map { groups[$0].slots.count } ?? 1,
            sources: sources(of: flood), sieve: sieve(of: flood), offloaded: offloaded(by: flood))
    }

    // MARK: - History

    private func index(_ step: Int, _ slot: Int, _ place: Int) -> Int {
        (step * table.slotCount + slot) * FloodController.tracked.count + place
    }

    private func newest(_ slot: Int, _ place: Int) -> UInt64 {
        history[index((position + FloodController.window - 1) % FloodController.window, slot, place)]
    }

    /// Nanoseconds from the oldest sums to `time`. In the first second there are no oldest sums, and what
    /// came in less than a second is not a rate yet.
    private func elapsed(to time: UInt64, atLeast least: UInt64) -> UInt64 {
        let oldest = times[position]
        return oldest == 0 || time < oldest ? least : max(least, time - oldest)
    }

    /// Puts the sum in the oldest place and returns what stood there.
    private mutating func exchange(_ slot: Int, _ place: Int, _ sum: UInt64) -> UInt64 {
        let index = index(position, slot, place)
        let oldest = history[index]
        history[index] = sum
        return oldest
    }

    /// A host takes a slot. What an earlier holder counted there is not its own.
    private mutating func take(_ slot: Int, _ host: HostIdentity) {
        holders[slot] = host.address
        for floodClass in FloodClass.allCases { forget(slot, floodClass) }
        rest(slot, guests[host.guest].limits)
        guard everHeld[slot] else {
            everHeld[slot] = true
            return
        }
        for counter in 0..<HostCounter.count { bases[slot * HostCounter.count + counter] = table.sum(slot, counter) }
    }

    private func scaled(_ count: UInt64, _ elapsed: UInt64) -> UInt64 {
        UInt64((Double(count) * 1e9 / Double(elapsed)).rounded())
    }
}
