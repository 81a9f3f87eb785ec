import Foundation
import Glibc
import Lab

private let queued = 15_000
private let repetitions = 11

/// Packets a second of a consumer that always has work: it is stopped, 15,000 packets are queued, it is
/// continued, and the clock runs until the last has arrived. The median of several times.
func capacity(_ stand: Stand, size: Int) throws -> Double {
    guard let consumer = stand.consumer else { return 0 }
    var rates: [Double] = []
    for _ in 0..<repetitions {
        try stand.settle()
        consumer.send(SIGSTOP)
        defer { consumer.send(SIGCONT) }
        // Paced, so that the bridge's backlog does not overflow; what is missing is made up for.
        for _ in 0..<5 {
            let missing = queued - (try stand.queue().waiting)
            if missing <= 0 { break }
            _ = try stand.generate(size: size, count: missing, rate: 150_000, seconds: 2)
        }
        let waiting = try stand.queue().waiting
        guard waiting == queued else { throw WrongAnswer("\(waiting) packets queued instead of \(queued)") }
        let text = try stand.run(
            stand.receiver,
            [
                "taskset", "-c", "\(Stand.loadCore)", stand.tools.load, "drain", "--pid", "\(consumer.pid)",
                "--interface", "eth0", "--count", "\(queued)",
            ], seconds: 10)
        let drained = try JSONDecoder().decode(Drained.self, from: Data(text.utf8))
        guard drained.arrived == queued else {
            throw WrongAnswer("\(drained.arrived) of \(queued) queued packets arrived")
        }
        rates.append(Double(queued) * 1e9 / drained.nanoseconds)
    }
    return rates.median
}

private struct Drained: Decodable {
    var arrived: Int
    var nanoseconds: Double
}
