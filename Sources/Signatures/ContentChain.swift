/// The contents of one rule in the order in which they are confirmed, places resolved.
struct ContentChain {
    struct Link {
        /// `pattern` is set once its place in the arena is known.
        var content: CompiledContent
        var pattern: [UInt8]
    }

    private(set) var links: [Link] = []
    private(set) var minimumPayload: Int32 = 0

    /// `prompt` is the content that Hyperscan has found in the payload already when the chain is walked. If
    /// that says all that the rule asks, there is nothing left to confirm.
    init(_ contents: [Content], provenBy prompt: Content?) {
        for content in contents where !content.isNegated {
            let reach = content.isRelative ? 0 : content.offset ?? 0
            minimumPayload = max(minimumPayload, Int32(reach + content.pattern.count))
        }
        // Suricata, too, looks at no packet without payload for a rule that names a content, if only to
        // exclude it.
        if !contents.isEmpty { minimumPayload = max(minimumPayload, 1) }
        if contents.count == 1, let prompt, prompt == contents[0], prompt.isProvenByPrompt { return }

        var last: [Link] = []
        var head: Int? = nil
        var reference = 0
        for content in contents {
            let isRelative = content.isRelative && head != nil
            let low = content.isRelative ? content.distance ?? 0 : content.offset ?? 0
            let reach = content.isRelative ? content.within : content.depth
            var traits: CompiledContent.Traits = []
            if content.isNegated { traits.insert(.negated) }
            if content.ignoresCase { traits.insert(.ignoresCase) }
            if isRelative { traits.insert(.relative) }
            let pattern = content.ignoresCase ? content.pattern.map(\.lowercased) : content.pattern
            let anchor = pattern.indices.min {
                pattern[$0].commonness(content.ignoresCase) < pattern[$1].commonness(content.ignoresCase)
            }!
            let link = Link(
                content: CompiledContent(
                    traits: traits, pattern: 0, length: Int32(pattern.count), anchor: Int32(anchor),
                    // Before the first match, distances count from the start of the payload.
                    low: Int32(isRelative ? low : max(0, low)), high: reach.map { Int32(low + $0) } ?? .max,
                    segment: 1, back: isRelative ? Int32(links.count - reference) : 0),
                pattern: pattern)
            if content.isNegated, !isRelative {
                last.append(link)
                continue
            }
            if !isRelative { head = links.count }
            if !content.isNegated { reference = links.count }
            links.append(link)
            links[head!].content.segment = Int32(links.count - head!)
        }
        links += last
    }
}

extension Content {
    /// A longer pattern is looked for by its first bytes and then confirmed.
    static let longestPrompt = 64

    var promptBytes: [UInt8] {
        let bytes = pattern.prefix(Content.longestPrompt)
        return ignoresCase ? bytes.map(\.lowercased) : Array(bytes)
    }

    /// Whether finding the prompt anywhere in the payload is all that the content asks.
    var isProvenByPrompt: Bool {
        !isNegated && !isRelative && offset ?? 0 == 0 && depth == nil
            && pattern.count <= Content.longestPrompt
    }

    /// How rarely ordinary traffic has the pattern: longer is rarer; zeros, blanks and repetition add
    /// little.
    var rarity: Int {
        var seen: Set<UInt8> = []
        return pattern.prefix(Content.longestPrompt).reduce(0) { sum, byte in
            guard seen.insert(byte).inserted else { return sum + 1 }
            return sum + (byte == 0x00 || byte == 0x20 || byte == 0xFF ? 1 : 3)
        }
    }
}

extension UInt8 {
    /// How often traffic has the byte, roughly: texts and padding. A letter of either case is dearer to look
    /// for than any one byte.
    fileprivate func commonness(_ ignoresCase: Bool) -> Int {
        if ignoresCase, isLowercase { return 100 }
        switch self {
        case 0x00: return 10
        case 0x20, UInt8(ascii: "e"), UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "o"): return 8
        case _ where isLowercase: return 6
        case _ where isDigit, 0x0A, 0x0D, 0x2D...0x2F, 0x3A, 0xFF: return 5
        case 0x41...0x5A: return 4
        case 0x21...0x7E: return 3
        default: return 1
        }
    }
}

extension ParsedRule {
    /// The content to look for first: the one marked `fast_pattern`, else the rarest; nil if all are
    /// negated.
    var bestContent: Content? {
        let positive = contents.filter { !$0.isNegated }
        return positive.first { $0.fastPattern != .no }
            ?? positive.max { ($0.rarity, $0.pattern.count) < ($1.rarity, $1.pattern.count) }
    }
}
