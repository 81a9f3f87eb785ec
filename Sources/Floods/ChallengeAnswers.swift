import Sketches

/// The answers to challenges: resets that carry a cookie, kept until the SYN that was challenged comes again.
/// One worker's.
///
/// Eight cells a line; a new one takes the oldest. A cell is the reset's sequence number (bits 63…32), 16
/// bits of the hash of its 4-tuple, and the time in units of 2²³ ns.
@safe
struct ChallengeAnswers: ~Copyable {
    private let cells: UnsafeMutablePointer<UInt64>
    private let mask: UInt64
    private let count: Int
    private static var cellsPerLine: Int { 8 }
    private static var unit: UInt64 { 23 }
    /// How long an answer is good for, in units: 10 s, longer than a client waits between its second and its
    /// third SYN.
    private static var validity: UInt64 { 1_192 }

    init(lines count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count * ChallengeAnswers.cellsPerLine
        mask = UInt64(count - 1)
        let memory = unsafe TableMemory.allocate(bytes: self.count * MemoryLayout<UInt64>.stride)
        unsafe cells = memory.bindMemory(to: UInt64.self, capacity: self.count)
    }

    deinit { unsafe cells.deallocate() }

    var memoryBytes: Int { count * MemoryLayout<UInt64>.stride }

    /// `hash` is that of the 4-tuple from the client to the guest, `sequence` the reset's.
    mutating func insert(_ hash: UInt64, sequence: UInt32, time: UInt64) {
        let line = unsafe line(hash)
        let now = time >> ChallengeAnswers.unit & 0xFFFF
        var oldest: UInt64 = 0
        for place in 0..<UInt64(ChallengeAnswers.cellsPerLine) {
            oldest = unsafe max(oldest, ((now &- line[Int(place)]) & 0xFFFF) << 3 | place)
        }
        unsafe line[Int(oldest & 7)] = UInt64(sequence) << 32 | ChallengeAnswers.tag(hash) << 16 | now
    }

    /// Whether one of the answers from this 4-tuple is one that `isRight` accepts.
    @inline(__always)
    func contains(_ hash: UInt64, time: UInt64, _ isRight: (UInt32) -> Bool) -> Bool {
        let line = unsafe line(hash)
        let now = time >> ChallengeAnswers.unit & 0xFFFF
        let tag = ChallengeAnswers.tag(hash)
        for place in 0..<ChallengeAnswers.cellsPerLine {
            let cell = unsafe line[place]
            guard cell >> 16 & 0xFFFF == tag, (now &- cell) & 0xFFFF <= ChallengeAnswers.validity else { continue }
            if isRight(UInt32(truncatingIfNeeded: cell >> 32)) { return true }
        }
        return false
    }

    @inline(__always)
    private func line(_ hash: UInt64) -> UnsafeMutablePointer<UInt64> {
        unsafe cells + Int(truncatingIfNeeded: (hash & mask) &* UInt64(ChallengeAnswers.cellsPerLine))
    }

    /// 0 is the tag of an empty cell.
    private static func tag(_ hash: UInt64) -> UInt64 { max(1, hash >> 48) }
}
