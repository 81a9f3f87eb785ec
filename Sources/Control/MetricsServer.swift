import CLinux
import Glibc
import Synchronization

/// Answers `GET /metrics` for Prometheus, on a loopback address or a Unix socket: there is no password, so it
/// is for this machine alone. One client at a time; each has a second to ask and a second to take the answer.
public final class MetricsServer: Sendable {
    private let service: SocketService
    /// Of a Unix socket, to be removed at the end.
    private let path: String?
    /// The port that it listens at; 0 for a Unix socket.
    public let port: UInt16

    private static let longestRequest = 8192
    private static let backlog: Int32 = 16
    private static let patience: UInt64 = 1000

    /// Listens at a path. A socket that nobody answers at is replaced. Its group may connect.
    public init(path: String) throws(ControlError) {
        guard let address = SocketAddress(path: path) else {
            throw ControlError("\(path) cannot be a socket: its path has more than 107 bytes, or none")
        }
        try ControlServer.makeWay(path, address)
        let descriptor = unixSocket(SOCK_STREAM)
        guard descriptor >= 0 else { throw MetricsServer.failure(path, errno) }
        fchmod(descriptor, 0o660)
        guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0,
            listen(descriptor, MetricsServer.backlog) == 0
        else {
            let code = errno
            close(descriptor)
            throw MetricsServer.failure(path, code)
        }
        self.path = path
        port = 0
        service = SocketService(listener: descriptor)
    }

    /// Listens at an address of this machine: "127.0.0.1" or "::1", say. Port 0 takes a free one.
    public init(host: String, port: UInt16) throws(ControlError) {
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0, let address = unsafe list else {
            throw ControlError("\(place) is no address to listen at")
        }
        defer { unsafe freeaddrinfo(list) }
        let descriptor = unsafe socket(
            address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw MetricsServer.failure(place, errno) }
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            listen(descriptor, MetricsServer.backlog) == 0,
            unsafe withUnsafeMutablePointer(
                to: &bound,
                { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe getsockname(descriptor, $0, &size)
                    }
                }) == 0
        else {
            let code = errno
            close(descriptor)
            throw MetricsServer.failure(place, code)
        }
        path = nil
        // The port stands at the same place in the addresses of both versions.
        self.port = unsafe withUnsafeBytes(of: &bound) {
            UInt16(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
        service = SocketService(listener: descriptor)
    }

    deinit { stop() }

    /// Serves clients until `stop`. `page` is called by one thread.
    public func start(_ page: @escaping @Sendable () -> String) {
        service.start(named: "flinch-metrics") { client in
            let end = Array("\r\n\r\n".utf8)
            let request = client.read(
                limit: MetricsServer.longestRequest, until: Deadline(milliseconds: MetricsServer.patience)
            ) { $0.suffix(4).elementsEqual(end) }
            guard let request else { return }
            let answer = MetricsServer.answer(String(decoding: request, as: UTF8.self), page)
            client.write(Array(answer.utf8), until: Deadline(milliseconds: MetricsServer.patience))
        }
    }

    public func stop() {
        service.stop()
        if let path { unsafe _ = unlink(path) }
    }

    private static func answer(_ request: String, _ page: () -> String) -> String {
        let words = request.prefix { $0 != "\r\n" }.split(separator: " ")
        let target = words.count == 3 ? words[1].prefix { $0 != "?" } : ""
        switch (words.first, target) {
        case ("GET", "/metrics"):
            return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", page())
        case ("GET", "/"): return response("200 OK", "text/plain; charset=utf-8", "Flinch: /metrics\n")
        case ("GET", _): return response("404 Not Found", "text/plain; charset=utf-8", "only /metrics is here\n")
        default: return response("405 Method Not Allowed", "text/plain; charset=utf-8", "only GET\n")
        }
    }

    private static func response(_ status: String, _ type: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }

    private static func failure(_ place: String, _ code: Int32) -> ControlError {
        ControlError("cannot listen for Prometheus at \(place): \(unsafe String(cString: strerror(code)))")
    }
}
