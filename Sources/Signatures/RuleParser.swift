import Evidence

/// Reads rules in the syntax of Suricata and Snort.
///
///     alert tcp $EXTERNAL_NET any -> $HOME_NET 445 (msg:"…"; content:"|ff|SMB"; depth:8; sid:1;)
///
/// A rule is understood whole or refused: what this parser does not know is a `Rejection`, never skipped.
struct RuleParser {
    private var addresses: EndpointParser<UInt128>
    private var ports: EndpointParser<UInt16>

    init(variables: RuleVariables) {
        addresses = EndpointParser(addresses: variables.addresses)
        ports = EndpointParser(ports: variables.ports)
    }

    mutating func parse(_ text: RuleText) throws(Rejection) -> ParsedRule {
        var rest = text.trimmed
        var rule = try header(&rest)
        rest = rest.trimmed
        guard rest.first == UInt8(ascii: "("), rest.last == UInt8(ascii: ")"), rest.count >= 2 else {
            throw Rejection("the options of a rule stand in parentheses, and nothing follows them")
        }
        try RuleParser.options(rest.dropFirst().dropLast()) { (name, value) throws(Rejection) in
            try rule.apply(name, value)
        }
        try rule.complete()
        return rule
    }

    // MARK: - Header

    private mutating func header(_ rest: inout RuleText) throws(Rejection) -> ParsedRule {
        let name = try word(&rest, "an action").string.lowercased()
        let (action, rejects) = try RuleParser.action(name)
        let transport = try RuleProtocol(try word(&rest, "a protocol").string)
        var rule = ParsedRule(action: action, rejects: rejects, transport: transport)
        // Snort's drop that says nothing.
        rule.isSilent = name == "sdrop"
        // Snort 3: a rule without addresses and ports is for all of them.
        if rest.trimmed.first == UInt8(ascii: "(") {
            rule.isSnort3 = true
            return rule
        }
        rule.source = try addresses.parse(try word(&rest, "a source address"))
        rule.hasNegatedAddress = addresses.hasNegation
        rule.sourcePorts = try ports.parse(try word(&rest, "a source port"))
        let direction = try word(&rest, "-> or <>").string
        if direction == "=>" {
            throw Rejection("direction => is of transactions, which only the parser of an application knows")
        }
        guard direction == "->" || direction == "<>" else {
            throw Rejection("direction \(direction): expected -> or <>")
        }
        rule.destination = try addresses.parse(try word(&rest, "a destination address"))
        if addresses.hasNegation { rule.hasNegatedAddress = true }
        rule.destinationPorts = try ports.parse(try word(&rest, "a destination port"))
        rule.isBidirectional = direction == "<>"
        return rule
    }

    /// The next word of the header. Blanks inside brackets belong to it.
    private func word(_ rest: inout RuleText, _ what: String) throws(Rejection) -> RuleText {
        rest = rest.trimmed
        var depth = 0
        let end =
            rest.firstIndex { byte in
                if byte == UInt8(ascii: "[") { depth += 1 }
                if byte == UInt8(ascii: "]") { depth -= 1 }
                return byte == UInt8(ascii: "(") || (depth <= 0 && byte.isBlank)
            } ?? rest.endIndex
        guard end > rest.startIndex else { throw Rejection("the header ends where \(what) should stand") }
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    private static func action(_ name: String) throws(Rejection) -> (RuleAction, RejectSides) {
        switch name {
        case "alert", "log": return (.alert, [])
        case "drop", "block", "sdrop": return (.drop, [])
        case "reject", "rejectsrc", "react": return (.reject, .source)
        case "rejectdst": return (.reject, .destination)
        case "rejectboth": return (.reject, [.source, .destination])
        case "pass": return (.pass, [])
        case "var", "ipvar", "portvar":
            throw Rejection("\(name) belongs into snort.conf: write the variable under rules.variables")
        case "include":
            throw Rejection("include is not followed: name that file to Flinch as well")
        case "file_id": throw Rejection("needs the application buffer file")
        case _ where name == "accept" || name.hasPrefix("accept:"):
            throw Rejection("action accept is of Suricata's firewall mode: write pass")
        case "activate", "config", "dynamic", "rewrite": throw Rejection("action \(name) is not supported")
        case _ where name.contains(":"):
            throw Rejection("the scope of an action cannot be said: write the action alone", detail: name)
        default:
            throw Rejection("unknown action \(name): expected alert, drop, reject or pass")
        }
    }

    // MARK: - Options

    /// Gives each option's name, in lower case, and its value, nil where there is no colon. A semicolon
    /// ends an option unless a backslash stands before it or the string that the value begins with is open: so Snort 3
    /// reads it, and to the others a rule with such a string is none.
    static func options(
        _ text: RuleText, _ body: (String, RuleText?) throws(Rejection) -> Void
    ) throws(Rejection) {
        var start = text.startIndex
        var next = start
        while let end = text.index(of: UInt8(ascii: ";"), from: next) {
            next = end + 1
            if end > start, text[end - 1] == UInt8(ascii: "\\") { continue }
            if isOpenString(text[start..<end]), let quote = closingQuote(text[end...]) {
                next = quote + 1
                continue
            }
            let option = text[start..<end].trimmed
            start = next
            if option.isEmpty { continue }
            if let colon = option.index(of: UInt8(ascii: ":"), from: option.startIndex) {
                try body(option[..<colon].trimmed.string.lowercased(), option[(colon + 1)...].trimmed)
            } else {
                try body(option.string.lowercased(), nil)
            }
        }
        guard text[start...].trimmed.isEmpty else { throw Rejection("the last option has no semicolon") }
    }

    /// Whether the value of an option begins with a quote, perhaps behind a `!`, that nothing closes.
    private static func isOpenString(_ option: RuleText) -> Bool {
        guard let colon = option.index(of: UInt8(ascii: ":"), from: option.startIndex) else { return false }
        var value = option[(colon + 1)...].trimmed
        if value.first == UInt8(ascii: "!") { value = value.dropFirst().trimmed }
        return value.first == UInt8(ascii: "\"") && closingQuote(value.dropFirst()) == nil
    }

    /// The first quote that no backslash stands before.
    private static func closingQuote(_ text: RuleText) -> Int? {
        var next = text.startIndex
        while let quote = text.index(of: UInt8(ascii: "\""), from: next) {
            let slashes = text[..<quote].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            if slashes.isMultiple(of: 2) { return quote }
            next = quote + 1
        }
        return nil
    }

    /// The sid of a rule that was refused before its options were read, for the report; nil if none is
    /// found.
    static func sid(of text: RuleText) -> UInt32? {
        guard let open = text.index(of: UInt8(ascii: "("), from: text.startIndex) else { return nil }
        var sid: UInt32? = nil
        try? options(text[(open + 1)...]) { (name, value) throws(Rejection) in
            if name == "sid", sid == nil { sid = value?.number.flatMap { UInt32(exactly: $0) } }
        }
        return sid
    }
}
