import Evidence
import Synchronization
import Wire

/// Which addresses are protected, and the fixed slot that each has in the counter arrays.
///
/// Guests are named by address or by prefix. The prefixes are flattened, most specific first, into
/// disjoint ranges that a binary search finds. A range of up to `directLimit` addresses has a slot for
/// each. A larger one (a /64) has `directLimit` slots in sets of `ways`, claimed by the hosts that are
/// seen, and one more that is shared by all hosts that found their set full: nothing grows because of an
/// address in a packet, and no packet goes uncounted.
///
/// Workers share one table. A claim is one compare-and-exchange; nobody waits for anybody.
public final class HostTable: Sendable {
    public static let directLimit = 4096
    static let ways = 8

    public let guests: [Guest]
    /// Slots in all; every per-host array has this many elements.
    public let slotCount: Int
    public let view: View
    /// Slots that have been given away; the rest is for guests that come (`init(extending:to:)`).
    private let used: Int
    /// By range, its slots.
    private let places: [Range<Int>]
    private let ranges: [AddressRange]
    /// All slots that were given away since the cells were made: who comes back has its own again.
    private let given: [AddressRange: Range<Int>]
    private let shared: Set<Int>
    private let cells: HostCells

    /// Ranges with the same slots for the same guests; what a reload compares.
    public static func plan(_ guests: [Guest]) -> [AddressRange] { AddressRange.flatten(guests) }

    /// `spare` slots are kept for guests that come later. `seed` keys the hash that gives hosts of large ranges their
    /// slots. On a live network nobody may know it.
    public convenience init(_ guests: [Guest], spare: Int = 0, seed: UInt64 = .random(in: .min ... .max)) {
        let ranges = AddressRange.flatten(guests)
        var places: [Range<Int>] = []
        for range in ranges {
            let first = places.last?.upperBound ?? 0
            places.append(first..<first + HostTable.slots(range))
        }
        let used = places.last?.upperBound ?? 0
        self.init(
            guests, ranges, places, fresh: Array(ranges.indices), used: used, former: nil,
            cells: HostCells(count: used + spare), hash: SecretHash(seed: seed))
    }

    /// A table in which every host of `former` that is still protected has the slot that it had there, so that its
    /// counters go on; new ones get spare slots. What is no guest's any more keeps its slot, where nobody finds it.
    ///
    /// nil where there are too few spare slots, or where the guests are not those of `former` and perhaps more.
    public convenience init?(extending former: HostTable, to guests: [Guest]) {
        guard guests.count >= former.guests.count, zip(guests, former.guests).allSatisfy({ $0.name == $1.name }) else {
            return nil
        }
        let ranges = AddressRange.flatten(guests)
        var used = former.used
        var fresh: [Int] = []
        let places = ranges.enumerated().map { index, range in
            if let place = former.given[range] { return place }
            fresh.append(index)
            defer { used += HostTable.slots(range) }
            return used..<used + HostTable.slots(range)
        }
        guard used <= former.slotCount else { return nil }
        self.init(
            guests, ranges, places, fresh: fresh, used: used, former: former, cells: former.cells,
            hash: former.view.hash)
    }

    /// Whether what a slot and a guest's index meant in `former` they mean here.
    public func continues(_ former: HostTable) -> Bool { cells === former.cells && guests.count >= former.guests.count }

