import Control

/// How long a worker's packets waited for their verdicts; one writer.
struct LatencyGauges: ~Copyable {
    /// `Latency.count` of them.
    private let counts = InlineArray<13, Gauge> { _ in Gauge() }
    private let sum = Gauge()

    /// A batch of `packets` that took `nanoseconds` from its receipt to its answer.
    func record(_ nanoseconds: UInt64, packets: Int) {
        counts[Latency.bucket(nanoseconds)].add(UInt64(packets))
        sum.add(nanoseconds &* UInt64(packets))
    }

    var value: Latency {
        Latency(counts: (0..<Latency.count).map { counts[$0].value }, sum: sum.value)
    }
}
