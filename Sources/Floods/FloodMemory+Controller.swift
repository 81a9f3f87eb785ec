import Evidence
import Sketches
import Wire

/// What the controller reads and writes, from its own thread.
extension FloodMemory {
    /// From 1.
    var sketchNumbers: [UInt32] { unsafe Array((1...UInt32(max(1, sources.pointee.sketches.count))).reversed()) }

    func clearSketch(_ number: UInt32) { unsafe sources.pointee.sketches.clear(Int(number) - 1) }

    func estimate(_ number: UInt32) -> Double {
        unsafe sources.pointee.sketches.registers(of: Int(number) - 1).estimate
    }

    func judgeShapes(_ hostile: inout HostileShapes, isAttacked: Bool, isWholeSecond: Bool) {
        unsafe hostile.update(sources.pointee.shapes, isAttacked: isAttacked, isWholeSecond: isWholeSecond)
    }

    func rotateHistory(time: UInt64) { unsafe sources.pointee.history.rotate(time: time) }

    func heavySources(since time: UInt64) -> [HeavySource] { unsafe sources.pointee.heavy.list(since: time) }

    func isTrusted(_ address: Address) -> Bool {
        unsafe sources.pointee.isTrusted(sources.pointee.hash.hash(address))
    }

    func refuse(_ source: HeavySource, until end: UInt64, time: UInt64) {
        guard let floodClass = FloodClass(rawValue: UInt8(truncatingIfNeeded: source.classNumber)) else { return }
        let hash = unsafe sources.pointee.hash
        let place = Sieve.place(hash, hash.hash(source.address), HostSlot(source.slot), floodClass)
        unsafe sources.pointee.denials.insert(place, until: end, time: time)
    }

    /// Single sources that are refused now.
    public func refusedSources(time: UInt64) -> Int { unsafe sources.pointee.denials.count(time: time) }
}
