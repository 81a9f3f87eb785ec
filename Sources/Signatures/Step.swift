/// One payload test in flat form. A part of a rule is a run of them, walked from the first to the last.
///
/// The walk keeps a place, the end of the match before, which relative steps count from. A step that fails
/// sends the walk back to the step whose next match could change that: `back`.
struct Step: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        case content, absentContent, dataAt, byteTest, byteJump, byteExtract, byteMath
        case expression, absentExpression, length, remoteCall
        case encodedElements, elementData, elementSkip, base64, entropy

        /// Whether it can match in more than one place.
        var isChoice: Bool { self == .content || self == .expression }
    }

    struct Traits: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt16
        static let ignoresCase = Traits(rawValue: 1)
        static let relative = Traits(rawValue: 2)
        static let atEnd = Traits(rawValue: 4)
        static let negated = Traits(rawValue: 8)
        static let little = Traits(rawValue: 16)
        static let fromStart = Traits(rawValue: 32)
        static let fromEnd = Traits(rawValue: 64)
        static let aligned = Traits(rawValue: 128)
        /// The match limit is not for this expression.
        static let unlimited = Traits(rawValue: 512)
        /// What follows depends on where this matches and on nothing else, so that a place which failed
        /// once need not be tried again.
        static let remembers = Traits(rawValue: 256)
        /// It looks into what a `base64` step before it decoded.
        static let decoded = Traits(rawValue: 1024)
    }

    static let noVariable: UInt8 = 255

    var kind: Kind
    var comparison: UInt8 = 0
    var traits: Traits = []
    /// Steps back; 0 for none: the part fails.
    var back: UInt16 = 0
    /// Digits' base; 0 for binary.
    var base: UInt8 = 0
    /// Of the numbers below, where they are a variable's: `first`, `second`, `value`. And where a result goes.
    var firstVariable = Step.noVariable
    var secondVariable = Step.noVariable
    var valueVariable = Step.noVariable
    var result = Step.noVariable
    var shift: UInt8 = 0
    /// Contents: offset or distance. Byte fields: the offset. `isdataat`: how many.
    var first: Int32 = 0
    /// Contents: depth or within, `Int32.max` for none. Byte fields: how many bytes.
    var second: Int32 = .max
    var mask: UInt32 = 0
    var multiplier: Int32 = 1
    /// Contents: place in the arena, folded to lower case if case is ignored. Expressions: their number.
    var pattern: UInt32 = 0
    var length: Int32 = 0
    /// Index of the byte of the pattern that is rarest in traffic: what is looked for first.
    var anchor: Int32 = 0
    /// `byte_test`'s value, `byte_math`'s, `byte_jump`'s correction, `rpc`'s program.
    var value: Int64 = 0
    /// A range of lengths, or of `entropy` (bit patterns of Double); version and procedure of `rpc`, −1 for any.
    var low: Int64 = 0
    var high: Int64 = 0
}

extension StepChain.Link {
    /// A relative `isdataat` counts bytes, an absolute one is about the byte with that number (Suricata's
    /// payload-keywords.rst, "absolute vs relative values").
    fileprivate mutating func countAbsolutely() {
        if step.firstVariable == Step.noVariable { step.first -= 1 }
    }
}

/// The steps of one part of a rule, those before it known.
struct StepChain {
    struct Link {
        /// `pattern` is set once its place in the arena is known.
        var step: Step
        var pattern: [UInt8] = []
        var expression: Expression?
    }

    private(set) var links: [Link] = []
    /// A shorter buffer cannot match.
    private(set) var minimumLength: Int32 = 0

