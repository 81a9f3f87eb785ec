extension ParsedRule {
    /// Takes one option into the rule. `value` is nil where none was given.
    mutating func apply(_ name: String, _ value: RuleText?) throws(Rejection) {
        if try applyGeneral(name, value) { return }
        if try applyHeader(name, value) { return }
        if try applyState(name, value) { return }
        if try applyThreshold(name, value) { return }
        if try applyPayload(name, value) { return }
        throw RefusedKeyword.named(name) ?? Rejection("keyword \(name) is not supported yet")
    }

    /// What a rule is called and how bad it is. Returns whether the option is one of these.
    private mutating func applyGeneral(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        switch name {
        case "msg":
            try once(name, message.isEmpty)
            message = try ParsedRule.message(try required(name, value))
        case "sid":
            try once(name, sid == 0)
            sid = try identifier(name, value, from: 1)
        case "gid":
            try once(name, gid == 1)
            gid = try identifier(name, value, from: 0)
        case "rev":
            try once(name, rev == 0)
            rev = try identifier(name, value, from: 0)
        case "classtype":
            try once(name, classtype.isEmpty)
            classtype = ParsedRule.unquoted(try required(name, value)).string.lowercased()
        case "priority":
            try once(name, priority == nil)
            guard let number = try required(name, value).number, let small = UInt8(exactly: number), small > 0
            else { throw Rejection("priority is not a number of 1…255") }
            priority = small
        case "metadata":
            // It may stand several times.
            let text = try required(name, value).string
            // Snort 2.9's stub of a rule whose tests are in a shared object: what is written matches every packet.
            let pairs = text.split(separator: ",").map { $0.split(separator: " ") }
            guard !pairs.contains(["engine", "shared"]) else { throw RefusedKeyword.named("so")! }
            metadata += metadata.isEmpty ? text : "," + text
        case "target":
            let side: RuleTarget
            switch try required(name, value).string {
            case "src_ip": side = .source
            // Snort 3 says dst_ip.
            case "dest_ip", "dst_ip": side = .destination
            default: throw Rejection("target is src_ip or dest_ip")
            }
            guard target == .unsaid || target == side else { throw Rejection("target says both sides") }
            target = side
        case "enable":
            // Snort 3's ips_enable.cc.
            switch try required(name, value).string {
            case "yes", "inherit": break
            case "no": throw Rejection("the rule is switched off: enable:no")
            default: throw Rejection("enable is yes, no or inherit")
            }
        case "reference", "service", "rem", "logto":
            // They say something to people and to programs that manage rules, not to this one.
            _ = try required(name, value)
            if name == "service" || name == "rem" { isSnort3 = true }
        case "prefilter":
            // A hint which test to ask first; all are asked.
            break
        case "requires": try Requirements.check(try required(name, value))
        default: return false
        }
        return true
    }

    func required(_ name: String, _ value: RuleText?) throws(Rejection) -> RuleText {
        guard let value, !value.isEmpty else { throw Rejection("\(name) needs a value") }
        return value
    }

    func once(_ name: String, _ isFirst: Bool) throws(Rejection) {
        guard isFirst else { throw Rejection("\(name) is given twice") }
    }

    func identifier(_ name: String, _ value: RuleText?, from low: Int) throws(Rejection) -> UInt32 {
        guard let number = try required(name, value).number, number >= low,
            let small = UInt32(exactly: number)
        else { throw Rejection("\(name) is not a number of \(low)…4294967295") }
        return small
    }

    static func unquoted(_ text: RuleText) -> RuleText {
        guard text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else {
            return text
        }
        return text.dropFirst().dropLast()
    }

    /// The text between the quotes; a backslash makes the next byte plain.
    private static func message(_ text: RuleText) throws(Rejection) -> String {
        let inner = unquoted(text)
        guard inner.count < text.count else { throw Rejection("msg is not in double quotes") }
        var plain: [UInt8] = []
        var escaped = false
        for byte in inner {
            if byte == UInt8(ascii: "\\"), !escaped {
                escaped = true
            } else {
                plain.append(byte)
                escaped = false
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
