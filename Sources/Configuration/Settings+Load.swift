import Glibc
import Topology
import Yams

extension Settings {
    /// Bytes; a configuration of 10,000 guests is smaller.
    public static let maximumFileSize = 1 << 20

    /// Reads and checks a configuration file.
    public static func load(path: String) throws(ConfigurationErrors) -> Settings {
        try parse(text: text(of: path), file: path)
    }

    /// Checks configuration text. `file` is its name in messages, and relative paths in the text are
    /// relative to its folder. `found` are guests that platforms know; they have the policies that are for them.
    public static func parse(
        text: String, file: String, found: [Guest] = []
    ) throws(ConfigurationErrors) -> Settings {
        guard text.utf8.count <= maximumFileSize else { throw whole(file, tooLarge) }
        let document = Document(text: text, file: file)
        let problems = Problems(file: file)
        var settings = Settings()
        if let root = document.root {
            let value = Value(node: root, path: "", document: document, problems: problems)
            settings = SettingsReader(folder: folder(of: file), found: found).read(value)
        } else if document.problems.isEmpty {
            problems.add(nil, "", "the file is empty; it must at least name the guests")
        }
        let all = (document.problems + problems.list).enumerated().sorted {
            // Stable: what is said of one place stays in the order in which it was found.
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        guard all.isEmpty else { throw ConfigurationErrors(problems: all.map(\.element)) }
        return settings
    }

    private static let tooLarge = "the file is larger than 1 MiB; this cannot be a configuration"

    private static func whole(_ file: String, _ message: String) -> ConfigurationErrors {
        ConfigurationErrors(problems: [.init(file: file, line: 0, column: 0, path: "", message: message)])
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "" }
        return String(file[...slash])
    }

    /// The text of a configuration file, to be parsed.
    public static func text(of path: String) throws(ConfigurationErrors) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw whole(path, "cannot be opened: \(reason(errno))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maximumFileSize {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw whole(path, "cannot be read: \(reason(errno))") }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        guard bytes.count <= maximumFileSize else { throw whole(path, tooLarge) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw whole(path, "is not UTF-8 text")
        }
        return text
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
