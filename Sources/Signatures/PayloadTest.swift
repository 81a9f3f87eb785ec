/// One thing that a rule asks of the bytes of a buffer.
enum PayloadTest: Sendable {
    case content(Content)
    case dataAt(DataAt)
    case byteTest(ByteTest)
    case byteJump(ByteJump)
    case byteExtract(ByteExtract)
    case byteMath(ByteMath)
    case expression(Expression)
    /// `bsize`, `bufferlen`: the length of the buffer, or of what follows the match before.
    case length(NumberTest, isRelative: Bool)
    case remoteCall(RemoteCall)
    case encodedElements(EncodedElements)
    case encodedElement(EncodedElement)
    case base64(Base64Text)
    case entropy(EntropyTest)

    var content: Content? {
        if case .content(let content) = self { return content }
        return nil
    }

    /// Whether its place is counted from the match before.
    var isRelative: Bool {
        switch self {
        case .content(let content): content.isRelative
        case .dataAt(let test): test.isRelative
        case .byteTest(let test): test.field.isRelative
        case .byteJump(let test): test.field.isRelative
        case .byteExtract(let test): test.field.isRelative
        case .byteMath(let test): test.field.isRelative
        case .expression(let test): test.isRelative
        case .length(_, let isRelative): isRelative
        case .remoteCall, .entropy: false
        case .encodedElements(let test): test.isRelative
        case .encodedElement: true
        case .base64(let test): test.isRelative
        }
    }
}

extension PayloadTest {
    /// The variables that it asks for.
    var variables: [UInt8] {
        let operands: [Operand?] =
            switch self {
            case .content(let test): [test.offset, test.depth, test.distance, test.within]
            case .dataAt(let test): [test.count]
            case .byteTest(let test): [test.field.count, test.field.offset, test.value]
            case .byteJump(let test): [test.field.count, test.field.offset, test.correction]
            case .byteExtract(let test): [test.field.count, test.field.offset]
            case .byteMath(let test): [test.field.count, test.field.offset, test.value]
            default: []
            }
        return operands.compactMap { $0?.variable }
    }

    /// The variable that it sets.
    var result: UInt8? {
        switch self {
        case .byteExtract(let test): test.result
        case .byteMath(let test): test.result
        default: nil
        }
    }
}

/// `isdataat`: whether the buffer goes on for so many bytes.
struct DataAt: Sendable {
    var count: Operand
    var isRelative = false
    var isNegated = false
    /// A byte must stand behind that many, as it must where the place is not relative: Snort 3's reading.
    var isExclusive = false

    init(_ text: RuleText, _ numbers: RuleNumbers) throws(Rejection) {
        var parts = text.listed
        if parts[0].first == UInt8(ascii: "!") {
            isNegated = true
            parts[0] = parts[0].dropFirst().trimmed
        }
        count = try numbers.operand("isdataat", parts[0], 0...65_535)
        for part in parts.dropFirst() {
            switch part.string {
            case "relative": isRelative = true
            case "rawbytes": break
            default: throw Rejection("isdataat does not take \(part.string)")
            }
        }
    }
}

/// Bytes read as a number: what byte_test, byte_jump, byte_extract and byte_math have in common.
struct ByteField: Sendable {
    var count: Operand
    var offset: Operand
    var isRelative = false
    var isLittle = false
    /// Digits, and not the number itself.
    var isText = false
    /// Of the digits; nil if it is not said.
    var base: UInt8?
    /// What is taken of the number, shifted down to its lowest bit; nil for all.
    var mask: UInt32?
    /// A mask is decimal unless 0x stands before it (byte_test's); else it is hexadecimal either way.
    var masksAreC = false

    /// Takes the modifiers that they have in common. Returns whether it was one.
    mutating func modify(_ part: RuleText) throws(Rejection) -> Bool {
        let words = part.words
        guard let name = words.first?.string.lowercased() else { return false }
        switch name {
        case "relative": isRelative = true
        case "big": isLittle = false
        case "little": isLittle = true
        case "endian" where words.count == 2:
            return try modify(words[1])
        case "string":
            isText = true
            if words.count == 2 { return try modify(words[1]) }
        case "hex": base = 16
        case "dec": base = 10
        case "oct": base = 8
        case "dce": throw Rejection("needs the application buffer dcerpc")
        case "bitmask":
            let number = words.count == 2 ? (masksAreC ? words[1].cNumber : words[1].hexadecimal) : nil
            guard let mask = number.flatMap({ UInt32(exactly: $0) }), mask != 0 else {
                throw Rejection("bitmask is not a number of 0x1…0xffffffff")
            }
            self.mask = mask
        default: return false
        }
        return true
    }

