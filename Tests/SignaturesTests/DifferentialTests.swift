import Evidence
import Signatures
import Testing
import Wire

/// Random rules on random payloads, against a matcher so simple that it can be read at one go.
@Suite struct DifferentialTests {
    struct Piece: Sendable {
        var pattern: [UInt8]
        var negated = false
        var nocase = false
        var offset: Int?
        var depth: Int?
        var distance: Int?
        var within: Int?

        var text: String {
            var text = "content:\(negated ? "!" : "")\"\(String(decoding: pattern, as: UTF8.self))\"; "
            if nocase { text += "nocase; " }
            for (name, value) in [
                ("offset", offset), ("depth", depth), ("distance", distance), ("within", within),
            ] {
                if let value { text += "\(name):\(value); " }
            }
            return text
        }

        func stands(in payload: [UInt8], at place: Int) -> Bool {
            guard place >= 0, place + pattern.count <= payload.count else { return false }
            let part = payload[place..<place + pattern.count]
            if !nocase { return part.elementsEqual(pattern) }
            let fold = { (byte: UInt8) in (65...90).contains(byte) ? byte + 32 : byte }
            return part.map(fold) == pattern.map(fold)
        }

        /// All places where it stands, when the match before it ended at `end`.
        func places(in payload: [UInt8], after end: Int) -> [Int] {
            let isRelative = distance != nil || within != nil
            let low = isRelative ? end + (distance ?? 0) : offset ?? 0
            let high = isRelative ? within.map { low + $0 } : depth.map { low + $0 }
            return (0...payload.count).filter {
                $0 >= low && stands(in: payload, at: $0) && $0 + pattern.count <= high ?? .max
            }
        }
    }

    /// Whether the pieces can be placed one after another so that each is where it asks to be.
    static func matches(_ pieces: ArraySlice<Piece>, _ payload: [UInt8], after end: Int = 0) -> Bool {
        guard let piece = pieces.first else { return true }
        let rest = pieces.dropFirst()
        let places = piece.places(in: payload, after: end)
        if piece.negated { return places.isEmpty && matches(rest, payload, after: end) }
        return places.contains { matches(rest, payload, after: $0 + piece.pattern.count) }
    }

    static func randomPiece(_ random: inout SeededGenerator) -> Piece {
        let letters = Array("abAB".utf8)
        let count = Int.random(in: 1...3, using: &random)
        var piece = Piece(pattern: (0..<count).map { _ in letters.randomElement(using: &random)! })
        piece.negated = Int.random(in: 0..<4, using: &random) == 0
        piece.nocase = Int.random(in: 0..<3, using: &random) == 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            if Bool.random(using: &random) { piece.offset = Int.random(in: 0...6, using: &random) }
            if Bool.random(using: &random) { piece.depth = Int.random(in: count...12, using: &random) }
        case 1:
            if Bool.random(using: &random) { piece.distance = Int.random(in: -4...4, using: &random) }
            if Bool.random(using: &random) { piece.within = Int.random(in: count...7, using: &random) }
        default: break
        }
        return piece
    }

    /// Sets of as many rules as one packet may raise alerts.
    @Test(arguments: 0..<240)
    func agreesWithTheSimpleMatcher(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let rules = (0..<Matcher.alertLimit).map { _ in
            (0..<Int.random(in: 1...5, using: &random)).map { _ in DifferentialTests.randomPiece(&random) }
        }
        let set = try compile(
            rules.enumerated().map { sid, pieces in
                "alert udp any any -> any any (\(pieces.map(\.text).joined())sid:\(sid + 1);)"
            }.joined(separator: "\n"))
        #expect(set.problems == [])
        var matcher = try Matcher(set)
        var (hits, misses) = (0, 0)
        for _ in 0..<40 {
            let payload = (0..<Int.random(in: 1...24, using: &random)).map { _ in
                Array("aabbABxy".utf8).randomElement(using: &random)!
            }
            let findings = matcher.findings(Sample.udp(bytes: payload).bytes)
            let found = Set((0..<findings.count).map { Int(findings[$0].code) })
            for (index, pieces) in rules.enumerated() {
                let expected = DifferentialTests.matches(pieces[...], payload)
                #expect(
                    found.contains(index) == expected,
                    "\(pieces.map(\.text).joined()) on \(String(decoding: payload, as: UTF8.self))")
                if expected { hits += 1 } else { misses += 1 }
            }
        }
        #expect(hits > 20 && misses > 20)
        #expect(matcher.abandonedSearches == 0)
    }
}
