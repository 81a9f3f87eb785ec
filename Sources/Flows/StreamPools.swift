import Glibc

/// What is kept of streams, in two pools of fixed blocks: the end of what was inspected (`histories`), so that
/// a pattern may begin in one segment and end in the next; and segments that wait behind a gap (`waiting`).
@safe
struct StreamPools: ~Copyable {
    /// A history is appended to until the block is full, and only then moved to its front.
    static let historySize = 8_192
    /// How far ahead of the gap a segment may be.
    static let waitingSize = 256 << 10
    /// Gaps in what waits.
    static let islandLimit = 16

    struct History: BitwiseCopyable {
        /// Bytes in the block.
        var count: Int32
        /// Whose it is: the stream's address; 0 for nobody's.
        var owner: UInt
        var nextFree: UInt32
    }

    struct Island: BitwiseCopyable {
        /// From the first byte that was not inspected.
        var start: Int32
        var end: Int32
    }

    struct Waiting: BitwiseCopyable {
        /// Where in the block the first byte that was not inspected has its place.
        var begin: Int32
        var islandCount: Int32
        var nextFree: UInt32
        var islands: InlineArray<16, Island>
    }

    private let historyBytes: UnsafeMutablePointer<UInt8>
    private let histories: UnsafeMutablePointer<History>
    private let historyCount: Int
    private var historiesUsed = 0
    private var freeHistory: UInt32 = 0
    private var hand = 0

    private let waitingBytes: UnsafeMutablePointer<UInt8>
    private let waitings: UnsafeMutablePointer<Waiting>
    private let waitingCount: Int
    private var waitingsUsed = 0
    private var freeWaiting: UInt32 = 0

    /// Where history and fresh bytes are put together, and what was overwritten in its block.
    let assembly: UnsafeMutablePointer<UInt8>
    let saved: UnsafeMutablePointer<UInt8>
    static let assemblySize = StreamWindow.historyLimit + 2 * waitingSize

    init(bytes: Int) {
        historyCount = max(4, bytes / 4 * 3 / StreamPools.historySize)
        waitingCount = max(2, bytes / 4 / StreamPools.waitingSize)
        unsafe historyBytes = unsafe calloc(historyCount, StreamPools.historySize)!
            .bindMemory(to: UInt8.self, capacity: historyCount * StreamPools.historySize)
        unsafe histories = unsafe calloc(historyCount + 1, MemoryLayout<History>.stride)!
            .bindMemory(to: History.self, capacity: historyCount + 1)
        unsafe waitingBytes = unsafe calloc(waitingCount, StreamPools.waitingSize)!
            .bindMemory(to: UInt8.self, capacity: waitingCount * StreamPools.waitingSize)
        unsafe waitings = unsafe calloc(waitingCount + 1, MemoryLayout<Waiting>.stride)!
            .bindMemory(to: Waiting.self, capacity: waitingCount + 1)
        unsafe assembly = unsafe calloc(1, StreamPools.assemblySize)!
            .bindMemory(to: UInt8.self, capacity: StreamPools.assemblySize)
        unsafe saved = .allocate(capacity: StreamWindow.historyLimit)
    }

    deinit {
        unsafe free(historyBytes)
        unsafe free(histories)
        unsafe free(waitingBytes)
        unsafe free(waitings)
        unsafe free(assembly)
        unsafe saved.deallocate()
    }

    var memoryBytes: Int {
        historyCount * (StreamPools.historySize + MemoryLayout<History>.stride)
            + waitingCount * (StreamPools.waitingSize + MemoryLayout<Waiting>.stride) + StreamPools.assemblySize
    }

    // MARK: - Histories

    func history(_ block: UInt32) -> UnsafeMutablePointer<History> { unsafe histories + Int(block) }

    func bytes(ofHistory block: UInt32) -> UnsafeMutablePointer<UInt8> {
        unsafe historyBytes + (Int(block) - 1) * StreamPools.historySize
    }

    /// Gives a stream a block. When none is left it is taken from another stream, the next in turn: returns
    /// whether that was so.
    mutating func takeHistory(_ stream: UnsafeMutablePointer<TCPStream>) -> Bool {
        var wasTaken = false
        var block = freeHistory
        if block != 0 {
            freeHistory = unsafe histories[Int(block)].nextFree
        } else if historiesUsed < historyCount {
            historiesUsed += 1
            block = UInt32(historiesUsed)
        } else {
            hand = hand % historyCount + 1
            block = UInt32(hand)
            if let other = unsafe UnsafeMutablePointer<TCPStream>(bitPattern: histories[hand].owner) {
                unsafe other.pointee.history = 0
            }
            wasTaken = true
        }
        unsafe histories[Int(block)] = History(count: 0, owner: UInt(bitPattern: stream), nextFree: 0)
        unsafe stream.pointee.history = block
        return wasTaken
    }

    /// Makes room for `length` more bytes, if they fit beside what is kept.
    func makeRoom(_ block: UInt32, for length: Int) {
        let history = unsafe history(block)
        let limit = StreamWindow.historyLimit
        guard unsafe Int(history.pointee.count) + length > StreamPools.historySize,
            unsafe Int(history.pointee.count) > limit
        else { return }
        let start = unsafe bytes(ofHistory: block)
        unsafe memmove(start, start + Int(history.pointee.count) - limit, limit)
        unsafe history.pointee.count = Int32(limit)
    }

    // MARK: - What waits

    func waiting(_ block: UInt32) -> UnsafeMutablePointer<Waiting> { unsafe waitings + Int(block) }

    func bytes(ofWaiting block: UInt32) -> UnsafeMutablePointer<UInt8> {
        unsafe waitingBytes + (Int(block) - 1) * StreamPools.waitingSize
    }

    /// 0 when none is left.
    mutating func takeWaiting() -> UInt32 {
        var block = freeWaiting
        if block != 0 {
            freeWaiting = unsafe waitings[Int(block)].nextFree
        } else {
            guard waitingsUsed < waitingCount else { return 0 }
            waitingsUsed += 1
            block = UInt32(waitingsUsed)
        }
        unsafe waitings[Int(block)].begin = 0
        unsafe waitings[Int(block)].islandCount = 0
        return block
    }

    mutating func releaseWaiting(_ block: UInt32) {
        unsafe waitings[Int(block)].nextFree = freeWaiting
        freeWaiting = block
    }

    // MARK: - Streams

    /// Gives back all that a stream has.
    mutating func release(_ stream: inout TCPStream) {
        releaseHistory(&stream)
        if stream.held != 0 {
            releaseWaiting(stream.held)
            stream.held = 0
        }
    }

    mutating func releaseHistory(_ stream: inout TCPStream) {
        guard stream.history != 0 else { return }
        unsafe histories[Int(stream.history)].owner = 0
        unsafe histories[Int(stream.history)].nextFree = freeHistory
        freeHistory = stream.history
        stream.history = 0
    }
}