    /// What can be said once all modifiers are known: `binary` bytes are read at most, or `digits`.
    func validate(_ keyword: String, binary: Int = 8, digits: Int = 23) throws(Rejection) {
        guard isText || base == nil else { throw Rejection("\(keyword): hex, dec and oct need string") }
        let limit = isText ? digits : binary
        guard count.number ?? 0 <= limit else { throw Rejection("\(keyword) reads more than \(limit) bytes") }
    }
}

/// `byte_test`: bytes read as a number, and compared.
struct ByteTest: Sendable {
    enum Comparison: UInt8, BitwiseCopyable, Sendable {
        case less, greater, lessOrEqual, greaterOrEqual, equal, and, or
    }

    var field: ByteField
    var comparison: Comparison
    var isNegated = false
    var value: Operand

    init(_ text: RuleText, _ numbers: RuleNumbers) throws(Rejection) {
        let parts = text.listed
        guard parts.count >= 4 else { throw Rejection("byte_test needs bytes, an operator, a value and an offset") }
        var symbol = parts[1].string.filter { $0 != " " }
        if symbol.hasPrefix("!"), symbol.count > 1 {
            isNegated = true
            symbol.removeFirst()
        }
        switch symbol {
        case "<": comparison = .less
        case ">": comparison = .greater
        case "<=": comparison = .lessOrEqual
        case ">=": comparison = .greaterOrEqual
        case "=": comparison = .equal
        case "!":
            comparison = .equal
            isNegated = true
        case "&": comparison = .and
        case "^", "|": comparison = .or
        default: throw Rejection("byte_test does not know the operator \(symbol)")
        }
        value = try numbers.operand("byte_test's value", parts[2], 0...Int(Int64.max >> 1), isC: true)
        field = ByteField(
            count: try numbers.operand("byte_test's bytes", parts[0], 1...23),
            offset: try numbers.operand("byte_test's offset", parts[3], -65_535...Int(Int32.max), isC: true))
        field.masksAreC = true
        for part in parts.dropFirst(4) where try !field.modify(part) {
            throw Rejection("byte_test does not take \(part.string)")
        }
        try field.validate("byte_test")
    }
}

/// `byte_jump`: bytes read as a number, and that far on.
struct ByteJump: Sendable {
    enum Origin: Sendable { case here, start, end }

    var field: ByteField
    var multiplier = 1
    var isAligned = false
    var origin = Origin.here
    /// Added to where it leads.
    var correction = Operand.number(0)

    init(_ text: RuleText, _ numbers: RuleNumbers) throws(Rejection) {
        let parts = text.listed
        guard parts.count >= 2 else { throw Rejection("byte_jump needs bytes and an offset") }
        field = ByteField(
            count: try numbers.operand("byte_jump's bytes", parts[0], 0...23),
            offset: try numbers.operand("byte_jump's offset", parts[1], -65_535...65_535))
        for part in parts.dropFirst(2) where try !field.modify(part) {
            let words = part.words
            switch (words.first?.string.lowercased(), words.count) {
            case ("align", 1): isAligned = true
            case ("from_beginning", 1) where origin != .end: origin = .start
            case ("from_end", 1) where origin != .start: origin = .end
            case ("from_beginning", 1), ("from_end", 1):
                throw Rejection("byte_jump goes from the beginning or from the end")
            case ("multiplier", 2):
                guard let number = words[1].unsigned, (1...65_535).contains(number) else {
                    throw Rejection("byte_jump's multiplier is not a number of 1…65535")
                }
                multiplier = number
            case ("post_offset", 2):
                correction = try numbers.operand("byte_jump's post_offset", words[1], -65_535...65_535)
            default: throw Rejection("byte_jump does not take \(part.string)")
            }
        }
        try field.validate("byte_jump")
    }
}

/// `byte_extract`: bytes read as a number, kept under a name.
struct ByteExtract: Sendable {
    var field: ByteField
    var result: UInt8
    var multiplier = 1
    /// 0 for none, else 2 or 4.
    var alignment = 0

