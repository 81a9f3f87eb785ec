/// The entries that one packet may match: a bit for each entry, and above them a bit for each word that is
/// not zero, so that taking them out in order costs little however many rules there are. Fixed in size.
@unsafe
struct CandidateSet {
    private let words: UnsafeMutablePointer<UInt64>
    private let summary: UnsafeMutablePointer<UInt64>
    private let summaryCount: Int
    private let memory: Int

    init(capacity: Int) {
        let wordCount = capacity / 64 + 1
        unsafe summaryCount = wordCount / 64 + 1
        unsafe memory = unsafe wordCount + summaryCount
        unsafe words = .allocate(capacity: memory)
        unsafe words.initialize(repeating: 0, count: memory)
        unsafe summary = unsafe words + wordCount
    }

    func deallocate() { unsafe words.deallocate() }

    var memoryBytes: Int { unsafe memory * 8 }

    @inline(__always)
    func insert(_ entry: UInt32) {
        let word = Int(entry >> 6)
        unsafe words[word] |= 1 << UInt64(entry & 63)
        unsafe summary[word >> 6] |= 1 << UInt64(word & 63)
    }

    /// Takes the lowest entry out that is at or after `cursor`, which follows it; nil when there is none.
    @inline(__always)
    func popFirst(_ cursor: inout Int) -> Int? {
        while unsafe cursor < summaryCount {
            let bits = unsafe summary[cursor]
            if bits == 0 {
                cursor &+= 1
                continue
            }
            let word = cursor << 6 | bits.trailingZeroBitCount
            let entries = unsafe words[word]
            let rest = entries & (entries &- 1)
            unsafe words[word] = rest
            if rest == 0 { unsafe summary[cursor] = bits & (bits &- 1) }
            return word << 6 | entries.trailingZeroBitCount
        }
        return nil
    }

    func removeAll() { unsafe words.update(repeating: 0, count: memory) }
}
