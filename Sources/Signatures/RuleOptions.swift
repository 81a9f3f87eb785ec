extension ParsedRule {
    /// Takes one option into the rule. `value` is nil where none was given.
    mutating func apply(_ name: String, _ value: RuleText?) throws(Rejection) {
        if Content.modifiers.contains(name) {
            guard !contents.isEmpty else { throw Rejection("\(name) has no content before it") }
            return try contents[contents.count - 1].modify(name, value ?? [])
        }
        switch name {
        case "content":
            contents.append(try Content.parse(try required(name, value)))
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
        case "reference", "metadata":
            // They say something to people and to programs that manage rules, not to this one.
            _ = try required(name, value)
        case "dsize":
            try once(name, payloadSize == nil)
            payloadSize = try NumberTest(try required(name, value), keyword: name, maximum: 65_535)
        case "itype":
            try once(name, icmpType == nil)
            icmpType = try NumberTest(try required(name, value), keyword: name, maximum: 255)
        case "icode":
            try once(name, icmpCode == nil)
            icmpCode = try NumberTest(try required(name, value), keyword: name, maximum: 255)
        case "flags", "tcp.flags":
            try once(name, flags == nil)
            flags = try FlagsTest(try required(name, value))
        default:
            throw Rejection("keyword \(name) is not supported yet")
        }
    }

    private func required(_ name: String, _ value: RuleText?) throws(Rejection) -> RuleText {
        guard let value, !value.isEmpty else { throw Rejection("\(name) needs a value") }
        return value
    }

    private func once(_ name: String, _ isFirst: Bool) throws(Rejection) {
        guard isFirst else { throw Rejection("\(name) is given twice") }
    }

    private func identifier(_ name: String, _ value: RuleText?, from low: Int) throws(Rejection) -> UInt32 {
        guard let number = try required(name, value).number, number >= low,
            let small = UInt32(exactly: number)
        else { throw Rejection("\(name) is not a number of \(low)…4294967295") }
        return small
    }

    private static func unquoted(_ text: RuleText) -> RuleText {
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