    init(_ text: RuleText, _ numbers: inout RuleNumbers) throws(Rejection) {
        let parts = text.listed
        guard parts.count >= 3 else { throw Rejection("byte_extract needs bytes, an offset and a name") }
        field = ByteField(
            count: try numbers.operand("byte_extract's bytes", parts[0], 1...23),
            offset: try numbers.operand("byte_extract's offset", parts[1], -65_535...65_535))
        for part in parts.dropFirst(3) where try !field.modify(part) {
            let words = part.words
            switch (words.first?.string.lowercased(), words.count) {
            case ("align", 2):
                guard let number = words[1].unsigned, number == 2 || number == 4 else {
                    throw Rejection("byte_extract aligns to 2 or 4")
                }
                alignment = number
            case ("multiplier", 2):
                guard let number = words[1].unsigned, (1...65_535).contains(number) else {
                    throw Rejection("byte_extract's multiplier is not a number of 1…65535")
                }
                multiplier = number
            default: throw Rejection("byte_extract does not take \(part.string)")
            }
        }
        try field.validate("byte_extract", digits: field.base == 8 ? 23 : field.base == 16 ? 14 : 20)
        result = try numbers.define(parts[2])
    }
}

/// `byte_math`: bytes read as a number, reckoned with, kept under a name.
struct ByteMath: Sendable {
    /// Bytes that it reads at most (Suricata's DetectByteMathValidateNbytesOnly; Snort's are the same).
    static let longest = 4
    static let mostDigits = 10

    enum Operator: UInt8, BitwiseCopyable, Sendable {
        case add, subtract, multiply, divide, shiftLeft, shiftRight
    }

    var field: ByteField
    var arithmetic: Operator
    var value: Operand
    var result: UInt8

    init(_ text: RuleText, _ numbers: inout RuleNumbers) throws(Rejection) {
        var named: [String: RuleText] = [:]
        var rest: [RuleText] = []
        for part in text.listed {
            let words = part.words
            let name = words.first?.string.lowercased() ?? ""
            if ["bytes", "offset", "oper", "rvalue", "result"].contains(name) {
                guard words.count == 2, named.updateValue(words[1], forKey: name) == nil else {
                    throw Rejection("byte_math's \(name) is given twice or without a value")
                }
            } else {
                rest.append(part)
            }
        }
        guard let bytes = named["bytes"], let offset = named["offset"], let symbol = named["oper"],
            let value = named["rvalue"], let result = named["result"]
        else { throw Rejection("byte_math needs bytes, offset, oper, rvalue and result") }
        switch symbol.string {
        case "+": arithmetic = .add
        case "-": arithmetic = .subtract
        case "*": arithmetic = .multiply
        case "/": arithmetic = .divide
        case "<<": arithmetic = .shiftLeft
        case ">>": arithmetic = .shiftRight
        default: throw Rejection("byte_math does not know the operator \(symbol.string)")
        }
        self.value = try numbers.operand("byte_math's rvalue", value, 0...Int(UInt32.max))
        field = ByteField(
            count: try numbers.operand("byte_math's bytes", bytes, 1...23),
            offset: try numbers.operand("byte_math's offset", offset, -65_535...65_535))
        for part in rest where try !field.modify(part) {
            throw Rejection("byte_math does not take \(part.string)")
        }
        try field.validate("byte_math", binary: ByteMath.longest, digits: ByteMath.mostDigits)
        self.result = try numbers.define(result)
    }
}

/// `rpc`: the program, version and procedure of a Sun RPC call (RFC 5531 §9). nil for any.
struct RemoteCall: Sendable {
    var program: UInt32
    var version: UInt32?
    var procedure: UInt32?

    init(_ text: RuleText) throws(Rejection) {
        let parts = text.listed
        func number(_ index: Int) throws(Rejection) -> UInt32? {
            guard parts.count > index, parts[index].string != "*" else { return nil }
            guard let number = parts[index].unsigned.flatMap({ UInt32(exactly: $0) }) else {
                throw Rejection("rpc takes a program and then numbers or *")
            }
            return number
        }
        guard parts.count <= 3, let program = try number(0) else {
            throw Rejection("rpc takes a program and then numbers or *")
        }
        self.program = program
        version = try number(1)
        procedure = try number(2)
    }
}

extension ArraySlice where Element == UInt8 {
    /// A hexadecimal number, with or without 0x before it.
    fileprivate var hexadecimal: Int? {
        let digits = count > 2 && self[startIndex + 1].lowercased == UInt8(ascii: "x") ? dropFirst(2) : self
        guard (1...15).contains(digits.count) else { return nil }
        var value = 0
        for byte in digits {
            guard let digit = byte.hexValue else { return nil }
            value = value << 4 | Int(digit)
        }
        return value
    }
}
