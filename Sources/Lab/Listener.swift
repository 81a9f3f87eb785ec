import CLinux
import Foundation

/// A small TCP server in a machine of the lab, for services that are too heavy to run for real.
///
/// One thread, at most 256 connections at once; it answers each message with what `reply` makes of it.
/// The thread ends with the listening socket.
public final class Listener: Sendable {
    private let stopping: Int32

    /// - Parameter reply: what to answer to the bytes received; nil closes the connection.
    public init(
        on machine: Machine, ports: [UInt16], reply: @escaping @Sendable ([UInt8]) -> [UInt8]?
    ) throws {
        let sockets = try machine.namespace.enter { try ports.map(Listener.open) }
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw LabError("cannot make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopping = ends[1]
        let stop = ends[0]
        let thread = Thread { Listener.serve(sockets, stop: stop, reply: reply) }
        thread.name = "listener"
        thread.start()
    }

    deinit { close(stopping) }

    /// IPv6 sockets that take IPv4 too.
    private static func open(port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        var address = sockaddr_in6()
        address.sin6_family = UInt16(AF_INET6)
        address.sin6_port = port.bigEndian
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, UInt32(MemoryLayout<sockaddr_in6>.size))
            }
        }
        guard bound == 0, listen(descriptor, 128) == 0 else {
            close(descriptor)
            throw LabError("cannot listen on port \(port): \(unsafe String(cString: strerror(errno)))")
        }
        return descriptor
    }

    private static func serve(_ sockets: [Int32], stop: Int32, reply: ([UInt8]) -> [UInt8]?) {
        var connections: [Int32] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        defer { for descriptor in sockets + connections + [stop] { close(descriptor) } }
        while true {
            var waiting = ([stop] + sockets + connections).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard unsafe poll(&waiting, UInt(waiting.count), -1) >= 0 || errno == EINTR else { return }
            if waiting[0].revents != 0 { return }
            for entry in waiting[1...] where entry.revents != 0 {
                if sockets.contains(entry.fd) {
                    let connection = accept(entry.fd, nil, nil)
                    guard connection >= 0 else { continue }
                    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                    if connections.count < 256 { connections.append(connection) } else { close(connection) }
                } else if !answer(entry.fd, &buffer, reply) {
                    close(entry.fd)
                    connections.removeAll { $0 == entry.fd }
                }
            }
        }
    }

    /// False when the connection is over.
    private static func answer(_ connection: Int32, _ buffer: inout [UInt8], _ reply: ([UInt8]) -> [UInt8]?)
        -> Bool
    {
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(connection, $0.baseAddress!, $0.count, 0)
        }
        guard count > 0, let answer = reply(Array(buffer[..<count])) else { return false }
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        return unsafe answer.withUnsafeBytes { unsafe send(connection, $0.baseAddress!, $0.count, flags) }
            == answer.count
    }
}
