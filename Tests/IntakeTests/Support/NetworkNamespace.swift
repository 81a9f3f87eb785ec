import CLinux
import Glibc
import Testing

/// Runs the body in a network namespace of its own, which goes with it. The thread is lent for as long, and
/// returned to where it was.
func inNetworkNamespace(_ body: () throws -> Void) throws {
    try #require(
        geteuid() == 0, "these tests bind queues in network namespaces of their own: run them as root")
    let home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    try #require(home >= 0)
    defer { close(home) }
    try #require(flinch_unshare_network() == 0, "no new network namespace: errno \(errno)")
    defer {
        let status = unsafe flinch_enter_network("/proc/self/fd/\(home)")
        precondition(status == 0, "cannot return to the network namespace: errno \(errno)")
    }
    try body()
}

/// Runs a shell command in the namespace of the calling thread, and requires that it succeeds.
func shell(_ command: String) throws {
    let pipe = unsafe popen("exec 2>&1; \(command)", "re")
    let stream = unsafe try #require(unsafe pipe)
    var output: [UInt8] = []
    while case let byte = unsafe getc(stream), byte != EOF { output.append(UInt8(truncatingIfNeeded: byte)) }
    let status = unsafe pclose(stream)
    try #require(status == 0, "\(command): \(String(decoding: output, as: UTF8.self))")
}

/// A UDP socket on 127.0.0.1 that sends to itself.
struct LoopbackSocket: ~Copyable {
    private let descriptor: Int32
    private var address = sockaddr_in()

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (socket, size) = (descriptor, length)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                unsafe bind(socket, name, size) == 0 && getsockname(socket, name, &length) == 0
            }
        }
        try #require(bound)
    }

    deinit { close(descriptor) }

    var port: Int { Int(address.sin_port.byteSwapped) }

    func send(_ data: [UInt8]) throws {
        let socket = descriptor
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let sent = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                unsafe sendto(socket, data, data.count, 0, name, size)
            }
        }
        try #require(sent == data.count)
    }

    /// What has arrived; nil when nothing has.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer.prefix(count))
    }
}
