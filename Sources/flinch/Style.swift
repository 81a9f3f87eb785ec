import Glibc

/// Colours, where they are wanted: on a terminal, and not against NO_COLOR (no-color.org).
struct Style {
    var colour: Bool

    static var ofStandardOutput: Style {
        Style(colour: unsafe isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil)
    }

    func bold(_ text: String) -> String { paint(text, "1") }
    func dim(_ text: String) -> String { paint(text, "2") }
    func good(_ text: String) -> String { paint(text, "32") }

    /// Yellow, orange, red.
    func concern(_ name: String, _ text: String) -> String {
        switch name {
        case "high": paint(text, "1;31")
        case "medium": paint(text, "38;5;208")
        default: paint(text, "33")
        }
    }

    private func paint(_ text: String, _ code: String) -> String {
        colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

enum Terminal {
    /// Columns of the terminal on standard output; 100 where there is none.
    static var width: Int {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    /// Lines of the terminal on standard output; 50 where there is none.
    static var height: Int {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 50 }
        return Int(size.ws_row)
    }
}

/// Numbers for people.
enum Figure {
    /// 1234567 as "1,234,567".
    static func whole(_ number: UInt64) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// Bits a second as "940 k", "98.2 M", "13.5 G".
    static func bits(_ rate: UInt64) -> String {
        let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")]
        for (size, unit) in units where rate >= UInt64(size) {
            let tenths = rate * 10 / UInt64(size)
            return tenths < 1000 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(tenths / 10) \(unit)"
        }
        return "\(rate)"
    }

    /// Bytes as "38.1 MiB".
    static func bytes(_ count: UInt64) -> String {
        let tenths = count * 10 / 1_048_576
        return "\(tenths / 10).\(tenths % 10) MiB"
    }

    /// Nanoseconds as "4.1 µs", "33 µs", "8.4 ms".
    static func latency(_ nanoseconds: UInt64) -> String {
        let (size, unit): (UInt64, String) = nanoseconds < 1_000_000 ? (1_000, "µs") : (1_000_000, "ms")
        let tenths = nanoseconds * 10 / size
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(tenths / 10) \(unit)"
    }

    /// Seconds as "12.3 s", "4 min 10 s", "2 h 13 min", "3 d 4 h".
    static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds))
        switch whole {
        case ..<60: return "\(whole).\(Int(max(0, seconds) * 10) % 10) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole / 60 % 60) min"
        default: return "\(whole / 86400) d \(whole / 3600 % 24) h"
        }
    }
}

extension String {
    /// Padded or cut to a width, to the left or the right edge.
    func column(_ width: Int, right: Bool = false) -> String {
        let text = count > width ? String(prefix(max(0, width - 1))) + "…" : self
        let space = String(repeating: " ", count: max(0, width - text.count))
        return right ? space + text : text + space
    }
}
