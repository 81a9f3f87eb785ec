/// The keyword `requires`: what the engine must have for a rule to load (Suricata's rust/src/detect/requires.rs).
enum Requirements {
    /// The version of Suricata whose rule language this is.
    private static let version = [8, 0, 6]

    /// `feature NAME`, `keyword NAME`, `version >= 7.0.3 < 8 | >= 8.0.3`, with commas between them.
    static func check(_ text: RuleText) throws(Rejection) {
        var hasVersion = false
        for part in text.listed {
            let words = part.words.map(\.string)
            guard let first = words.first, words.count >= 2 else { throw Rejection("requires takes pairs of words") }
            switch first {
            case "version":
                guard !hasVersion else { throw Rejection("requires takes one version") }
                hasVersion = true
                let rest = part.dropFirst(first.utf8.count).trimmed
                let alternatives = rest.split(separator: UInt8(ascii: "|"))
                var isMet = false
                for alternative in alternatives where try holds(alternative) { isMet = true }
                guard isMet else { throw Rejection("requires another version of Suricata", detail: rest.string) }
            case "keyword":
                if let buffer = ApplicationBuffer.named(words[1]) { throw buffer }
                guard Keyword.all.contains(where: { $0.name == words[1] }) else {
                    throw Rejection("requires a keyword that Flinch has not", detail: words[1])
                }
            default: throw Rejection("requires what Flinch has not", detail: words.joined(separator: " "))
            }
        }
    }

    /// Comparisons one after another, all of which must hold.
    private static func holds(_ text: RuleText) throws(Rejection) -> Bool {
        var rest = text.trimmed
        var all = true
        while !rest.isEmpty {
            let symbol = rest.prefix { "<>=".utf8.contains($0) }.string
            rest = rest.dropFirst(symbol.utf8.count).trimmed
            let number = rest.prefix { $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
            rest = rest.dropFirst(number.count).trimmed
            var parts = number.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }.compactMap { $0.number }
            guard (1...3).contains(parts.count) else { throw Rejection("requires: bad version") }
            while parts.count < 3 { parts.append(0) }
            let isLess = version.lexicographicallyPrecedes(parts)
            switch symbol {
            case ">=": all = all && !isLess
            case ">": all = all && !isLess && version != parts
            case "<": all = all && isLess
            case "<=": all = all && (isLess || version == parts)
            default: throw Rejection("requires: bad version")
            }
        }
        return all
    }
}
