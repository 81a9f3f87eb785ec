import CLinux
import Foundation
import Glibc

/// A guest that is this machine's own kernel, in a network namespace of its own that goes with the thread: segments
/// are written into a tun(4) device, which hands them to TCP before write(2) returns.
struct LinuxGuest: ~Copyable {
    private let device: CInt
    private let listener: CInt
    private var connection: CInt = -1

    struct Failure: Error { var what: String }

    /// Runs the body on a thread with a namespace of its own, in which there is a guest `web`.
    static func with<T: Sendable>(_ body: @escaping @Sendable (inout LinuxGuest) throws -> T) throws -> T {
        let box = Box<T>()
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            box.result = Result {
                guard flinch_unshare_network() == 0 else { throw failure("a network namespace (as root)") }
                var guest = try LinuxGuest()
                return try body(&guest)
            }
            done.signal()
        }
        thread.start()
        done.wait()
        return try box.result!.get()
    }

    private final class Box<T>: @unchecked Sendable { var result: Result<T, any Error>? }

    private static func failure(_ what: String) -> Failure { Failure(what: "\(what): errno \(errno)") }

    private init() throws {
        let device = unsafe open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard device >= 0 else { throw LinuxGuest.failure("/dev/net/tun") }
        // struct ifreq with IFF_TUN | IFF_NO_PI, for TUNSETIFF (linux/if_tun.h).
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<2, with: Array("t0".utf8))
        request[16] = 0x01
        request[17] = 0x10
        guard unsafe request.withUnsafeMutableBytes({ unsafe ioctl(device, 0x4004_54CA, $0.baseAddress!) }) == 0 else {
            throw LinuxGuest.failure("TUNSETIFF")
        }
        let addresses = "10.0.0.\(Party.web.rawValue)/24"
        guard unsafe system("ip address add \(addresses) dev t0 && ip link set t0 up && ip link set lo up") == 0 else {
            throw LinuxGuest.failure("ip")
        }
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(80).bigEndian
        let status = unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 8) == 0 else { throw LinuxGuest.failure("listen") }
        self.device = device
        self.listener = listener
    }

    deinit {
        if connection >= 0 { close(connection) }
        close(listener)
        close(device)
    }

    /// Hands the kernel a packet. Returns what it answers at once.
    func receive(_ packet: [UInt8]) -> [[UInt8]] {
        let count = unsafe packet.withUnsafeBytes { unsafe write(device, $0.baseAddress!, $0.count) }
        precondition(count == packet.count, "tun: errno \(errno)")
        return answers()
    }

    private func answers() -> [[UInt8]] {
        var answers: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let length = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(device, $0.baseAddress!, $0.count) }
            guard length > 0 else { return answers }
            // Of the interface itself there is IPv6 too.
            if buffer[0] >> 4 == 4, buffer[9] == 6 { answers.append(Array(buffer[..<length])) }
        }
    }

    /// Takes the connection whose handshake is complete.
    mutating func accept(readsUrgentInline: Bool) throws {
        connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { throw LinuxGuest.failure("accept") }
        // Closed, it leaves no trace.
        var off = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(connection, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
        var inline: CInt = readsUrgentInline ? 1 : 0
        unsafe setsockopt(connection, SOL_SOCKET, SO_OOBINLINE, &inline, 4)
    }

    /// Resets the connection, so that there may be another with the same ports.
    mutating func hangUp() {
        close(connection)
        connection = -1
        _ = answers()
    }

    /// All that can be read now, urgent bytes left where they are.
    func read() -> [UInt8] {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let flags = CInt(MSG_DONTWAIT)
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(connection, $0.baseAddress!, $0.count, flags)
            }
            guard count > 0 else { return text }
            text += buffer[..<count]
        }
    }
}
