/// The entries that one packet may match: for each a bit in three planes that say where its pattern was
/// found, and above them a bit for each word that is not zero, so that taking
/// them out in order costs little however many rules there are. Fixed in size.
@unsafe
struct CandidateSet {
    /// Where an entry's pattern was found: in the packet, in bytes of its stream that are inspected for the
    /// first time, or in those that were inspected before.
    struct Plane: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        static let packet = Plane(rawValue: 1)
        static let stream = Plane(rawValue: 2)
        static let history = Plane(rawValue: 4)
    }

    /// Three words for each 64 entries, one a plane.
    private let words: UnsafeMutablePointer<UInt64>
    private let summary: UnsafeMutablePointer<UInt64>
    private let summaryCount: Int
    private let memory: Int

    init(capacity: Int) {
        let wordCount = capacity / 64 + 1
        unsafe summaryCount = wordCount / 64 + 1
        unsafe memory = unsafe 3 * wordCount + summaryCount
        unsafe words = .allocate(capacity: memory)
        unsafe words.initialize(repeating: 0, count: memory)
        unsafe summary = unsafe words + 3 * wordCount
    }

    func deallocate() { unsafe words.deallocate() }

    var memoryBytes: Int { unsafe memory * 8 }

    @inline(__always)
    func insert(_ entry: UInt32, _ plane: Plane) {
        let word = Int(entry >> 6)
        let bit: UInt64 = 1 << UInt64(entry & 63)
        let group = unsafe words + 3 &* word
        if plane.contains(.packet) { unsafe group[0] |= bit }
        if plane.contains(.stream) { unsafe group[1] |= bit }
        if plane.contains(.history) { unsafe group[2] |= bit }
        unsafe summary[word >> 6] |= 1 << UInt64(word & 63)
    }

    /// Those of a run of `lists`.
    @inline(__always)
    func insert(_ run: Run, of lists: UnsafePointer<UInt32>, _ plane: Plane) {
        var i = run.lower
        while i < run.upper {
            unsafe insert(lists[i], plane)
            i &+= 1
        }
    }

    /// Takes the lowest entry out, with its planes; nil when there is none at or after `cursor`, which follows.
    @inline(__always)
    func popFirst(_ cursor: inout Int) -> (entry: Int, plane: Plane)? {
        while unsafe cursor < summaryCount {
            let bits = unsafe summary[cursor]
            if bits == 0 {
                cursor &+= 1
                continue
            }
            let word = cursor << 6 | bits.trailingZeroBitCount
            let group = unsafe words + 3 &* word
            let all = unsafe group[0] | group[1] | group[2]
            let lowest = all & (0 &- all)
            var plane: Plane = []
            if unsafe group[0] & lowest != 0 { plane.insert(.packet) }
            if unsafe group[1] & lowest != 0 { plane.insert(.stream) }
            if unsafe group[2] & lowest != 0 { plane.insert(.history) }
            unsafe group[0] &= ~lowest
            unsafe group[1] &= ~lowest
            unsafe group[2] &= ~lowest
            if all == lowest { unsafe summary[cursor] = bits & (bits &- 1) }
            return (word << 6 | lowest.trailingZeroBitCount, plane)
        }
        return nil
    }

    func removeAll() { unsafe words.update(repeating: 0, count: memory) }
}
