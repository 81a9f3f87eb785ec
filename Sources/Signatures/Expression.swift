/// `pcre`: a Perl-compatible regular expression that the buffer must, or must not, have.
struct Expression: Sendable, Hashable {
    var pattern: [UInt8]
    /// Of PCRE2 (pcre2api(3), "Option bits").
    var options: Options = []
    var isNegated = false
    /// `R`: what is searched begins where the match before ended.
    var isRelative = false
    /// `O`: the sensor's match limit is not for this one.
    var ignoresLimit = false

    struct Options: OptionSet, Sendable, Hashable {
        let rawValue: UInt8
        static let caseless = Options(rawValue: 1)
        static let dotAll = Options(rawValue: 2)
        static let multiline = Options(rawValue: 4)
        static let extended = Options(rawValue: 8)
        static let anchored = Options(rawValue: 16)
        static let dollarEndOnly = Options(rawValue: 32)
        static let ungreedy = Options(rawValue: 64)
    }

    private static let captures = Rejection(
        "pcre keeps nothing of what it matched under a name (flow:, pkt:, alert:): leave the name out")

    /// Reads `[!]"/…/flags"`, whose quotes may be left out; any byte may stand for the slashes if `m` is before it.
    init(_ text: RuleText) throws(Rejection) {
        var rest = text.trimmed
        if rest.first == UInt8(ascii: "!") {
            isNegated = true
            rest = rest.dropFirst().trimmed
        }
        if rest.first == UInt8(ascii: "\"") {
            guard let quote = rest.lastIndex(of: UInt8(ascii: "\"")), quote > rest.startIndex else {
                throw Rejection("pcre is not closed by a quote")
            }
            guard rest[(quote + 1)...].trimmed.isEmpty else { throw Expression.captures }
            rest = rest[(rest.startIndex + 1)..<quote]
        }
        if rest.first == UInt8(ascii: "m") { rest = rest.dropFirst() }
        guard let mark = rest.first, let end = rest.lastIndex(of: mark), end > rest.startIndex else {
            throw Rejection("pcre is not between slashes")
        }
        pattern = Array(rest[(rest.startIndex + 1)..<end])
        for kind in ["flow", "pkt", "alert"] where pattern.contains("(?P<\(kind)_".utf8) { throw Expression.captures }
        for flag in rest[(end + 1)...] where !flag.isBlank {
            switch flag {
            case UInt8(ascii: "i"): options.insert(.caseless)
            case UInt8(ascii: "s"): options.insert(.dotAll)
            case UInt8(ascii: "m"): options.insert(.multiline)
            case UInt8(ascii: "x"): options.insert(.extended)
            case UInt8(ascii: "A"): options.insert(.anchored)
            case UInt8(ascii: "E"): options.insert(.dollarEndOnly)
            case UInt8(ascii: "G"): options.insert(.ungreedy)
            case UInt8(ascii: "R"): isRelative = true
            case UInt8(ascii: "O"): ignoresLimit = true
            case UInt8(ascii: "B"): break
            case UInt8(ascii: ","): throw Expression.captures
            default:
                if let buffer = ApplicationBuffer.flagged(flag) { throw buffer }
                throw Rejection("pcre does not know the flag \(String(decoding: [flag], as: UTF8.self))")
            }
        }
    }

    /// Snort 3's `regex:"/…/flags"[,nocase][,dotall][,multiline][,relative][,fast_pattern]` (ips_regex.cc).
    init(regex text: RuleText) throws(Rejection) {
        guard let quote = text.lastIndex(of: UInt8(ascii: "\"")) else {
            throw Rejection("regex is not in double quotes")
        }
        try self.init(text[...quote])
        guard !isNegated else { throw Rejection("regex cannot be negated: write pcre") }
        for part in text[(quote + 1)...].listed.dropFirst() {
            switch part.string {
            case "nocase": options.insert(.caseless)
            case "dotall": options.insert(.dotAll)
            case "multiline": options.insert(.multiline)
            case "relative": isRelative = true
            // What is looked for first changes nothing of what the rule means.
            case "fast_pattern": break
            default: throw Rejection("regex does not take \(part.string)")
            }
        }
    }
}
