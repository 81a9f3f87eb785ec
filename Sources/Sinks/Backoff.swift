/// How long a sink rests after a failure: twice as long each time, up to a limit, and not all sensors at the
/// same moment.
struct Backoff {
    /// Nanoseconds.
    let first: UInt64
    let most: UInt64
    private(set) var failures = 0

    init(first: UInt64 = 250_000_000, most: UInt64 = 60_000_000_000) {
        self.first = first
        self.most = most
    }

    mutating func succeed() { failures = 0 }

    /// Nanoseconds to rest from now on: three quarters of the step and up to a quarter by chance.
    mutating func fail() -> UInt64 {
        let step = min(most, first << UInt64(min(failures, 20)))
        failures += 1
        return step - step / 4 + UInt64.random(in: 0...step / 4)
    }
}
