import Glibc
import Wire

/// Flows that are over, as they were at their end, until somebody takes them: memory of fixed size, or none where
/// nobody wants them.
@safe
struct EndedFlows: ~Copyable {
    let capacity: Int
    private(set) var count = 0
    /// Those that found no room.
    private(set) var lost: UInt64 = 0
    private let flows: UnsafeMutablePointer<Flow>
    private let records: Int
    /// The port that a record's flow came by first, and of those that are over: beside the records, which have no room,
    /// and only where flows are told of.
    private let ports: UnsafeMutablePointer<UInt32>
    private let endedPorts: UnsafeMutablePointer<UInt32>

    /// Of a table of so many `records`.
    init(capacity: Int, records: Int) {
        self.capacity = capacity
        self.records = capacity > 0 ? records : 0
        unsafe flows = .allocate(capacity: max(1, capacity))
        unsafe endedPorts = .allocate(capacity: max(1, capacity))
        // Zero pages, which cost nothing until they are written.
        unsafe ports = unsafe calloc(max(1, self.records), 4)!.bindMemory(
            to: UInt32.self, capacity: max(1, self.records))
    }

    deinit {
        unsafe flows.deallocate()
        unsafe endedPorts.deallocate()
        unsafe free(ports)
    }

    var memoryBytes: Int { capacity * (MemoryLayout<Flow>.stride + 4) + records * 4 }

    /// Record `index` begins with a packet that came in by the port with this interface index.
    func begin(_ index: Int, port: UInt32) { if index < records { unsafe ports[index] = port } }

    @inline(never)
    mutating func append(_ index: Int, _ flow: UnsafeMutablePointer<Flow>) {
        guard count < capacity else {
            lost &+= 1
            return
        }
        unsafe (flows + count).initialize(to: flow.pointee)
        unsafe (endedPorts + count).initialize(to: ports[index])
        count += 1
    }

    /// Gives all of them, oldest first, each with the port that its first packet came in by.
    mutating func take(_ body: (borrowing Flow, UInt32) -> Void) {
        for index in 0..<count { unsafe body(flows[index], endedPorts[index]) }
        count = 0
    }
}

extension FlowTable {
    /// Takes note of a flow that is over, if anybody wants to know.
    mutating func note(_ flow: UnsafeMutablePointer<Flow>, _ end: FlowEnd) {
        guard ended.capacity > 0 else { return }
        unsafe flow.pointee.end = end
        unsafe ended.append(flow - flows, flow)
    }

    /// Where the first packet of a flow came in: an interface index, 0 where that is not known.
    public func note(_ flow: UnsafeMutablePointer<Flow>, port: UInt32) { unsafe ended.begin(flow - flows, port: port) }

    /// Flows that ended since it was last called, in the order of their ends. What is not taken in time is lost,
    /// and counted.
    public mutating func takeEnded(_ body: (borrowing Flow, _ port: UInt32) -> Void) { ended.take(body) }

    /// Whether there is anything to take.
    public var hasEnded: Bool { ended.count > 0 }

    /// Whether ended flows are taken note of.
    public var notesEnds: Bool { ended.capacity > 0 }

    /// Ended flows that nobody took in time.
    public var lostEnds: UInt64 { ended.lost }

    /// Inline only: ends flows that have been silent for too long, looking at the next few records at each call and
    /// at all of them in ten seconds. `time` as packets have it.
    public mutating func sweep(_ time: UInt64) {
        guard time > lastSweep, used > 0 else { return lastSweep = time }
        let share = UInt64(used) &* min(time - lastSweep, FlowTable.round) / FlowTable.round
        // Not for a few: their share of the time then counts at the next call.
        guard share >= 64 || share == UInt64(used) else { return }
        lastSweep = time
        for _ in 0..<min(share, FlowTable.sweepMost) where ended.count < ended.capacity {
            swept = swept >= used ? 1 : swept + 1
            let flow = unsafe flows + Int(swept)
            guard unsafe flow.pointee.identifier != 0, unsafe time > flow.pointee.lastTime,
                unsafe time - flow.pointee.lastTime > FlowTimeout.nanoseconds(flow)
            else { continue }
            unsafe note(flow, .timeout)
            changes.begin()
            remove(swept)
            changes.end()
        }
    }

    /// Nanoseconds.
    private static let round: UInt64 = 10_000_000_000
    /// Records at a call: what is beyond waits for the next.
    private static let sweepMost: UInt64 = 1024
}
