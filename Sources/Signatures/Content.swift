/// One `content` of a rule with what its modifiers say of where it must stand.
struct Content: Sendable, Equatable {
    var pattern: [UInt8]
    var isNegated = false
    var ignoresCase = false
    /// From the start of the buffer: the match starts at or after `offset`, and ends within `depth` bytes
    /// of it.
    var offset: Operand?
    var depth: Operand?
    /// From the end of the match before: the match starts `distance` bytes on or later, and ends within
    /// `within` bytes of there.
    var distance: Operand?
    var within: Operand?
    /// The match ends where the buffer does.
    var isAtEnd = false
    /// Written as `startswith`, which no other place may stand beside.
    var isAtStart = false
    var fastPattern = FastPattern.no
    /// Its modifiers stand after commas.
    var hasModifiers = false

    enum FastPattern: Equatable { case no, yes, only }

    var isRelative: Bool { distance != nil || within != nil }

    /// What its place depends on is known before the packet.
    var hasVariables: Bool {
        [offset, depth, distance, within].contains { $0?.variable != nil }
    }

    init(pattern: [UInt8], isNegated: Bool) {
        self.pattern = pattern
        self.isNegated = isNegated
    }
}

extension Content {
    /// Offsets and depths reach over any payload; distances are bounded as Suricata bounds them.
    private static let offsets = 0...65_535
    private static let distances = -1_048_576...1_048_576

    /// Reads what follows `content:`: an optional `!`, the pattern in quotes, and Snort 3's modifiers
    /// after commas.
    static func parse(_ text: RuleText, _ numbers: RuleNumbers) throws(Rejection) -> Content {
        var rest = text.trimmed
        let isNegated = rest.first == UInt8(ascii: "!")
        if isNegated { rest = rest.dropFirst().trimmed }
        guard rest.first == UInt8(ascii: "\"") else { throw Rejection("content is not in double quotes") }
        rest.removeFirst()
        var content = Content(pattern: try pattern(&rest), isNegated: isNegated)
        rest = rest.trimmed
        guard !rest.isEmpty else { return content }
        guard rest.first == UInt8(ascii: ",") else {
            throw Rejection("text follows the closing quote of content: write an inner quote as \\\"")
        }
        content.hasModifiers = true
        for part in rest.dropFirst().split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let words = part.trimmed.split(separator: UInt8(ascii: " "), maxSplits: 1)
            guard let name = words.first else { throw Rejection("a modifier of content is missing") }
            try content.modify(name.string.lowercased(), words.count == 2 ? words[1].trimmed : [], numbers)
        }
        return content
    }

    /// The bytes up to the closing quote, which is taken off `rest` with them.
    private static func pattern(_ rest: inout RuleText) throws(Rejection) -> [UInt8] {
        var pattern: [UInt8] = []
        var inHex = false
        var high: UInt8? = nil
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "|"):
                guard high == nil else { throw Rejection("odd number of hex digits in content") }
                inHex.toggle()
            case _ where inHex:
                if let digit = byte.hexValue {
                    if let first = high {
                        pattern.append(first << 4 | digit)
                        high = nil
                    } else {
                        high = digit
                    }
                } else if !byte.isBlank && byte != UInt8(ascii: ",") {
                    throw Rejection("bad hex digit in content")
                }
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), ":;\\\"".utf8.contains(escaped) else {
                    throw Rejection("content escapes something other than \" ; : and \\")
                }
                pattern.append(escaped)
            case UInt8(ascii: "\""):
                guard !pattern.isEmpty else { throw Rejection("content is empty") }
                return pattern
            default:
                pattern.append(byte)
            }
        }
        throw Rejection(inHex ? "hex in content is not closed by |" : "content is not closed by a quote")
    }

    static let modifiers: Set = [
        "nocase", "offset", "depth", "distance", "within", "startswith", "endswith", "rawbytes", "fast_pattern",
        "fast_pattern_only", "fast_pattern_offset", "fast_pattern_length", "replace",
    ]

    /// Applies one modifier, written in either manner.
    mutating func modify(_ name: String, _ text: RuleText, _ numbers: RuleNumbers) throws(Rejection) {
        switch name {
        case "nocase":
            // Rules of the public sets say it twice.
            try refuse(name, given: !text.isEmpty)
            ignoresCase = true
        case "offset":
            try refuse(name, given: offset != nil)
            offset = try numbers.operand(name, text, Content.offsets)
        case "depth":
            try refuse(name, given: depth != nil)
            depth = try numbers.operand(name, text, Content.offsets)
        case "distance":
            try refuse(name, given: distance != nil)
            distance = try numbers.operand(name, text, Content.distances)
        case "within":
            try refuse(name, given: within != nil)
            within = try numbers.operand(name, text, Content.distances)
        case "startswith":
            try refuse(name, given: isAtStart || !text.isEmpty)
            isAtStart = true
        case "endswith":
            try refuse(name, given: isAtEnd || !text.isEmpty)
            isAtEnd = true
        case "rawbytes":
            // Nothing is decoded before it is looked at, so that all bytes are raw.
            try refuse(name, given: !text.isEmpty)
        case "fast_pattern", "fast_pattern_only":
            try refuse(name, given: fastPattern != .no)
            fastPattern = name == "fast_pattern_only" || text.string == "only" ? .only : .yes
            guard text.isEmpty || text.string == "only" || Content.isPart(text) else {
                throw Rejection("fast_pattern takes nothing, only, or offset,length")
            }
        case "fast_pattern_offset", "fast_pattern_length":
            // Which part of the pattern is looked for first changes nothing of what the rule means.
            guard let number = text.number, Content.offsets.contains(number) else {
                throw Rejection("\(name) is not a number of 0…65535")
            }
        case "replace":
            throw Rejection("replace is not supported: Flinch passes or drops packets and changes none")
        default:
            if let buffer = ApplicationBuffer.named(name) { throw buffer }
            throw Rejection("unknown modifier \(name) of content")
        }
    }

    private func refuse(_ name: String, given: Bool) throws(Rejection) {
        guard !given else { throw Rejection("\(name) is given twice or with a value it does not take") }
    }

    /// `offset,length`
    private static func isPart(_ text: RuleText) -> Bool {
        let parts = text.listed
        return parts.count == 2 && parts.allSatisfy { $0.number != nil }
    }

    /// What can be said only once all modifiers are known. `previous` is the test before it.
    mutating func complete(after previous: Content?) throws(Rejection) {
        if isAtStart {
            guard !isRelative, offset == nil, depth == nil else {
                throw Rejection("startswith on a content that has another place")
            }
            depth = .number(pattern.count)
        }
        if isRelative, offset != nil || depth != nil {
            throw Rejection("distance or within on the same content as offset or depth")
        }
        if let depth = depth?.number, depth < pattern.count {
            throw Rejection("depth is smaller than the content")
        }
        if let within = within?.number, within < pattern.count {
            throw Rejection("within is smaller than the content")
        }
        let isBound = isRelative || offset != nil || depth != nil
        if fastPattern == .only, isBound || isNegated {
            throw Rejection("fast_pattern:only on a content that is negated or bound to a place")
        }
        if fastPattern == .yes, isNegated, isBound {
            throw Rejection("fast_pattern on a content that is negated and bound to a place")
        }
        if isRelative, previous?.fastPattern == .only {
            throw Rejection("distance or within after a content that is fast_pattern:only")
        }
    }
}
