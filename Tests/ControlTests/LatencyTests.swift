import Control
import Testing

/// How long packets wait, in powers of two.
@Suite struct LatencyTests {
    @Test(arguments: [
        (0, 0), (1, 0), (4_096, 0), (4_097, 1), (8_192, 1), (8_193, 2), (8_388_608, 11), (8_388_609, 12),
        (UInt64.max, 12),
    ])
    func eachIsInTheBucketWhoseBoundItDoesNotExceed(nanoseconds: UInt64, bucket: Int) {
        #expect(Latency.bucket(nanoseconds) == bucket)
    }

    @Test func quantiles() {
        var latency = Latency()
        #expect(latency.quantile(0.5) == nil)
        latency.counts[0] = 50
        latency.counts[3] = 49
        #expect(latency.quantile(0.5) == 4_096)
        latency.counts[Latency.buckets] = 1
        #expect(latency.quantile(0.5) == 4_096)
        #expect(latency.quantile(0.99) == 32_768)
        // Of what is beyond the last bound nothing more is known.
        #expect(latency.quantile(1) == nil)
        #expect((latency + latency).total == 200)
    }
}
