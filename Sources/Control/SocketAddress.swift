import CLinux
import Glibc

/// The address of a Unix socket (unix(7)).
struct SocketAddress {
    private var address = sockaddr_un()
    private let length: socklen_t

    /// A path of at most 107 bytes, or "@" and a name in the abstract namespace; nil for what does not fit.
    init?(path: String) {
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            unsafe target.copyBytes(from: bytes)
            // The kernel marks an abstract name by a zero byte, systemd's text by "@".
            if unsafe target[0] == UInt8(ascii: "@") { unsafe target[0] = 0 }
        }
        let start = MemoryLayout<sockaddr_un>.size - room
        // An abstract name is all bytes given; a path ends at its zero byte, which is counted.
        length = socklen_t(start + bytes.count + (bytes[0] == UInt8(ascii: "@") ? 0 : 1))
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafeBytes(of: address) {
            unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}

/// A Unix socket that programs started from here do not inherit; negative, with errno, on failure.
func unixSocket(_ type: __socket_type) -> Int32 {
    socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
}
