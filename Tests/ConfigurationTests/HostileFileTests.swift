import Configuration
import Foundation
import Testing

/// Text that nobody meant: it may be refused, it may not trap or hang.
struct HostileFileTests {
    /// The example's settings without its comments, which would only make the tests longer.
    private func example() throws -> [UInt8] {
        let text = try String(contentsOfFile: exampleFile, encoding: .utf8)
        return Array(text.replacing(/[ ]*#[^\n]*/, with: "").replacing(/\n+/, with: "\n").utf8)
    }

    @Test func everyPrefixOfTheExample() throws {
        let text = try example()
        var refused = 0
        for end in 0..<text.count {
            do {
                _ = try Settings.parse(text: String(decoding: text[..<end], as: UTF8.self), file: "f")
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(refused > text.count / 2, "the guests come late: most prefixes must be refused")
    }

    @Test func randomMutations() throws {
        let text = try example()
        let spice = Array("[]{}:,-#&*!|>'\"%@`?\n\t \\~0x9\u{0}".utf8)
        var random = SplitMix(state: 2026)
        var refused = 0
        let rounds = 1500
        for _ in 0..<rounds {
            var mutant = text
            for _ in 0...Int(random.next() % 6) {
                let place = Int(random.next() % UInt64(mutant.count))
                let length = min(Int(random.next() % 40), mutant.count - place)
                switch random.next() % 4 {
                case 0: mutant[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: mutant.insert(spice[Int(random.next() % UInt64(spice.count))], at: place)
                case 2: mutant.removeSubrange(place..<place + length)
                default: mutant.insert(contentsOf: mutant[place..<place + length], at: place)
                }
            }
            do {
                _ = try Settings.parse(text: String(decoding: mutant, as: UTF8.self), file: "f")
            } catch {
                refused += 1
                for problem in error.problems {
                    #expect(!problem.description.utf8.contains { $0 < 0x20 }, "a message is one clean line")
                }
            }
        }
        #expect((rounds / 10...rounds - 1).contains(refused), "mutants must be neither all bad nor all good")
    }
}

/// S. Vigna's SplitMix64: the same mutants every time.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
