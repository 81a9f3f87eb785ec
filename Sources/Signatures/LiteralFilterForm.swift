/// A `LiteralFilter` while it is built.
struct LiteralFilterForm {
    private(set) var grams: [UInt64]
    private(set) var gramBits: UInt32
    private(set) var windows: [UInt64]
    private(set) var windowBits: UInt64
    private(set) var buckets: [UInt32]
    private(set) var bucketBits: UInt64
    private(set) var records: [LiteralWindow.Record] = []

    /// Whether `long` literals are found faster by a filter when `others` are left to Hyperscan. It searches for
    /// up to about a hundred by vector instructions, several times faster than for more: so the filter must have
    /// many to be worth it, and leave few.
    static func isFaster(with long: Int, without others: Int) -> Bool { long >= 96 && others <= 48 }

    /// Bits of a map for each gram or window in it: one in so many positions of a payload that is like no literal
    /// is looked at in vain.
    private static let bitsEach = 128
    /// What both maps together may take of the second-level cache.
    private static let largest: UInt64 = 20

    /// Whether a literal has a window that is worth looking for: it is long enough, and not one byte over and
    /// over, of which payloads have long runs.
    static func takes(_ literal: Literal, arena: [UInt8]) -> Bool {
        literal.expression == nil && bestStart(of: literal, arena) != nil
    }

    /// `literals` are those that `takes` said so of.
    init(_ literals: [Literal], arena: [UInt8]) {
        gramBits = UInt32(LiteralFilterForm.bits(for: literals.count * LiteralWindow.stride))
        windowBits = LiteralFilterForm.bits(for: literals.count)
        bucketBits = min(windowBits, UInt64(Int.bitWidth - literals.count.leadingZeroBitCount))
        grams = Array(repeating: 0, count: 1 << Int(gramBits - 6))
        windows = Array(repeating: 0, count: 1 << Int(windowBits - 6))
        for literal in literals {
            guard let start = LiteralFilterForm.bestStart(of: literal, arena) else { continue }
            let window = LiteralFilterForm.window(at: literal.offset + start, arena)
            for position in 0..<LiteralWindow.stride {
                let gram = UInt32(truncatingIfNeeded: window >> UInt64(8 * position))
                let bit = LiteralWindow.hash(gram: gram) >> (32 - gramBits)
                grams[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
            }
            let bit = LiteralWindow.hash(window: window) >> (64 - windowBits)
            windows[Int(bit >> 6)] |= 1 << (bit & 63)
            records.append(
                LiteralWindow.Record(
                    window: window, pattern: UInt32(literal.offset), length: UInt16(literal.length),
                    start: UInt8(start), ignoresCase: literal.ignoresCase, identifier: literal.identifier))
        }
        let shift = 64 - bucketBits
        records.sort { LiteralWindow.hash(window: $0.window) < LiteralWindow.hash(window: $1.window) }
        buckets = Array(repeating: 0, count: 1 << Int(bucketBits) + 1)
        for record in records { buckets[Int(LiteralWindow.hash(window: record.window) >> shift) + 1] += 1 }
        for index in 1..<buckets.count { buckets[index] += buckets[index - 1] }
    }

    private static func bits(for count: Int) -> UInt64 {
        var bits: UInt64 = 6
        while bits < largest, 1 << Int(bits) < count * bitsEach { bits += 1 }
        return bits
    }

    /// Folded.
    private static func window(at place: Int, _ arena: [UInt8]) -> UInt64 {
        (0..<LiteralWindow.length).reduce(0) { $0 | UInt64(arena[place + $1]) << UInt64(8 * $1) }
            | LiteralWindow.fold
    }

    // MARK: - Which window

    /// Where the window is whose grams are the rarest; nil if there is none.
    private static func bestStart(of literal: Literal, _ arena: [UInt8]) -> Int? {
        var best: Int?
        var least = Int.max
        for start in 0...max(0, literal.length - LiteralWindow.length) {
            guard start + LiteralWindow.length <= literal.length else { break }
            let window = window(at: literal.offset + start, arena)
            let bytes = (0..<LiteralWindow.length).map { UInt8(truncatingIfNeeded: window >> UInt64(8 * $0)) }
            guard bytes.contains(where: { $0 != bytes[0] }) else { continue }
            let cost = (0..<LiteralWindow.stride).reduce(0) { sum, position in
                let gram = bytes[position..<position + 4]
                // One byte over and over comes in runs.
                let isRun = gram.allSatisfy { $0 == gram.first }
                return sum + (isRun ? 1 << 28 : 1 << gram.reduce(0) { $0 + commonness(of: $1) })
            }
            if cost < least { (best, least) = (start, cost) }
        }
        return best
    }

    /// How often a folded byte is met in payloads, as a power of two: text, markup and headers, in which a byte
    /// below 0x40 stands for two.
    private static func commonness(of byte: UInt8) -> Int {
        switch byte {
        // Blank and zero; e t a o i n s r.
        case 0x20, 0x65, 0x74, 0x61, 0x6F, 0x69, 0x6E, 0x73, 0x72: 6
        // Other letters; line feed, return and hyphen, dot, slash, equals sign, quotes.
        case 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x2F, 0x3D, 0x22: 5
        // Digits, and what else is printed.
        case 0x21...0x3F, 0xFF: 4
        default: 2
        }
    }
}
