/// When each connection request was first seen: what tells a retransmission from a flood that never sends
/// the same SYN twice. One worker's; both directions of a flow come to it.
///
/// A line of sixteen cells serves all SYNs whose hash chooses it; a new one takes the oldest cell. With 2¹⁷
/// lines and a million SYNs a second, 99 of 100 are still known after a second. A cell holds 20 bits of the
/// hash of 4-tuple and sequence number and the time: of a million spoofed SYNs a second, fifteen are taken
/// for a retransmission.
@safe
struct FirstSeen: ~Copyable {
    private let lines: UnsafeMutablePointer<SIMD16<UInt32>>
    private let mask: UInt64
    private let count: Int
    /// A cell's time is in units of 2²³ ns, 8.4 ms, and wraps after 34 s.
    private static var unit: UInt64 { 23 }
    private static var timeMask: UInt32 { 0xFFF }
    /// A SYN that was seen longer ago is a new one: 20 s.
    private static var oldest: UInt32 { 2_384 }
    private static let lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

    init(lines count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count
        mask = UInt64(count - 1)
        unsafe lines = .allocate(capacity: count)
        unsafe lines.initialize(repeating: SIMD16(repeating: 0), count: count)
    }

    deinit { unsafe lines.deallocate() }

    var memoryBytes: Int { count * MemoryLayout<SIMD16<UInt32>>.stride }

    /// Nanoseconds since the SYN with this hash was first seen, never more than the truth; nil if this is the
    /// first time, which is remembered.
    mutating func note(_ hash: UInt64, time: UInt64) -> UInt64? {
        let index = Int(truncatingIfNeeded: hash & mask)
        let line = unsafe lines[index]
        let now = UInt32(truncatingIfNeeded: time >> FirstSeen.unit) & FirstSeen.timeMask
        // 0 is the tag of an empty cell.
        let tag = max(1, UInt32(truncatingIfNeeded: hash >> 44))
        let isSame = (line &>> 12) .== SIMD16(repeating: tag)
        let ages = (SIMD16(repeating: now) &- line) & SIMD16(repeating: FirstSeen.timeMask)
        let found = ages.replacing(with: .max, where: .!isSame).min()
        if found <= FirstSeen.oldest {
            // A unit that has begun is not over.
            return UInt64(max(1, found) - 1) << FirstSeen.unit
        }
        let oldest = ((ages &<< 4) | FirstSeen.lanes).max()
        unsafe lines[index][Int(oldest & 15)] = tag << 12 | now
        return nil
    }
}
