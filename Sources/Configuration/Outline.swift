/// A value and all that is in it as lines of a name and a text, so that two can be compared by name.
struct Outline {
    private(set) var lines: [(name: String, value: String)] = []

    init(_ value: Any, _ name: String) { add(value, name) }

    private mutating func add(_ value: Any, _ name: String) {
        if let word = value as? any RawRepresentable {
            lines.append((name, "\(word.rawValue)"))
            return
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            if let child = mirror.children.first { add(child.value, name) } else { lines.append((name, "none")) }
        case .struct where !(value is any CustomStringConvertible):
            for child in mirror.children { add(child.value, "\(name).\(Outline.written(child.label ?? ""))") }
        case .collection, .set:
            lines.append((name, "[\(mirror.children.map { Outline.text($0.value) }.joined(separator: ", "))]"))
        case .dictionary:
            lines.append((name, "{\(mirror.children.map { Outline.text($0.value) }.sorted().joined(separator: ", "))}"))
        default: lines.append((name, "\(value)"))
        }
    }

    private static func text(_ value: Any) -> String {
        let lines = Outline(value, "").lines
        return lines.count == 1 ? lines[0].value : "(\(lines.map { "\($0.name) \($0.value)" }.joined(separator: ", ")))"
    }

    /// As the file has it: `whenStopped` is `when-stopped`.
    private static func written(_ name: String) -> String {
        name.reduce(into: "") { text, letter in text += letter.isUppercase ? "-\(letter.lowercased())" : String(letter)
        }
    }
}
