import Evidence
import Testing

@testable import Sensor

@Suite struct EventLimiterTests {
    private let second: UInt64 = 1_000_000_000

    private func finding(_ code: UInt32, _ source: Finding.Source = .signature) -> Finding {
        Finding(source, code: code, concern: .low, asks: .accept)
    }

    @Test func letsItsAllowanceByAndHoldsTheRestBackForAPeriod() {
        var limiter = EventLimiter()
        var written = 0
        for _ in 0..<50 where limiter.allows(finding(7), 100 * second, allowance: 20, period: 10 * second) {
            written += 1
        }
        #expect(written == 20)
        let before = limiter.allows(finding(7), 110 * second - 1, allowance: 20, period: 10 * second)
        let after = limiter.allows(finding(7), 110 * second, allowance: 20, period: 10 * second)
        #expect(!before && after)
        let none = limiter.allows(finding(8), second, allowance: 0, period: second)
        #expect(!none)
    }

    /// 4,096 apart share a place in the table; a rule and a check of one number do not even that.
    @Test(arguments: [(UInt32(2055), Finding.Source.signature), (7, .conformance), (7, .tag)])
    func holdsNobodyBackForAnother(_ code: UInt32, _ source: Finding.Source) {
        var limiter = EventLimiter()
        for _ in 0..<50 { _ = limiter.allows(finding(7), second, allowance: 20, period: second) }
        let other = limiter.allows(finding(code, source), second, allowance: 20, period: second)
        #expect(other)
    }
}
