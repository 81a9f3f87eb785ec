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

    /// Ranges with the same slots for the same guests; what a reload compares.
    public static func plan(_ guests: [Guest]) -> [AddressRange] { AddressRange.flatten(guests) }

    /// `seed` keys the hash that gives hosts of large ranges their slots. On a live network nobody may know it.
    public init(_ guests: [Guest], seed: UInt64 = .random(in: .min ... .max)) {
        self.guests = guests
        let ranges = AddressRange.flatten(guests)
        var next = 0
        let compiled = UnsafeMutablePointer<CompiledRange>.allocate(capacity: max(1, ranges.count))
        for (index, range) in ranges.enumerated() {
            let size = range.count
            let slots = size.map { min($0, HostTable.directLimit) } ?? HostTable.directLimit
            let claimed = size.map { $0 > HostTable.directLimit } ?? true
            unsafe (compiled + index).initialize(
                to: CompiledRange(
                    first: range.first, last: range.last, guest: Int32(range.guest),
                    firstSlot: Int32(next), setCount: claimed ? UInt32(slots / HostTable.ways) : 0))
            next += slots + (claimed ? 1 : 0)
        }
        slotCount = next
        let owners = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, next))
        let hosts = UnsafeMutablePointer<Host>.allocate(capacity: max(1, next))
        for index in ranges.indices {
            let range = unsafe compiled[index]
            let slots = Int(range.setCount) * HostTable.ways
            let direct = range.setCount == 0
            for slot in 0..<(direct ? ranges[index].count! : slots + 1) {
                unsafe (owners + Int(range.firstSlot) + slot).initialize(to: range.guest)
                let address = direct ? range.first.advanced(by: slot) : slot == slots ? range.first : .none
                unsafe (hosts + Int(range.firstSlot) + slot).initialize(
                    to: Host(address, ready: direct || slot == slots))
            }
        }
        view = unsafe View(
            ranges: compiled, rangeCount: ranges.count, owners: owners, hosts: hosts,
            hash: SecretHash(seed: seed))
        shared = Set(
            (0..<ranges.count).compactMap { index in
                let range = unsafe compiled[index]
                return range.setCount == 0
                    ? nil : Int(range.firstSlot) + Int(range.setCount) * HostTable.ways
            })
    }

    deinit {
        unsafe view.ranges.deallocate()
        unsafe view.owners.deallocate()
        unsafe view.hosts.deinitialize(count: slotCount).deallocate()
    }

    private let shared: Set<Int>

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
        guard !shared.contains(slot), let range = range(of: slot), range.setCount > 0 else { return }
        unsafe view.hosts[slot].state.store(Host.free, ordering: .releasing)
    }

    private func range(of slot: Int) -> CompiledRange? {
        (0..<view.rangeCount).lazy.map { unsafe self.view.ranges[$0] }
            .last { Int($0.firstSlot) <= slot }
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
        @inlinable
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
