import CLinux
import Glibc

/// Who is at the other end: the process as the kernel names it, and the person who logged in and started it.
public struct Peer: Sendable {
    public let process: Int32
    public let user: UInt32

    public init(process: Int32, user: UInt32) {
        self.process = process
        self.user = user
    }

    /// nil if the kernel does not say (unix(7), SO_PEERCRED).
    init?(of descriptor: Int32) {
        var process: Int32 = 0
        var user: UInt32 = 0
        guard unsafe flinch_peer(descriptor, &process, &user) == 0 else { return nil }
        self.init(process: process, user: user)
    }

    /// `alice`, or `alice as root` where she became somebody else: the login stays what it was (proc(5), loginuid).
    /// Ask while the process is there.
    public var name: String {
        let name = Peer.name(of: user)
        guard let login = Peer.login(of: process), login != user else { return name }
        return "\(Peer.name(of: login)) as \(name)"
    }

    private static func login(of process: Int32) -> UInt32? {
        guard let file = unsafe fopen("/proc/\(process)/loginuid", "re") else { return nil }
        defer { unsafe _ = fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        // 2^32 − 1 for nobody: what the system itself started.
        return UInt32(String(decoding: buffer[..<count].prefix { $0 >= 48 }, as: UTF8.self)).flatMap {
            $0 == .max ? nil : $0
        }
    }

    private static func name(of user: UInt32) -> String {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard unsafe getpwuid_r(user, &record, &buffer, buffer.count, &found) == 0, let found = unsafe found,
            let name = unsafe found.pointee.pw_name
        else { return "user \(user)" }
        return unsafe String(cString: name)
    }
}
