import Wire
import Yams

/// Collects what is wrong while the values are read, so that the operator sees all of it at once.
final class Problems {
    let file: String
    private(set) var list: [ConfigurationErrors.Problem] = []

    init(file: String) { self.file = file }

    func add(_ mark: Mark?, _ path: String, _ message: String) {
        list.append(
            .init(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0, path: path, message: message))
    }
}

/// One value of the file, with its place and its name. The readers return nil when the value is not
/// what was asked for, and have then said so.
struct Value {
    let node: Node
    let path: String
    let document: Document
    let problems: Problems

    func problem(_ message: String) { problems.add(node.mark, path, message) }

    /// The text, where the value is text and not a list or mapping.
    var word: String? { node.scalar?.string }

    var isMapping: Bool { node.mapping != nil }

    /// From 1; 0 if unknown.
    var line: Int { node.mark?.line ?? 0 }

    private var isPlain: Bool { node.scalar?.style == .plain }

    /// `key:` with nothing behind it: the same as leaving it out.
    var isEmpty: Bool { isPlain && ["", "~", "null"].contains(word) }

    private func shown() -> String {
        switch node {
        case .scalar(let scalar): quoted(scalar.string)
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    func refuse(_ right: String) { problem("\(shown()) is not \(right)") }

    // MARK: - Scalars

    func text(_ right: String, atMost limit: Int = 4096) -> String? {
        guard let word else {
            refuse(right)
            return nil
        }
        guard !word.isEmpty, word.utf8.count <= limit,
            !word.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            refuse("\(right) (1 to \(limit) bytes, no control characters)")
            return nil
        }
        return word
    }

    /// The number, decimal or with 0x, if it is one; says nothing if not.
    var number: Int? {
        guard let text = word, isPlain else { return nil }
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            let digits = text.dropFirst(2)
            return digits.allSatisfy(\.isHexDigit) ? Int(digits, radix: 16) : nil
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.utf8.allSatisfy({ (48...57).contains($0) }) ? Int(text) : nil
    }

    func integer(_ range: ClosedRange<Int>, _ unit: String = "") -> Int? {
        let right = "a number from \(range.lowerBound) to \(range.upperBound)"
        let unit = unit.isEmpty ? "" : " (\(unit))"
        guard let number else {
            refuse(right + unit)
            return nil
        }
        guard range.contains(number) else {
            problem("\(number) is out of range; write \(right)\(unit)")
            return nil
        }
        return number
    }

    /// Bytes: plain, or with KiB, MiB or GiB.
    func size(_ range: ClosedRange<Int>) -> Int? {
        let right = "a size; write bytes, or a number with KiB, MiB or GiB, like 64 MiB"
        guard let word else {
            refuse(right)
            return nil
        }
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        let unit = word.dropFirst(digits.count).drop { $0 == " " }
        let shift: [String: Int] = ["": 0, "KiB": 10, "MiB": 20, "GiB": 30]
        guard let count = Int(digits), let shift = shift[String(unit)] else {
            refuse(right)
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow, range.contains(bytes) else {
            problem(
                "\(word) is out of range; write a size from \(Value.size(range.lowerBound)) to"
                    + " \(Value.size(range.upperBound))")
            return nil
        }
        return bytes
    }

    private static func size(_ bytes: Int) -> String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes)"
    }

    func flag() -> Bool? {
        switch (isPlain, word) {
        case (true, "true"): return true
        case (true, "false"): return false
        default:
            refuse("true or false")
            return nil
        }
    }

    func choice<Choice>(_: Choice.Type = Choice.self) -> Choice?
    where Choice: CaseIterable & RawRepresentable<String> {
        let words = Choice.allCases.map(\.rawValue)
        if let word, let choice = Choice(rawValue: word) { return choice }
        let meant = word.flatMap { suggestion(for: $0, among: words) }
        let hint = meant.map { "; did you mean \($0)?" } ?? ""
        problem("\(shown()) is not one of \(words.joined(separator: ", "))\(hint)")
        return nil
    }

