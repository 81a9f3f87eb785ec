import Testing
import Wire

@testable import Behaviour

/// Who is refused, in memory that does not grow.
@Suite struct RefusalsTests {
    private let second: UInt64 = 1_000_000_000

    @Test func oneIsRefusedUntilItsTimeIsOverOrItIsLifted() {
        let memory = BehaviourMemory(workers: 1, seed: 1)
        let (source, other) = (Address("192.0.2.1")!, Address("192.0.2.2")!)
        let denied = unsafe memory.denied
        unsafe #expect(!denied.pointee.isActive(100 * second))
        unsafe #expect(denied.pointee.add(source, at: -1, time: 100 * second, duration: 5, displaces: false))
        unsafe #expect(
            denied.pointee.isActive(104 * second) && denied.pointee.refuse(source, at: 3, time: 104 * second))
        unsafe #expect(!denied.pointee.refuse(other, at: 3, time: 104 * second))
        unsafe #expect(!denied.pointee.refuse(source, at: 3, time: 106 * second))
        unsafe #expect(!denied.pointee.isActive(107 * second))
        unsafe denied.pointee.add(source, at: -1, time: 200 * second, duration: 50)
        unsafe denied.pointee.remove(source, at: -1)
        unsafe #expect(!denied.pointee.refuse(source, at: 3, time: 201 * second))
    }

    /// Without displacing, whoever was refused stays so; only who comes too late is told that there is no room.
    @Test func nobodyIsDisplaced() {
        let memory = BehaviourMemory(workers: 1, seed: 1)
        let denied = unsafe memory.denied
        let sources = (0..<60_000).map { Address(high: 0, low: 0xFFFF_0A00_0000 + UInt64($0)) }
        let isIn = sources.map {
            unsafe denied.pointee.add($0, at: -1, time: second, duration: 60, displaces: false)
        }
        // As many as the operator may allow all but always find room.
        #expect(isIn.prefix(4096).count { $0 } >= 4094 && isIn.contains(false))
        for (source, isIn) in zip(sources, isIn) {
            unsafe #expect(denied.pointee.refuse(source, at: -1, time: 2 * second) == isIn)
        }
        // Times that are over make room again.
        unsafe #expect(
            denied.pointee.add(sources[isIn.firstIndex(of: false)!], at: -1, time: 90 * second, displaces: false))
    }
}
