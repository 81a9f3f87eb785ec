/// A list of flows, the one that was idle for longest first.
@safe
struct AgeList {
    var oldest: UInt32 = 0
    var newest: UInt32 = 0
    var count = 0

    mutating func append(_ index: UInt32, _ flows: UnsafeMutablePointer<Flow>) {
        unsafe flows[Int(index)].older = newest
        unsafe flows[Int(index)].newer = 0
        if newest != 0 { unsafe flows[Int(newest)].newer = index }
        newest = index
        if oldest == 0 { oldest = index }
        count += 1
    }

    mutating func remove(_ flow: UnsafeMutablePointer<Flow>, _ flows: UnsafeMutablePointer<Flow>) {
        let (older, newer) = unsafe (flow.pointee.older, flow.pointee.newer)
        if older != 0 { unsafe flows[Int(older)].newer = newer } else { oldest = newer }
        if newer != 0 { unsafe flows[Int(newer)].older = older } else { newest = older }
        count -= 1
    }
}
