/// A record that knows its neighbours by age; 0 for none.
protocol Aged: BitwiseCopyable {
    var older: UInt32 { get set }
    var newer: UInt32 { get set }
}

extension Flow: Aged {}
extension Datagram: Aged {}

/// A list of records of one table, by their numbers, the one that was idle for longest first.
struct AgeList<Record: Aged>: BitwiseCopyable {
    private(set) var oldest: UInt32 = 0
    private(set) var newest: UInt32 = 0
    private(set) var count = 0

    @inline(__always)
    mutating func append(_ index: UInt32, _ records: UnsafeMutablePointer<Record>) {
        unsafe records[Int(index)].older = newest
        unsafe records[Int(index)].newer = 0
        if newest != 0 { unsafe records[Int(newest)].newer = index }
        newest = index
        if oldest == 0 { oldest = index }
        count &+= 1
    }

    @inline(__always)
    mutating func remove(_ index: UInt32, _ records: UnsafeMutablePointer<Record>) {
        let (older, newer) = unsafe (records[Int(index)].older, records[Int(index)].newer)
        if older != 0 { unsafe records[Int(older)].newer = newer } else { oldest = newer }
        if newer != 0 { unsafe records[Int(newer)].older = older } else { newest = older }
        count &-= 1
    }
}
