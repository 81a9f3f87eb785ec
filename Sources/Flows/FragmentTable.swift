import Glibc
import Wire

public struct FragmentCounters: Sendable, Equatable {
    public var ipv4Fragments: UInt64 = 0
    public var ipv6Fragments: UInt64 = 0
    /// Datagrams of which fragments came, and those that became whole.
    public var datagrams: UInt64 = 0
    public var ipv4Reassembled: UInt64 = 0
    public var ipv6Reassembled: UInt64 = 0
    /// Fragments over bytes that were there already, and those that say something else than what was there.
    public var overlaps: UInt64 = 0
    public var contradictions: UInt64 = 0
    /// Fragments that no host takes: empty, of an uneven length, too large, with a wrong header checksum.
    public var impossible: UInt64 = 0
    /// Datagrams that did not become whole in time, and those that had to go for others.
    public var expired: UInt64 = 0
    public var evicted: UInt64 = 0
    /// Fragments that found no room, and those of datagrams that are closed.
    public var noRoom: UInt64 = 0
    public var late: UInt64 = 0

    public init() {}
}

/// What became of a fragment.
@frozen
public struct FragmentStep: BitwiseCopyable, Sendable {
    @frozen
    public enum Refusal: UInt8, BitwiseCopyable, Sendable {
        case none
        /// Inline: it must not pass. It contradicts what is known, no host would take it, or its datagram was
        /// dropped.
        case forbidden
        /// Inline: what it will become part of cannot be inspected.
        case noRoom
    }

    public var refusal = Refusal.none
    /// It lies over bytes that were there already.
    public var overlaps = false
    /// It found no room.
    public var isIgnored = false
    /// Its datagram was not whole in time.
    public var isLate = false
    /// It is kept, or was there already: it is inspected as part of its datagram.
    public var isKept = false
    /// Bytes of the whole datagram with all its headers; 0 unless it became whole.
    public var assembledLength = 0

    @inlinable
    public init() {}
}

/// The fragments that one worker sees until their datagrams are whole, in memory of fixed size.
///
/// Not inline, overlaps are resolved as the receiving host would (`FragmentOverlap`).
///
/// Inline, no host gets to put together what was not inspected, whatever its policy. A fragment passes as long as
/// its datagram is not whole, and the one that makes it whole gets the verdict of the whole. So the table must
/// know whatever a host may still hold:
/// - What was seen first stays. A fragment that says something else does not pass (of IPv6, nothing more of its
///   datagram does: RFC 5722). Hosts differ in what they make of an overlap, even of a duplicate: so nothing
///   more of such a datagram passes once it is whole.
/// - What is not whole in less than the time for which every host waits never becomes whole.
/// - What was dropped, or forgotten for want of room or time, stays closed for longer than any host waits: as a
///   record, and when that is needed for another as a time in `closings`, which all datagrams of the same hash
///   share. An error on that side costs a datagram, never an inspection. What is forgotten needs one fragment
///   more to become whole, and it is enough to stop that: a flood of fragments from the middle closes nothing
///   for itself.
@safe
public struct FragmentTable: ~Copyable {
    /// Of an assembled datagram: the first page is for what precedes the data.
    public static var assemblySize: Int { FragmentPools.pageSize + 65_536 }
    /// Datagrams that can be whole at the same time, because one was in the other.
    public static var assemblyCount: Int { 7 }
    /// Pieces of one datagram. In 65,535 bytes there are 54 fragments at IPv6's least MTU, and inline what
    /// touches is one piece.
    var pieceLimit: UInt32 { mode.isInline ? 128 : 8_192 }

    let records: UnsafeMutablePointer<Datagram>
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketMask: UInt64
    /// Until when datagrams that nobody remembers are closed, by barrier and hash: seconds since the Unix epoch.
    private let closings: UnsafeMutablePointer<UInt32>
    private let closingMask: UInt64
    let assembly: UnsafeMutablePointer<UInt8>
    private let secret: SecretHash
    public let capacity: Int
    public let mode: FlowMode
    /// nil for Suricata's stock policies.
    public let policy: FragmentOverlap?

