extension ParsedRule {
    /// What must stand in the payload or another buffer, and where. Returns whether the option is one of
    /// these.
    mutating func applyPayload(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        if Content.modifiers.contains(name) {
            try modifyContent(name, value ?? [])
            return true
        }
        if let next = Buffer.named(name) {
            try open(next, name)
            return true
        }
        switch name {
        case "content":
            let content = try Content.parse(try required(name, value), numbers)
            if content.hasModifiers { isSnort3 = true }
            append(.content(content), to: buffer)
        case "pcre":
            append(.expression(try Expression(try required(name, value))), to: buffer)
        case "regex":
            append(.expression(try Expression(regex: try required(name, value))), to: buffer)
            isSnort3 = true
        case "isdataat":
            append(.dataAt(try DataAt(try required(name, value), numbers)), to: buffer)
        case "byte_test":
            append(.byteTest(try ByteTest(try required(name, value), numbers)), to: buffer)
        case "byte_jump":
            append(.byteJump(try ByteJump(try required(name, value), numbers)), to: buffer)
        case "byte_extract":
            append(.byteExtract(try ByteExtract(try required(name, value), &numbers)), to: buffer)
        case "byte_math":
            append(.byteMath(try ByteMath(try required(name, value), &numbers)), to: buffer)
        case "bsize":
            // On a payload Suricata refuses it.
            guard buffer != .payload else { throw Rejection("bsize needs a buffer before it: dsize is the payload's") }
            let test = try NumberTest(try required(name, value), keyword: name, maximum: 65_535)
            append(.length(test, isRelative: false), to: buffer)
        case "bufferlen":
            let parts = try required(name, value).listed
            guard parts.count <= 2, parts.count == 1 || parts[1].string == "relative" else {
                throw Rejection("bufferlen takes a length and relative")
            }
            let test = try NumberTest(parts[0], keyword: name, maximum: 65_535)
            append(.length(test, isRelative: parts.count == 2), to: buffer)
            isSnort3 = true
        case "asn1":
            append(.encodedElements(try EncodedElements(try required(name, value))), to: .payload)
            isPacketOnly = true
        case "ber_data", "ber_skip":
            append(.encodedElement(try EncodedElement(name, try required(name, value))), to: buffer)
        case "base64_decode":
            guard buffer == .payload else { throw Rejection("base64_decode decodes the payload and nothing else") }
            append(.base64(try Base64Text(value ?? [])), to: .payload)
        case "entropy":
            append(.entropy(try EntropyTest(try required(name, value))), to: buffer)
        default:
            if let needed = ApplicationBuffer.named(name) { throw needed }
            return false
        }
        return true
    }

    private mutating func modifyContent(_ name: String, _ value: RuleText) throws(Rejection) {
        guard let part = parts.firstIndex(where: { $0.buffer == buffer }),
            let index = parts[part].tests.lastIndex(where: { $0.content != nil }),
            var content = parts[part].tests[index].content
        else {
            if name == "replace" {
                throw Rejection("replace is not supported: Flinch passes or drops packets and changes none")
            }
            // In Snort, rawbytes may follow what is no content, where it means nothing.
            if name == "rawbytes" { return }
            throw Rejection("\(name) has no content before it")
        }
        try content.modify(name, value, numbers)
        parts[part].tests[index] = .content(content)
    }
}
