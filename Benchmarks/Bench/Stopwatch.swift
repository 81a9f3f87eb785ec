import CAllocations
import Glibc

/// What one pass over some packets costs.
struct Cost {
    /// Nanoseconds a packet: the median of several runs.
    var nanoseconds: Double
    /// Heap allocations a packet, over many passes.
    var allocations: Double
}

/// Times passes over the same packets, on the clock of this thread's own processor time. Several subjects
/// take turns, so that what drifts drifts for all.
struct Stopwatch {
    let packets: Int
    private static let runs = 11
    private static let run: UInt64 = 40_000_000

    /// Nanoseconds.
    private static func processorTime() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The cost of each subject. A subject makes one pass and returns a sum of what it found; the sum must be
    /// `answer`, or the subject was fast because it was wrong.
    func measure(answer: UInt64, _ subjects: [() -> UInt64]) throws -> [Cost] {
        // Once for the answer, and so that what is made once is made before anything is counted.
        for (index, subject) in subjects.enumerated() {
            let found = subject()
            guard found == answer else {
                throw WrongAnswer("subject \(index) found \(found) instead of \(answer)")
            }
        }
        var times = [[Double]](repeating: [], count: subjects.count)
        var allocations = [UInt64](repeating: 0, count: subjects.count)
        var passes = [UInt64](repeating: 0, count: subjects.count)
        for _ in 0..<Self.runs {
            for (index, subject) in subjects.enumerated() {
                let before = allocations_of_this_thread()
                let start = Self.processorTime()
                var now = start
                var count: UInt64 = 0
                while now - start < Self.run {
                    guard subject() == answer else {
                        throw WrongAnswer("subject \(index) changed its answer")
                    }
                    count += 1
                    now = Self.processorTime()
                }
                allocations[index] += allocations_of_this_thread() - before
                passes[index] += count
                times[index].append(Double(now - start) / Double(count) / Double(packets))
            }
        }
        return subjects.indices.map {
            Cost(
                nanoseconds: times[$0].median,
                allocations: Double(allocations[$0]) / Double(passes[$0]) / Double(packets))
        }
    }
}
