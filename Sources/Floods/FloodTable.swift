import Evidence
import Synchronization
import Wire

/// What is counted for one host by one worker. The raw value is the counter's place in a block of 32, four
/// cache lines, of which all but the first two are for handshakes and the sieve.
public enum HostCounter: Int, Sendable {
    /// Packets to the host, by class; `FloodClass.rawValue` is the offset.
    case synIn = 0, tcpIn, udpIn, icmpIn, fragmentIn
    /// Packets to the host that belong to no flood class.
    case otherIn
    case bytesIn, packetsOut, bytesOut
    /// Packets to the host by class that a flood verdict stopped, or would have stopped in shadow mode.
    case synStopped, tcpStopped, udpStopped, icmpStopped, fragmentStopped
    /// Packets from or to the host with at least one finding.
    case findings
    /// TCP connections to the host whose client acknowledged the host's sequence number.
    case handshakes
    /// TCP but SYN to the host that belongs to no connection known to be one.
    case strays
    /// What the sieve did: unknown sources that were challenged, or sent to TCP; SYNs that passed because the challenge was
    /// answered, or because they were sent again after a second; packets of trusted sources, and of flows
    /// known before; packets of unknown sources within the budget; packets of single heavy sources that
    /// were refused.
    case challenged, answered, repeated, trusted, knownFlows, unknown, refused
    /// SYNs of the trusted, and of others, that the sieve let through; and of the handshakes those of clients
    /// that were trusted before.
    case trustedSYNs, otherSYNs, trustedHandshakes
    /// Packets to the host by class that the kernel dropped before the queues; also in the counters above.
    case synOffloaded, tcpOffloaded, udpOffloaded, icmpOffloaded, fragmentOffloaded

    @inlinable public static var count: Int { 32 }
}

/// What stands before one class at one host: its gate, and the buckets of those whom the sieve tells apart.
/// One cache line.
@usableFromInline
struct Entrance: ~Copyable {
    @usableFromInline let gate = Gate()
    /// For trusted sources together; for SYNs that come again, or of UDP for DNS queries that are sent to TCP.
    let trusted = Gate()
    let repeats = Gate()
    /// Packets a second of one trusted source.
    let ceiling = Atomic<UInt32>(0)
    /// Which sketch counts the sources, from 1; 0 for none.
    @usableFromInline let sketch = Atomic<UInt32>(0)
    /// Nanoseconds on the packets' clock; flows that are older than this are older than the attack.
    @usableFromInline let onset = Atomic<UInt64>(0)

    init() {}

    static var stride: Int { MemoryLayout<Entrance>.stride }
}

/// The counters and gates of all hosts: fixed arrays, allocated once.
///
/// Counters have one writer each, their worker, so a relaxed load and store is an increment and no
/// instruction is locked; the controller sums them over workers. Gates are written by the controller and
/// read by workers. The bucket of a throttled class is one word shared by all workers, advanced by
/// compare-and-exchange, because a share of the rate per worker would let a one-flow flood through at a
/// fraction of what was configured.
@safe
public final class FloodTable: Sendable {
    public let slotCount: Int
    public let workerCount: Int
    /// The block of worker w, host h starts at `(w * slotCount + h) * 32`; behind the last worker's are those of
    /// the controller, who counts for the kernel.
    nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>
    nonisolated(unsafe) let entrances: UnsafeMutablePointer<Entrance>
    /// Ethernet addresses of the hosts, the first byte in bits 47…40; 0 while unknown.
    nonisolated(unsafe) let addresses: UnsafeMutablePointer<Atomic<UInt64>>

