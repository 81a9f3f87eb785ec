import Topology
import Yams

/// A configuration's text with another mode for one guest, and everything else as it is, comments included.
public enum GuestModeEdit {
    /// Throws why it cannot be written: no such guest, or a text that does not come to the same settings but for the
    /// mode. `file` is for messages and for what is relative to its folder.
    public static func text(
        _ text: String, guest: String, mode: Settings.GuestMode, file: String
    ) throws(ConfigurationErrors) -> String {
        let old = try Settings.parse(text: text, file: file)
        guard let index = old.guests.firstIndex(where: { $0.guest.name == guest }) else {
            let meant =
                suggestion(for: guest, among: old.guests.map(\.guest.name)).map { "; did you mean \($0)?" } ?? ""
            let found =
                old.discovery.isOn
                ? "; of one that is found, write {name: \(guest), mode: \(mode.rawValue)} into guests.list, or who is watched "
                    + "into guests.watched" : ""
            throw refusal("there is no guest \(quoted(guest))\(meant)\(found)", file)
        }
        guard old.guests[index].mode != mode else { return text }
        guard let edited = edit(text, index, mode) else { throw refusal(unclear(guest, mode), file) }
        let new = try Settings.parse(text: edited, file: file)
        var expected = old
        expected.guests[index].mode = mode
        guard new == expected else { throw refusal(unclear(guest, mode), file) }
        return edited
    }

    /// nil where the text is not as expected.
    private static func edit(_ text: String, _ index: Int, _ mode: Settings.GuestMode) -> String? {
        let section = (try? Yams.compose(yaml: text))?.mapping?["guests"]
        guard let guests = section?.sequence ?? section?.mapping?["list"]?.sequence, guests.count > index,
            let guest = guests[index].mapping
        else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
        let word = Array(mode.rawValue.unicodeScalars)
        if let mark = guest["mode"]?.mark, let former = guest["mode"]?.string?.unicodeScalars.count {
            // Between quotes the quotes stay.
            var start = mark.column - 1
            guard lines.indices.contains(mark.line - 1), lines[mark.line - 1].count >= start + former else {
                return nil
            }
            if "\"'".unicodeScalars.contains(lines[mark.line - 1][start]) { start += 1 }
            lines[mark.line - 1].replaceSubrange(start..<start + former, with: word)
        } else {
            guard let mark = guest.first(where: { $0.key.string == "name" })?.key.mark,
                lines.indices.contains(mark.line - 1), lines[mark.line - 1].count >= mark.column - 1
            else { return nil }
            let indentation = String(repeating: " ", count: mark.column - 1)
            let isFlow = guests[index].mark.map { place in
                lines.indices.contains(place.line - 1) && lines[place.line - 1].dropFirst(place.column - 1).first == "{"
            }
            let end = isFlow == true ? ", " : "\n\(indentation)"
            lines[mark.line - 1].insert(
                contentsOf: Array("mode: \(mode.rawValue)\(end)".unicodeScalars), at: mark.column - 1)
        }
        return lines.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
    }

    private static func unclear(_ guest: String, _ mode: Settings.GuestMode) -> String {
        "cannot change it by itself; write mode: \(mode.rawValue) for guest \(guest), then run flinch policy apply"
    }

    private static func refusal(_ message: String, _ file: String) -> ConfigurationErrors {
        let problems = Problems(file: file)
        problems.add(nil, "guests", message)
        return ConfigurationErrors(problems: problems.list)
    }
}
