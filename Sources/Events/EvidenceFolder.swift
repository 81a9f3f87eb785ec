import Glibc

/// What the sensor may not do with its folder of evidence, in words for the operator.
public struct EvidenceError: Error, CustomStringConvertible {
    public var description: String
}

/// The folder that captures are written to: only its owner reads it, and it stays within a size, the oldest captures
/// going first. It touches no file that has another kind of name.
struct EvidenceFolder: ~Copyable {
    let path: String
    /// Bytes of all captures together.
    private let limit: Int
    private let descriptor: Int32
    /// By name, which is by age.
    private var files: [(name: String, size: Int)] = []
    private(set) var size = 0

    static let suffix = ".pcap"

    /// Makes the folder and those above it if they are not there.
    init(path: String, limit: Int) throws(EvidenceError) {
        self.path = path
        self.limit = limit
        var end = path.startIndex
        while let slash = path[end...].dropFirst().firstIndex(of: "/") {
            unsafe _ = mkdir(String(path[..<slash]), 0o750)
            end = slash
        }
        unsafe _ = mkdir(path, 0o700)
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw EvidenceError(
                description: "cannot use the folder \(path) for evidence: \(unsafe String(cString: strerror(errno)))"
                    + "; write another under evidence.folder, or evidence: {memory: 0} for none")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_uid == geteuid(), fchmod(descriptor, 0o700) == 0 else {
            close(descriptor)
            throw EvidenceError(
                description: "the folder \(path) for evidence is another user's; chown it to the sensor's user")
        }
        self.descriptor = descriptor
        list()
    }

    deinit { close(descriptor) }

    var count: Int { files.count }

    /// A new file, nobody else's to read, for at most `room` bytes; captures that are too many for it go. Throws what
    /// the system says.
    mutating func create(_ name: String, room: Int) throws(EvidenceError) -> Int32 {
        while size + room > limit, !files.isEmpty { removeOldest() }
        let file = unsafe openat(
            descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw EvidenceError(description: "\(path)/\(name): \(unsafe String(cString: strerror(errno)))")
        }
        files.append((name, 0))
        return file
    }

    /// A file that was created here has so many bytes more.
    mutating func grow(_ name: String, by bytes: Int) {
        guard let index = files.lastIndex(where: { $0.name == name }) else { return }
        files[index].size += bytes
        size += bytes
    }

    mutating func remove(_ name: String) {
        guard let index = files.lastIndex(where: { $0.name == name }) else { return }
        size -= files[index].size
        files.remove(at: index)
        unsafe unlinkat(descriptor, name, 0)
    }

    private mutating func removeOldest() {
        let oldest = files.removeFirst()
        size -= oldest.size
        unsafe unlinkat(descriptor, oldest.name, 0)
    }

    private mutating func list() {
        let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return }
        guard let folder = unsafe fdopendir(copy) else {
            close(copy)
            return
        }
        defer { unsafe closedir(folder) }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard EvidenceFolder.isOurs(name), unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { continue }
            files.append((name, Int(status.st_size)))
            size += Int(status.st_size)
        }
        files.sort { $0.name < $1.name }
    }

    /// `20261126T135000.123456-1234567.pcap`: the time in UTC, then the event's `flow_id`.
    static func name(time: UInt64, flow: UInt64) -> String {
        var seconds = time_t(time / 1_000_000_000)
        var date = unsafe tm()
        unsafe gmtime_r(&seconds, &date)
        func digits(_ number: some BinaryInteger, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let day = unsafe digits(date.tm_year + 1900, 4) + digits(date.tm_mon + 1, 2) + digits(date.tm_mday, 2)
        let clock = unsafe digits(date.tm_hour, 2) + digits(date.tm_min, 2) + digits(date.tm_sec, 2)
        return "\(day)T\(clock).\(digits(time / 1000 % 1_000_000, 6))-\(flow)\(suffix)"
    }

    private static func isOurs(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard name.hasSuffix(suffix), bytes.count > 23 + suffix.utf8.count, bytes[8] == UInt8(ascii: "T"),
            bytes[15] == UInt8(ascii: "."), bytes[22] == UInt8(ascii: "-")
        else { return false }
        let rest = bytes.dropLast(suffix.utf8.count).enumerated().filter { ![8, 15, 22].contains($0.offset) }
        return rest.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0.element) }
    }
}
