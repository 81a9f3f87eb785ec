import Testing
import Wire

/// What a stranger may choose must not fall into one bucket.
@Suite struct SecretHashTests {
    /// Keys that differ in a way that sums, xors and products of known constants do not see: the interface
    /// identifiers of a /64 against the port, and the top bits of one word against the next.
    @Test(
        arguments: [
            ("a port against an identifier", 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB),
            ("the golden ratio", 0x9E37_79B9_7F4A_7C15, 0x9E37_79B9_7F4A_7C15),
            ("equal steps", 1, 1),
            ("the highest bits", 1 << 48, 1),
        ] as [(String, UInt64, UInt64)])
    func chosenEndsDoNotCollide(_ name: String, _ wordFactor: UInt64, _ portFactor: UInt64) {
        var random = Seeded(state: 11)
        for _ in 0..<8 {
            let hash = SecretHash(seed: random.next())
            // word · wordFactor + port · portFactor is the same for all of them.
            let step = portFactor &* inverse(wordFactor | 1)
            let hashes = (0..<4096 as Range<UInt64>).map { number in
                hash.hash(
                    Address(high: 0x2001_0DB8 << 32, low: 77 &- number &* step), UInt16(number),
                    Address(v4: 0xC000_0201), 443, rest: 6)
            }
            #expect(Set(hashes).count == 4096)
            #expect(fullest(hashes) <= 24, "\(name)")
        }
    }

    @Test func wordsOfAnAddressDoNotMakeUpForEachOther() {
        var random = Seeded(state: 12)
        for _ in 0..<8 {
            let hash = SecretHash(seed: random.next())
            let hashes = (0..<4096 as Range<UInt64>).map { hash.hash(Address(high: $0 << 52 ^ $0, low: $0 << 52 ^ $0)) }
            #expect(Set(hashes).count == 4096)
            #expect(fullest(hashes) <= 24)
        }
    }

    /// The most of them in one of 512 buckets: 8 are expected, more than 24 happen by chance once in 10,000 runs.
    private func fullest(_ hashes: [UInt64]) -> Int {
        var buckets = [Int](repeating: 0, count: 512)
        for hash in hashes { buckets[Int(hash & 511)] += 1 }
        return buckets.max()!
    }

    /// Of an odd number, modulo 2^64, by Newton's iteration.
    private func inverse(_ number: UInt64) -> UInt64 {
        var inverse = number
        for _ in 0..<6 { inverse = inverse &* (2 &- number &* inverse) }
        return inverse
    }
}
