import Events
import Evidence
import Testing
import Wire

@testable import Sensor

/// What is held back, and when it is told of.
@Suite struct EventAggregatorTests {
    private static let second: UInt64 = 1_000_000_000
    private static let period = 10 * second

    private static func subject(_ code: UInt32 = 1, from source: UInt64 = 9) -> EventAggregator.Subject {
        EventAggregator.Subject(
            source: Address(high: 0, low: source), destination: Address(high: 0, low: 2), code: code, generation: 1,
            kind: .signature, verdict: .accept, scope: .pair)
    }

    private static func event(_ time: UInt64, code: UInt32 = 1) -> Event {
        Event(
            packet: Packet(), arrival: Arrival(time: time),
            finding: Finding(.signature, code: code, concern: .low, asks: .accept), verdict: .accept, reason: .none,
            intended: .accept, guest: -1, flow: 0)
    }

    private static func drained(_ ring: EventRing) -> [Event] {
        var events: [Event] = []
        ring.drain(max: .max) { events.append(copy $0) }
        return events
    }

    @Test func tellsOfWhatFollowedAtTheEndOfThePeriod() {
        typealias Own = EventAggregatorTests
        let ring = EventRing(capacity: 64)
        var writer = ring.makeWriter()
        var aggregator = EventAggregator(capacity: 16)
        let early = aggregator.gather(Own.subject(), Own.second)
        #expect(!early)
        aggregator.open(Own.subject(), Own.second, Own.event(Own.second), into: &writer)
        for time in [2, 3, 10] {
            let isHeld = aggregator.gather(Own.subject(), UInt64(time) * Own.second)
            #expect(isHeld)
        }
        let others = [
            Own.subject(2), Own.subject(from: 8), Own.subject().ofRule,
        ].map { aggregator.gather($0, 2 * Own.second) }
        #expect(others == [false, false, false])
        aggregator.settle(11 * Own.second - 1, period: Own.period, into: &writer)
        #expect(Own.drained(ring).isEmpty)
        aggregator.settle(11 * Own.second, period: Own.period, into: &writer)
        let events = Own.drained(ring)
        #expect(events.count == 1)
        #expect(events.first?.summary.count == 3)
        #expect(events.first?.summary.first == 2 * Own.second)
        #expect(events.first?.summary.last == 10 * Own.second)
        #expect(events.first?.arrival.time == 10 * Own.second)
        // Nothing more came in a period: it is over, and the next is a first one again.
        aggregator.settle(21 * Own.second, period: Own.period, into: &writer)
        #expect(Own.drained(ring).isEmpty)
        let again = aggregator.gather(Own.subject(), 22 * Own.second)
        #expect(!again && aggregator.count == 0)
    }

    /// An hour of one finding, ten a second: events come ever more rarely, and no finding is missing.
    @Test func whatGoesOnIsToldOfEverMoreRarely() {
        typealias Own = EventAggregatorTests
        let ring = EventRing(capacity: 64)
        var writer = ring.makeWriter()
        var aggregator = EventAggregator(capacity: 16)
        aggregator.open(Own.subject(), 0, Own.event(0), into: &writer)
        var times: [UInt64] = []
        var told: UInt64 = 0
        for tenth in 1...36_000 {
            let time = UInt64(tenth) * Own.second / 10
            aggregator.settle(time, period: Own.period, into: &writer)
            for event in Own.drained(ring) {
                times.append(time / Own.second)
                told += UInt64(event.summary.count)
            }
            let isHeld = aggregator.gather(Own.subject(), time)
            #expect(isHeld)
        }
        #expect(times == [10, 30, 70, 150, 310, 630, 1270, 1910, 2550, 3190])
        // When it ends, two periods later at most.
        aggregator.settle(3_611 * Own.second, period: Own.period, into: &writer)
        aggregator.settle(3_622 * Own.second, period: Own.period, into: &writer)
        told += Own.drained(ring).reduce(0) { $0 + UInt64($1.summary.count) }
        #expect(told == 36_000 && aggregator.count == 0)
    }

    @Test func nothingFollowedIsNothingToTell() {
        typealias Own = EventAggregatorTests
        let ring = EventRing(capacity: 64)
        var writer = ring.makeWriter()
        var aggregator = EventAggregator(capacity: 16)
        aggregator.open(Own.subject(), 0, Own.event(0), into: &writer)
        aggregator.closeAll(into: &writer)
        #expect(Own.drained(ring).isEmpty && aggregator.count == 0)
    }

    /// A clock that is set back does not keep records open for as long as it takes to come round.
    @Test func aClockThatIsSetBack() {
        typealias Own = EventAggregatorTests
        let ring = EventRing(capacity: 64)
        var writer = ring.makeWriter()
        var aggregator = EventAggregator(capacity: 16)
        aggregator.open(Own.subject(), 1_000 * Own.second, Own.event(0), counting: true, into: &writer)
        aggregator.settle(Own.second, period: Own.period, into: &writer)
        #expect(Own.drained(ring).map(\.summary.count) == [1])
    }

    /// In a table that is far too small the oldest goes for the newest, and every finding is told of all the same.
    @Test(arguments: [1, 2, 16])
    func nothingIsLostWhenRecordsHaveToGo(_ capacity: Int) {
        typealias Own = EventAggregatorTests
        let ring = EventRing(capacity: 1 << 12)
        var writer = ring.makeWriter()
        var aggregator = EventAggregator(capacity: capacity)
        var told = 0
        var state: UInt64 = 7
        for time in 0..<3_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let subject = Own.subject(UInt32(state >> 60 & 1), from: state >> 40 & 15)
            if !aggregator.gather(subject, UInt64(time)) {
                told += 1
                aggregator.open(subject, UInt64(time), Own.event(UInt64(time), code: subject.code), into: &writer)
            }
            #expect(aggregator.count <= capacity)
        }
        aggregator.closeAll(into: &writer)
        let events = Own.drained(ring)
        #expect(told + events.reduce(0) { $0 + Int($1.summary.count) } == 3_000)
        #expect(ring.lost == 0 && events.allSatisfy { $0.summary.first <= $0.summary.last })
    }
}
