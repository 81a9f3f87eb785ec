import Sketches
import Testing
import Wire

@testable import Floods

/// A generator with a seed, so that a failure can be looked at.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func v4(_ number: UInt32) -> Address { Address(v4: number) }

@Suite("How many sources there are, and how much each sends, without keeping any")
struct SketchTests {
    @Test("The count of distinct sources is right to 5 % from 10 to 16 million", arguments: [UInt64(1), 2])
    func distinct(_ seed: UInt64) {
        let hash = SecretHash(seed: seed)
        let sketches = DistinctSketches(count: 2)
        var next = 10
        var worst = 0.0
        for number in 0..<16_000_000 {
            // Each twice: the second time it is no other source.
            sketches.add(hash.hash(v4(UInt32(number))), to: 1)
            if number % 4 == 0 { sketches.add(hash.hash(v4(UInt32(number))), to: 1) }
            guard number + 1 == next else { continue }
            let error = sketches.registers(of: 1).estimate / Double(next) - 1
            worst = max(worst, abs(error))
            // Three standard deviations of 1.6 %; ten sources are counted exactly but for collisions.
            #expect(abs(error) < 0.05, "\(next) sources: \(error)")
            next = next < 10_000_000 ? next * 10 : 16_000_000
        }
        #expect(next == 16_000_000)
        #expect(worst > 0)
        sketches.clear(1)
        let empty = [sketches.registers(of: 0).estimate, sketches.registers(of: 1).estimate]
        #expect(empty == [0, 0])
    }

    @Test("Neighbouring addresses of both families are told apart")
    func neighbours() {
        let hash = SecretHash(seed: 7)
        let sketches = DistinctSketches(count: 1)
        for number in UInt64(0)..<50_000 {
            sketches.add(hash.hash(Address(high: 0x2001_0DB8_0000_0000, low: number)), to: 0)
            sketches.add(hash.hash(Address(high: 0x2001_0DB8_0000_0000 | number, low: 1)), to: 0)
        }
        let estimate = sketches.registers(of: 0).estimate
        #expect(abs(estimate / 100_000 - 1) < 0.05)
    }

    @Test("A heavy source is counted, and light ones are not taken for heavy, among a million")
    func heavy() {
        let hash = SecretHash(seed: 3)
        let sketch = RateSketch()
        var last: UInt32 = 0
        var most: UInt32 = 0
        for number in UInt32(0)..<1_000_000 {
            most = max(most, sketch.count(hash.hash(v4(number), 5), time: 1 << 40))
            if number % 500 == 0 { last = sketch.count(hash.hash(v4(0xC000_0201), 5), time: 1 << 40) }
        }
        #expect((2_000...2_200).contains(last))
        #expect(most < 256)
        // The next second begins at nothing.
        let next = sketch.count(hash.hash(v4(0xC000_0201), 5), time: (1 << 40) + (1 << 30))
        #expect(next == 1)
    }

    @Test("A ceiling is each source's own")
    func ceilings() {
        let hash = SecretHash(seed: 4)
        let ceilings = SourceCeilings()
        let start: UInt64 = 1_000_000_000_000
        func passed(_ source: UInt32, from: UInt64) -> Int {
            (0..<4_000).count {
                ceilings.allow(hash.hash(v4(source)), rate: 100, time: from + UInt64($0) * 1_000_000)
            }
        }
        // Four seconds at ten times the rate: one second's at once, and then the rate.
        let counts = [passed(1, from: start), passed(2, from: start)]
        #expect(counts.allSatisfy { (495...505).contains($0) }, "\(counts)")
    }
}

@Suite("Who proved that it receives what it is sent")
struct TrustTests {
    @Test("A trusted source is found, a stranger is not")
    func membership() {
        let hash = SecretHash(seed: 5)
        let table = TrustTable(capacity: 1 << 16)
        for number in UInt32(0)..<20_000 { table.insert(hash.hash(v4(number))) }
        let found = (UInt32(0)..<20_000).count { table.contains(hash.hash(v4($0))) }
        let mistaken = (UInt32(1_000_000)..<3_000_000).count { table.contains(hash.hash(v4($0))) }
        let capacity = table.capacity
        // A set of eight overflows now and then.
        #expect(found >= 19_980)
        #expect(mistaken == 0)
        #expect(capacity == 1 << 16)
    }