    public init(slotCount: Int, workerCount: Int) {
        self.slotCount = slotCount
        self.workerCount = workerCount
        let total = max(1, slotCount * (workerCount + 1) * HostCounter.count)
        unsafe counters = .allocate(capacity: total)
        for i in 0..<total { unsafe (counters + i).initialize(to: Atomic(0)) }
        unsafe addresses = .allocate(capacity: max(1, slotCount))
        for i in 0..<max(1, slotCount) { unsafe (addresses + i).initialize(to: Atomic(0)) }
        let gateCount = max(1, slotCount * FloodClass.allCases.count)
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: gateCount * Entrance.stride, alignment: 64)
        unsafe entrances = unsafe bytes.bindMemory(to: Entrance.self, capacity: gateCount)
        for i in 0..<gateCount { unsafe (entrances + i).initialize(to: Entrance()) }
    }

    deinit {
        unsafe counters.deallocate()
        unsafe entrances.deallocate()
        unsafe addresses.deallocate()
    }

    /// Bytes held.
    public var memoryBytes: Int { FloodTable.memoryBytes(slots: slotCount, workers: workerCount) }

    static func memoryBytes(slots: Int, workers: Int) -> Int {
        slots
            * ((workers + 1) * HostCounter.count * MemoryLayout<UInt64>.stride + MemoryLayout<UInt64>.stride
                + FloodClass.allCases.count * Entrance.stride)
    }

    /// What worker `index` counts with.
    public func worker(_ index: Int) -> FloodCounters {
        precondition((0..<workerCount).contains(index))
        return view(index)
    }

    /// Packets to a host that the kernel dropped before the queues. The controller's, from its own thread.
    public func countOffloaded(_ slot: Int, _ floodClass: FloodClass, packets: UInt64) {
        precondition((0..<slotCount).contains(slot))
        let counters = view(workerCount)
        for first in [HostCounter.synIn, .synStopped, .synOffloaded] {
            let offset = first.rawValue + Int(floodClass.rawValue)
            counters.increment(slot * HostCounter.count + offset, by: packets)
        }
    }

    private func view(_ index: Int) -> FloodCounters {
        return unsafe FloodCounters(
            counters: counters + index * slotCount * HostCounter.count, entrances: entrances, addresses: addresses)
    }

    /// One counter of one host, summed over the workers.
    public func sum(_ slot: Int, _ counter: Int) -> UInt64 {
        precondition((0..<slotCount).contains(slot) && (0..<HostCounter.count).contains(counter))
        var total: UInt64 = 0
        for worker in 0...workerCount {
            let index = (worker * slotCount + slot) * HostCounter.count + counter
            total &+= unsafe counters[index].load(ordering: .relaxed)
        }
        return total
    }

    public func sum(_ slot: Int, _ counter: HostCounter) -> UInt64 { sum(slot, counter.rawValue) }

    /// Opens or closes the gate of a class at a host.
    public func setGate(_ slot: Int, _ floodClass: FloodClass, _ setting: GateSetting) {
        precondition((0..<slotCount).contains(slot))
        unsafe entrances[slot * FloodClass.allCases.count + Int(floodClass.rawValue)].gate.set(setting)
    }

    /// What the sieve lets through of a class at a host, in packets a second: trusted sources together and
    /// each of them, and SYNs that come again (of UDP, DNS queries that are sent to TCP).
    func setShares(_ slot: Int, _ floodClass: FloodClass, trusted: UInt32, ceiling: UInt32, repeats: UInt32) {
        precondition((0..<slotCount).contains(slot))
        let entrance = unsafe entrances + (slot * FloodClass.allCases.count + Int(floodClass.rawValue))
        unsafe entrance.pointee.trusted.set(trusted == 0 ? .deny : .throttle(trusted))
        unsafe entrance.pointee.repeats.set(repeats == 0 ? .deny : .throttle(repeats))
        unsafe entrance.pointee.ceiling.store(ceiling, ordering: .relaxed)
    }

    /// When an attack on a class at a host began, at the earliest.
    func setOnset(_ slot: Int, _ floodClass: FloodClass, _ time: UInt64) {
        precondition((0..<slotCount).contains(slot))
        let entrance = unsafe entrances + (slot * FloodClass.allCases.count + Int(floodClass.rawValue))
        unsafe entrance.pointee.onset.store(time, ordering: .relaxed)
    }

    /// Which sketch counts the sources of a class at a host, from 1; 0 for none.
    func setSketch(_ slot: Int, _ floodClass: FloodClass, _ sketch: UInt32) {
        precondition((0..<slotCount).contains(slot))
        let entrance = unsafe entrances + (slot * FloodClass.allCases.count + Int(floodClass.rawValue))
        unsafe entrance.pointee.sketch.store(sketch, ordering: .relaxed)
    }
}

/// A worker's view of the table. Valid while the table lives.
@safe @frozen
public struct FloodCounters: @unchecked Sendable, BitwiseCopyable {
    @usableFromInline let counters: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let entrances: UnsafeMutablePointer<Entrance>
    @usableFromInline let addresses: UnsafeMutablePointer<Atomic<UInt64>>

