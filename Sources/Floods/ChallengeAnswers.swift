/// The answers to challenges: resets that carry a cookie, kept until the SYN that was challenged comes again.
/// One worker's.
///
/// Eight cells a line; a new one takes the oldest. A cell is the reset's sequence number (bits 63…32), 16
/// bits of the hash of its 4-tuple, and the time in units of 2²³ ns.
@safe
struct ChallengeAnswers: ~Copyable {
    private let lines: UnsafeMutablePointer<SIMD8<UInt64>>
    private let mask: UInt64
    private let count: Int
    private static var unit: UInt64 { 23 }
    /// How long an answer is good for, in units: 10 s, longer than a client waits between its second and its
    /// third SYN.
    private static var validity: UInt64 { 1_192 }
    private static let lanes = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7)

    init(lines count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count
        mask = UInt64(count - 1)
        unsafe lines = .allocate(capacity: count)
        unsafe lines.initialize(repeating: SIMD8(repeating: 0), count: count)
    }

    deinit { unsafe lines.deallocate() }

    var memoryBytes: Int { count * MemoryLayout<SIMD8<UInt64>>.stride }

    /// `hash` is that of the 4-tuple from the client to the guest, `sequence` the reset's.
    mutating func insert(_ hash: UInt64, sequence: UInt32, time: UInt64) {
        let index = Int(truncatingIfNeeded: hash & mask)
        let line = unsafe lines[index]
        let now = time >> ChallengeAnswers.unit & 0xFFFF
        let ages = (SIMD8(repeating: now) &- line) & SIMD8(repeating: 0xFFFF)
        let oldest = ((ages &<< 3) | ChallengeAnswers.lanes).max()
        unsafe lines[index][Int(truncatingIfNeeded: oldest & 7)] =
            UInt64(sequence) << 32 | ChallengeAnswers.tag(hash) << 16 | now
    }

    /// Whether one of the answers from this 4-tuple is one that `isRight` accepts.
    @inline(__always)
    func contains(_ hash: UInt64, time: UInt64, _ isRight: (UInt32) -> Bool) -> Bool {
        let line = unsafe lines[Int(truncatingIfNeeded: hash & mask)]
        let now = time >> ChallengeAnswers.unit & 0xFFFF
        let tag = ChallengeAnswers.tag(hash)
        for lane in 0..<8 where line[lane] >> 16 & 0xFFFF == tag {
            let age = (now &- line[lane]) & 0xFFFF
            if age <= ChallengeAnswers.validity, isRight(UInt32(truncatingIfNeeded: line[lane] >> 32)) { return true }
        }
        return false
    }

    /// 0 is the tag of an empty cell.
    private static func tag(_ hash: UInt64) -> UInt64 { max(1, hash >> 48) }
}
