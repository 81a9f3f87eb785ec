import CLinux
import CNetfilter
import Evidence
import Glibc

/// What is asked of one NFQUEUE.
public struct QueueSettings: Sendable, Equatable {
    public var number: UInt16
    /// A second queue, for packets of which the kernel's rules say that they are of a flood; nil for none. What finds it
    /// full is dropped, whatever `failOpen` says, so that a flood fills this queue and not the other.
    public var doubtful: UInt16?
    /// Packets that may wait for a verdict before the kernel calls the queue full.
    public var length: UInt32
    /// When queue or socket are full: pass (NFQA_CFG_F_FAIL_OPEN) or drop.
    public var failOpen: Bool
    /// Bytes of the socket's receive buffer. The kernel charges a packet by its truesize: about 1 KiB for
    /// a small one, 70 KiB for a 64 KiB GSO packet.
    public var receiveBuffer: Int

    /// The same for the doubtful queue: no more than a worker with nothing else to do answers in a few milliseconds.
    static let doubtfulLength: UInt32 = 1024
    /// Of which each packet may be as large as a card's.
    static let doubtfulBuffer = 4 << 20

    /// What is to be asked for the doubtful queue, on a socket of its own.
    var ofDoubtful: QueueSettings? {
        doubtful.map {
            QueueSettings(
                number: $0, length: QueueSettings.doubtfulLength, failOpen: false,
                receiveBuffer: QueueSettings.doubtfulBuffer)
        }
    }

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

/// One NFQUEUE, bound, and a second one beside it for what is of a flood: packets come in batches, each of one queue,
/// and verdicts go back in one message each batch. What is of a flood waits for what is not, as far as that leaves it
/// any time at all.
///
/// The packet path of the kernel side is `nf_queue` → netlink unicast → `recvmmsg` into `slab`, whose
/// slots each hold the largest packet there can be. Each received message is one packet. Identifiers rise
/// by one a packet (linux/net/netfilter/nfnetlink_queue.c), which is what lets one batch verdict answer
/// for all up to the last.
@safe
public struct Queue: ~Copyable {
    /// Packets received at most in one call, and verdicts sent in one.
    public static let batch = 64
    /// Of the doubtful queue: what comes by the other waits behind no more.
    static let doubtfulBatch = 16
    /// Milliseconds after which a worker looks up from its queue when nothing comes, to see whether it is to stop.
    static let patience: UInt32 = 50
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
    private let doubtfulSocket: OpaquePointer?
    /// Of the two sockets; poll(2) waits for both. Without a doubtful queue its descriptor is negative, which poll
    /// passes over.
    private let polled: UnsafeMutablePointer<pollfd>
    private var turn = QueueTurn()
    /// Whether the last batch was of the doubtful queue.
    public private(set) var isDoubtful = false
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
        let opened = unsafe try Queue.open(settings)
        var doubtful: (socket: OpaquePointer, setup: Setup)?
        do throws(IntakeError) {
            if let wanted = settings.ofDoubtful { unsafe doubtful = try unsafe Queue.open(wanted) }
        } catch {
            _ = unsafe mnl_socket_close(opened.socket)
            throw error
        }
        self.settings = settings
        var setup = unsafe opened.setup
        setup.answeredEarly &+= unsafe doubtful?.setup.answeredEarly ?? 0
        self.setup = setup
        unsafe socket = unsafe opened.socket
        unsafe doubtfulSocket = unsafe doubtful?.socket
        let polled = UnsafeMutablePointer<pollfd>.allocate(capacity: 2)
        let events = Int16(POLLIN)
        unsafe polled.initialize(to: pollfd(fd: mnl_socket_get_fd(opened.socket), events: events, revents: 0))
        unsafe (polled + 1).initialize(
            to: pollfd(fd: doubtful.map { unsafe mnl_socket_get_fd($0.socket) } ?? -1, events: events, revents: 0))
        unsafe self.polled = unsafe polled
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
        if let doubtfulSocket = unsafe doubtfulSocket { _ = unsafe mnl_socket_close(doubtfulSocket) }
        unsafe polled.deallocate()
        unsafe slab.deallocate()
        unsafe vectors.deallocate()
        unsafe messages.deallocate()
        unsafe layouts.deallocate()
    }

    // MARK: - The packet path

    /// Waits up to 50 ms for packets and takes what is there of one queue, at most `batch`. Returns how many; 0 when
    /// none came, and a negative errno value when a socket failed.
    public mutating func receive() -> Int {
        if unsafe polled[1].fd < 0 { return take(Queue.waitForOne) }
        if turn.isDoubtfuls {
            let count = takeDoubtful()
            if count != 0 { return count }
        }
        // Two system calls more, which nobody pays but under a flood.
        if turn.isFlooded, unsafe poll(polled, 2, Int32(Queue.patience)) == 0 { return 0 }
        turn.passOrdinary()
        let count = take(turn.isFlooded ? Int32(MSG_DONTWAIT) : Queue.waitForOne)
        return count != 0 ? count : takeDoubtful()
    }

    private mutating func takeDoubtful() -> Int {
        let count = unsafe receive(polled[1].fd, Queue.doubtfulBatch, Int32(MSG_DONTWAIT))
        turn.passDoubtful(wasEmpty: count == 0)
        isDoubtful = true
        return count
    }

    private mutating func take(_ flags: Int32) -> Int {
        isDoubtful = false
        return unsafe receive(polled[0].fd, Queue.batch, flags)
    }

    private func receive(_ descriptor: Int32, _ most: Int, _ flags: Int32) -> Int {
        let count = unsafe flinch_recvmmsg(descriptor, messages, UInt32(most), flags)
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

    /// Sends the verdicts noted for the last batch and empties them: 0, or an errno value when the kernel did not take
    /// them.
    public borrowing func commit(_ verdicts: inout VerdictBatch) -> Int32 {
        let (descriptor, number) =
            isDoubtful
            ? unsafe (polled[1].fd, settings.doubtful ?? settings.number) : unsafe (polled[0].fd, settings.number)
        return verdicts.send(descriptor, queue: number)
    }
}
