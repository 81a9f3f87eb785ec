/// What the kernel says of one of its packet queues: a line of /proc/net/netfilter/nfnetlink_queue
/// (kernel: seq_show of net/netfilter/nfnetlink_queue.c). Counters start when a socket binds the queue.
public struct QueueCounters: Sendable, Equatable {
    /// Queue number.
    public var number: UInt16
    /// Netlink port of the socket that is bound: the process id, for a process's first socket.
    public var port: UInt32
    /// Packets waiting for a verdict.
    public var waiting: UInt32
    /// 0 nothing, 1 metadata, 2 packets.
    public var copyMode: UInt8
    /// Bytes copied of a packet at most.
    public var copyRange: UInt32
    /// Packets dropped because the queue was full.
    public var dropped: UInt32
    /// Packets dropped because the message could not be given to the socket.
    public var undelivered: UInt32
    /// Identifier of the latest packet; wraps.
    public var sequence: UInt32

    /// The queues that are bound in this thread's network namespace, by number; none where
    /// nfnetlink_queue is not loaded.
    public static func read() -> [UInt16: QueueCounters] {
        guard let text = try? SmallFile.read("/proc/thread-self/net/netfilter/nfnetlink_queue") else {
            return [:]
        }
        return parse(text)
    }

    /// Lines that are not of this form are passed over.
    static func parse(_ text: some StringProtocol) -> [UInt16: QueueCounters] {
        var queues: [UInt16: QueueCounters] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ").map { UInt32($0) }
            guard fields.count >= 8,
                let number = fields[0].flatMap(UInt16.init(exactly:)), let port = fields[1],
                let waiting = fields[2], let mode = fields[3].flatMap(UInt8.init(exactly:)),
                let range = fields[4], let dropped = fields[5], let undelivered = fields[6],
                let sequence = fields[7]
            else { continue }
            queues[number] = QueueCounters(
                number: number, port: port, waiting: waiting, copyMode: mode, copyRange: range, dropped: dropped,
                undelivered: undelivered, sequence: sequence)
        }
        return queues
    }
}
