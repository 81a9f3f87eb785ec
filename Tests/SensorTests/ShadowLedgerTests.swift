import Configuration
import Control
import Events
import Evidence
import Foundation
import Testing
import Topology
import Wire

@testable import Sensor

/// What shadow mode let pass, counted by what it would have been dropped for.
@Suite struct ShadowLedgerTests {
    private static let names = EVENames(
        rule: { EVENames.Rule(gid: 1, sid: 100 + $0, rev: 1, message: "rule \($0)", category: "", severity: 1) },
        check: { "ip.check\($0)" }, relation: { "relation \($0)" }, guest: { ["web", "dns"][Int($0)] },
        interface: { _ in nil })

    private let ledger = ShadowLedger(time: 5_000_000_000, names: names, generation: 1)

    private func event(
        _ source: Finding.Source = .signature, _ code: UInt32 = 0, guest: Int32 = 0, asks: Verdict = .drop,
        verdict: Verdict = .accept, intended: Verdict = .drop, count: UInt32 = 0, second: UInt64 = 6,
        generation: UInt32 = 1
    ) -> Event {
        var packet = Packet()
        packet.source = Address("198.51.100.1")!
        packet.destination = Address("2001:db8::1")!
        packet.sourcePort = 4000
        packet.destinationPort = 80
        packet.kind = .tcp
        var event = Event(
            packet: packet, arrival: Arrival(time: second * 1_000_000_000),
            finding: Finding(source, code: code, concern: .high, asks: asks), verdict: verdict, reason: .rule,
            intended: intended, guest: guest, flow: 0, generation: generation)
        event.summary.count = count
        event.summary.last = (second + 1) * 1_000_000_000
        return event
    }

    private var counts: [String] {
        ledger.figures.entries.map { "\($0.guest) \($0.source) \($0.message) \($0.count)" }
    }

    @Test func onlyWhatWouldHaveBeenDroppedCounts() {
        for event in [
            event(asks: .accept), event(verdict: .drop), event(intended: .accept),
            event(verdict: .drop, intended: .drop, count: 9),
        ] { ledger.note(event) }
        #expect(counts == [] && ledger.figures.since == 5)
    }

    @Test func byGuestAndByWhat() throws {
        ledger.note(event())
        ledger.note(event(count: 40, second: 8))
        ledger.note(event(.signature, 1))
        ledger.note(event(guest: 1))
        ledger.note(event(.conformance, 3, guest: -1, count: 5))
        ledger.note(event(.relation, 0))
        ledger.note(event(.relation, 1, count: 3))
        #expect(
            counts == [
                "web 1:100 rule 0 41", "others ip.check3  5", "web relation relation 1 3", "dns 1:100 rule 0 1",
                "web 1:101 rule 1 1", "web relation relation 0 1",
            ])
        let first = try #require(ledger.figures.entries.first)
        #expect(first.first == 6 && first.last == 9)
        #expect(first.examples.map(\.time) == [6, 8])
        #expect(first.examples[0].from == "198.51.100.1:4000" && first.examples[0].to == "[2001:db8::1]:80")
        for second in 10..<20 { ledger.note(event(second: UInt64(second))) }
        #expect(ledger.figures.entries[0].examples.count == 3)
    }

    @Test func kindsAreBounded() {
        for code in 0..<UInt32(ShadowLedger.limit) { ledger.note(event(.signature, code)) }
        ledger.note(event(.signature, 5000, count: 7))
        ledger.note(event(generation: 9))
        #expect(ledger.figures.entries.count == ShadowLedger.limit && ledger.figures.others == 8)
    }

    /// After a restart it goes on, of guests that are still in shadow mode, and no further than its bound.
    @Test func whatWasCountedBeforeGoesOn() throws {
        for second in 6..<10 { ledger.note(event(second: UInt64(second))) }
        ledger.note(event(.signature, 1, guest: 1))
        ledger.note(event(generation: 9))
        let file = StateFile<ShadowFigures>(
            state: FileManager.default.temporaryDirectory.appending(path: "flinch-\(UUID())").path, "shadow.json")
        defer { try? FileManager.default.removeItem(atPath: (file.path as NSString).deletingLastPathComponent) }
        #expect(try file.read() == nil)
        try file.write(ledger.figures)
        var settings = Settings()
        var web = settings.protected(Guest(name: "web", addresses: []))
        web.guest.shadow = true
        settings.guests = [web, settings.protected(Guest(name: "dns", addresses: []))]
        let next = ShadowLedger(time: 50_000_000_000, names: Self.names, generation: 1)
        next.note(event(second: 60))
        next.recall(try #require(try file.read()), settings)
        next.note(event(second: 70))
        let figures = next.figures
        #expect(figures.since == 5 && figures.others == 1)
        #expect(figures.entries.map { "\($0.guest) \($0.source) \($0.count)" } == ["web 1:100 6"])
        #expect(figures.entries[0].first == 6 && figures.entries[0].last == 70)
        #expect(figures.entries[0].examples.map(\.time) == [6, 7, 8])

        let full = ShadowLedger(time: 50_000_000_000, names: Self.names, generation: 1)
        for code in 0..<UInt32(ShadowLedger.limit) { full.note(event(.signature, code + 10)) }
        full.recall(ledger.figures, settings)
        #expect(full.figures.entries.count == ShadowLedger.limit && full.figures.others == 1 + 4)
    }
}
