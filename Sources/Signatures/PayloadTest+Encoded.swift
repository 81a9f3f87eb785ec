// Tests that look into an encoding: asn1, ber_data and ber_skip, base64_decode.

/// `asn1`: whether one of the BER elements from a place on has what decoders stumbled over.
struct EncodedElements: Sendable {
    struct Faults: OptionSet, Sendable {
        let rawValue: UInt8
        /// A bit string with more unused bits than bits.
        static let bitString = Faults(rawValue: 1)
        /// A real number in characters, longer than 256 bytes.
        static let double = Faults(rawValue: 2)
    }

    var faults: Faults = []
    /// An element longer than so many bytes; nil for any length.
    var oversize: Int?
    var offset = 0
    var isRelative = false

    /// Options stand between blanks or commas.
    init(_ text: RuleText) throws(Rejection) {
        var words = text.split { $0.isBlank || $0 == UInt8(ascii: ",") }[...]
        guard !words.isEmpty else { throw Rejection("asn1 needs a value") }
        while let word = words.popFirst()?.string {
            switch word {
            case "bitstring_overflow": faults.insert(.bitString)
            case "double_overflow": faults.insert(.double)
            case "oversize_length": oversize = try EncodedElements.number(&words, 0...Int(UInt32.max))
            case "absolute_offset":
                offset = try EncodedElements.number(&words, 0...65_535)
                isRelative = false
            case "relative_offset":
                offset = try EncodedElements.number(&words, -65_535...65_535)
                isRelative = true
            default: throw Rejection("asn1 does not take \(word)")
            }
        }
    }

    private static func number(
        _ words: inout ArraySlice<RuleText>, _ range: ClosedRange<Int>
    ) throws(Rejection) -> Int {
        guard let number = words.popFirst()?.number, range.contains(number) else {
            throw Rejection("asn1 takes a number of \(range.lowerBound)…\(range.upperBound) there")
        }
        return number
    }
}

/// `ber_data` and `ber_skip`: a BER element of a type stands here; go to what is in it, or behind it.
struct EncodedElement: Sendable {
    /// The identifier octet (X.690 §8.1.2).
    var type: UInt8
    var isSkipped: Bool
    /// `ber_skip` only: another element in its place is none, and nothing is skipped.
    var isOptional = false

    init(_ keyword: String, _ text: RuleText) throws(Rejection) {
        isSkipped = keyword == "ber_skip"
        let parts = text.listed
        guard let type = parts[0].unsigned.flatMap({ UInt8(exactly: $0) }) else {
            throw Rejection("\(keyword) needs a type of 0…255")
        }
        self.type = type
        isOptional = isSkipped && parts.count == 2 && parts[1].string == "optional"
        guard parts.count == 1 || isOptional else { throw Rejection("\(keyword) takes a type and no more") }
    }
}

/// `base64_decode`: what stands in base 64 from a place on, for the tests behind `base64_data`.
struct Base64Text: Sendable {
    /// At most so many characters are read.
    var count = Base64Text.longest
    var offset = 0
    var isRelative = false

    static let longest = 65_535
    /// Bytes that the longest text gives.
    static let decodedLimit = (longest + 3) / 4 * 3

    init(_ text: RuleText) throws(Rejection) {
        guard !text.isEmpty else { return }
        for part in text.listed {
            let words = part.words
            switch (words.first?.string, words.count) {
            case ("relative", 1): isRelative = true
            case ("bytes", 2):
                let number = try Base64Text.number(words[1], Base64Text.longest)
                count = number == 0 ? Base64Text.longest : number
            case ("offset", 2): offset = try Base64Text.number(words[1], Int(Int32.max))
            default: throw Rejection("base64_decode does not take \(part.string)")
            }
        }
    }

    private static func number(_ text: RuleText, _ limit: Int) throws(Rejection) -> Int {
        guard let number = text.number, (0...limit).contains(number) else {
            throw Rejection("base64_decode takes a number of 0…\(limit) there")
        }
        return number
    }
}
