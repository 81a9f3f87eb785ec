import Glibc

/// Lines that wait on disk, in order, until they are delivered: files of whole lines in a folder of their own,
/// and one that says how far delivery came.
///
/// Every append is a write(2): it outlives the process, whatever ends it. What a crash or a full disk left of
/// a line is cut away. After a crash between a delivery and its note here, lines are delivered again.
final class Spool {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let folder: String
    /// Bytes that may wait.
    let limit: Int
    /// Lines that wait.
    private(set) var count = 0

    /// Files by number, oldest first; the last is written to.
    private var segments: [UInt64] = []
    /// The highest number that was ever given: one that is used again could be taken for an old file's.
    private var lastNumber: UInt64 = 0
    /// Bytes of the oldest file that are delivered.
    private var offset = 0
    private var bytes = 0
    private var writer: Int32 = -1
    private var written = 0
    /// Lines at the front that were read already.
    private var front: [[UInt8]] = []

    private static let segmentSize = 1 << 20
    private static let readSize = 1 << 18

    /// Makes the folder if it is not there, and takes up what an earlier run left in it.
    init(folder: String, limit: Int) throws(Failure) {
        self.folder = folder
        self.limit = limit
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw Spool.failure("cannot make the folder \(folder)")
        }
        try takeUp()
    }

    deinit { if writer >= 0 { close(writer) } }

    var isEmpty: Bool { count == 0 }

    /// Appends lines as far as the limit allows; returns how many.
    func append(_ lines: [[UInt8]]) throws(Failure) -> Int {
        var chunk: [UInt8] = []
        var kept = 0
        for line in lines {
            guard bytes + chunk.count + line.count <= limit else { break }
            chunk += line
            kept += 1
        }
        guard kept > 0 else { return 0 }
        if writer < 0 || written >= Spool.segmentSize { try openSegment() }
        let done = SystemCall.write(chunk, to: writer)
        guard done == chunk.count else {
            let code = errno
            // Half a chunk would be delivered, and then delivered again.
            ftruncate(writer, off_t(written))
            throw Spool.failure("cannot write to \(folder)", code)
        }
        written += chunk.count
        bytes += chunk.count
        count += kept
        return kept
    }

    /// The oldest lines, at most `limit`, which stay.
    func first(_ limit: Int) -> [[UInt8]] {
        while front.isEmpty, count > 0, let segment = segments.first {
            front = Spool.lines(SystemCall.read(path(segment), from: offset, Spool.readSize) ?? [])
            if !front.isEmpty { break }
            guard segments.count > 1 else {
                // Somebody took the file away.
                forgetAll()
                break
            }
            removeSegment()
        }
        return Array(front.prefix(limit))
    }

    /// Of those that `first` gave.
    func removeFirst(_ number: Int) {
        guard number > 0 else { return }
        let size = front.prefix(number).reduce(0) { $0 + $1.count }
        front.removeFirst(number)
        offset += size
        bytes -= size
        count -= number
        if count == 0 {
            forgetAll()
        } else {
            notePosition()
        }
    }

    // MARK: - Files

    private func path(_ segment: UInt64) -> String {
        let digits = String(segment)
        return folder + "/" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits + ".jsonl"
    }

    private var positionPath: String { folder + "/position" }

    private func takeUp() throws(Failure) {
        guard let names = SystemCall.names(in: folder) else { throw Spool.failure("cannot read \(folder)") }
        segments = names.filter { $0.hasSuffix(".jsonl") }.compactMap { UInt64($0.dropLast(6)) }.sorted()
        let position = String(decoding: SystemCall.read(positionPath, from: 0, 64) ?? [], as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).compactMap { UInt64($0) }
        if position.count == 2 {
            while let first = segments.first, first < position[0] {
                unsafe _ = unlink(path(first))
                segments.removeFirst()
            }
            if segments.first == position[0] { offset = Int(clamping: position[1]) }
        }
        lastNumber = max(segments.last ?? 0, position.first.map { $0 - min($0, 1) } ?? 0)
        for (index, segment) in segments.enumerated() {
            let start = index == 0 ? offset : 0
            let content = SystemCall.read(path(segment), from: start, .max) ?? []
            let whole = (content.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
            if whole < content.count { unsafe _ = truncate(path(segment), off_t(start + whole)) }
            bytes += whole
            count += content[..<whole].reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        }
        if count == 0 { forgetAll() }
    }

    /// A new file each time, so that one left behind is never written to again.
    private func openSegment() throws(Failure) {
        let next = lastNumber + 1
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC
        let descriptor = unsafe open(path(next), flags, 0o600)
        guard descriptor >= 0 else { throw Spool.failure("cannot make \(path(next))") }
        if writer >= 0 { close(writer) }
        writer = descriptor
        written = 0
        segments.append(next)
        lastNumber = next
    }

    private func removeSegment() {
        unsafe _ = unlink(path(segments.removeFirst()))
        offset = 0
    }

    /// Nothing waits any more.
    private func forgetAll() {
        for segment in segments { unsafe _ = unlink(path(segment)) }
        segments = []
        if writer >= 0 { close(writer) }
        writer = -1
        (offset, bytes, count, written) = (0, 0, 0, 0)
        front = []
        notePosition()
    }

    /// Which file is the oldest, and how far it is delivered. A note that cannot be written means that lines
    /// are delivered again after a crash.
    private func notePosition() {
        let note = Array("\(segments.first ?? lastNumber + 1) \(offset)\n".utf8)
        SystemCall.replace(positionPath, with: note)
    }

    private static func lines(_ content: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        for (index, byte) in content.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(Array(content[start...index]))
            start = index + 1
        }
        return lines
    }

    private static func failure(_ what: String, _ code: Int32 = errno) -> Failure {
        Failure(description: "\(what): \(unsafe String(cString: strerror(code)))")
    }
}
