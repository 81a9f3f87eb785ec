import Testing

@testable import Signatures

/// The filter finds what a naive search finds, no more and no less.
@Suite struct LiteralFilterTests {
    /// Literals of all lengths that it takes, from two letters and some that are met in every payload, so that
    /// they overlap, begin alike and share their windows.
    private static func literals(_ random: inout SeededGenerator) -> [(bytes: [UInt8], ignoresCase: Bool)] {
        let alphabets: [[UInt8]] = [
            Array("ab".utf8), Array("GET /HTTP1.\r\n".utf8), [0, 0x20, 0x40, 0x60], Array(0...255),
        ]
        return (0..<200).map { _ in
            let alphabet = alphabets.randomElement(using: &random)!
            let length = Int.random(in: 8...64, using: &random)
            let ignoresCase = Bool.random(using: &random)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &random)! }
            return (ignoresCase ? bytes.map(\.lowercased) : bytes, ignoresCase)
        }
    }

    @Test(arguments: 0..<8) func findsWhatIsThere(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let literals = Self.literals(&random)
        var arena: [UInt8] = []
        var taken: [Literal] = []
        for (index, literal) in literals.enumerated() {
            let made = Literal(
                offset: arena.count, length: literal.bytes.count, ignoresCase: literal.ignoresCase, expression: nil,
                identifier: UInt32(index))
            arena += literal.bytes
            if LiteralFilterForm.takes(made, arena: arena) { taken.append(made) }
        }
        #expect(taken.count > 150)
        let form = LiteralFilterForm(taken, arena: arena)
        for _ in 0..<300 {
            // Literals, whole and in parts, in other case, between bytes of all kinds; also shorter than a window.
            var payload: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                var piece = literals.randomElement(using: &random)!.bytes
                switch Int.random(in: 0..<5, using: &random) {
                case 0: piece.removeLast(Int.random(in: 1...7, using: &random))
                case 1: piece = piece.map { Bool.random(using: &random) ? $0 ^ 0x20 : $0 }
                case 2:
                    piece = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                default: break
                }
                payload += piece
            }
            var expected: Set<UInt64> = []
            for literal in taken {
                let pattern = Array(arena[literal.offset..<literal.offset + literal.length])
                let text = literal.ignoresCase ? payload.map(\.lowercased) : payload
                guard text.count >= pattern.count else { continue }
                for start in 0...text.count - pattern.count
                where text[start..<start + pattern.count].elementsEqual(pattern) {
                    expected.insert(UInt64(literal.identifier) << 32 | UInt64(start + pattern.count))
                }
            }
            #expect(found(form, arena, payload) == expected)
        }
    }

    /// At every place of payloads of every length around a stride and its fourfold.
    @Test func everyPlaceIsSeen() {
        let literal = Literal(offset: 0, length: 8, ignoresCase: false, expression: nil, identifier: 7)
        let arena = Array("findthis".utf8)
        let form = LiteralFilterForm([literal], arena: arena)
        for length in 8...70 {
            for place in 0...length - 8 {
                var payload = [UInt8](repeating: 0x78, count: length)
                payload.replaceSubrange(place..<place + 8, with: arena)
                #expect(found(form, arena, payload) == [7 << 32 | UInt64(place + 8)])
            }
        }
    }

    @Test func runsAreLeftToHyperscan() {
        let arena = [UInt8](repeating: 0x41, count: 64) + Array("short".utf8) + [0x20, 0, 0x20, 0, 0x20, 0, 0x20, 0]
        func takes(_ offset: Int, _ length: Int) -> Bool {
            LiteralFilterForm.takes(
                Literal(offset: offset, length: length, ignoresCase: false, expression: nil, identifier: 0),
                arena: arena)
        }
        #expect(!takes(0, 64))
        #expect(!takes(64, 5))
        #expect(!takes(69, 8), "blanks and zeros are the same to the filter")
        #expect(takes(57, 12))
    }

    private func found(_ form: LiteralFilterForm, _ arena: [UInt8], _ payload: [UInt8]) -> Set<UInt64> {
        var found: Set<UInt64> = []
        // Memory of its own, so that a byte too far is one that the sanitizer sees.
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, payload.count), alignment: 1)
        defer { unsafe copy.deallocate() }
        for (index, byte) in payload.enumerated() {
            unsafe copy.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        unsafe form.grams.withUnsafeBufferPointer { grams in
            unsafe form.windows.withUnsafeBufferPointer { windows in
                unsafe form.buckets.withUnsafeBufferPointer { buckets in
                    unsafe form.records.withUnsafeBufferPointer { records in
                        unsafe arena.withUnsafeBufferPointer { patterns in
                            let filter = unsafe LiteralFilter(
                                grams: grams.baseAddress!, gramShift: 32 - form.gramBits,
                                windows: windows.baseAddress!, windowShift: 64 - form.windowBits,
                                buckets: buckets.baseAddress!, bucketShift: form.windowBits - form.bucketBits,
                                records: records.baseAddress!, patterns: patterns.baseAddress!)
                            unsafe filter.scan(copy, payload.count) { found.insert(UInt64($0) << 32 | $1) }
                        }
                    }
                }
            }
        }
        return found
    }
}