    @Test("In a full table those that are seen stay, and those that are not go")
    func eviction() {
        let hash = SecretHash(seed: 6)
        let table = TrustTable(capacity: 4_096)
        for number in UInt32(0)..<512 { table.insert(hash.hash(v4(number))) }
        for newcomer in UInt32(0)..<40_000 {
            table.insert(hash.hash(v4(100_000 + newcomer)))
            if newcomer % 200 == 0 {
                for number in UInt32(0)..<512 { _ = table.contains(hash.hash(v4(number))) }
            }
        }
        let kept = (UInt32(0)..<512).count { table.contains(hash.hash(v4($0))) }
        let others = (UInt32(100_000)..<120_000).count { table.contains(hash.hash(v4($0))) }
        #expect(kept >= 500)
        #expect(others < 400)
    }

    @Test("History remembers more than there are places for, for one to two generations")
    func history() {
        let hash = SecretHash(seed: 7)
        let hour: UInt64 = 3_600_000_000_000
        let history = HistoryFilter(capacity: 50_000, age: 12 * hour)
        for number in UInt32(0)..<50_000 { history.insert(hash.hash(v4(number)), time: hour) }
        func areRemembered() -> Bool { (UInt32(0)..<50_000).allSatisfy { history.contains(hash.hash(v4($0))) } }
        var remembers = areRemembered()
        #expect(remembers)
        // Full or nearly: one stranger in 2,000 at most.
        let mistaken = (UInt32(1_000_000)..<1_400_000).count { history.contains(hash.hash(v4($0))) }
        #expect(mistaken < 200, "\(mistaken) of 400,000")
        history.rotate(time: 14 * hour)
        remembers = areRemembered()
        #expect(remembers)
        history.insert(hash.hash(v4(77_777)), time: 14 * hour)
        history.rotate(time: 20 * hour)
        remembers = areRemembered()
        #expect(remembers)
        history.rotate(time: 27 * hour)
        let old = (UInt32(0)..<50_000).count { history.contains(hash.hash(v4($0))) }
        let new = history.contains(hash.hash(v4(77_777)))
        #expect(old < 5)
        #expect(new)
    }

    @Test("A full generation gives way to a new one, at any time")
    func overflow() {
        let hash = SecretHash(seed: 8)
        let history = HistoryFilter(capacity: 1_000, age: .max)
        var number: UInt32 = 0
        for _ in 0..<20 {
            for _ in 0..<1_000 {
                history.insert(hash.hash(v4(number)), time: 1)
                number += 1
            }
            history.rotate(time: 1)
        }
        let remembered = (0..<number).count { history.contains(hash.hash(v4($0))) }
        #expect(remembered >= 1_000 && remembered < 6_000)
    }

    @Test("What is refused is refused for its time, and no more than there are places for")
    func denials() {
        let hash = SecretHash(seed: 9)
        let denials = Denials()
        let second: UInt64 = 1_000_000_000
        let now = 1_700_000_000 * second
        let isTaken = denials.insert(hash.hash(v4(1), 0), until: now + 10 * second, time: now)
        #expect(isTaken)
        func isRefused(_ number: UInt64, after seconds: UInt64) -> Bool {
            denials.contains(hash.hash(v4(1), number), time: now + seconds * second)
        }
        var answers = [isRefused(0, after: 9), isRefused(1, after: 0), isRefused(0, after: 11)]
        #expect(answers == [true, false, false])
        for number in UInt32(0)..<10_000 {
            denials.insert(hash.hash(v4(number), 3), until: now + 99 * second, time: now)
        }
        let counts = [denials.count(time: now), denials.count(time: now + 100 * second)]
        #expect((200...256).contains(counts[0]))
        #expect(counts[1] == 0)
        // Who has a place keeps it.
        answers = [isRefused(0, after: 9)]
        #expect(answers == [true])
    }
}