    /// A hardware address of a single host, the first byte in bits 47…40.
    func mac() -> UInt64? {
        let parts = word?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        let bytes = parts.compactMap { $0.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt64($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else {
            refuse("a guest's hardware address; write it like 02:00:00:00:00:01")
            return nil
        }
        return bytes.reduce(0) { $0 << 8 | $1 }
    }

    func prefix() -> Prefix? {
        guard let word, let prefix = Prefix(word) else {
            refuse("an address or prefix; write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64")
            return nil
        }
        let written = word.prefix { $0 != "/" }
        if let address = Address(written), address != prefix.base {
            problem(
                "\(quoted(word)) has bits set beyond its length; write \(prefix) for the range or"
                    + " \(address) for the one address")
            return nil
        }
        return prefix
    }

    // MARK: - Lists and sections

    /// The value of one key of a mapping, where what else the mapping may have depends on it.
    func peek(_ key: String) -> Value? {
        guard case .mapping(let mapping) = node else { return nil }
        let value = entries(mapping, isReported: false).first { $0.name == key }?.value
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The entries of a mapping and the elements of a list, for who reads them a second time: nothing is said.
    var quietEntries: [(name: String, value: Value)] {
        guard case .mapping(let mapping) = node else { return [] }
        return entries(mapping, isReported: false).map { ($0.name, $0.value) }
    }
    var quietElements: [Value] {
        guard case .sequence = node else { return [] }
        return elements(numbered: true, like: "") ?? []
    }

    /// The elements of a list. `numbered`: their path carries their index, from 0.
    func elements(numbered: Bool = false, like example: String) -> [Value]? {
        guard case .sequence(let sequence) = node else {
            refuse("a list; write it like \(example)")
            return nil
        }
        return sequence.enumerated().map { index, node in
            Value(
                node: node, path: numbered ? "\(path)[\(index)]" : path, document: document,
                problems: problems)
        }
    }

    /// A mapping whose keys are all among `keys`. Unknown and repeated keys are reported, the rest is read.
    func section(_ keys: [String]) -> Section? {
        guard case .mapping(let mapping) = node else {
            refuse("a mapping with the keys \(keys.joined(separator: ", "))")
            return nil
        }
        var section = Section(whole: self)
        for (name, mark, value) in entries(mapping) {
            if keys.contains(name) {
                section.values[name] = value
            } else {
                let meant = suggestion(for: name, among: keys)
                problems.add(
                    mark, path,
                    "\(quoted(name)) is not known here; "
                        + (meant.map { "did you mean \($0)?" }
                            ?? "write one of \(keys.joined(separator: ", "))"))
            }
        }
        return section
    }

    /// A mapping with keys of the operator's choice, in the order of the file.
    func entries(like example: String) -> [(name: String, value: Value)]? {
        guard case .mapping(let mapping) = node else {
            refuse("a mapping; write it like \(example)")
            return nil
        }
        return entries(mapping).map { ($0.name, $0.value) }
    }

    private func entries(
        _ mapping: Node.Mapping, isReported: Bool = true
    ) -> [(name: String, mark: Mark?, value: Value)] {
        var seen: [String: Mark?] = [:]
        var entries: [(name: String, mark: Mark?, value: Value)] = []
        for (key, node) in mapping {
            guard case .scalar(let scalar) = key else {
                if isReported { problems.add(key.mark, path, "a key must be one word") }
                continue
            }
            let name = document.originalKey(scalar)
            if let first = seen[name] {
                let place = first.map { "; the first is on line \($0.line)" } ?? ""
                if isReported { problems.add(key.mark, path, "the key \(quoted(name)) is given twice\(place)") }
                continue
            }
            seen[name] = .some(key.mark)
            // A key of the operator's choice may have anything in it.
            let shown = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? name : quoted(name)
            let inner = path.isEmpty ? shown : "\(path).\(shown)"
            entries.append(
                (name, key.mark, Value(node: node, path: inner, document: document, problems: problems)))
        }
        return entries
    }
}

/// A mapping with known keys.
struct Section {
    let whole: Value
    fileprivate(set) var values: [String: Value] = [:]

    /// nil for a key that is not there, or has nothing behind it.
    subscript(key: String) -> Value? {
        guard let value = values[key], !value.isEmpty else { return nil }
        return value
    }

    /// Says what is wrong with a key that is not there, or has nothing behind it.
    func missing(_ key: String, _ message: String) {
        let path = whole.path.isEmpty ? key : "\(whole.path).\(key)"
        whole.problems.add((values[key] ?? whole).node.mark, path, message)
    }
}
