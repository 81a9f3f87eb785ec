import Evidence
import Testing

@testable import Sensor

@Suite struct EventLimiterTests {
    private let second: UInt64 = 1_000_000_000

    private func finding(_ code: UInt32, _ source: Finding.Source = .signature) -> Finding {
        Finding(source, code: code, concern: .low, asks: .accept)
    }

    @Test func letsItsAllowanceByAndHoldsTheRestBackForAPeriod() {
        let limiter = EventLimiter()
        var written = 0
        for _ in 0..<50 where limiter.allows(finding(7), 100 * second, allowance: 20, period: 10 * second) {
            written += 1
        }
        #expect(written == 20)
        let before = limiter.allows(finding(7), 110 * second - 1, allowance: 20, period: 10 * second)
        let after = limiter.allows(finding(7), 110 * second, allowance: 1, period: 10 * second)
        #expect(!before && after)
        let none = limiter.allows(finding(8), second, allowance: 0, period: second)
        #expect(!none)
        // After a reload the number is another rule's.
        let reloaded = limiter.allows(
            finding(7), generation: 2, 110 * second, allowance: 20, period: 10 * second)
        #expect(reloaded)
    }

    /// A rule, one that shares its place in the table, and a check and a tag of the same number.
    @Test(arguments: [(UInt32(65_543), Finding.Source.signature), (8, .signature), (7, .conformance), (7, .tag)])
    func holdsNobodyBackForAnother(_ code: UInt32, _ source: Finding.Source) {
        let limiter = EventLimiter()
        for _ in 0..<50 { _ = limiter.allows(finding(7), second, allowance: 20, period: second) }
        let other = limiter.allows(finding(code, source), second, allowance: 20, period: second)
        #expect(other)
    }

    /// Findings of many rules in turn do not let each other by.
    @Test func manyRulesAtOnce() {
        let limiter = EventLimiter()
        var written = 0
        for _ in 0..<10 {
            for code in 0..<50_000 where limiter.allows(finding(UInt32(code)), second, allowance: 2, period: second) {
                written += 1
            }
        }
        #expect(written == 100_000)
    }

    /// Workers that find the same share its allowance, to the event, and begin the next period together.
    @Test func holdsOverAllWorkers() async {
        let limiter = EventLimiter()
        let finding = finding(7)
        for round in 1...20 as ClosedRange<UInt64> {
            let written = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var written = 0
                        for _ in 0..<1_000
                        where limiter.allows(
                            finding, round * 10 * 1_000_000_000, allowance: 20, period: 10 * 1_000_000_000)
                        {
                            written += 1
                        }
                        return written
                    }
                }
                return await group.reduce(0, +)
            }
            // In the first, the place may still change hands.
            #expect(round == 1 ? written >= 20 : written == 20)
        }
    }
}
