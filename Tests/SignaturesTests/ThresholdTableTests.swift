import Foundation
import Synchronization
import Testing
import Wire

@testable import Signatures

@Suite struct ThresholdTableTests {
    /// Workers count in the same record at once, and no count is lost.
    @Test func workersCountTogether() async throws {
        let table = ThresholdTable(capacity: 1 << 10, seed: 1)
        let key = HostKey(7, secret: table.secret)
        _ = unsafe table.record(key, time: 1, lifetime: 60)
        let workers = 4
        let each = 10_000
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers {
                group.addTask {
                    for _ in 0..<each {
                        guard let (record, _) = unsafe table.record(key, time: 2, lifetime: 60) else { continue }
                        _ = unsafe record.pointee.add(time: 2, seconds: 60)
                    }
                }
            }
        }
        let (record, isNew) = try unsafe #require(table.record(key, time: 3, lifetime: 60))
        #expect(!isNew)
        #expect(unsafe record.pointee.count.load(ordering: .relaxed) == UInt32(workers * each + 1))
    }

    /// Workers that all want a place in one small table: every key has one record at the most, and nobody waits.
    @Test func workersFightForPlaces() async {
        let table = ThresholdTable(capacity: 8, seed: 1)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for number in 0..<5_000 {
                        let key = HostKey(UInt64(worker << 32 | number), secret: table.secret)
                        guard let (record, _) = unsafe table.record(key, time: 1, lifetime: 60) else { continue }
                        _ = unsafe record.pointee.add(time: 1, seconds: 60)
                    }
                }
            }
        }
        #expect(table.evicted > 0 && table.evicted <= 20_000)
    }

    /// A keyed hash: another seed puts the same hosts elsewhere.
    @Test func keysDependOnTheSeed() {
        let keys = (0..<100).map { HostKey(UInt64($0), secret: SecretHash(seed: 1)).hash }
        let others = (0..<100).map { HostKey(UInt64($0), secret: SecretHash(seed: 2)).hash }
        #expect(Set(keys).union(others).count == 200)
        #expect(Set((0..<100).map { HostKey(1, secret: SecretHash(seed: 1)).part($0).hash }).count == 100)
    }

    @Test func aCountStaysAtTheTop() throws {
        let table = ThresholdTable(capacity: 8)
        let (record, _) = try unsafe #require(
            table.record(HostKey(1, secret: SecretHash(seed: 1)), time: 1, lifetime: 60))
        unsafe record.pointee.count.store(.max - 1, ordering: .relaxed)
        #expect(unsafe record.pointee.increment() == .max)
        #expect(unsafe record.pointee.increment() == .max)
        #expect(unsafe record.pointee.increment() == .max)
    }
}