    /// `prompt` is the content that Hyperscan has found in the buffer already when the chain is walked. If
    /// that says all that the part asks, there is nothing left to confirm.
    init(_ tests: [PayloadTest], decoded: [PayloadTest] = [], provenBy prompt: Content?) {
        for content in tests.compactMap(\.content) where !content.isNegated {
            let reach = content.isRelative ? 0 : content.offset?.number ?? 0
            minimumLength = max(minimumLength, Int32(reach + content.pattern.count))
        }
        // Suricata, too, looks at no packet without payload for a rule that names a content, if only to
        // exclude it, or that asks how its bytes are spread.
        let asksBytes = tests.contains { test in
            if case .entropy = test { true } else { test.content != nil }
        }
        if asksBytes { minimumLength = max(minimumLength, 1) }
        if tests.count == 1, let prompt, tests[0].content == prompt, prompt.isProvenByPrompt { return }

        let hasVariables = tests.contains { test in
            if case .byteExtract = test { return true }
            if case .byteMath = test { return true }
            // What it decodes depends on where the matches before it are.
            if case .base64 = test { return true }
            return false
        }
        // The step that the current place comes from; nil at the start of the buffer.
        var origin: Int? = nil
        for (number, test) in (tests + decoded).enumerated() {
            var link = Link(test)
            if number == tests.count { origin = nil }
            if number >= tests.count { link.step.traits.insert(.decoded) }
            let index = links.count
            let isRelative = test.isRelative
            if isRelative, origin == nil {
                // Before the first match, distances count from the start of the buffer.
                link.step.traits.remove(.relative)
                if case .dataAt = test { link.countAbsolutely() }
            }
            if let choice = choice(before: index, origin: isRelative ? origin : nil, any: hasVariables) {
                link.step.back = UInt16(index - choice)
            }
            if !hasVariables { link.step.traits.insert(.remembers) }
            switch link.step.kind {
            case .content, .expression, .byteJump, .byteExtract, .byteMath, .elementData, .elementSkip:
                origin = index
            default: break
            }
            links.append(link)
        }
    }

    /// The step to go back to when the one at `index` fails, which counts from the match of `origin`.
    private func choice(before index: Int, origin: Int?, any: Bool) -> Int? {
        if any { return (0..<index).last { links[$0].step.kind.isChoice } }
        guard let origin else { return nil }
        if links[origin].step.kind.isChoice { return origin }
        // A jump is where it is because of the match before it.
        let back = Int(links[origin].step.back)
        return back == 0 ? nil : origin - back
    }
}

extension StepChain.Link {
    fileprivate init(_ test: PayloadTest) {
        step = Step(kind: .content)
        switch test {
        case .content(let content): set(content)
        case .dataAt(let test):
            step = Step(kind: .dataAt)
            step.setFirst(test.count)
            step.low = test.isExclusive ? 1 : 0
            if test.isNegated { step.traits.insert(.negated) }
        case .byteTest(let test):
            step = Step(kind: .byteTest)
            step.setField(test.field)
            step.setValue(test.value)
            step.comparison = test.comparison.rawValue
            if test.isNegated { step.traits.insert(.negated) }
        case .byteJump(let test):
            step = Step(kind: .byteJump)
            step.setField(test.field)
            step.setValue(test.correction)
            step.multiplier = Int32(test.multiplier)
            if test.isAligned { step.traits.insert(.aligned) }
            if test.origin == .start { step.traits.insert(.fromStart) }
            if test.origin == .end { step.traits.insert(.fromEnd) }
        case .byteExtract(let test):
            step = Step(kind: .byteExtract)
            step.setField(test.field)
            step.multiplier = Int32(test.multiplier)
            step.length = Int32(test.alignment)
            step.result = test.result
        case .byteMath(let test):
            step = Step(kind: .byteMath)
            step.setField(test.field)
            step.setValue(test.value)
            step.comparison = test.arithmetic.rawValue
            step.result = test.result
        case .expression(let test):
            step = Step(kind: test.isNegated ? .absentExpression : .expression)
            expression = test
            if test.ignoresLimit { step.traits.insert(.unlimited) }
        case .length(let test, _):
            step = Step(kind: .length)
            step.low = test.low
            step.high = test.high
            step.mask = test.mask ?? .max
            if test.inverted { step.traits.insert(.negated) }
        case .remoteCall(let test):
            step = Step(kind: .remoteCall)
            step.value = Int64(test.program)
            step.low = test.version.map(Int64.init) ?? -1
            step.high = test.procedure.map(Int64.init) ?? -1
        case .encodedElements(let test):
            step = Step(kind: .encodedElements)
            step.comparison = test.faults.rawValue
            step.value = Int64(test.oversize ?? -1)
            step.first = Int32(test.offset)
        case .encodedElement(let test):
            step = Step(kind: test.isSkipped ? .elementSkip : .elementData)
            step.value = Int64(test.type)
            step.low = test.isOptional ? 1 : 0
        case .base64(let test):
            step = Step(kind: .base64)
            step.first = Int32(test.offset)
            step.second = Int32(test.count)
        case .entropy(let test):
            step = Step(kind: .entropy)
            step.first = Int32(test.offset)
            step.second = Int32(test.count)
            step.low = Int64(bitPattern: test.range.lowerBound.bitPattern)
            step.high = Int64(bitPattern: test.range.upperBound.bitPattern)
            if test.isNegated { step.traits.insert(.negated) }
        }
        if test.isRelative { step.traits.insert(.relative) }
    }

