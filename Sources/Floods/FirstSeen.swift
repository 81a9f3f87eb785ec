import Sketches

/// When each connection request was first seen: what tells a retransmission from a flood that never sends
/// the same SYN twice. One worker's; both directions of a flow come to it.
///
/// A line of sixteen cells serves all SYNs whose hash chooses it; a new one takes the oldest cell. With 2¹⁷
/// lines and a million SYNs a second, 99 of 100 are still known after a second. A cell holds 20 bits of the
/// hash of 4-tuple and sequence number and the time: of a million spoofed SYNs a second, fifteen are taken
/// for a retransmission.
@safe
struct FirstSeen: ~Copyable {
    private let cells: UnsafeMutablePointer<UInt32>
    private let mask: UInt64
    private let count: Int
    private static var cellsPerLine: Int { 16 }
    /// A cell's time is in units of 2²³ ns, 8.4 ms, and wraps after 34 s.
    private static var unit: UInt64 { 23 }
    private static var timeMask: UInt32 { 0xFFF }
    /// A SYN that was seen longer ago is a new one: 20 s.
    private static var oldest: UInt32 { 2_384 }

    init(lines count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count * FirstSeen.cellsPerLine
        mask = UInt64(count - 1)
        let memory = unsafe TableMemory.allocate(bytes: self.count * MemoryLayout<UInt32>.stride)
        unsafe cells = memory.bindMemory(to: UInt32.self, capacity: self.count)
    }

    deinit { unsafe cells.deallocate() }

    var memoryBytes: Int { count * MemoryLayout<UInt32>.stride }

    /// Nanoseconds since the SYN with this hash was first seen, never more than the truth; nil if this is the
    /// first time, which is remembered.
    mutating func note(_ hash: UInt64, time: UInt64) -> UInt64? {
        let line = unsafe line(hash)
        let now = UInt32(truncatingIfNeeded: time >> FirstSeen.unit) & FirstSeen.timeMask
        // 0 is the tag of an empty cell.
        let tag = max(1, UInt32(truncatingIfNeeded: hash >> 44))
        var found = UInt32.max
        // The age of the oldest cell, and its place in the lower four bits.
        var oldest: UInt32 = 0
        for place in 0..<UInt32(FirstSeen.cellsPerLine) {
            let cell = unsafe line[Int(place)]
            let age = (now &- cell) & FirstSeen.timeMask
            oldest = max(oldest, age << 4 | place)
            found = min(found, cell >> 12 == tag ? age : .max)
        }
        // A unit that has begun is not over.
        if found <= FirstSeen.oldest { return UInt64(max(1, found) - 1) << FirstSeen.unit }
        unsafe line[Int(oldest & 15)] = tag << 12 | now
        return nil
    }

    /// Begins to fetch the line in which a SYN with this hash is looked for.
    @inline(__always)
    func prefetch(_ hash: UInt64) { unsafe TableMemory.prefetch(line(hash)) }

    @inline(__always)
    private func line(_ hash: UInt64) -> UnsafeMutablePointer<UInt32> {
        unsafe cells + Int(truncatingIfNeeded: (hash & mask) &* UInt64(FirstSeen.cellsPerLine))
    }
}
