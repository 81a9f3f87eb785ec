import CLinux
import CNetfilter
import Evidence
import Glibc

/// What is asked of one NFQUEUE.
public struct QueueSettings: Sendable, Equatable {
    public var number: UInt16
    /// A second queue that the same socket reads, for packets of which the kernel's rules say that they are of
    /// a flood; nil for none. What finds it full is dropped, whatever `failOpen` says, so that a flood fills this
    /// queue and not the other.
    public var doubtful: UInt16?
    /// Packets that may wait for a verdict before the kernel calls the queue full.
    public var length: UInt32
    /// When queue or socket are full: pass (NFQA_CFG_F_FAIL_OPEN) or drop.
    public var failOpen: Bool
    /// Bytes of the socket's receive buffer. The kernel charges a packet by its truesize: about 1 KiB for
    /// a small one, 70 KiB for a 64 KiB GSO packet.
    public var receiveBuffer: Int

    /// Packets that may wait in the doubtful queue: as many as a worker answers in a few milliseconds, because what
    /// comes by the other queue waits behind them.
    public static let doubtfulLength: UInt32 = 1024

    public init(
        number: UInt16, doubtful: UInt16? = nil, length: UInt32 = 16384, failOpen: Bool = true,
        receiveBuffer: Int = 64 << 20
    ) {
        self.number = number
        self.doubtful = doubtful
        self.length = length
        self.failOpen = failOpen
        self.receiveBuffer = receiveBuffer
    }
}

