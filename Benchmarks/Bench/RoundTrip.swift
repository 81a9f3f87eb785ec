import Histogram
import Lab

/// Microseconds from a small UDP packet's sending to the answer's arrival, one at a time. Each direction
/// goes through the queue.
///
/// `awake`: with a loop of idle priority on both cores. Without it an idle virtual core is halted, and the
/// hypervisor's time to wake it is most of what is measured.
func roundTrips(_ stand: Stand, awake: Bool) throws -> (median: Double, tail: Double) {
    let load = stand.tools.load
    let pinned = ["taskset", "-c", "\(Stand.loadCore)", load]
    let echo = try stand.receiver.start(pinned + ["echo", "--seconds", "15"], limit: .seconds(20))
    defer { echo.stop() }
    guard echo.waitUntilItSays("ready", atMost: .seconds(3)) else { throw LabError(echo.complained) }
    var spinner: Program?
    if awake {
        let cores = "\(Stand.loadCore),\(Stand.consumerCore)"
        spinner = try stand.lab.host.start(
            [load, "spin", "--cores", cores, "--seconds", "15"], limit: .seconds(20))
        _ = spinner?.waitUntilItSays("ready", atMost: .seconds(3))
    }
    defer { spinner?.stop() }

    let text = try stand.run(
        stand.sender, pinned + ["ping", "--to", stand.receiver.ipv4, "--seconds", "2"], seconds: 10)
    var histogram = Histogram<UInt64>(
        highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .three)
    var count = 0
    for line in text.split(separator: "\n") {
        guard let nanoseconds = UInt64(line) else { throw WrongAnswer("a packet was not answered") }
        histogram.record(nanoseconds)
        count += 1
    }
    guard count >= 1000 else { throw WrongAnswer("only \(count) round trips in two seconds") }
    return (Double(histogram.valueAtPercentile(50)) / 1000, Double(histogram.valueAtPercentile(99)) / 1000)
}
