import Events
import Evidence
import Inspection
import Policy
import Testing
import Wire

@testable import Sensor

/// What a worker says of its findings: nothing is said twice, and nothing is left out.
@Suite struct ReporterTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start: UInt64 = 1_700_000_000 * second
    private static let rule = #"alert udp any any -> any any (content:"EVIL"; sid:1;)"#

    /// A packet that matches, from a source of this number.
    private static func packet(_ source: Int) -> [UInt8] {
        var packet = Family.v4.udp(.client, .web, "EVIL")
        packet[14] = UInt8(1 + (source >> 8))
        packet[15] = UInt8(source & 0xFF)
        packet.replaceSubrange(10..<12, with: [0, 0])
        packet.replaceSubrange(10..<12, with: big16(checksum(Array(packet[..<20]))))
        return packet
    }

    /// `packets` are times in seconds and sources. The events that are told, and how many findings were withheld.
    private static func told(
        _ packets: [(Double, Int)], rules: String = rule, _ limits: EventLimits, web: GuestPolicy = GuestPolicy()
    ) throws -> ([Event], UInt64) {
        var rig = try Rig(rules: rules, web: web, others: web, eventLimits: limits)
        let ring = EventRing(capacity: 1 << 14)
        let cell = UnsafeMutablePointer<WorkerCell>.allocate(capacity: 1)
        unsafe cell.initialize(to: WorkerCell())
        defer {
            unsafe cell.deinitialize(count: 1)
            unsafe cell.deallocate()
        }
        var reporter = unsafe Reporter(
            events: ring.makeWriter(), limiter: EventLimiter(), cell: cell, flowHash: SecretHash(seed: 1))
        for (seconds, source) in packets {
            rig.time = start + UInt64(seconds * 1_000) * 1_000_000
            reporter.settle(rig.time, period: limits.view.period)
            let decision = rig.inspect(packet(source))
            reporter.record(rig.inspector, decision, Arrival(time: rig.time))
        }
        reporter.finish()
        var events: [Event] = []
        ring.drain(max: .max) { events.append(copy $0) }
        return (events, unsafe cell.pointee.withheld.value)
    }

    private static func limits(_ rules: [UInt32] = [], standard: UInt32 = 20, tellsDrops: Bool = true) -> EventLimits {
        EventLimits(period: 10 * second, standard: standard, rules: rules, tellsDrops: tellsDrops)
    }

    @Test func theFirstAtOnceAndTheRestInOne() throws {
        let packets = [(0, 1), (1, 1), (2, 2), (3, 1), (11, 1), (22, 1), (33, 1), (44, 2), (55, 2), (56, 1)]
        let (events, withheld) = try ReporterTests.told(
            packets.map { (Double($0.0), $0.1) }, ReporterTests.limits())
        // One and its two followers, another host; two more of the first twenty seconds later, the other host anew,
        // the last of the first once it is silent, and then both anew.
        #expect(events.map(\.summary.count) == [0, 0, 2, 2, 0, 1, 0, 0])
        let times = events.map { ($0.arrival.time - ReporterTests.start) / ReporterTests.second }
        #expect(times == [0, 2, 3, 22, 44, 33, 55, 56])
        #expect(withheld == 5)
    }

    /// A million sources may be spoofed: what a rule says is bounded, and what it does not say is counted.
    @Test func anAllowanceIsOfAllPairs() throws {
        let packets = (0..<1_000).map { (Double($0) / 1_000, $0) }
        let (events, withheld) = try ReporterTests.told(packets, ReporterTests.limits([5]))
        #expect(events.count == 6)
        #expect(events.last?.summary.count == 995 && events.last?.summary.scope == .rule)
        #expect(withheld == 995)
    }

    @Test func aRuleMayHaveNoEventOfItsOwn() throws {
        let packets = (0..<100).map { (Double($0) / 10, $0) }
        let (events, _) = try ReporterTests.told(packets, ReporterTests.limits([0]))
        #expect(events.map(\.summary.count) == [100])
    }

    /// Whatever comes, what is told adds up to what was found.
    @Test(arguments: [UInt32(0), 1, 3, 1_000])
    func theSumIsWhatWasFound(_ allowance: UInt32) throws {
        let packets = (0..<4_000).map { (Double($0) / 50, $0 &* 7_919 % 97) }
        let (events, withheld) = try ReporterTests.told(packets, ReporterTests.limits([allowance]))
        let single = events.count { $0.summary.count == 0 }
        #expect(single + events.reduce(0) { $0 + Int($1.summary.count) } == 4_000)
        #expect(UInt64(4_000 - single) == withheld)
        // Eighty seconds are at most nine periods that begin.
        #expect(single <= 9 * Int(allowance))
    }

    /// Packets that pass and packets that are dropped are not one event.
    @Test func verdictsAreToldApart() throws {
        let rules = """
            alert udp any any -> any any (content:"EVIL"; sid:1;)
            drop udp any any -> any any (content:"EVIL"; threshold:type threshold, track by_rule, count 3, seconds 60; sid:2;)
            """
        let packets = (0..<4).map { (Double($0), 1) }
        let (events, _) = try ReporterTests.told(packets, rules: rules, ReporterTests.limits([9, 9]))
        let rows = events.map { "\($0.finding.code) \($0.verdict) \($0.summary.count)" }
        #expect(rows == ["0 accept 0", "1 drop 0", "0 drop 0", "0 accept 2"])
    }

    @Test(arguments: [(false, 0), (true, 3)])
    func dropsMaySayNothing(_ isShadow: Bool, _ expected: Int) throws {
        let rules = #"drop udp any any -> any any (content:"EVIL"; sid:1;)"#
        let packets = (0..<3).map { (Double($0), $0) }
        let (events, withheld) = try ReporterTests.told(
            packets, rules: rules, ReporterTests.limits([20], tellsDrops: false),
            web: GuestPolicy(shadow: isShadow))
        // In shadow mode nothing is dropped, and so all is told.
        #expect(events.count == expected && Int(withheld) == 3 - expected)
    }

    @Test func packetsThatARuleTaggedAreNotGathered() throws {
        let rules = #"alert udp any any -> any any (content:"EVIL"; tag:host,1000,packets,dst; sid:1;)"#
        let packets = (0..<10).map { (Double($0) / 10, 1) }
        let (events, _) = try ReporterTests.told(packets, rules: rules, ReporterTests.limits([20]))
        #expect(events.count { $0.finding.source == .tag } == 9)
        #expect(events.filter { $0.finding.source == .signature }.map(\.summary.count) == [0, 9])
    }
}
