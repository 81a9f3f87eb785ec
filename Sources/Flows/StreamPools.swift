import Glibc

/// What is kept of streams, in two pools of fixed blocks: the end of what was inspected (`histories`), so that
/// a pattern may begin in one segment and end in the next; and, in pieces, what is known of a stream but was not
/// inspected as part of it yet: it waits behind a gap or, for who only listens, for its acknowledgement.
@safe
struct StreamPools: ~Copyable {
    /// A history is appended to until the block is full, and only then moved to its front.
    static let historySize = 8_192
    /// How far ahead of what was inspected a segment may be.
    static let reach = 256 << 10
    static let pieceSize = 512
    /// Pieces of one stream, so that segments of one byte do not fill the pool.
    static let pieceLimit = 1_024

    struct History: BitwiseCopyable {
        /// Bytes in the block.
        var count: Int32
        /// Bytes in front of the last gap, and how many are missing there; with 0 missing there is none.
        var beforeGap: Int32
        var missing: UInt32
        var nextFree: UInt32
        /// Whose it is: the stream's address; 0 for nobody's.
        var owner: UInt
        /// The numbers of bytes that were called urgent, in their order.
        var marks = InlineArray<4, UInt32>(repeating: 0)
        var markCount: Int32 = 0

        /// Bytes behind the last gap.
        var unbroken: Int { Int(count - beforeGap) }
    }

    /// Some bytes of one segment. The pieces of a stream are a list in the order of their numbers, and do not
    /// overlap.
    struct Piece: BitwiseCopyable {
        var sequence: UInt32
        var length: UInt32
        var next: UInt32
        /// The segment that it came with, from its first byte to behind its last.
        var segmentStart: UInt32
        var segmentEnd: UInt32

        var end: UInt32 { sequence &+ length }
    }

    private let historyBytes: UnsafeMutablePointer<UInt8>
    private let histories: UnsafeMutablePointer<History>
    private let historyCount: Int
    private var historiesUsed = 0
    private var freeHistory: UInt32 = 0
    private var hand = 0

    private let pieceBytes: UnsafeMutablePointer<UInt8>
    private let pieces: UnsafeMutablePointer<Piece>
    private let pieceCount: Int
    private var piecesUsed = 0
    private var freePiece: UInt32 = 0
    /// Pieces that nobody has.
    private(set) var piecesLeft: Int

    /// Where what was kept apart is put together: up to `historyLimit` bytes in front of `assembly`, what is new
    /// from there on.
    let assembly: UnsafeMutablePointer<UInt8>
    private let assemblyStart: UnsafeMutablePointer<UInt8>
    /// Where a window is put together without some of its urgent bytes.
    let readings: UnsafeMutablePointer<UInt8>
    /// A segment is at most 65,535 bytes, and behind it may be what waits.
    private static let assemblySize = 2 * StreamWindow.historyLimit + reach + (1 << 16)

    /// Who only listens keeps what was not acknowledged yet, and needs more pieces.
    init(bytes: Int, isInline: Bool) {
        historyCount = max(4, bytes / 4 * (isInline ? 3 : 2) / StreamPools.historySize)
        pieceCount = max(256, bytes / 4 * (isInline ? 1 : 2) / StreamPools.pieceSize)
        piecesLeft = pieceCount
        // Zero pages, which cost nothing until they are written.
        unsafe historyBytes = unsafe calloc(historyCount, StreamPools.historySize)!
            .bindMemory(to: UInt8.self, capacity: historyCount * StreamPools.historySize)
        unsafe histories = unsafe calloc(historyCount + 1, MemoryLayout<History>.stride)!
            .bindMemory(to: History.self, capacity: historyCount + 1)
        unsafe pieceBytes = unsafe calloc(pieceCount, StreamPools.pieceSize)!
            .bindMemory(to: UInt8.self, capacity: pieceCount * StreamPools.pieceSize)
        unsafe pieces = unsafe calloc(pieceCount + 1, MemoryLayout<Piece>.stride)!
            .bindMemory(to: Piece.self, capacity: pieceCount + 1)
        unsafe assemblyStart = unsafe calloc(1, StreamPools.assemblySize)!
            .bindMemory(to: UInt8.self, capacity: StreamPools.assemblySize)
        unsafe assembly = unsafe assemblyStart + StreamWindow.historyLimit
        unsafe readings = unsafe calloc(1, StreamPools.assemblySize)!
            .bindMemory(to: UInt8.self, capacity: StreamPools.assemblySize)
    }

    deinit {
        unsafe free(historyBytes)
        unsafe free(histories)
        unsafe free(pieceBytes)
        unsafe free(pieces)
        unsafe free(assemblyStart)
        unsafe free(readings)
    }

