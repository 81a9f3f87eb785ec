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

    init(capacity: Int) {
        self.capacity = capacity
        unsafe flows = .allocate(capacity: max(1, capacity))
    }

    deinit { unsafe flows.deallocate() }

    var memoryBytes: Int { capacity * MemoryLayout<Flow>.stride }

    @inline(never)
    mutating func append(_ flow: UnsafeMutablePointer<Flow>) {
        guard count < capacity else {
            lost &+= 1
            return
        }
        unsafe (flows + count).initialize(to: flow.pointee)
        count += 1
    }

    /// Gives all of them, oldest first.
    mutating func take(_ body: (borrowing Flow) -> Void) {
        for index in 0..<count { unsafe body(flows[index]) }
        count = 0
    }
}

extension FlowTable {
    /// Takes note of a flow that is over, if anybody wants to know.
    mutating func note(_ flow: UnsafeMutablePointer<Flow>, _ end: FlowEnd) {
        guard ended.capacity > 0 else { return }
        unsafe flow.pointee.end = end
        unsafe ended.append(flow)
    }

    /// Flows that ended since it was last called, in the order of their ends. What is not taken in time is lost,
    /// and counted.
    public mutating func takeEnded(_ body: (borrowing Flow) -> Void) { ended.take(body) }

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
            remove(swept)
        }
    }

    /// Nanoseconds.
    private static let round: UInt64 = 10_000_000_000
    /// Records at a call: what is beyond waits for the next.
    private static let sweepMost: UInt64 = 1024
}