    private var used: UInt32 = 0
    private var free: UInt32 = 0
    private var open = AgeList<Datagram>()
    private var closed = AgeList<Datagram>()
    private var nextSerial: UInt64 = 1
    var pools: FragmentPools
    /// The datagrams that fragments of the packet at hand were added to.
    private var touched: InlineArray<8, UInt32>
    private var touchedSerials: InlineArray<8, UInt64>
    public private(set) var touchedCount = 0

    public internal(set) var counters = FragmentCounters()
    /// Datagrams that are not whole.
    public private(set) var openCount = 0

    /// For `capacity` datagrams, those counted that are only remembered, and `bytes` of those that are not whole.
    public init(
        capacity: Int, bytes: Int, mode: FlowMode, policy: FragmentOverlap? = nil,
        seed: UInt64 = .random(in: .min ... .max)
    ) {
        precondition(capacity >= 16 && capacity < Int(UInt32.max))
        self.capacity = capacity
        self.mode = mode
        self.policy = policy
        secret = SecretHash(seed: seed)
        var size = 1
        while size < capacity { size *= 2 }
        bucketMask = UInt64(size - 1)
        closingMask = UInt64(4 * size - 1)
        unsafe buckets = unsafe calloc(size, 4)!.bindMemory(to: UInt32.self, capacity: size)
        unsafe closings = unsafe calloc(12 * size, 4)!.bindMemory(to: UInt32.self, capacity: 12 * size)
        unsafe records = unsafe calloc(capacity + 1, MemoryLayout<Datagram>.stride)!
            .bindMemory(to: Datagram.self, capacity: capacity + 1)
        let assemblyBytes = FragmentTable.assemblyCount * FragmentTable.assemblySize
        unsafe assembly = unsafe calloc(1, assemblyBytes)!.bindMemory(to: UInt8.self, capacity: assemblyBytes)
        pools = FragmentPools(bytes: bytes)
        touched = InlineArray(repeating: 0)
        touchedSerials = InlineArray(repeating: 0)
    }

    deinit {
        unsafe Glibc.free(buckets)
        unsafe Glibc.free(closings)
        unsafe Glibc.free(records)
        unsafe Glibc.free(assembly)
    }

    /// Bytes of address space that the table takes for good; pages never used are not backed.
    public var memoryBytes: Int {
        (capacity + 1) * MemoryLayout<Datagram>.stride + (Int(bucketMask) + 1 + 3 * (Int(closingMask) + 1)) * 4
            + FragmentTable.assemblyCount * FragmentTable.assemblySize + pools.memoryBytes
    }

    /// The bytes of the datagram that was put together in buffer `index`, valid until the next packet.
    public func assembled(_ index: Int) -> UnsafePointer<UInt8> {
        precondition((0..<FragmentTable.assemblyCount).contains(index))
        return unsafe UnsafePointer(assembly + index * FragmentTable.assemblySize)
    }

    // MARK: - Finding

    /// The record of a fragment's datagram, a new one if need be; 0 if it is closed, and then `step` says whether
    /// the fragment passes.
    mutating func find(
        _ key: DatagramKey, _ fragment: IPFragment, _ place: FragmentPlace, _ step: inout FragmentStep
    ) -> UInt32 {
        let hash = key.hash(secret)
        let bucket = unsafe buckets + Int(hash & bucketMask)
        var index = unsafe bucket.pointee
        while index != 0, unsafe !(records[Int(index)].key == key) { index = unsafe records[Int(index)].next }
        if index != 0 {
            switch isOver(index, place.time) {
            case .no: break
            case .closed:
                step.isLate = true
                unsafe close(index, records[Int(index)].missing, lacksRoom: false)
            case .gone:
                step.isLate = !mode.isInline
                remove(index)
                index = 0
            }
        }
        if index != 0 {
            let record = unsafe records + Int(index)
            if unsafe record.pointee.state == .open { return index }
            counters.late &+= 1
            if unsafe record.pointee.barrier.bars(fragment) {
                step.refusal = unsafe record.pointee.lacksRoom ? .noRoom : .forbidden
            } else {
                unsafe record.pointee.lastTime = max(record.pointee.lastTime, place.time)
            }
            return 0
        }
        if mode.isInline, isClosed(hash, fragment, place.time, &step) { return 0 }
        return unsafe make(key, bucket, place)
    }

