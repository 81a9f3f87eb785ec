import Testing
import Wire

@testable import Floods

@Suite("Addresses of sources that did something lately")
struct RecentAddressesTests {
    private let hash = SecretHash(seed: 7)
    private let second: UInt64 = 1 << 30

    private func list(_ table: borrowing RecentAddresses, since time: UInt64 = 0) -> Set<Address> {
        var list: [Address] = []
        let hash = hash
        table.list(since: time, { hash.hash($0) }, into: &list)
        #expect(Set(list).count == list.count)
        return Set(list)
    }

    @Test("Those noted are listed, once each, by when they were seen last")
    func listed() throws {
        let table = RecentAddresses(capacity: 64)
        let old = Address(v4: 0x0A00_0001)
        let new = try #require(Address("2001:db8::1"))
        for _ in 0..<3 { table.note(old, hash.hash(old), time: 5 * second) }
        table.note(new, hash.hash(new), time: 9 * second)
        #expect(list(table) == [old, new])
        #expect(list(table, since: 8 * second) == [new])
        table.note(old, hash.hash(old), time: 10 * second)
        #expect(list(table, since: 8 * second) == [old, new])
    }

    @Test("However many come, the places are as many as they were, and the latest are there")
    func bounded() {
        let table = RecentAddresses(capacity: 64)
        for number in 0..<10_000 as Range<UInt32> {
            let address = Address(v4: number)
            table.note(address, hash.hash(address), time: (5 + UInt64(number)) * second)
        }
        let all = list(table)
        #expect(all.count <= 64 && all.count >= 60)
        #expect(all.contains(Address(v4: 9_999)))
        #expect(table.memoryBytes == 64 * 3 * 8)
    }

    @Test("What was read while it was written is passed over")
    func torn() {
        let table = RecentAddresses(capacity: 4)
        let (one, other) = (Address(v4: 1), Address(v4: 2))
        // The stamp of one and the address of the other.
        table.note(other, hash.hash(one), time: second)
        #expect(list(table) == [])
    }
}
