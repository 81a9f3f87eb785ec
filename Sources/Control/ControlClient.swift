import Glibc

/// Asks the running sensor over its control socket.
public enum ControlClient {
    /// Bytes of the largest answer that is read.
    public static let largestAnswer = 64 << 20

    /// Sends one request line and returns the document that comes back. `timeout` in milliseconds, for all
    /// of it.
    public static func request(path: String, _ request: String, timeout: UInt64 = 5000) throws(ControlError)
        -> [UInt8]
    {
        guard let address = SocketAddress(path: path) else {
            throw ControlError("\(path) cannot be a socket: its path has more than 107 bytes, or none")
        }
        let connection: Connection
        do {
            connection = try Connection.open(address)
        } catch {
            throw ControlError(reason(error, path))
        }
        let deadline = Deadline(milliseconds: timeout)
        // A server that refuses closes at once, after its answer: what cannot be sent may not matter.
        connection.write(Array((request + "\n").utf8), until: deadline)
        guard let answer = connection.read(limit: largestAnswer, until: deadline, { _ in false }) else {
            throw ControlError("flinchd at \(path) did not answer within \(timeout) ms")
        }
        guard !answer.isEmpty else {
            throw ControlError("flinchd at \(path) closed the connection without an answer")
        }
        return answer
    }

    private static func reason(_ error: Connection.Errno, _ path: String) -> String {
        switch error.code {
        case ENOENT: "flinchd is not running (no socket at \(path))"
        case ECONNREFUSED: "flinchd is not running (nobody answers at \(path))"
        case EAGAIN: "flinchd at \(path) does not answer: too many ask it at once, or it hangs"
        case EACCES, EPERM: "no permission to ask flinchd at \(path); try it as root"
        case ENOTSOCK, EPROTOTYPE: "\(path) is not the socket of flinchd"
        default: "cannot ask flinchd at \(path): \(error.text)"
        }
    }
}
