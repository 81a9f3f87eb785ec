import Glibc

/// A part of a rule's text. Rules are bytes: their patterns need not be valid UTF-8.
typealias RuleText = ArraySlice<UInt8>

extension ArraySlice where Element == UInt8 {
    var trimmed: RuleText {
        var part = self
        while let first = part.first, first.isBlank { part.removeFirst() }
        while let last = part.last, last.isBlank { part.removeLast() }
        return part
    }

    var string: String { String(decoding: self, as: UTF8.self) }

    /// The index of the first `byte` at or after `start`.
    func index(of byte: UInt8, from start: Int) -> Int? {
        unsafe self[start...].withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base, Int32(byte), bytes.count)
            else { return nil }
            return unsafe start + (UnsafeRawPointer(found) - base)
        }
    }

    /// A decimal number with an optional minus sign and nothing else; nil if it needs more than 18 digits.
    var number: Int? {
        let negative = first == UInt8(ascii: "-")
        let digits = negative ? dropFirst() : self
        guard (1...18).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        return negative ? -value : value
    }

    /// A number without a sign, decimal or, after 0x, hexadecimal; nil if it needs more than 62 bits.
    var unsigned: Int? {
        guard count > 2, first == UInt8(ascii: "0"), self[startIndex + 1].lowercased == UInt8(ascii: "x") else {
            guard let number, number >= 0 else { return nil }
            return number
        }
        var value = 0
        for byte in dropFirst(2) {
            guard let digit = byte.hexValue, value < 1 << 58 else { return nil }
            value = value << 4 | Int(digit)
        }
        return value
    }

    /// A number without a sign as C writes it: hexadecimal after 0x, octal after 0.
    var cNumber: Int? {
        guard count > 1, first == UInt8(ascii: "0"), allSatisfy(\.isDigit) else { return unsigned }
        guard allSatisfy({ $0 < UInt8(ascii: "8") }), count < 21 else { return nil }
        return reduce(0) { $0 << 3 | Int($1 - 48) }
    }

    /// The parts between commas, blanks around them taken off.
    var listed: [RuleText] {
        split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(\.trimmed)
    }

    /// The words between blanks.
    var words: [RuleText] { split { $0.isBlank } }

    /// The parts between `separator`, those inside square brackets excepted; nil if brackets do not pair.
    func parts(separator: UInt8) -> [RuleText]? {
        var parts: [RuleText] = []
        var depth = 0
        var start = startIndex
        for i in indices {
            switch self[i] {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"):
                depth -= 1
                guard depth >= 0 else { return nil }
            case separator where depth == 0:
                parts.append(self[start..<i])
                start = i + 1
            default: break
            }
        }
        guard depth == 0 else { return nil }
        return parts + [self[start...]]
    }
}

extension UInt8 {
    /// Space, tab, line feed, vertical tab, form feed, carriage return: C's isspace.
    var isBlank: Bool { self == 32 || (9...13).contains(self) }
    var isDigit: Bool { (48...57).contains(self) }
    @inline(__always)
    var isLowercase: Bool { self &- 97 < 26 }
    /// ASCII only, as Suricata's nocase is.
    @inline(__always)
    var lowercased: UInt8 { self &- 65 < 26 ? self | 0x20 : self }

    var hexValue: UInt8? {
        switch self {
        case 48...57: self - 48
        case 65...70: self - 55
        case 97...102: self - 87
        default: nil
        }
    }
}