    init(
        counters: UnsafeMutablePointer<Atomic<UInt64>>, entrances: UnsafeMutablePointer<Entrance>,
        addresses: UnsafeMutablePointer<Atomic<UInt64>>
    ) {
        unsafe self.counters = unsafe counters
        unsafe self.entrances = unsafe entrances
        unsafe self.addresses = unsafe addresses
    }

    /// Counts a packet to a protected host and says whether its class is open there. `slot` must come
    /// from the host table that this table was made for; `time` in nanoseconds. What is `sifted` is counted as
    /// stopped by whoever stops it.
    @inlinable
    public func arrive(
        _ slot: HostSlot, _ floodClass: FloodClass?, bytes: UInt64, time: UInt64
    ) -> GateOutcome {
        let block = Int(slot) &* HostCounter.count
        increment(block &+ HostCounter.bytesIn.rawValue, by: bytes)
        guard let floodClass else {
            increment(block &+ HostCounter.otherIn.rawValue, by: 1)
            return .open
        }
        let offset = Int(floodClass.rawValue)
        increment(block &+ offset, by: 1)
        let outcome = unsafe entrance(slot, floodClass).pointee.gate.ask(time)
        if outcome == .denied || outcome == .throttled { countStopped(slot, floodClass) }
        return outcome
    }

    /// Which sketch counts the sources of a class at a host, from 1; 0 for none.
    @inlinable
    public func sketch(_ slot: HostSlot, _ floodClass: FloodClass) -> UInt32 {
        unsafe entrance(slot, floodClass).pointee.sketch.load(ordering: .relaxed)
    }

    /// When an attack on a class at a host began, at the earliest.
    public func onset(_ slot: HostSlot, _ floodClass: FloodClass) -> UInt64 {
        unsafe entrance(slot, floodClass).pointee.onset.load(ordering: .relaxed)
    }

    /// The Ethernet address of a host, as its own packets had it; 0 if none did.
    public func hardwareAddress(_ slot: HostSlot) -> UInt64 {
        unsafe addresses[Int(slot)].load(ordering: .relaxed)
    }

    @inlinable
    public func learn(_ slot: HostSlot, hardwareAddress address: UInt64) {
        let word = unsafe addresses + Int(slot)
        if unsafe word.pointee.load(ordering: .relaxed) != address {
            unsafe word.pointee.store(address, ordering: .relaxed)
        }
    }

    /// Whether SYNs to a host may be challenged, so that resets to it may be answers.
    public func challenges(_ slot: HostSlot) -> Bool { unsafe entrance(slot, .syn).pointee.gate.asksSieve }

    /// Whether a host's other TCP is attacked, of which the end of each handshake is.
    public func siftsHandshakes(_ slot: HostSlot) -> Bool { unsafe entrance(slot, .tcp).pointee.gate.sifts }

    @inlinable @inline(__always)
    func entrance(_ slot: HostSlot, _ floodClass: FloodClass) -> UnsafeMutablePointer<Entrance> {
        unsafe entrances + (Int(slot) &* 5 &+ Int(floodClass.rawValue))
    }

    @inlinable
    public func countStopped(_ slot: HostSlot, _ floodClass: FloodClass) {
        increment(Int(slot) &* HostCounter.count &+ HostCounter.synStopped.rawValue &+ Int(floodClass.rawValue), by: 1)
    }

    @inlinable
    public func count(_ slot: HostSlot, _ counter: HostCounter) {
        increment(Int(slot) &* HostCounter.count &+ counter.rawValue, by: 1)
    }

    /// Counts a packet from a protected host.
    @inlinable
    public func leave(_ slot: HostSlot, bytes: UInt64) {
        let block = Int(slot) &* HostCounter.count
        increment(block &+ HostCounter.packetsOut.rawValue, by: 1)
        increment(block &+ HostCounter.bytesOut.rawValue, by: bytes)
    }

    @inlinable
    public func countFinding(_ slot: HostSlot) {
        increment(Int(slot) &* HostCounter.count &+ HostCounter.findings.rawValue, by: 1)
    }

    @inlinable
    func increment(_ index: Int, by amount: UInt64) {
        let value = unsafe counters[index].load(ordering: .relaxed)
        unsafe counters[index].store(value &+ amount, ordering: .relaxed)
    }
}
