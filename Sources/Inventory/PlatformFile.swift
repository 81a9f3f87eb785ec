import Glibc

/// Reads what platforms keep in files. A guest's owner can write some of it: sizes are bounded, and nothing but
/// regular files is read.
enum PlatformFile {
    /// Bytes; the description of a domain with hundreds of devices is smaller.
    static let maximumSize = 4 << 20
    /// Files of one folder that are read.
    static let maximumCount = 16_384

    /// nil where there is no such file.
    static func read(_ path: String) throws(InventoryProblem) -> [UInt8]? {
        // A FIFO would wait for a writer.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw InventoryProblem(file: path, line: 0, "cannot be opened: \(reason(errno))")
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw InventoryProblem(file: path, line: 0, "is no regular file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maximumSize {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw InventoryProblem(file: path, line: 0, "cannot be read: \(reason(errno))")
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        throw InventoryProblem(file: path, line: 0, "is larger than 4 MiB; this describes no guest")
    }

    /// The lines of a text file, without their ends; nil where there is no such file.
    static func lines(_ path: String) throws(InventoryProblem) -> [String]? {
        guard let bytes = try read(path) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(\.trimmed)
    }

    /// Names of the files in a folder that end in `ending`, sorted; none where there is no such folder.
    static func names(in folder: String, ending: String) throws(InventoryProblem) -> [String] {
        guard let directory = unsafe opendir(folder) else {
            if errno == ENOENT { return [] }
            throw InventoryProblem(file: folder, line: 0, "cannot be opened: \(reason(errno))")
        }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name.hasSuffix(ending), !name.hasPrefix(".") else { continue }
            guard names.count < maximumCount else {
                throw InventoryProblem(file: folder, line: 0, "has more than \(maximumCount) files of guests")
            }
            names.append(name)
        }
        return names.sorted()
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

extension StringProtocol {
    /// Without blanks at either end.
    var trimmed: String {
        let rest = drop { $0.isWhitespace }
        let kept = rest.reversed().drop { $0.isWhitespace }
        return String(String.UnicodeScalarView(kept.reversed().flatMap(\.unicodeScalars)))
    }
}
