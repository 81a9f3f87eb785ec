import Yams

/// The YAML text as nodes with marks, and what was wrong with it as YAML.
struct Document {
    /// nil for an empty file, and where the text is not YAML.
    private(set) var root: Node?
    private(set) var problems: [ConfigurationErrors.Problem] = []
    /// The first character of keys that were changed to tell duplicates apart.
    private var altered: [Place: Unicode.Scalar] = [:]

    /// A place in the text, both from 1; columns count Unicode scalars, as libyaml's do.
    struct Place: Hashable {
        var line: Int
        var column: Int
    }

    /// Duplicated keys that are reported one by one; with more, one is reported alone. The text is read
    /// once more for each, so a large one gets fewer.
    private static func duplicateLimit(_ text: String) -> Int { min(64, 1 << 18 / (text.utf8.count + 1)) }

    init(text: String, file: String) {
        problems = Lexicon.problems(in: text, file: file)
        guard problems.isEmpty else { return }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            Array($0.unicodeScalars)
        }
        var current = text
        while true {
            do {
                root = try Yams.compose(yaml: current, .basic, .default, .utf8)
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                // Yams stops at duplicates. To find everything else in the same run, the first of them
                // gets another first letter and the text is read again.
                let place = Document.Place(line: context.mark.line, column: context.mark.column)
                guard altered.count < Document.duplicateLimit(text),
                    alter(place, in: &lines, names.first ?? "")
                else {
                    report("the key \(quoted(names.first ?? "")) is given twice", place, file)
                    return
                }
                current = lines.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
            } catch {
                describe(error, file)
                return
            }
        }
    }

    /// The key as the file has it, for a key node of this document.
    func originalKey(_ key: Node.Scalar) -> String {
        guard let mark = key.mark, let first = altered[Place(line: mark.line, column: mark.column)] else {
            return key.string
        }
        return String(first) + String(key.string.unicodeScalars.dropFirst())
    }

    private mutating func alter(_ place: Place, in lines: inout [[Unicode.Scalar]], _ name: String) -> Bool {
        guard lines.indices.contains(place.line - 1), let first = name.unicodeScalars.first else {
            return false
        }
        var index = place.column - 1
        let line = lines[place.line - 1]
        if line.indices.contains(index), line[index] == "\"" || line[index] == "'" { index += 1 }
        guard line.indices.contains(index), line[index] == first, altered[place] == nil,
            // Private use: printable in YAML's sense, in no word of ours, and another for each duplicate.
            let stand = Unicode.Scalar(0xE000 + UInt32(altered.count))
        else { return false }
        lines[place.line - 1][index] = stand
        altered[place] = first
        return true
    }

    private mutating func report(_ message: String, _ place: Place, _ file: String) {
        problems.append(
            .init(file: file, line: place.line, column: place.column, path: "", message: message))
    }

    private mutating func describe(_ error: any Error, _ file: String) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let during = context.map { ", \($0.text)" } ?? ""
            report(
                "this is not YAML: \(problem)\(during)", Place(line: mark.line, column: mark.column), file)
        case YamlError.reader(let problem, _, let value, _):
            let what = value >= 0 ? " (U+\(String(value, radix: 16, uppercase: true)))" : ""
            report("this is not YAML: \(problem)\(what)", Place(line: 0, column: 0), file)
        default:
            report("this is not YAML: \(error)", Place(line: 0, column: 0), file)
        }
    }
}

/// Text as it is quoted in messages: short, and with nothing that a terminal would obey.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(60).map { scalar in
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
    return "\"" + shown.joined() + (text.unicodeScalars.count > 60 ? "…" : "") + "\""
}
