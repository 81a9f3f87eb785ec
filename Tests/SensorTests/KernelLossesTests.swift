import Testing

@testable import Sensor

@Suite struct KernelLossesTests {
    private func losses(before: UInt64 = 0) -> KernelLosses {
        KernelLosses(failOpen: true, divertedBefore: before, unbound: 0, unboundPassed: true)
    }

    /// A packet that the rule has counted and the queue has not yet is missing for one reading.
    @Test func aPacketOnItsWayIsNoLoss() {
        var losses = losses()
        losses.account(diverted: 103, answered: 100)
        losses.account(diverted: 200, answered: 200)
        losses.account(diverted: 302, answered: 300)
        losses.account(diverted: 400, answered: 400)
        #expect(losses.passedOverload == 0)
    }

    @Test func whatStaysMissingWasPassed() {
        var losses = losses()
        losses.account(diverted: 1_000, answered: 400)
        #expect(losses.passedOverload == 0, "one reading proves nothing")
        losses.account(diverted: 1_100, answered: 500)
        #expect(losses.passedOverload == 600)
        losses.account(diverted: 1_103, answered: 500)
        losses.account(diverted: 1_200, answered: 600)
        #expect(losses.passedOverload == 600)
    }

    /// The number may not fall, even when a reading is off.
    @Test func neverTakesAnythingBack() {
        var losses = losses()
        losses.account(diverted: 110, answered: 100)
        losses.account(diverted: 110, answered: 100)
        losses.account(diverted: 110, answered: 110)
        losses.account(diverted: 110, answered: 110)
        #expect(losses.passedOverload == 10)
    }

    @Test func countsFromWhatTheRuleHadBefore() {
        var losses = losses(before: 5_000)
        losses.account(diverted: 5_010, answered: 7)
        losses.account(diverted: 5_010, answered: 7)
        #expect(losses.passedOverload == 3)
    }

    /// Rules of another backend start to count anew.
    @Test func survivesACounterThatStartsAnew() {
        var losses = losses(before: 5_000)
        losses.account(diverted: 20, answered: 20)
        losses.account(diverted: 21, answered: 21)
        #expect(losses.passedOverload == 0)
    }
}