    var memoryBytes: Int {
        historyCount * (StreamPools.historySize + MemoryLayout<History>.stride)
            + pieceCount * (StreamPools.pieceSize + MemoryLayout<Piece>.stride) + 2 * StreamPools.assemblySize
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
        unsafe histories[Int(block)] = History(
            count: 0, beforeGap: 0, missing: 0, nextFree: 0, owner: UInt(bitPattern: stream))
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
        unsafe forget(block, Int(history.pointee.count) - limit)
    }

    /// Takes the first `count` bytes out of a history.
    private func forget(_ block: UInt32, _ count: Int) {
        let history = unsafe history(block)
        let start = unsafe bytes(ofHistory: block)
        let kept = unsafe Int(history.pointee.count) - count
        unsafe memmove(start, start + count, kept)
        unsafe history.pointee.count = Int32(kept)
        if unsafe Int(history.pointee.beforeGap) < count { unsafe history.pointee.missing = 0 }
        unsafe history.pointee.beforeGap = max(0, history.pointee.beforeGap - Int32(count))
    }

    /// What comes next in a history is `missing` bytes further on. Of gaps the last is kept.
    func breakOff(_ block: UInt32, missing: UInt32) {
        let history = unsafe history(block)
        if unsafe history.pointee.missing != 0 { unsafe forget(block, Int(history.pointee.beforeGap)) }
        unsafe history.pointee.beforeGap = unsafe history.pointee.count
        unsafe history.pointee.missing = missing
    }

    // MARK: - Urgent bytes

    @inline(__always)
    func hasMarks(_ block: UInt32) -> Bool { unsafe histories[Int(block)].markCount != 0 }

    func hasRoomForMark(_ block: UInt32) -> Bool {
        unsafe Int(histories[Int(block)].markCount) < histories[Int(block)].marks.count
    }

    func isMarked(_ block: UInt32, _ number: UInt32) -> Bool {
        for i in 0..<Int(unsafe histories[Int(block)].markCount) where unsafe histories[Int(block)].marks[i] == number {
            return true
        }
        return false
    }

    /// Takes note of the number of an urgent byte; there is room for it.
    func mark(_ block: UInt32, _ number: UInt32) {
        let history = unsafe history(block)
        var place = unsafe Int(history.pointee.markCount)
        while place > 0, unsafe Int32(bitPattern: number &- history.pointee.marks[place - 1]) < 0 {
            unsafe history.pointee.marks[place] = unsafe history.pointee.marks[place - 1]
            place -= 1
        }
        unsafe history.pointee.marks[place] = number
        unsafe history.pointee.markCount += 1
    }

    func forgetFirstMark(_ block: UInt32) {
        unsafe forgetMarks(block, before: histories[Int(block)].marks[0] &+ 1)
    }

    /// Forgets those with lower numbers.
    func forgetMarks(_ block: UInt32, before number: UInt32) {
        let history = unsafe history(block)
        var kept = 0
        for i in 0..<Int(unsafe history.pointee.markCount)
        where unsafe Int32(bitPattern: history.pointee.marks[i] &- number) >= 0 {
            unsafe history.pointee.marks[kept] = unsafe history.pointee.marks[i]
            kept += 1
        }
        unsafe history.pointee.markCount = Int32(kept)
    }

    // MARK: - Pieces

    func piece(_ index: UInt32) -> UnsafeMutablePointer<Piece> { unsafe pieces + Int(index) }

    func bytes(ofPiece index: UInt32) -> UnsafeMutablePointer<UInt8> {
        unsafe pieceBytes + (Int(index) - 1) * StreamPools.pieceSize
    }

    /// One of `piecesLeft`.
    mutating func takePiece() -> UInt32 {
        piecesLeft -= 1
        if freePiece != 0 {
            let index = freePiece
            freePiece = unsafe pieces[Int(index)].next
            return index
        }
        piecesUsed += 1
        return UInt32(piecesUsed)
    }

    mutating func releasePiece(_ index: UInt32) {
        unsafe pieces[Int(index)].next = freePiece
        freePiece = index
        piecesLeft += 1
    }

    // MARK: - Streams

    /// Gives back all that a stream has.
    mutating func release(_ stream: inout TCPStream) {
        releaseHistory(&stream)
        while stream.held != 0 {
            let next = unsafe pieces[Int(stream.held)].next
            releasePiece(stream.held)
            stream.held = next
        }
        stream.lastHeld = 0
        stream.heldCount = 0
    }

    mutating func releaseHistory(_ stream: inout TCPStream) {
        guard stream.history != 0 else { return }
        unsafe histories[Int(stream.history)].owner = 0
        unsafe histories[Int(stream.history)].nextFree = freeHistory
        freeHistory = stream.history
        stream.history = 0
    }
}
