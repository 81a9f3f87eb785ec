import Evidence

/// What the controller keeps of a class that it may have to defend, at a host or at all hosts of a guest.
struct ClassDefence: Sendable {
    var baseline = Baseline()
    /// Of unknown sources, of SYNs that come again, and of trusted sources together.
    private(set) var unknown = Budget(start: 0, least: 0, most: 0)
    private(set) var repeats = Budget(start: 0, least: 0, most: 0)
    private(set) var trusted = Budget(start: 0, least: 0, most: 0)
    /// What the gate at rest lets through unasked.
    var watched: UInt32 = 0
    /// Which sketch counts the sources, from 1; 0 for none.
    var sketch: UInt32 = 0

    /// Of the floor: a SYN rate from which on it is an attack that fewer than `hollowShare` of the SYNs that
    /// pass lead to a handshake, however usual the rate is.
    private static let hollowFloor = 0.25
    private static let hollowShare = 0.25

    /// Whether the budgets were set for an attack.
    var isReady: Bool { repeats.most > 0 }

    /// Whether an attack begins.
    mutating func isAttacked(_ floodClass: FloodClass, _ sample: FloodController.Sample, floor: Double) -> Bool {
        let (rate, step) = ClassDefence.rates(floodClass, sample)
        if baseline.isExceeded(by: step, floor: floor) { return true }
        guard floodClass == .syn, rate >= floor * ClassDefence.hollowFloor else { return false }
        let (passed, completed) = ClassDefence.handshakes(sample)
        return completed < passed * ClassDefence.hollowShare
    }

    /// Sets the budgets for an attack that begins: full if those who pass are clients, next to nothing if not.
    mutating func begin(_ sample: FloodController.Sample?, floor: Double) {
        let threshold = baseline.threshold(floor: floor)
        let isGood = sample.map { ClassDefence.handshakes($0) }.map(Budget.isGood) ?? false
        unknown = Budget(start: isGood ? threshold : 0, least: 1, most: 10 * threshold)
        repeats = Budget(start: threshold / 8, least: min(20, threshold / 8), most: threshold)
        trusted = Budget(start: threshold, least: min(50, threshold), most: threshold)
    }

    /// Once a step of an attack.
    mutating func adapt(_ floodClass: FloodClass, _ sample: FloodController.Sample) {
        guard floodClass == .syn else { return }
        let ofTrusted = sample.rate(.trustedHandshakes)
        trusted.adapt(passed: sample.rate(.trustedSYNs), completed: ofTrusted)
        let (passed, completed) = (sample.rate(.otherSYNs), sample.rate(.handshakes) - ofTrusted)
        unknown.adapt(passed: passed, completed: completed)
        repeats.adapt(passed: passed, completed: completed)
    }

    /// The rate below which an attack is over.
    func calm(_ limit: FloodLimit, floor: Double) -> Double {
        max(Double(limit.exit) * floor / Double(max(1, limit.entry)), 1.5 * baseline.usual)
    }

    /// Over the last second and in the last step: packets of the class, of TCP only those of no known
    /// connection.
    static func rates(_ floodClass: FloodClass, _ sample: FloodController.Sample) -> (rate: Double, step: Double) {
        if floodClass == .tcp {
            return (
                sample.rate(.strays) + sample.rate(.tcpStopped), sample.step(.strays) + sample.step(.tcpStopped)
            )
        }
        let place = Int(floodClass.rawValue)
        return (sample.rates[place], sample.steps[place])
    }

    /// SYNs that passed in the last second, and handshakes that clients completed.
    private static func handshakes(_ sample: FloodController.Sample) -> (passed: Double, completed: Double) {
        (max(0, sample.rate(.synIn) - sample.rate(.synStopped)), sample.rate(.handshakes))
    }
}
