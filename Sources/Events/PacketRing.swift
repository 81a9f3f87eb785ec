import Evidence
import Synchronization
import Wire

/// Beginnings of a worker's packets, kept for a while in memory of fixed size: the newest take the place of the oldest.
///
/// The worker writes and never waits; one other thread reads at the same time. What it reads may be overwritten
/// meanwhile, so it copies first and looks afterwards whether what it copied still stood: the writer says how far it
/// will write before it does (a sequence lock: H.-J. Boehm, "Can Seqlocks Get Along With Programming Language Memory
/// Models?", MSPC 2012).
///
/// All pointers here reference memory that this object allocates and frees. Whoever holds a `Writer` must also keep
/// the ring.
@safe
public final class PacketRing: @unchecked Sendable {
    /// What is known of a kept packet beside its bytes.
    struct Entry: BitwiseCopyable {
        /// Packets of one flow have the same.
        var group: UInt64 = 0
        /// Of its first byte, counted over all laps.
        var position: UInt64 = 0
        /// Nanoseconds since the Unix epoch.
        var time: UInt64 = 0
        var sourceMAC: UInt64 = 0
        var destinationMAC: UInt64 = 0
        /// Bytes that are kept, and that there were.
        var kept: UInt32 = 0
        var length: UInt32 = 0
        /// Of the Ethernet header, where the bytes start behind it.
        var etherType: UInt16 = 0
        var tag: UInt16 = 0
        var hasTag = false
        var link = LinkLayer.ip
    }

    /// What both sides see.
    private struct Shared: ~Copyable {
        /// Packets and bytes up to which may be written now, and packets that are written.
        let reservedPackets = Atomic<UInt64>(0)
        let reservedBytes = Atomic<UInt64>(0)
        let written = Atomic<UInt64>(0)
    }

    /// Bytes of a packet that are kept at most.
    public static let snapLength = 4096

    private let entryCount: Int
    private let byteCount: Int
    private let entries: UnsafeMutablePointer<Entry>
    private let bytes: UnsafeMutableRawPointer
    private let shared: UnsafeMutablePointer<Shared>

    /// `memory` is what it takes in bytes, rounded down to a power of two and its eighth; 64 KiB at least.
    public init(memory: Int) {
        byteCount = PacketRing.bytes(memory)
        entryCount = byteCount / PacketRing.share
        unsafe entries = .allocate(capacity: entryCount)
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 64)
        unsafe shared = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Shared>.stride, alignment: 128)
            .bindMemory(to: Shared.self, capacity: 1)
        unsafe shared.initialize(to: Shared())
    }

    deinit {
        unsafe entries.deallocate()
        unsafe bytes.deallocate()
        unsafe shared.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(shared).deallocate()
    }

    /// Bytes for which there is one entry.
    private static let share = 512

    private static func bytes(_ memory: Int) -> Int {
        let wanted = max(1 << 16, memory - memory / 8)
        return 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount)
    }

    /// What a ring will hold that is asked for with `memory`.
    public static func memory(_ memory: Int) -> Int {
        bytes(memory) + bytes(memory) / share * MemoryLayout<Entry>.stride
    }

    // MARK: - The worker's side

    /// For one worker to own.
    @safe
    public struct Writer: ~Copyable, @unchecked Sendable {
        private let entries: UnsafeMutablePointer<Entry>
        private let bytes: UnsafeMutableRawPointer
        private let shared: UnsafeMutablePointer<Shared>
        private let entryMask: UInt64
        private let byteMask: UInt64
        private var count: UInt64 = 0
        private var position: UInt64 = 0

        fileprivate init(_ ring: PacketRing) {
            unsafe entries = ring.entries
            unsafe bytes = ring.bytes
            unsafe shared = ring.shared
            entryMask = UInt64(ring.entryCount - 1)
            byteMask = UInt64(ring.byteCount - 1)
        }

        /// Keeps the beginning of a packet whose bytes start as `link` says. `group` is not 0. Returns its number.
        @inline(never) @discardableResult
        public mutating func append(
            _ packet: RawSpan, _ link: LinkLayer, _ arrival: Arrival, group: UInt64
        ) -> UInt64 {
            let kept = min(packet.byteCount, PacketRing.snapLength)
            // Not across the end: the rest of the lap is left over.
            if (position & byteMask) + UInt64(kept) > byteMask + 1 { position = (position | byteMask) &+ 1 }
            let end = position &+ UInt64(kept)
            unsafe shared.pointee.reservedPackets.store(count &+ 1, ordering: .relaxed)
            unsafe shared.pointee.reservedBytes.store(end, ordering: .relaxed)
            atomicMemoryFence(ordering: .releasing)
            let target = unsafe bytes + Int(truncatingIfNeeded: position & byteMask)
            unsafe packet.withUnsafeBytes { source in
                if kept > 0 { unsafe target.copyMemory(from: source.baseAddress!, byteCount: kept) }
            }
            let entry = unsafe entries + Int(truncatingIfNeeded: count & entryMask)
            unsafe entry.initialize(
                to: Entry(
                    group: group, position: position, time: arrival.time, sourceMAC: arrival.sourceMAC,
                    destinationMAC: arrival.destinationMAC, kept: UInt32(kept),
                    length: UInt32(truncatingIfNeeded: packet.byteCount), etherType: arrival.hardwareProtocol,
                    tag: arrival.tag, hasTag: arrival.hasTag, link: link))
            position = end
            count &+= 1
            unsafe shared.pointee.written.store(count, ordering: .releasing)
            return count &- 1
        }
    }

    /// The one writer of this ring. Two would corrupt it.
    public func makeWriter() -> Writer { Writer(self) }

    // MARK: - The reader's side

    /// Packets written so far.
    var written: UInt64 { unsafe shared.pointee.written.load(ordering: .acquiring) }

    /// Gives those of the packets from number `start` up to `end` (of `written`) that `isWanted` by their group, oldest
    /// first. What was overwritten is left out.
    func read(from start: UInt64, to end: UInt64, where isWanted: (UInt64) -> Bool, _ body: (Entry, [UInt8]) -> Void) {
        let capacity = UInt64(entryCount)
        var number = max(start, end > capacity ? end - capacity : 0)
        while number < end {
            defer { number += 1 }
            let place = Int(truncatingIfNeeded: number & (capacity - 1))
            guard isWanted(unsafe entries[place].group) else { continue }
            let entry = unsafe entries[place]
            guard entry.kept <= PacketRing.snapLength else { continue }
            let start = Int(truncatingIfNeeded: entry.position & UInt64(byteCount - 1))
            guard start + Int(entry.kept) <= byteCount else { continue }
            let copy = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes + start, count: Int(entry.kept)))
            atomicMemoryFence(ordering: .acquiring)
            guard unsafe shared.pointee.reservedPackets.load(ordering: .relaxed) <= number + capacity,
                unsafe shared.pointee.reservedBytes.load(ordering: .relaxed) <= entry.position + UInt64(byteCount),
                isWanted(entry.group)
            else { continue }
            body(entry, copy)
        }
    }
}
