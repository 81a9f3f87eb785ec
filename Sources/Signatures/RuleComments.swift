/// Snort 3's comments over several lines (src/parser/parse_stream.cc). One that does not end is none: it would take the
/// rest of the file with it.
enum RuleComments {
    private static let lineEnd = UInt8(ascii: "\n")

    /// Without `/* … */` where a line begins with it. Line ends stay, so that lines keep their numbers.
    static func blanked(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let first = bytes[start...].firstIndex { !$0.isBlank } ?? bytes.endIndex
            if bytes[first...].starts(with: Array("/*".utf8)), let end = endOfComment(bytes, from: first + 2) {
                for index in first..<end where bytes[index] != lineEnd { bytes[index] = UInt8(ascii: " ") }
                start = end
            } else {
                start = (bytes[first...].firstIndex(of: lineEnd) ?? bytes.endIndex - 1) + 1
            }
        }
        return bytes
    }

    private static func endOfComment(_ bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while let star = bytes[index...].firstIndex(of: UInt8(ascii: "*")) {
            index = star + 1
            if index < bytes.endIndex, bytes[index] == UInt8(ascii: "/") { return index + 1 }
        }
        return nil
    }

    /// Numbers of the lines from one that begins with `#begin` to one that begins with `#end`.
    static func disabled(_ bytes: [UInt8]) -> [ClosedRange<Int>] {
        var ranges: [ClosedRange<Int>] = []
        var begin: Int?
        for (index, line) in bytes.split(separator: lineEnd, omittingEmptySubsequences: false).enumerated()
        where line.first == UInt8(ascii: "#") {
            if begin == nil, line.prefix(6).string.lowercased() == "#begin" {
                begin = index + 1
            } else if let first = begin, line.prefix(4).string.lowercased() == "#end" {
                ranges.append(first...index + 1)
                begin = nil
            }
        }
        return ranges
    }
}