    private mutating func set(_ content: Content) {
        step = Step(kind: content.isNegated ? .absentContent : .content)
        pattern = content.ignoresCase ? content.pattern.map(\.lowercased) : content.pattern
        step.length = Int32(pattern.count)
        step.anchor = Int32(
            pattern.indices.min {
                pattern[$0].commonness(content.ignoresCase) < pattern[$1].commonness(content.ignoresCase)
            }!)
        if content.ignoresCase { step.traits.insert(.ignoresCase) }
        if content.isAtEnd { step.traits.insert(.atEnd) }
        step.setFirst((content.isRelative ? content.distance : content.offset) ?? .number(0))
        switch content.isRelative ? content.within : content.depth {
        case nil: break
        case .number(let number): step.second = Int32(number)
        case .variable(let index): step.secondVariable = index
        }
    }
}

extension Step {
    fileprivate mutating func setFirst(_ operand: Operand) {
        first = Int32(operand.number ?? 0)
        firstVariable = operand.variable ?? Step.noVariable
    }

    fileprivate mutating func setValue(_ operand: Operand) {
        value = Int64(operand.number ?? 0)
        valueVariable = operand.variable ?? Step.noVariable
    }

    fileprivate mutating func setField(_ field: ByteField) {
        setFirst(field.offset)
        second = Int32(field.count.number ?? 0)
        secondVariable = field.count.variable ?? Step.noVariable
        base = field.isText ? field.base ?? 10 : 0
        if field.isLittle { traits.insert(.little) }
        if let mask = field.mask {
            self.mask = mask
            shift = UInt8(mask.trailingZeroBitCount)
        }
    }
}

extension Content {
    /// A longer pattern is looked for by its first bytes and then confirmed.
    static let longestPrompt = 64

    var promptBytes: [UInt8] {
        let bytes = pattern.prefix(Content.longestPrompt)
        return ignoresCase ? bytes.map(\.lowercased) : Array(bytes)
    }

    /// Whether finding the prompt anywhere in the buffer is all that the content asks.
    var isProvenByPrompt: Bool {
        !isNegated && !isRelative && !isAtEnd && offset ?? .number(0) == .number(0) && depth == nil
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
    /// The payload content to look for first: the one marked `fast_pattern`, else the rarest; nil if all
    /// are negated.
    var bestContent: Content? {
        guard let part = parts.first(where: { $0.buffer == .payload }) else { return nil }
        let positive = part.tests.compactMap(\.content).filter { !$0.isNegated }
        return positive.first { $0.fastPattern != .no }
            ?? positive.max { ($0.rarity, $0.pattern.count) < ($1.rarity, $1.pattern.count) }
    }

    /// A regular expression that can be looked for where there is no content.
    var bestExpression: Expression? {
        guard let part = parts.first(where: { $0.buffer == .payload }) else { return nil }
        for case .expression(let expression) in part.tests where !expression.isNegated { return expression }
        return nil
    }
}
