import CLinux
import Glibc

/// A connected socket that is written to, each wait bounded.
struct OutgoingSocket: ~Copyable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let descriptor: Int32
    private let endpoint: Endpoint
    private let session: TLSSession?

    /// Connects by `deadline`, a time of the monotonic clock in nanoseconds. A host's name is looked up first,
    /// which the resolver bounds by itself. `tls` is for endpoints that want it.
    init(_ endpoint: Endpoint, tls: TLSContext? = nil, by deadline: UInt64) throws(Failure) {
        let opened =
            switch endpoint.transport {
            case .unix, .unixDatagram: try OutgoingSocket.openUnix(endpoint)
            case .tcp, .udp, .tls: try OutgoingSocket.openInternet(endpoint, by: deadline)
            }
        var made: TLSSession?
        if endpoint.transport == .tls {
            do throws(Failure) {
                guard let tls else { throw Failure(description: "\(endpoint): there are no settings for TLS") }
                made = try OutgoingSocket.session(tls, opened, endpoint, by: deadline)
            } catch {
                close(opened)
                throw error
            }
        }
        self.endpoint = endpoint
        descriptor = opened
        session = made
    }

    deinit {
        session?.end()
        close(descriptor)
    }

    private static func session(
        _ tls: TLSContext, _ descriptor: Int32, _ endpoint: Endpoint, by deadline: UInt64
    ) throws(Failure) -> TLSSession {
        let session: TLSSession
        do throws(TLSContext.Failure) {
            session = try TLSSession(tls, descriptor: descriptor, host: endpoint.host)
        } catch {
            throw Failure(description: "\(endpoint): \(error)")
        }
        while true {
            switch session.handshake() {
            case .done: return session
            case .failed(let why): throw Failure(description: "\(endpoint): \(why)")
            case .wait(let what):
                guard wait(descriptor, what.events, until: deadline) else {
                    throw Failure(description: "\(endpoint): no answer in time")
                }
            }
        }
    }

    /// Writes all of it: to a datagram socket as one datagram.
    func send(_ bytes: [UInt8], by deadline: UInt64) throws(Failure) {
        var done = 0
        repeat {
            switch unsafe bytes.withUnsafeBytes({ unsafe write(UnsafeRawBufferPointer(rebasing: $0[done...])) }) {
            case .done(let count): done += count
            case .failed(let why): throw Failure(description: "cannot send to \(endpoint): \(why)")
            case .wait(let what):
                guard OutgoingSocket.wait(descriptor, what.events, until: deadline) else {
                    throw Failure(description: "\(endpoint) does not take what is sent")
                }
            }
        } while done < bytes.count
    }

    /// What the other side sent next, at most `room` bytes.
    func receive(_ room: Int, by deadline: UInt64) throws(Failure) -> [UInt8] {
        while true {
            var outcome = TLSSession.Outcome.done(0)
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                outcome = unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
                if case .done(let size) = outcome { count = size }
            }
            switch outcome {
            case .done(0): throw Failure(description: "\(endpoint) closed the connection")
            case .done: return bytes
            case .failed(let why): throw Failure(description: "\(endpoint): \(why)")
            case .wait(let what):
                guard OutgoingSocket.wait(descriptor, what.events, until: deadline) else {
                    throw Failure(description: "\(endpoint): no answer in time")
                }
            }
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> TLSSession.Outcome {
        if let session { return unsafe session.write(bytes) }
        let count = unsafe Glibc.send(
            descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        return OutgoingSocket.outcome(count, .forWriting)
    }

    private func read(into bytes: UnsafeMutableRawBufferPointer) -> TLSSession.Outcome {
        if let session { return unsafe session.read(into: bytes) }
        let count = unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
        return OutgoingSocket.outcome(count, .forReading)
    }

    private static func outcome(_ count: Int, _ wait: TLSSession.Wait) -> TLSSession.Outcome {
        if count >= 0 { return .done(count) }
        let code = errno
        return code == EAGAIN || code == EINTR ? .wait(wait) : .failed(unsafe String(cString: strerror(code)))
    }

    /// Whether the other side has closed a stream: what it would be sent would be lost.
    var isClosed: Bool {
        if let session { return session.isClosed }
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 && !endpoint.isDatagram || count < 0 && errno != EAGAIN && errno != EINTR
    }

    // MARK: - Connecting

    private static func openUnix(_ endpoint: Endpoint) throws(Failure) -> Int32 {
        let kind = endpoint.isDatagram ? SOCK_DGRAM : SOCK_STREAM
        let descriptor = socket(AF_UNIX, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket for \(endpoint)") }
        // A listener whose backlog is full would be waited for without end.
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(endpoint.host.utf8.prefix(107))
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw failure("cannot connect to \(endpoint)", code)
        }
        return descriptor
    }

    private static func openInternet(_ endpoint: Endpoint, by deadline: UInt64) throws(Failure) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32((endpoint.isDatagram ? SOCK_DGRAM : SOCK_STREAM).rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard code == 0 else {
            throw Failure(description: "cannot find \(endpoint.host): \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var problem = Failure(description: "\(endpoint.host) has no address")
        var entry = unsafe list
        while let candidate = unsafe entry {
            do throws(Failure) {
                return unsafe try connected(candidate.pointee, endpoint, by: deadline)
            } catch {
                problem = error
            }
            unsafe entry = candidate.pointee.ai_next
        }
        throw problem
    }

    private static func connected(
        _ address: addrinfo, _ endpoint: Endpoint, by deadline: UInt64
    ) throws(Failure) -> Int32 {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = unsafe socket(address.ai_family, address.ai_socktype | flags, address.ai_protocol)
        guard descriptor >= 0 else { throw failure("no socket for \(endpoint)") }
        var code: Int32 = 0
        if unsafe connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            code = errno
            if code == EINPROGRESS {
                code = ETIMEDOUT
                if wait(descriptor, Int32(POLLOUT), until: deadline) {
                    var size = socklen_t(MemoryLayout<Int32>.size)
                    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
                }
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw failure("cannot connect to \(endpoint)", code)
        }
        return descriptor
    }

    private static func wait(_ descriptor: Int32, _ events: Int32, until deadline: UInt64) -> Bool {
        while true {
            let now = flinch_monotonic()
            let left = deadline > now ? min((deadline - now) / 1_000_000 + 1, 60_000) : 0
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = unsafe poll(&entry, 1, Int32(left))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }

    private static func failure(_ what: String, _ code: Int32 = errno) -> Failure {
        Failure(description: "\(what): \(unsafe String(cString: strerror(code)))")
    }
}

extension TLSSession.Wait {
    /// For poll(2).
    fileprivate var events: Int32 { Int32(self == .forReading ? POLLIN : POLLOUT) }
}

extension Delivery {
    /// Has each line sent as what it says, in order, until sending fails.
    static func noticeByNotice(
        _ lines: ArraySlice<[UInt8]>, _ send: (Notice, [UInt8]) throws(OutgoingSocket.Failure) -> Void
    ) -> Delivery {
        var delivery = Delivery(taken: 0)
        do throws(OutgoingSocket.Failure) {
            for line in lines {
                if let notice = Notice(line: line) {
                    try send(notice, line)
                } else {
                    delivery.refused += 1
                    delivery.problem = "a line that is no event"
                }
                delivery.taken += 1
            }
        } catch {
            delivery.isFailure = true
            delivery.problem = error.description
        }
        return delivery
    }
}