    private init(
        _ guests: [Guest], _ ranges: [AddressRange], _ places: [Range<Int>], fresh: [Int], used: Int,
        former: HostTable?, cells: HostCells, hash: SecretHash
    ) {
        self.guests = guests
        self.ranges = ranges
        self.places = places
        self.used = used
        self.cells = cells
        given = (former?.given ?? [:]).merging(zip(ranges, places)) { first, _ in first }
        slotCount = cells.count
        let compiled = UnsafeMutablePointer<CompiledRange>.allocate(capacity: max(1, ranges.count))
        for (index, range) in ranges.enumerated() {
            let sets = HostTable.isDirect(range) ? 0 : HostTable.directLimit / HostTable.ways
            unsafe (compiled + index).initialize(
                to: CompiledRange(
                    first: range.first, last: range.last, guest: Int32(range.guest),
                    firstSlot: Int32(places[index].lowerBound), setCount: UInt32(sets)))
        }
        let owners = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, slotCount))
        for slot in 0..<slotCount {
            unsafe (owners + slot).initialize(to: former.map { unsafe $0.view.owners[slot] } ?? -1)
        }
        for index in fresh {
            let (range, place) = (ranges[index], places[index])
            for slot in place { unsafe owners[slot] = Int32(range.guest) }
            if HostTable.isDirect(range) {
                for (offset, slot) in place.enumerated() { cells.name(slot, range.first.advanced(by: offset)) }
            } else {
                cells.name(place.upperBound - 1, range.first)
            }
        }
        view = unsafe View(
            ranges: compiled, rangeCount: ranges.count, owners: owners, hosts: cells.hosts, hash: hash)
        shared = Set(ranges.indices.filter { !HostTable.isDirect(ranges[$0]) }.map { places[$0].upperBound - 1 })
            .union(former?.shared ?? [])
    }

    deinit {
        unsafe view.ranges.deallocate()
        unsafe view.owners.deallocate()
    }

    /// Each address has a slot of its own.
    private static func isDirect(_ range: AddressRange) -> Bool { range.count.map { $0 <= directLimit } ?? false }

    /// Of a large range the last slot is shared.
    private static func slots(_ range: AddressRange) -> Int { isDirect(range) ? range.count! : directLimit + 1 }

    /// Whether the slot is the one that hosts share which found their set full.
    public func isShared(_ slot: Int) -> Bool { shared.contains(slot) }

    /// Bytes held.
    public var memoryBytes: Int {
        slotCount * (MemoryLayout<Host>.stride + MemoryLayout<Int32>.stride)
    }

    /// The address that has the slot now; nil while the slot is free.
    public func address(of slot: Int) -> Address? {
        precondition((0..<slotCount).contains(slot))
        return unsafe view.hosts[slot].addressIfReady
    }

    /// Frees the slot of a claimed host that has been idle. Slots of named addresses stay.
    public func release(_ slot: Int) {
        guard !shared.contains(slot), let index = places.firstIndex(where: { $0.contains(slot) }),
            !HostTable.isDirect(ranges[index])
        else { return }
        unsafe view.hosts[slot].state.store(Host.free, ordering: .releasing)
    }
}

/// The addresses that have slots now, shared by a table and those that extend it.
@safe
final class HostCells: @unchecked Sendable {
    let count: Int
    let hosts: UnsafeMutablePointer<Host>

    init(count: Int) {
        self.count = count
        unsafe hosts = .allocate(capacity: max(1, count))
        for slot in 0..<count { unsafe (hosts + slot).initialize(to: Host(.none, ready: false)) }
    }

    deinit { unsafe hosts.deinitialize(count: count).deallocate() }

    /// Gives a slot to an address for good.
    func name(_ slot: Int, _ address: Address) {
        precondition((0..<count).contains(slot))
        unsafe hosts[slot].high.store(address.high, ordering: .relaxed)
        unsafe hosts[slot].low.store(address.low, ordering: .relaxed)
        unsafe hosts[slot].state.store(Host.ready, ordering: .releasing)
    }
}

/// One slot's address, published by `state`.
@usableFromInline
struct Host: ~Copyable {
    @usableFromInline static let free: UInt32 = 0
    @usableFromInline static let claiming: UInt32 = 1
    @usableFromInline static let ready: UInt32 = 2

    @usableFromInline let state: Atomic<UInt32>
    @usableFromInline let high: Atomic<UInt64>
    @usableFromInline let low: Atomic<UInt64>

    init(_ address: Address, ready: Bool) {
        state = Atomic(ready ? Host.ready : Host.free)
        high = Atomic(address.high)
        low = Atomic(address.low)
    }

    @inlinable
    func holds(_ address: Address) -> Bool {
        state.load(ordering: .acquiring) == Host.ready
            && low.load(ordering: .relaxed) == address.low
            && high.load(ordering: .relaxed) == address.high
    }

