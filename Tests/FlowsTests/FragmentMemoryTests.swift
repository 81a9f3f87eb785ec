import Testing
import Wire

@testable import Flows

/// What is remembered, for how long, and what becomes of the rest.
@Suite struct FragmentMemoryTests {
    private static let first = Part(0, "aaaaaaaa")
    private static let last = Part(8, "b", more: false)

    private static func numbered(_ part: Part, _ number: Int) -> Part { part.with { $0.identification = number } }

    // MARK: - Time

    @Test func replayWaitsForAMinuteSinceTheLastFragment() {
        var table = Reassembler(isInline: false)
        _ = table.add(Self.first)
        table.clock = 59_000
        _ = table.add(Part(16, "c", more: false))
        table.clock = 118_000
        #expect(table.data([Part(8, "bbbbbbbb")]) == "aaaaaaaabbbbbbbbc")
        _ = table.add(Self.first)
        table.clock = 179_000
        #expect(table.data([Self.last]) == nil && table.table.counters.expired == 1)
    }

    /// A host that waits longer than the table must not put together what the table no longer knows.
    @Test func inlineWhatIsNotWholeInTimeNeverIs() {
        for (later, passes) in [(9_000, true), (11_000, false), (119_000, false)] {
            var table = Reassembler(isInline: true)
            _ = table.add(Self.first)
            table.clock = later
            #expect((table.data([Self.last]) != nil) == passes)
            #expect(table.table.counters.expired == (passes ? 0 : 1))
        }
        var table = Reassembler(isInline: true)
        _ = table.add(Self.first)
        table.clock = 121_000
        #expect(table.refusal(Self.last) == .none && table.table.openCount == 1)
    }

    /// The last fragment is barred, not the first: without it no host can put the datagram together. But what
    /// passes makes hosts wait on.
    @Test func ofWhatIsTooLateOnlyWhatIsMissingIsBarred() {
        var table = Reassembler(isInline: true)
        _ = table.add(Self.first)
        table.clock = 60_000
        #expect(table.refusal(Self.last) == .forbidden && table.refusal(Part(16, "cccccccc")) == .none)
        table.clock = 170_000
        #expect(table.refusal(Self.last) == .forbidden)
        table.clock = 181_000
        #expect(table.refusal(Self.last) == .none)
    }

    // MARK: - Verdicts

    @Test(arguments: [4, 6]) func whatWasDroppedStaysDropped(_ version: Int) {
        var table = Reassembler(isInline: true)
        let (first, last) = (Self.first.with { $0.version = version }, Self.last.with { $0.version = version })
        _ = table.add(first)
        #expect(table.add(last, dropped: true).whole != nil)
        for part in [last, last.with { $0.data = [7] }, first, Part(8, "cccccccc").with { $0.version = version }] {
            #expect(table.refusal(part) == .forbidden)
        }
        table.clock = 121_000
        #expect(table.refusal(last) == .none)
    }

    @Test func aDatagramOfWhichAFragmentWasDroppedIsDropped() {
        var table = Reassembler(isInline: true)
        _ = table.add(Self.first)
        _ = table.add(Part(8, "bbbbbbbb"), dropped: true)
        #expect(table.refusal(Part(16, "c", more: false)) == .forbidden)
        #expect(table.refusal(Part(8, "bbbbbbbb")) == .forbidden)
    }

    @Test func whatPassedIsForgottenAndItsNumberIsFree() {
        var table = Reassembler(isInline: true)
        for _ in 1...3 { #expect(table.data([Self.first, Self.last]) == "aaaaaaaab") }
        #expect(table.table.openCount == 0 && table.table.counters.datagrams == 3)
    }

    // MARK: - Room

    /// Whatever the order and however full: each datagram's last fragment makes it whole, or does not pass.
    @Test(arguments: [17, 40, 400]) func nothingForgottenBecomesWhole(_ count: Int) {
        var table = Reassembler(isInline: true, capacity: 16)
        for number in 0..<count { #expect(table.refusal(Self.numbered(Self.first, number)) != .forbidden) }
        #expect(table.table.counters.evicted > 0 && table.table.openCount <= 16)
        var wholes = 0
        for number in 0..<count {
            let (step, whole) = table.add(Self.numbered(Self.last, number))
            #expect((whole != nil) != (step.refusal == .noRoom), "datagram \(number)")
            if whole != nil { wholes += 1 }
        }
        #expect(wholes <= 16)
    }

    @Test func replayForgetsTheOldest() {
        var table = Reassembler(isInline: false, capacity: 16)
        for number in 0..<17 { _ = table.add(Self.numbered(Self.first, number)) }
        #expect(table.table.counters.evicted == 1)
        #expect(table.data([Self.numbered(Self.last, 1)]) == "aaaaaaaab")
        #expect(table.data([Self.numbered(Self.last, 0)]) == nil)
    }

    /// 128 pages, of which each datagram takes two, and one for its header.
    @Test(arguments: [true, false]) func pagesAreTakenFromTheOldest(_ isInline: Bool) {
        var table = Reassembler(isInline: isInline, capacity: 256, bytes: 0)
        let big = Part(0, run("a", 1_480))
        for number in 0..<43 { #expect(table.refusal(Self.numbered(big, number)) == .none) }
        #expect(table.table.counters.evicted == 1 && table.table.openCount == 42)
        let end = Part(1_480, "z", more: false)
        let (step, whole) = table.add(Self.numbered(end, 0))
        #expect(whole == nil && step.refusal == (isInline ? .noRoom : .none))
        #expect(table.add(Self.numbered(end, 42)).whole?.count == 20 + 1_481)
    }

    /// A flood of fragments from the middle, each of a datagram of its own, is no reason to drop them.
    @Test func aFloodThatCannotBecomeWholePasses() {
        var table = Reassembler(isInline: true, capacity: 16)
        for number in 0..<2_000 {
            table.clock = number
            let part = Self.numbered(Part(800 + number % 100 * 8, run("x", 64)), number % 500)
            #expect(table.refusal(part) == .none)
        }
        // Its first fragments do not.
        let passed = (0..<500).filter { table.refusal(Self.numbered(Self.first, $0)) == .none }
        #expect(passed.count <= 16)
    }

    @Test func aDatagramOfTooManyPiecesFindsNoRoom() {
        var table = Reassembler(isInline: true)
        var refused = 0
        for place in 0..<200 where table.refusal(Part(place * 16, "xxxxxxxx")) == .noRoom { refused += 1 }
        #expect(refused == 72)
        // In order they are one piece.
        for place in 0..<200 {
            #expect(table.refusal(Self.numbered(Part(place * 8, "xxxxxxxx"), 2)) == .none)
        }
    }

    @Test func headersThatAreTooLongFindNoRoom() {
        var table = Reassembler(isInline: true)
        // A destination options header of 1,032 bytes.
        let options: [UInt8] = [44, 128] + Array(repeating: 0, count: 1_030)
        var bytes = Self.first.with { $0.version = 6 }.bytes
        bytes[6] = 60
        bytes.replaceSubrange(4..<6, with: be16(options.count + 16))
        bytes.insert(contentsOf: options, at: 40)
        let packet = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        #expect(packet.isFragment)
        let step = unsafe table.table.add(packet, bytes.span.bytes, FragmentPlace(time: 1), into: 0)
        #expect(step.refusal == .noRoom && step.isIgnored)
    }

    @Test func memoryIsWhatItSays() {
        let table = Reassembler(isInline: true, capacity: 1_024, bytes: 1 << 20)
        #expect((1 << 20..<3 << 20).contains(table.table.memoryBytes))
    }
}
