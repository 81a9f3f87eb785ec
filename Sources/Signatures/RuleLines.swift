/// The rules of a file, each on one logical line: a backslash at the end of a line continues it. Empty
/// lines and comments (disabled rules are comments) are left out; a comment is never continued.
struct RuleLines {
    /// Longer rules are refused, so that a file that is no rule file cannot eat the memory.
    static let maximumLength = 65_536

    struct Line {
        /// The line on which it starts, counted from 1.
        var number: Int
        var text: [UInt8]
        var isTooLong = false
        /// It stands between `#begin` and `#end`.
        var isDisabled = false
    }

    /// Words that begin a rule.
    private static let actions: Set = [
        "alert", "log", "pass", "drop", "block", "sdrop", "reject", "rejectsrc", "rejectdst", "rejectboth", "react",
        "rewrite",
    ]

    /// The rules of a rule file. Snort 3 needs no backslash: a rule goes on to the line that ends with its
    /// parenthesis, and may have comments in it. The line at which another rule begins ends it too, so that a rule
    /// that is not closed does not take others with it.
    static func rules(_ bytes: [UInt8]) -> [Line] {
        var rules: [Line] = []
        for line in split(RuleComments.blanked(bytes)) {
            if let last = rules.indices.last, !rules[last].isTooLong, isOpen(rules[last].text), !begins(line.text) {
                guard rules[last].text.count + line.text.count < maximumLength, !line.isTooLong else {
                    rules[last].isTooLong = true
                    continue
                }
                rules[last].text.append(UInt8(ascii: " "))
                rules[last].text += uncommented(line.text)
            } else {
                rules.append(line)
                if isOpen(line.text) { rules[rules.count - 1].text = uncommented(line.text) }
            }
        }
        let disabled = RuleComments.disabled(bytes)
        for index in rules.indices where disabled.contains(where: { $0.contains(rules[index].number) }) {
            rules[index].isDisabled = true
        }
        return rules
    }

    private static func begins(_ text: [UInt8]) -> Bool {
        guard let end = text.firstIndex(where: { $0.isBlank || $0 == UInt8(ascii: "(") }) else { return false }
        return actions.contains(text[..<end].string.lowercased())
    }

    /// Whether it begins a rule, and the parenthesis that ends one is not there yet.
    private static func isOpen(_ text: [UInt8]) -> Bool { begins(text) && text.last != UInt8(ascii: ")") }

    /// Without the comment that ends the line: a number sign behind a blank, in no string.
    private static func uncommented(_ text: [UInt8]) -> [UInt8] {
        var inString = false
        for index in text.indices {
            let isEscaped = index > 0 && text[index - 1] == UInt8(ascii: "\\")
            if text[index] == UInt8(ascii: "\""), !isEscaped { inString.toggle() }
            if text[index] == UInt8(ascii: "#"), !inString, index > 0, text[index - 1].isBlank {
                return Array(text[..<index].trimmed)
            }
        }
        return text
    }

    static func split(_ bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var open: Line? = nil
        var number = 0
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while !rest.isEmpty {
            number += 1
            let end = rest.index(of: UInt8(ascii: "\n"), from: rest.startIndex) ?? rest.endIndex
            var text = rest[rest.startIndex..<end].trimmed
            rest = rest[end...].dropFirst()
            if open == nil {
                guard let first = text.first, first != UInt8(ascii: "#") else { continue }
                open = Line(number: number, text: [])
            }
            let continues = text.last == UInt8(ascii: "\\")
            if continues { text.removeLast() }
            if open!.text.count + text.count <= maximumLength {
                open!.text += text
            } else {
                open!.isTooLong = true
            }
            if !continues {
                lines.append(open!)
                open = nil
            }
        }
        if let open { lines.append(open) }
        return lines
    }
}
