import CLinux
import Glibc
import Synchronization

/// The sensor's control socket: a client sends one line and gets one document.
///
/// One thread serves one client at a time, so that any number of clients cost one thread. Each has a second
/// to say what it wants and a second to take the answer. Only the owner of the process may connect (mode
/// 0600). The socket is removed at the end.
public final class ControlServer: Sendable {
    /// Bytes of the longest request line.
    public static let longestRequest = 256
    /// Clients that may wait for their turn.
    private static let backlog: Int32 = 16
    private static let patience: UInt64 = 1000

    public let path: String
    private let service: SocketService
    private let isStopped = Atomic<Bool>(false)

    /// Listens at `path`. Clients wait until `start`.
    ///
    /// A socket that nobody answers at, left behind by a sensor that was killed, is replaced. Throws when
    /// another sensor answers there, or something else is in the way.
    public init(path: String) throws(ControlError) {
        guard let address = SocketAddress(path: path) else {
            throw ControlError("\(path) cannot be a socket: its path has more than 107 bytes, or none")
        }
        try ControlServer.makeWay(path, address)
        let descriptor = unixSocket(SOCK_STREAM)
        guard descriptor >= 0 else { throw ControlServer.failure(path, errno) }
        // The mode of a socket's file is that of the socket when it is bound (unix(7)), less the umask:
        // never open to others, not even until a chmod.
        fchmod(descriptor, 0o600)
        guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            throw ControlServer.failure(path, code)
        }
        guard listen(descriptor, ControlServer.backlog) == 0 else {
            let code = errno
            close(descriptor)
            unsafe unlink(path)
            throw ControlServer.failure(path, code)
        }
        self.path = path
        service = SocketService(listener: descriptor)
    }

    deinit { stop() }

    /// Serves clients until `stop`. `answer` gets the request without its line end, and who asks; it is called by one
    /// thread, one request at a time.
    public func start(_ answer: @escaping @Sendable (String, Peer?) -> [UInt8]) {
        service.start(named: "flinch-control") { client in
            let newline = UInt8(ascii: "\n")
            let line = client.read(
                limit: ControlServer.longestRequest, until: Deadline(milliseconds: ControlServer.patience)
            ) { $0.contains(newline) }
            guard let line, let end = line.firstIndex(of: newline) else { return }
            let document = answer(String(decoding: line[..<end], as: UTF8.self), Peer(of: client.descriptor))
            client.write(document, until: Deadline(milliseconds: ControlServer.patience))
        }
    }

    /// Ends the service and removes the socket. Calling it again does nothing.
    public func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        // Removed first: a client that comes now is told that nobody is there, and need not wait.
        unsafe unlink(path)
        service.stop()
    }

    /// Removes the socket of a sensor that is gone; throws if one is there.
    static func makeWay(_ path: String, _ address: SocketAddress) throws(ControlError) {
        switch Connection.probe(address) {
        case 0, EAGAIN:
            throw ControlError("another flinchd runs already: it listens at \(path)")
        case ENOENT: return
        case ECONNREFUSED:
            var status = stat()
            guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
                throw ControlError("\(path) is in the way: it is no socket; move it elsewhere")
            }
            guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure(path, errno) }
        case let code: throw failure(path, code)
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> ControlError {
        let reason =
            code == ENOENT ? "its folder does not exist; make it" : unsafe String(cString: strerror(code))
        return ControlError("cannot listen at \(path): \(reason)")
    }
}
