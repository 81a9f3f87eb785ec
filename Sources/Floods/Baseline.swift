/// What a class at a host usually brings, and whether what comes now is far more.
///
/// The usual is the 99th percentile of the rate, found by stochastic approximation (Robbins and Monro 1951):
/// a second above it moves it up by a thousandth, one below it down by a 99th of that. It takes twelve
/// minutes to double, so that an attack cannot teach it much, and nothing is learned while one goes on.
///
/// The alarm is a cumulative sum (Page, "Continuous inspection schemes", 1954): ten times the threshold
/// raises it within one step of 100 ms, three times in two, a tenth above it within two seconds.
struct Baseline: Sendable {
    /// Packets a second.
    private(set) var usual = 0.0
    private var excess = 0.0

    /// How many times the usual is an attack, and the most that may be made of the configured floor by what
    /// was learned.
    static let multiple = 3.0
    static let highest = 8.0
    private static let step = 0.001
    private static let upward = 0.99
    /// In steps at the threshold.
    private static let alarm = 2.0

    /// Packets a second that are an attack if they last. `floor` is the least that is called one.
    func threshold(floor: Double) -> Double {
        min(Baseline.highest * floor, max(floor, Baseline.multiple * usual))
    }

    /// Once a second, with the rate over that second, while there is no attack.
    mutating func learn(_ rate: Double, floor: Double) {
        let step = Baseline.step * max(usual, floor / 16)
        usual = max(0, usual + (rate > usual ? step * Baseline.upward : -step * (1 - Baseline.upward)))
    }

    /// Once a step, with the rate in that step. Whether an attack begins.
    mutating func isExceeded(by rate: Double, floor: Double) -> Bool {
        let threshold = threshold(floor: floor)
        excess = max(0, excess + rate - threshold)
        guard excess > Baseline.alarm * threshold else { return false }
        excess = 0
        return true
    }
}

/// How much of a class at a host may pass without proof, by what became of it: additive in nothing, but up by
/// a tenth and down by a third, ten times a second.
///
/// Of the SYNs that pass, those of clients lead to handshakes, and spoofed ones to half-open connections that
/// the host has to keep. So the budget grows while four of five that passed were completed, as in a crowd
/// of clients, and falls to next to nothing otherwise.
struct Budget: Sendable {
    private(set) var rate: Double
    let least: Double
    let most: Double

    init(start: Double, least: Double, most: Double) {
        self.least = least
        self.most = max(least, most)
        rate = min(max(start, least), self.most)
    }

    /// Packets that passed and those that led to a handshake, in the last second.
    mutating func adapt(passed: Double, completed: Double) {
        if Budget.isGood(passed: passed, completed: completed) {
            if passed >= 1 { rate = min(most, rate * 1.1) }
        } else if passed >= Budget.sample {
            rate = max(least, rate * 0.7)
        }
    }

    /// Fewer packets a second say nothing bad of a budget.
    private static let sample = 10.0

    static func isGood(passed: Double, completed: Double) -> Bool { completed >= 0.8 * passed }
}
