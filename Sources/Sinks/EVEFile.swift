import Events
import Glibc

/// Where EVE lines go: a file that is appended to, a pipe, or standard output.
///
/// A line is written whole or not at all. What a full disk left of a line is taken back, so that a reader
/// never sees half a one; writing can go on when there is space again. Used by one thread.
public final class EVEFile {
    /// Lines that could not be written, and why.
    public struct WriteError: Error, CustomStringConvertible, Equatable {
        public var description: String
        /// Lines before them that were.
        public var written: Int
    }

    public struct OpenError: Error, CustomStringConvertible, Equatable {
        public var description: String
    }

    public let path: String

    /// Milliseconds that one write waits for the reader of a pipe; nil for as long as it takes.
    public var patience: Int?
    private var descriptor: Int32
    /// Only a regular file of our own may be cut back: standard output may be shared.
    private var mayTruncate: Bool
    private var isRegular: Bool
    /// Half a line stands at the end and could not be taken back: the next one begins with a line end.
    private var endsInsideLine = false
    /// The reader of a pipe did not read in time: until it does, it is not waited for again.
    private var isStalled = false

    /// Bytes that are written to a pipe at a time: what poll(2) said fits does not block (PIPE_BUF).
    private static let pipePortion = 4096

    /// `path` is a file, made if it is not there (its folder is not), or "-" for standard output.
    public init(path: String, patience: Int? = nil) throws(OpenError) {
        self.path = path
        self.patience = patience
        descriptor = try EVEFile.open(path)
        isRegular = EVEFile.isRegular(descriptor)
        mayTruncate = path != "-" && isRegular
    }

    deinit { close(descriptor) }

    /// Opens the path anew, after someone moved the file away (rotation). On an error the old file stays
    /// in use.
    public func reopen() throws(OpenError) {
        guard path != "-" else { return }
        let fresh = try EVEFile.open(path)
        close(descriptor)
        descriptor = fresh
        isRegular = EVEFile.isRegular(fresh)
        mayTruncate = isRegular
        endsInsideLine = false
        isStalled = false
    }

    /// Writes what the encoder holds, and empties it. What cannot be written is lost.
    public func write(_ encoder: inout EVEEncoder) throws(WriteError) {
        defer { encoder.removeAll() }
        try write(encoder.bytes)
    }

    /// Writes whole lines, each with its end.
    public func write(_ lines: [UInt8]) throws(WriteError) {
        guard !lines.isEmpty else { return }
        if endsInsideLine {
            let (done, code) = put([UInt8(ascii: "\n")])
            guard done == 1 else { throw failure(written: 0, code) }
            endsInsideLine = false
        }
        let (done, code) = put(lines)
        isStalled = code == EAGAIN
        guard done == lines.count else {
            let whole = (lines[..<done].lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
            if whole < done { takeBack(done - whole) }
            throw failure(written: EVEFile.count(lines[..<whole]), code)
        }
    }

    private func failure(written: Int, _ code: Int32) -> WriteError {
        let reason = code == EAGAIN ? "nobody reads it" : unsafe String(cString: strerror(code))
        return WriteError(
            description: "cannot write to \(path == "-" ? "standard output" : path): \(reason)", written: written)
    }

    /// Bytes of a file of our own; nil for a pipe and for standard output.
    var size: Int? {
        var status = stat()
        guard mayTruncate, unsafe fstat(descriptor, &status) == 0 else { return nil }
        return Int(status.st_size)
    }

    private static func count(_ lines: ArraySlice<UInt8>) -> Int {
        lines.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    }

    /// Removes the last bytes that were written.
    private func takeBack(_ count: Int) {
        endsInsideLine = true
        guard mayTruncate else { return }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_size >= count,
            ftruncate(descriptor, status.st_size - off_t(count)) == 0
        else { return }
        endsInsideLine = false
    }

    // MARK: - System calls

    /// Writes until all is written or an error comes; returns how much was, and the error (0 for none;
    /// EAGAIN when patience ran out).
    private func put(_ bytes: [UInt8]) -> (done: Int, code: Int32) {
        var done = 0
        let deadline = EVEFile.now() + Int64(isStalled ? 0 : patience ?? 0)
        while done < bytes.count {
            if !isRegular {
                let code = awaitReader(until: deadline)
                if code != 0 { return (done, code) }
            }
            let portion = isRegular ? bytes.count - done : min(bytes.count - done, EVEFile.pipePortion)
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + done, portion)
            }
            if count > 0 {
                done += count
            } else if count < 0, errno != EINTR, errno != EAGAIN {
                return (done, errno)
            } else if count == 0 {
                return (done, EIO)
            }
        }
        return (done, 0)
    }

    private func awaitReader(until deadline: Int64) -> Int32 {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let left = patience == nil ? -1 : Int32(clamping: max(0, deadline - EVEFile.now()))
            let ready = unsafe poll(&entry, 1, left)
            // POLLERR (the reader is gone) counts as ready: the write says why.
            if ready > 0 { return 0 }
            if ready == 0 { return EAGAIN }
            if errno != EINTR { return errno }
        }
    }

    /// Milliseconds of a clock that never steps back.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func open(_ path: String) throws(OpenError) -> Int32 {
        if path == "-" {
            let copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw OpenError(description: "standard output is closed") }
            return copy
        }
        // O_NONBLOCK: a pipe that nobody reads must not hold up the start. It does nothing to files.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let descriptor = unsafe Glibc.open(path, flags, 0o640)
        guard descriptor < 0 else { return descriptor }
        let code = errno
        let folder = path.lastIndex(of: "/").map {
            String(path[..<max($0, path.index(after: path.startIndex))])
        }
        if code == ENOENT, let folder, unsafe access(folder, F_OK) != 0 {
            throw OpenError(
                description: "cannot open \(path): the folder \(folder) does not exist; make it, or write"
                    + " elsewhere")
        }
        let reason = code == ENXIO ? "nobody reads this pipe" : unsafe String(cString: strerror(code))
        throw OpenError(description: "cannot open \(path): \(reason)")
    }
}
