import Evidence
import Synchronization
import Wire

/// What is counted for one host by one worker. The raw value is the counter's place in a block of 16,
/// two cache lines.
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
    case unused

    @inlinable public static var count: Int { 16 }
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
    /// The block of worker w, host h starts at `(w * slotCount + h) * 16`.
    nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>
    nonisolated(unsafe) let gates: UnsafeMutablePointer<Gate>

    public init(slotCount: Int, workerCount: Int) {
        self.slotCount = slotCount
        self.workerCount = workerCount
        let total = max(1, slotCount * workerCount * HostCounter.count)
        unsafe counters = .allocate(capacity: total)
        for i in 0..<total { unsafe (counters + i).initialize(to: Atomic(0)) }
        let gateCount = max(1, slotCount * FloodClass.allCases.count)
        unsafe gates = .allocate(capacity: gateCount)
        for i in 0..<gateCount { unsafe (gates + i).initialize(to: Gate()) }
    }

    deinit {
        unsafe counters.deallocate()
        unsafe gates.deallocate()
    }

    /// Bytes held.
    public var memoryBytes: Int { FloodTable.memoryBytes(slots: slotCount, workers: workerCount) }

    static func memoryBytes(slots: Int, workers: Int) -> Int {
        slots
            * (workers * HostCounter.count * MemoryLayout<UInt64>.stride
                + FloodClass.allCases.count * MemoryLayout<Gate>.stride)
    }

    /// What worker `index` counts with.
    public func worker(_ index: Int) -> FloodCounters {
        precondition((0..<workerCount).contains(index))
        return unsafe FloodCounters(
            counters: counters + index * slotCount * HostCounter.count, gates: gates)
    }

    /// One counter of one host, summed over the workers.
    public func sum(_ slot: Int, _ counter: Int) -> UInt64 {
        precondition((0..<slotCount).contains(slot) && (0..<HostCounter.count).contains(counter))
        var total: UInt64 = 0
        for worker in 0..<workerCount {
            let index = (worker * slotCount + slot) * HostCounter.count + counter
            total &+= unsafe counters[index].load(ordering: .relaxed)
        }
        return total
    }

    public func sum(_ slot: Int, _ counter: HostCounter) -> UInt64 { sum(slot, counter.rawValue) }

    /// Opens or closes the gate of a class at a host.
    public func setGate(_ slot: Int, _ floodClass: FloodClass, _ setting: GateSetting) {
        precondition((0..<slotCount).contains(slot))
        unsafe gates[slot * FloodClass.allCases.count + Int(floodClass.rawValue)].set(setting)
    }
}

/// A worker's view of the table. Valid while the table lives.
@safe @frozen
public struct FloodCounters: @unchecked Sendable, BitwiseCopyable {
    @usableFromInline let counters: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let gates: UnsafeMutablePointer<Gate>

    @inlinable
    init(counters: UnsafeMutablePointer<Atomic<UInt64>>, gates: UnsafeMutablePointer<Gate>) {
        unsafe self.counters = unsafe counters
        unsafe self.gates = unsafe gates
    }

    /// Counts a packet to a protected host and says whether its class is open there. `slot` must come
    /// from the host table that this table was made for; `time` in nanoseconds.
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
        let outcome = unsafe gates[Int(slot) &* 5 &+ offset].ask(time)
        if outcome != .open {
            increment(block &+ HostCounter.synStopped.rawValue &+ offset, by: 1)
        }
        return outcome
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