    /// Whether a datagram may be one that was forgotten.
    private mutating func isClosed(
        _ hash: UInt64, _ fragment: IPFragment, _ time: UInt64, _ step: inout FragmentStep
    ) -> Bool {
        var isClosed = false
        for barrier in Datagram.Barrier.allCases where unsafe UInt64(closing(hash, barrier).pointee) > time / second {
            isClosed = true
            // What passes makes hosts wait anew.
            if barrier.bars(fragment) { noRoom(&step) } else { remember(hash, barrier, time) }
        }
        if isClosed { counters.late &+= 1 }
        return isClosed
    }

    private func closing(_ hash: UInt64, _ barrier: Datagram.Barrier) -> UnsafeMutablePointer<UInt32> {
        unsafe closings + Int(barrier.rawValue) * (Int(closingMask) + 1) + Int(hash & closingMask)
    }

    private func remember(_ hash: UInt64, _ barrier: Datagram.Barrier, _ time: UInt64) {
        let until = (time &+ FragmentTimeout.longest) / second + 1
        let closing = unsafe closing(hash, barrier)
        unsafe closing.pointee = max(closing.pointee, UInt32(truncatingIfNeeded: until))
    }

    private var second: UInt64 { 1_000_000_000 }

    func noRoom(_ step: inout FragmentStep) {
        step.isIgnored = true
        if mode.isInline { step.refusal = .noRoom }
    }

    private enum Age { case no, closed, gone }

    /// Whether a datagram is of the past. Times of a capture may go back.
    private mutating func isOver(_ index: UInt32, _ time: UInt64) -> Age {
        let record = unsafe records + Int(index)
        let sinceLast = unsafe time > record.pointee.lastTime ? time - record.pointee.lastTime : 0
        guard mode.isInline else {
            guard sinceLast > FragmentTimeout.idle else { return .no }
            counters.expired &+= 1
            return .gone
        }
        if sinceLast > FragmentTimeout.longest { return .gone }
        guard unsafe record.pointee.state == .open && time > record.pointee.firstTime,
            unsafe time - record.pointee.firstTime > FragmentTimeout.shortest
        else { return .no }
        counters.expired &+= 1
        return .closed
    }

    private mutating func make(
        _ key: DatagramKey, _ bucket: UnsafeMutablePointer<UInt32>, _ place: FragmentPlace
    ) -> UInt32 {
        if free == 0, Int(used) == capacity { makeRoom() }
        let index: UInt32
        if free != 0 {
            index = free
            free = unsafe records[Int(index)].next
        } else {
            used += 1
            index = used
        }
        let record = unsafe records + Int(index)
        var fresh = Datagram(key: key)
        fresh.card = place.card
        fresh.firstTime = place.time
        fresh.lastTime = place.time
        fresh.serial = nextSerial
        nextSerial &+= 1
        // The bucket may have changed when another had to go.
        fresh.next = unsafe bucket.pointee
        unsafe record.initialize(to: fresh)
        unsafe bucket.pointee = index
        unsafe open.append(index, records)
        openCount += 1
        counters.datagrams &+= 1
        return index
    }

    // MARK: - Leaving

    /// Gives up a record: rather one that is only remembered than one that may still become whole.
    private mutating func makeRoom() {
        if closed.oldest != 0, unsafe records[Int(closed.oldest)].state == .closed { return remove(closed.oldest) }
        counters.evicted &+= 1
        remove(open.oldest)
    }

