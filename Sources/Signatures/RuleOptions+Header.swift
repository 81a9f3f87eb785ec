extension ParsedRule {
    /// Tests of single header fields. Returns whether the option is one of these.
    mutating func applyHeader(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        switch name {
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
        default: return false
        }
        return true
    }
}
