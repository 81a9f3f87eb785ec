import CLinux
import Glibc

/// A socket of rtnetlink(7) in this thread's network namespace.
struct LinkSocket: ~Copyable {
    private let descriptor: Int32

    /// `groups` are those whose messages come unasked (RTMGRP_…).
    init(groups: UInt32) throws(InventoryProblem) {
        descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
        guard descriptor >= 0 else { throw LinkSocket.problem("opening a netlink socket") }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = groups
        let size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
        }
        guard bound == 0 else { throw LinkSocket.problem("binding a netlink socket") }
        // The kernel answers at once; the limit is for a kernel that does not.
        _ = flinch_receive_timeout(descriptor, 5000)
    }

    deinit { close(descriptor) }

    /// A message, header and body (linux/netlink.h).
    struct Message {
        var type: UInt16
        var flags: UInt16
        var body: ArraySlice<UInt8>
    }

    /// Waits until a message waits, or so many milliseconds.
    func wait(_ milliseconds: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, milliseconds)
    }

    func send(_ bytes: [UInt8]) throws(InventoryProblem) {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw LinkSocket.problem("asking for the interfaces") }
    }

    /// The messages of one datagram; nil where none waits and `wait` is false. What did not fit into the socket is
    /// told by `lost`.
    func receive(wait: Bool) throws(InventoryProblem) -> (messages: [Message], lost: Bool)? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let flags = wait ? 0 : Int32(MSG_DONTWAIT)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, flags) }
        guard count >= 0 else {
            switch errno {
            case EINTR: return ([], false)
            case ENOBUFS: return ([], true)
            case EAGAIN where !wait: return nil
            default: throw LinkSocket.problem("reading the interfaces")
            }
        }
        var messages: [Message] = []
        var rest = buffer[..<count]
        while rest.count >= 16 {
            let length = LinkSocket.number(rest, 4)
            guard length >= 16, length <= rest.count else { break }
            messages.append(
                Message(
                    type: UInt16(LinkSocket.number(rest.dropFirst(4), 2)),
                    flags: UInt16(LinkSocket.number(rest.dropFirst(6), 2)), body: rest.prefix(length).dropFirst(16)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return (messages, false)
    }

    /// Attributes, by their types without flag bits; the last of a type counts, and the walk ends at the first that
    /// does not fit.
    static func attributes(_ bytes: ArraySlice<UInt8>) -> [Int: ArraySlice<UInt8>] {
        var attributes: [Int: ArraySlice<UInt8>] = [:]
        var rest = bytes
        while rest.count >= 4 {
            let length = number(rest, 2)
            guard length >= 4, length <= rest.count else { break }
            attributes[number(rest.dropFirst(2), 2) & 0x3FFF] = rest.dropFirst(4).prefix(length - 4)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return attributes
    }

    /// A number of `count` bytes in host order; 0 where there are fewer.
    static func number(_ bytes: ArraySlice<UInt8>?, _ count: Int) -> Int {
        guard let bytes, bytes.count >= count else { return 0 }
        // Little-endian, as all machines are that Flinch runs on.
        return bytes.prefix(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    static func text(_ bytes: ArraySlice<UInt8>?) -> String {
        String(decoding: bytes?.prefix { $0 != 0 } ?? [], as: UTF8.self)
    }

    private static func problem(_ what: String) -> InventoryProblem {
        InventoryProblem(file: "rtnetlink", line: 0, "\(what): \(unsafe String(cString: strerror(errno)))")
    }
}
