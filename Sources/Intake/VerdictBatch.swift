import CNetfilter
import Glibc

/// The verdicts of one batch, on their way to the kernel.
///
/// A batch verdict (NFQNL_MSG_VERDICT_BATCH) answers for every packet of the queue up to an identifier
/// that has no verdict yet. So those of the minority go singly, before it, and one batch verdict for the
/// rest follows, all in one `send`: the kernel takes the messages in order. Within each kind the order of
/// packets is kept; a packet that is dropped has no place in it.
@safe
public struct VerdictBatch: ~Copyable {
    static let capacity = Queue.batch
    /// nlmsghdr 16, nfgenmsg 4, NFQA_VERDICT_HDR 4 + 8.
    static let messageBytes = 32

    private let identifiers: UnsafeMutablePointer<UInt32>
    private let accepts: UnsafeMutablePointer<Bool>
    private let buffer: UnsafeMutableRawPointer
    public private(set) var count = 0
    private var acceptCount = 0

    static var memoryBytes: Int { capacity * (4 + 1 + messageBytes) + messageBytes }

    public init() {
        unsafe identifiers = .allocate(capacity: VerdictBatch.capacity)
        unsafe accepts = .allocate(capacity: VerdictBatch.capacity)
        unsafe buffer = .allocate(byteCount: (VerdictBatch.capacity + 1) * VerdictBatch.messageBytes, alignment: 16)
    }

    deinit {
        unsafe identifiers.deallocate()
        unsafe accepts.deallocate()
        unsafe buffer.deallocate()
    }

    /// Identifiers must come in the order in which the kernel gave them; at most `Queue.batch` of them
    /// before they are sent.
    public mutating func append(_ identifier: UInt32, accept: Bool) {
        precondition(count < VerdictBatch.capacity)
        unsafe identifiers[count] = identifier
        unsafe accepts[count] = accept
        count &+= 1
        acceptCount &+= accept ? 1 : 0
    }

    /// Writes the messages for queue `queue` and empties the batch. Returns the bytes to send.
    mutating func encode(queue: UInt16) -> UnsafeRawBufferPointer {
        guard count > 0 else { return unsafe UnsafeRawBufferPointer(start: buffer, count: 0) }
        let majorityAccepts = acceptCount &* 2 >= count
        var length = 0
        for i in 0..<count where unsafe accepts[i] != majorityAccepts {
            put(at: &length, NFQNL_MSG_VERDICT, queue, accept: !majorityAccepts, unsafe identifiers[i])
        }
        // When all verdicts went singly there is nothing left, but a minority is never all.
        put(at: &length, NFQNL_MSG_VERDICT_BATCH, queue, accept: majorityAccepts, unsafe identifiers[count &- 1])
        count = 0
        acceptCount = 0
        return unsafe UnsafeRawBufferPointer(start: buffer, count: length)
    }

    mutating func send(_ descriptor: Int32, queue: UInt16) -> Int32 {
        let bytes = unsafe encode(queue: queue)
        guard bytes.count > 0 else { return 0 }
        while unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, 0) < 0 {
            // The kernel handles the messages within the call: nothing is pending after an interruption.
            if errno != EINTR { return errno }
        }
        return 0
    }

    private func put(at length: inout Int, _ type: nfqnl_msg_types, _ queue: UInt16, accept: Bool, _ identifier: UInt32)
    {
        let start = unsafe buffer + length
        // struct nlmsghdr: length, type, flags, sequence, port.
        unsafe start.storeBytes(of: UInt32(VerdictBatch.messageBytes), toByteOffset: 0, as: UInt32.self)
        unsafe start.storeBytes(
            of: UInt16(NFNL_SUBSYS_QUEUE) << 8 | UInt16(type.rawValue), toByteOffset: 4, as: UInt16.self)
        unsafe start.storeBytes(of: UInt16(NLM_F_REQUEST), toByteOffset: 6, as: UInt16.self)
        unsafe start.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        // struct nfgenmsg: family, version, resource (the queue, big-endian).
        unsafe start.storeBytes(of: 0, toByteOffset: 16, as: UInt16.self)
        unsafe start.storeBytes(of: queue.bigEndian, toByteOffset: 18, as: UInt16.self)
        // NFQA_VERDICT_HDR: struct nfqnl_msg_verdict_hdr, both numbers big-endian.
        unsafe start.storeBytes(of: 12, toByteOffset: 20, as: UInt16.self)
        unsafe start.storeBytes(of: UInt16(NFQA_VERDICT_HDR.rawValue), toByteOffset: 22, as: UInt16.self)
        unsafe start.storeBytes(
            of: UInt32(accept ? NF_ACCEPT : NF_DROP).bigEndian, toByteOffset: 24, as: UInt32.self)
        unsafe start.storeBytes(of: identifier.bigEndian, toByteOffset: 28, as: UInt32.self)
        length &+= VerdictBatch.messageBytes
    }
}