    var addressIfReady: Address? {
        guard state.load(ordering: .acquiring) == Host.ready else { return nil }
        return Address(high: high.load(ordering: .relaxed), low: low.load(ordering: .relaxed))
    }
}

@usableFromInline
struct CompiledRange: BitwiseCopyable {
    @usableFromInline var first: Address
    @usableFromInline var last: Address
    @usableFromInline var guest: Int32
    @usableFromInline var firstSlot: Int32
    /// Sets of claimed slots; 0 when each address of the range has its own.
    @usableFromInline var setCount: UInt32
}

// MARK: - The packet path

extension HostTable {
    /// What a worker holds of the table: pointers into it. Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        @usableFromInline let ranges: UnsafeMutablePointer<CompiledRange>
        @usableFromInline let rangeCount: Int
        @usableFromInline let owners: UnsafeMutablePointer<Int32>
        @usableFromInline let hosts: UnsafeMutablePointer<Host>
        /// Keys the hash, so that nobody outside can choose addresses that share a set.
        @usableFromInline let hash: SecretHash

        /// The slot of a protected host; negative for any other address.
        @inlinable @inline(__always)
        public func slot(of address: Address) -> HostSlot {
            var low = 0
            var high = rangeCount
            while low < high {
                let middle = (low &+ high) >> 1
                if unsafe address < ranges[middle].first { high = middle } else { low = middle &+ 1 }
            }
            guard low > 0 else { return -1 }
            // In place: a copy is read back before it is written, which stalls twice a packet.
            let range = unsafe ranges + (low &- 1)
            guard unsafe !(range.pointee.last < address) else { return -1 }
            if unsafe range.pointee.setCount == 0 {
                let offset = unsafe address.low &- range.pointee.first.low
                return unsafe range.pointee.firstSlot &+ HostSlot(truncatingIfNeeded: offset)
            }
            return unsafe claimedSlot(of: address, in: range.pointee)
        }

        /// The configured guest that a slot belongs to; -1 for a negative slot.
        @inlinable
        public func guest(of slot: HostSlot) -> Int32 {
            slot < 0 ? -1 : unsafe owners[Int(slot)]
        }

        /// The configured guest that an address is of; -1 for none. Unlike `slot`, it claims nothing.
        public func guest(ofAddress address: Address) -> Int32 {
            var low = 0
            var high = rangeCount
            while low < high {
                let middle = (low &+ high) >> 1
                if unsafe address < ranges[middle].first { high = middle } else { low = middle &+ 1 }
            }
            guard low > 0, unsafe !(ranges[low &- 1].last < address) else { return -1 }
            return unsafe ranges[low &- 1].guest
        }

        @usableFromInline
        func claimedSlot(of address: Address, in range: CompiledRange) -> HostSlot {
            let set = Int(((hash.hash(address) >> 32) &* UInt64(range.setCount)) >> 32)
            let base = Int(range.firstSlot) &+ set &* HostTable.ways
            let shared = range.firstSlot &+ HostSlot(bitPattern: range.setCount) &* HostSlot(HostTable.ways)
            var free = -1
            for way in 0..<HostTable.ways {
                if unsafe hosts[base &+ way].holds(address) { return HostSlot(truncatingIfNeeded: base &+ way) }
                if free < 0, unsafe hosts[base &+ way].state.load(ordering: .relaxed) == Host.free {
                    free = base &+ way
                }
            }
            // A set that is full, or a neighbour who is claiming just now: this packet counts as shared.
            guard free >= 0,
                unsafe hosts[free].state.compareExchange(
                    expected: Host.free, desired: Host.claiming, ordering: .acquiring
                ).exchanged
            else { return shared }
            unsafe hosts[free].high.store(address.high, ordering: .relaxed)
            unsafe hosts[free].low.store(address.low, ordering: .relaxed)
            unsafe hosts[free].state.store(Host.ready, ordering: .sequentiallyConsistent)
            // Another worker may have claimed a different way for the same address: the lower one stays.
            for way in base..<free where unsafe hosts[way].holds(address) {
                unsafe hosts[free].state.store(Host.free, ordering: .releasing)
                return HostSlot(truncatingIfNeeded: way)
            }
            return HostSlot(truncatingIfNeeded: free)
        }
    }
}