/// Why a queue could not be had.
public struct IntakeError: Error, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    /// The C library's words for an errno value.
    static func text(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// One NFQUEUE, bound: packets come in batches, verdicts go back in one message each batch.
///
/// The packet path of the kernel side is `nf_queue` → netlink unicast → `recvmmsg` into `slab`, whose
/// slots each hold the largest packet there can be. Each received message is one packet. Identifiers rise
/// by one a packet (linux/net/netfilter/nfnetlink_queue.c), which is what lets one batch verdict answer
/// for all up to the last.
@safe
public struct Queue: ~Copyable {
    /// Packets received at most in one call, and verdicts sent in one.
    public static let batch = 64
    /// A GSO packet's 64 KiB and room for the netlink, nfnetlink and attribute headers around it. The odd
    /// 320 bytes spread the heads of the slots over the sets of the first-level cache; at a stride of whole
    /// pages they would all share the same few.
    static let slotBytes = 65536 + 4096 + 320
    /// MSG_WAITFORONE (linux/socket.h): only the first message is waited for.
    static let waitForOne: Int32 = 0x10000

    public let settings: QueueSettings
    public let setup: Setup

    /// What the kernel granted.
    public struct Setup: Sendable {
        /// Bytes of receive buffer (the kernel doubles what is asked for).
        public var grantedBuffer: Int
        /// Whether the buffer was limited by net.core.rmem_max because CAP_NET_ADMIN is missing.
        public var bufferLimited: Bool
        public var portIdentifier: UInt32
        /// Packets that came before the queue was set up, and were passed or dropped as `failOpen` says.
        public var answeredEarly: UInt64
    }

    private let socket: OpaquePointer
    let descriptor: Int32
    private let slab: UnsafeMutableRawPointer
    private let vectors: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<flinch_mmsghdr>
    private let layouts: UnsafeMutablePointer<AttributeLayouts>

    /// Bytes that one queue holds.
    public static var memoryBytes: Int {
        unsafe batch * (slotBytes + MemoryLayout<iovec>.stride + MemoryLayout<flinch_mmsghdr>.stride)
            + VerdictBatch.memoryBytes
    }

    public init(_ settings: QueueSettings) throws(IntakeError) {
        guard let opened = unsafe mnl_socket_open(NETLINK_NETFILTER) else {
            throw IntakeError("cannot open a netlink socket: \(IntakeError.text(errno))")
        }
        let setup: Setup
        do throws(IntakeError) {
            setup = try unsafe Queue.prepare(opened, settings)
        } catch {
            _ = unsafe mnl_socket_close(opened)
            throw error
        }
        self.settings = settings
        self.setup = setup
        unsafe socket = unsafe opened
        descriptor = unsafe mnl_socket_get_fd(opened)
        let slab = UnsafeMutableRawPointer.allocate(byteCount: Queue.batch * Queue.slotBytes, alignment: 4096)
        let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: Queue.batch)
        let messages = UnsafeMutablePointer<flinch_mmsghdr>.allocate(capacity: Queue.batch)
        for i in 0..<Queue.batch {
            let start = unsafe slab + i * Queue.slotBytes
            unsafe (vectors + i).initialize(to: iovec(iov_base: start, iov_len: Queue.slotBytes))
            unsafe (messages + i).initialize(to: flinch_mmsghdr())
            unsafe messages[i].msg_hdr.msg_iov = unsafe vectors + i
            unsafe messages[i].msg_hdr.msg_iovlen = 1
        }
        unsafe self.slab = unsafe slab
        unsafe self.vectors = unsafe vectors
        unsafe self.messages = unsafe messages
        unsafe layouts = .allocate(capacity: 1)
        unsafe layouts.initialize(to: AttributeLayouts())
    }

    deinit {
        _ = unsafe mnl_socket_close(socket)
        unsafe slab.deallocate()
        unsafe vectors.deallocate()
        unsafe messages.deallocate()
        unsafe layouts.deallocate()
    }

    // MARK: - Set-up

    private static func prepare(_ socket: OpaquePointer, _ settings: QueueSettings) throws(IntakeError) -> Setup {
        guard unsafe mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 else {
            throw IntakeError("cannot bind a netlink socket: \(IntakeError.text(errno))")
        }
        let descriptor = unsafe mnl_socket_get_fd(socket)
        let (granted, limited) = enlarge(descriptor, to: settings.receiveBuffer)
        // Losses are read from the kernel's own counters: an ENOBUFS would only interrupt.
        var on: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, socklen_t(MemoryLayout<Int32>.size))
        let early = try unsafe configure(socket, settings)
        // A worker looks up from its queue this often when nothing comes, to see whether it is to stop.
        _ = flinch_receive_timeout(descriptor, 50)
        return Setup(
            grantedBuffer: granted, bufferLimited: limited,
            portIdentifier: unsafe mnl_socket_get_portid(socket), answeredEarly: early)
    }

    private static func enlarge(_ descriptor: Int32, to bytes: Int) -> (granted: Int, limited: Bool) {
        var size = Int32(clamping: bytes)
        let length = socklen_t(MemoryLayout<Int32>.size)
        let forced = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) == 0
        if !forced { _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length) }
        var granted: Int32 = 0
        var grantedLength = length
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &granted, &grantedLength)
        return (Int(granted), !forced && Int(granted) < bytes)
    }

    /// Binds the queues and sets them up. Returns how many packets were answered for on the way, as for an
    /// overloaded queue.
    private static func configure(_ socket: OpaquePointer, _ settings: QueueSettings) throws(IntakeError) -> UInt64 {
        var early = try unsafe bind(socket, settings)
        if let doubtful = settings.doubtful {
            early += try unsafe bind(
                socket, QueueSettings(number: doubtful, length: QueueSettings.doubtfulLength, failOpen: false))
        }
        return early
    }

    /// Binds one queue, each step acknowledged by the kernel.
    private static func bind(_ socket: OpaquePointer, _ settings: QueueSettings) throws(IntakeError) -> UInt64 {
        var early: UInt64 = 0
        early += try unsafe request(socket, settings, "bind") { header in
            unsafe nfq_nlmsg_cfg_put_cmd(header, UInt16(AF_UNSPEC), UInt8(NFQNL_CFG_CMD_BIND.rawValue))
        }
        early += try unsafe request(socket, settings, "ask for whole packets from") { header in
            unsafe nfq_nlmsg_cfg_put_params(header, UInt8(NFQNL_COPY_PACKET.rawValue), 0xFFFF)
        }
        early += try unsafe request(socket, settings, "set the length of") { header in
            unsafe nfq_nlmsg_cfg_put_qmaxlen(header, settings.length)
        }
        let wanted = UInt32(NFQA_CFG_F_GSO) | (settings.failOpen ? UInt32(NFQA_CFG_F_FAIL_OPEN) : 0)
        early += try unsafe request(socket, settings, "set the flags of") { header in
            unsafe mnl_attr_put_u32(header, UInt16(NFQA_CFG_FLAGS.rawValue), wanted.bigEndian)
            unsafe mnl_attr_put_u32(
                header, UInt16(NFQA_CFG_MASK.rawValue),
                UInt32(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN).bigEndian)
        }
        return early
    }

    /// Sends one configuration message and waits for the kernel's acknowledgement. Returns how many packets
    /// came meanwhile: from the bind on the queue may be used, before it is set up to be inspected.
    @discardableResult
    private static func request(
        _ socket: OpaquePointer, _ settings: QueueSettings, _ purpose: String,
        _ fill: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) throws(IntakeError) -> UInt64 {
        var early: UInt64 = 0
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: slotBytes, alignment: 16)
        defer { unsafe bytes.deallocate() }
        let descriptor = unsafe mnl_socket_get_fd(socket)
        guard
            let header = unsafe nfq_nlmsg_put(
                bytes.assumingMemoryBound(to: CChar.self), Int32(NFQNL_MSG_CONFIG.rawValue),
                UInt32(settings.number))
        else { throw refusal(ENOMEM, purpose, settings.number) }
        unsafe header.pointee.nlmsg_flags |= UInt16(NLM_F_ACK)
        unsafe fill(header)
        guard unsafe mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else {
            throw refusal(errno, purpose, settings.number)
        }
        while true {
            let length = unsafe recv(descriptor, bytes, slotBytes, 0)
            if length < 0 {
                if errno == EINTR { continue }
                throw refusal(errno, purpose, settings.number)
            }
            guard length >= MemoryLayout<nlmsghdr>.size + MemoryLayout<Int32>.size else { continue }
            if unsafe bytes.load(as: nlmsghdr.self).nlmsg_type == UInt16(NLMSG_ERROR) {
                let error = unsafe -bytes.loadUnaligned(
                    fromByteOffset: MemoryLayout<nlmsghdr>.size, as: Int32.self)
                if error == 0 { return early }
                throw refusal(error, purpose, settings.number)
            }
            let message = unsafe RawSpan(_unsafeStart: bytes, byteCount: length)
            var (layouts, arrival) = (AttributeLayouts(), Arrival(time: 0))
            if let packet = QueuedPacket(message, truncated: false, &layouts, into: &arrival) {
                var verdict = VerdictBatch(queue: packet.queue)
                verdict.append(packet.identifier, accept: settings.failOpen)
                _ = verdict.send(descriptor)
                early += 1
            }
        }
    }

    private static func refusal(_ error: Int32, _ purpose: String, _ number: UInt16) -> IntakeError {
        if let holder = boundElsewhere(number), error == EPERM || error == EBUSY {
            return IntakeError(
                "queue \(number) is already bound by another program (netlink port \(holder)): "
                    + "stop it, or set queues.first to queues that are free")
        }
        if error == EPERM {
            return IntakeError("cannot \(purpose) queue \(number): run as root or with CAP_NET_ADMIN")
        }
        return IntakeError(
            "cannot \(purpose) queue \(number): \(IntakeError.text(error)); "
                + "is the kernel module nfnetlink_queue there?")
    }

    /// The netlink port that has the queue, if any has.
    private static func boundElsewhere(_ number: UInt16) -> UInt32? {
        guard let file = unsafe fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re") else { return nil }
        defer { unsafe _ = fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let fields = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                .split(whereSeparator: { $0 == 32 || $0 == 10 })
                .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
            if fields.count >= 2, fields[0] == UInt32(number) { return fields[1] }
        }
        return nil
    }

    // MARK: - The packet path

    /// Waits up to 50 ms for packets and takes what is there, at most `batch`. Returns how many; 0 when
    /// none came, and a negative errno value when the socket failed.
    public mutating func receive() -> Int {
        let count = unsafe flinch_recvmmsg(
            descriptor, messages, UInt32(Queue.batch), Queue.waitForOne)
        if count >= 0 { return Int(count) }
        let error = errno
        return error == EAGAIN || error == EINTR ? 0 : -Int(error)
    }

    /// Message `index` of the last batch, read; nil for what is no packet of this queue (counted by the
    /// caller). How it came is written to `arrival`, save the time.
    @_lifetime(borrow self)
    public borrowing func packet(_ index: Int, into arrival: inout Arrival) -> QueuedPacket? {
        let length = unsafe Int(messages[index].msg_len)
        let start = unsafe UnsafeRawPointer(slab) + index &* Queue.slotBytes
        let bytes = unsafe RawSpan(_unsafeStart: start, byteCount: min(length, Queue.slotBytes))
        let truncated = unsafe messages[index].msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0
        return unsafe _overrideLifetime(
            QueuedPacket(bytes, truncated: truncated, &layouts.pointee, into: &arrival), borrowing: self)
    }

    /// Whether message `index` is the kernel's answer to a verdict that it could not apply: the packet was
    /// gone, because its interface was.
    public borrowing func isKernelError(_ index: Int) -> Bool {
        unsafe messages[index].msg_len >= UInt32(MemoryLayout<nlmsghdr>.size)
            && slab.load(fromByteOffset: index &* Queue.slotBytes, as: nlmsghdr.self).nlmsg_type
                == UInt16(NLMSG_ERROR)
    }

    /// Sends the verdicts noted and empties the batch: 0, or an errno value when the kernel did not take
    /// them.
    public borrowing func commit(_ verdicts: inout VerdictBatch) -> Int32 { verdicts.send(descriptor) }
}
