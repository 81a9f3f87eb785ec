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