    /// A page; other datagrams give theirs up for it, the oldest first.
    mutating func takePage(for index: UInt32) -> UInt16 {
        while pools.pagesLeft == 0 {
            var oldest = open.oldest
            if oldest == index { oldest = unsafe records[Int(index)].newer }
            guard oldest != 0 else { return 0 }
            counters.evicted &+= 1
            unsafe close(oldest, records[Int(oldest)].missing, lacksRoom: true)
        }
        return pools.takePage()
    }

    /// The datagram will not become whole; inline, no host is to make it so.
    mutating func close(_ index: UInt32, _ barrier: Datagram.Barrier = .any, lacksRoom: Bool = false) {
        guard mode.isInline else { return remove(index) }
        let record = unsafe records + Int(index)
        leaveOpen(index)
        unsafe record.pointee.state = .closed
        unsafe record.pointee.barrier = barrier
        unsafe record.pointee.lacksRoom = lacksRoom
    }

    /// The datagram is whole, and its bytes are elsewhere.
    mutating func complete(_ index: UInt32) {
        let isV6 = unsafe records[Int(index)].key.ipVersion == 6
        if isV6 { counters.ipv6Reassembled &+= 1 } else { counters.ipv4Reassembled &+= 1 }
        guard mode.isInline else { return remove(index) }
        leaveOpen(index)
        unsafe records[Int(index)].state = .whole
    }

    private mutating func leaveOpen(_ index: UInt32) {
        let record = unsafe records + Int(index)
        guard unsafe record.pointee.state == .open else { return }
        unsafe pools.release(record)
        unsafe open.remove(index, records)
        unsafe closed.append(index, records)
        openCount -= 1
    }

    private mutating func remove(_ index: UInt32) {
        let record = unsafe records + Int(index)
        let hash = unsafe record.pointee.key.hash(secret)
        if mode.isInline, unsafe record.pointee.state != .whole {
            let barrier = unsafe record.pointee.state == .open ? record.pointee.missing : record.pointee.barrier
            unsafe remember(hash, barrier, record.pointee.lastTime)
        }
        leaveOpen(index)
        unsafe closed.remove(index, records)
        let bucket = unsafe buckets + Int(hash & bucketMask)
        if unsafe bucket.pointee == index {
            unsafe bucket.pointee = unsafe record.pointee.next
        } else {
            var before = unsafe bucket.pointee
            while before != 0, unsafe records[Int(before)].next != index {
                before = unsafe records[Int(before)].next
            }
            if before != 0 { unsafe records[Int(before)].next = unsafe record.pointee.next }
        }
        unsafe record.pointee.state = .unused
        unsafe record.pointee.next = free
        free = index
    }

    // MARK: - What the verdict was

    /// Remembers that the packet at hand depends on a datagram.
    mutating func touch(_ index: UInt32) {
        guard mode.isInline, touchedCount < 8 else { return }
        touched[touchedCount] = index
        touchedSerials[touchedCount] = unsafe records[Int(index)].serial
        touchedCount += 1
    }

    /// To be called when it is decided what becomes of the packet whose fragments were added last. A datagram of
    /// which a fragment is dropped is dropped.
    public mutating func settle(isDropped: Bool) {
        for i in 0..<touchedCount {
            let index = touched[i]
            let record = unsafe records + Int(index)
            guard unsafe record.pointee.serial == touchedSerials[i], unsafe record.pointee.state != .unused else {
                continue
            }
            if isDropped {
                close(index)
            } else if unsafe record.pointee.state == .whole {
                if unsafe record.pointee.isDoubtful { close(index) } else { remove(index) }
            }
        }
        touchedCount = 0
    }
}

/// For how long fragments are waited for, nanoseconds.
enum FragmentTimeout {
    /// Since the last one, as in Suricata (defrag.timeout).
    static let idle: UInt64 = 60_000_000_000
    /// Less than any host waits: RFC 791 §3.2 proposes 15 s, Linux takes 30, RFC 8200 §4.5 says 60.
    static let shortest: UInt64 = 10_000_000_000
    /// As long as any host may wait (RFC 1122 §3.3.2).
    static let longest: UInt64 = 120_000_000_000
}
