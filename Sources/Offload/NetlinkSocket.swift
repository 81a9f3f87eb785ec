import CNetfilter
import Glibc

/// A nfnetlink socket of this thread's network namespace, for requests that are answered at once.
@safe struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer

    private init(_ socket: OpaquePointer) { unsafe self.socket = unsafe socket }

    static func open() throws(OffloadError) -> NetlinkSocket {
        guard let socket = unsafe mnl_socket_open2(NETLINK_NETFILTER, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw .system(errno, "opening a netlink socket")
        }
        let opened = unsafe NetlinkSocket(socket)
        // The kernel answers at once; the limit is for a kernel that does not.
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        guard unsafe mnl_socket_bind(socket, 0, pid_t(MNL_SOCKET_AUTOPID)) == 0,
            unsafe setsockopt(
                mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                == 0
        else { throw .system(errno, "binding a netlink socket") }
        return opened
    }

    deinit { unsafe mnl_socket_close(socket) }

    /// Sends messages of which the last but one asks for an acknowledgement (a batch), and waits for it.
    /// The first error that the kernel reports for any of them is thrown.
    func commit(_ messages: NetlinkMessages, acknowledged: UInt32, _ what: String) throws(OffloadError) {
        try send(messages, what)
        var done = false
        while !done {
            try receive(what) { header, body throws(OffloadError) in
                guard header.type == UInt16(NLMSG_ERROR) else { return }
                let code = NetlinkSocket.errorCode(body)
                guard code == 0 else { throw .system(code, what) }
                if header.sequence == acknowledged { done = true }
            }
        }
    }

    /// Sends a dump request and gives each answer: the family, and the attributes behind nfgenmsg. An
    /// answer that the kernel marks as interrupted by a change is asked for again.
    func dump(
        _ request: NetlinkMessages, _ what: String
    ) throws(OffloadError) -> [(family: UInt8, attributes: NetlinkAttributes)] {
        for _ in 0..<10 {
            try send(request, what)
            var answers: [(family: UInt8, attributes: NetlinkAttributes)] = []
            var done = false
            var interrupted = false
            while !done {
                try receive(what) { header, body throws(OffloadError) in
                    if header.flags & UInt16(NLM_F_DUMP_INTR) != 0 { interrupted = true }
                    switch Int32(header.type) {
                    case NLMSG_DONE: done = true
                    case NLMSG_ERROR: throw .system(NetlinkSocket.errorCode(body), what)
                    default:
                        guard body.count >= 4 else { return }
                        answers.append((body[body.startIndex], NetlinkAttributes(body.dropFirst(4))))
                    }
                }
            }
            if !interrupted { return answers }
        }
        throw OffloadError(.refused, "\(what): the rules are being changed all the time; try again")
    }

    private struct Header {
        let type: UInt16
        let flags: UInt16
        let sequence: UInt32
    }

    private func send(_ messages: NetlinkMessages, _ what: String) throws(OffloadError) {
        let sent = unsafe messages.bytes.withUnsafeBytes {
            unsafe mnl_socket_sendto(socket, $0.baseAddress, $0.count)
        }
        guard sent == messages.bytes.count else { throw .system(sent < 0 ? errno : EMSGSIZE, what) }
    }

    private func receive(
        _ what: String, _ each: (Header, ArraySlice<UInt8>) throws(OffloadError) -> Void
    ) throws(OffloadError) {
        // The kernel fills at most 32 KiB a time (kernel: netlink_dump).
        var buffer = [UInt8](repeating: 0, count: 32768)
        var count = 0
        repeat {
            count = unsafe buffer.withUnsafeMutableBytes {
                unsafe mnl_socket_recvfrom(socket, $0.baseAddress, $0.count)
            }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw .system(errno, what) }
        var rest = buffer[..<count]
        while rest.count >= 16 {
            let (length, type, flags, sequence) = unsafe rest.withUnsafeBytes {
                unsafe (
                    Int($0.loadUnaligned(as: UInt32.self)),
                    $0.loadUnaligned(fromByteOffset: 4, as: UInt16.self),
                    $0.loadUnaligned(fromByteOffset: 6, as: UInt16.self),
                    $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
                )
            }
            guard length >= 16, length <= rest.count else { return }
            let header = Header(type: type, flags: flags, sequence: sequence)
            try each(header, rest.dropFirst(16).prefix(length - 16))
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    /// nlmsgerr.error as a positive errno value, 0 for an acknowledgement.
    private static func errorCode(_ body: ArraySlice<UInt8>) -> Int32 {
        guard body.count >= 4 else { return EBADMSG }
        return -(unsafe body.withUnsafeBytes { unsafe $0.loadUnaligned(as: Int32.self) })
    }
}
