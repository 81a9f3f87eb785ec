import CLinux
import Glibc

/// A stream socket with a deadline for each direction. Closed with its owner.
struct Connection: ~Copyable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to the socket at `address`. Waits at most a second where many others wait already; then the
    /// error is EAGAIN.
    static func open(_ address: SocketAddress) throws(Errno) -> Connection {
        let descriptor = unixSocket(SOCK_STREAM)
        guard descriptor >= 0 else { throw Errno(code: errno) }
        let connection = Connection(descriptor)
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var result: Int32
        repeat {
            result = unsafe address.withPointer { unsafe connect(descriptor, $0, $1) }
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw Errno(code: errno) }
        return connection
    }

    /// Connects and hangs up: 0 if someone listens there, else errno's value.
    static func probe(_ address: SocketAddress) -> Int32 {
        do {
            _ = try open(address)
            return 0
        } catch {
            return error.code
        }
    }

    struct Errno: Error {
        var code: Int32
        var text: String { unsafe String(cString: strerror(code)) }
    }

    /// Reads until `isEnd` says so of what is there, the peer closes, `limit` bytes are there, or the deadline
    /// passes. nil for the last two and errors.
    func read(limit: Int, until deadline: Deadline, _ isEnd: ([UInt8]) -> Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit + 1, 65_536))
        while bytes.count <= limit {
            guard deadline.wait(for: descriptor, POLLIN) else { return nil }
            let count = unsafe recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { return nil }
                continue
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if isEnd(bytes) { return bytes.count <= limit ? bytes : nil }
        }
        return nil
    }

    /// Writes all of it, or returns false.
    @discardableResult
    func write(_ bytes: [UInt8], until deadline: Deadline) -> Bool {
        var done = 0
        while done < bytes.count {
            guard deadline.wait(for: descriptor, POLLOUT) else { return false }
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    descriptor, buffer.baseAddress! + done, buffer.count - done,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                return false
            }
        }
        return true
    }
}

/// A time by which something must have happened.
struct Deadline {
    /// Nanoseconds, of a clock that never steps back.
    private let end: UInt64

    init(milliseconds: UInt64) { end = flinch_monotonic() + milliseconds * 1_000_000 }

    /// Milliseconds left, at least 0.
    var left: Int32 {
        let now = flinch_monotonic()
        return now >= end ? 0 : Int32(clamping: (end - now) / 1_000_000 + 1)
    }

    /// Waits until the descriptor is ready, or false.
    func wait(for descriptor: Int32, _ events: Int32) -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = unsafe poll(&entry, 1, left)
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }
}
