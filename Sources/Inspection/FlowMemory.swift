public import Behaviour
import Conformance
import Evidence
import Floods
import Flows
public import Signatures
public import Topology

/// What a worker's flow table holds and has counted.
public struct FlowFigures: Sendable {
    public var count: UInt64 = 0
    public var evicted: UInt64 = 0
    public var held: UInt64 = 0
    public var refused: UInt64 = 0
    public var contradictions: UInt64 = 0
    public var unverified: UInt64 = 0
    public var gaps: UInt64 = 0

    init(_ table: borrowing FlowTable) {
        count = UInt64(table.count)
        evicted = table.counters.evicted
        held = table.counters.held
        refused = table.counters.refused
        contradictions = table.counters.contradictions
        unverified = table.counters.unverified
        gaps = table.counters.gaps
    }
}

/// What workers remember of flows and hosts. It outlives the programs: after a reload a flow is still what
/// it was.
@safe
public final class FlowMemory: @unchecked Sendable {
    public let workerCount: Int
    public let hostBits: HostBits
    public let thresholds: ThresholdTable
    public let tags: TagTable
    public let floods: FloodMemory
    public let behaviour: BehaviourMemory
    private let tables: UnsafeMutablePointer<FlowTable>
    /// By which each worker may look into the flows of all.
    let readers: UnsafeBufferPointer<FlowReader>
    private let neighbours: UnsafeMutablePointer<NeighbourMemory>
    private let sightings: [Ring<Sighting>]
    private let sightingWriters: UnsafeMutablePointer<Ring<Sighting>.Writer>
    private let fragmentTables: UnsafeMutablePointer<FragmentTable>

    /// All numbers are for all workers together; `datagrams` are those of which fragments came. `tellsFlows`: flows
    /// that end are kept until they are taken (`Inspector.takeEndedFlows`). `keeps`: packets at a flow's beginning, and
    /// from each on which something was found, that are evidence (`Inspector.keepPacket`). `seed` is the
    /// secret of all hashes: by default random inline, and in a replay the same each time, because a replay is
    /// to find the same each time. The last `listeners` of the workers look at things as `listening` says.
    public init(
        workers: Int, flows: Int = 1 << 17, streamBytes: Int = 32 << 20, datagrams: Int = 1 << 14,
        fragmentBytes: Int = 16 << 20, hostBits: Int = 1 << 16, thresholds: Int = 1 << 16, tags: Int = 1 << 12,
        tellsFlows: Bool = false, keeps: UInt8 = 0, mode: InspectionMode = .live, seed: UInt64? = nil,
        listeners: Int = 0, listening: InspectionMode? = nil
    ) {
        workerCount = max(1, workers)
        let seed = seed ?? (mode.isInline ? .random(in: .min ... .max) : 0)
        floods = FloodMemory(workers: workers, seed: seed)
        behaviour = BehaviourMemory(workers: workerCount, seed: seed)
        unsafe tables = .allocate(capacity: workerCount)
        unsafe neighbours = .allocate(capacity: workerCount)
        unsafe fragmentTables = .allocate(capacity: workerCount)
        sightings = (0..<workerCount).map { _ in Ring(capacity: FlowMemory.sightingCapacity) }
        unsafe sightingWriters = .allocate(capacity: workerCount)
        for (index, ring) in sightings.enumerated() {
            unsafe (sightingWriters + index).initialize(to: ring.makeWriter())
        }
        let share = max(16, flows / workerCount)
        for worker in 0..<workerCount {
            let mode = worker < workers - listeners ? mode : listening ?? mode
            let flowMode = FlowMode(
                isInline: mode.isInline, midstream: mode.midstream, passesExceptions: mode.passesExceptions,
                overlap: mode.segmentOverlap, urgent: mode.urgent)
            unsafe (tables + worker).initialize(
                to: FlowTable(
                    capacity: share, variables: share, streamBytes: streamBytes / workerCount, mode: flowMode,
                    endings: tellsFlows ? FlowMemory.endings : 0, seed: seed))
            unsafe tables[worker].keeps = keeps
            unsafe (fragmentTables + worker).initialize(
                to: FragmentTable(
                    capacity: max(16, datagrams / workerCount), bytes: fragmentBytes / workerCount, mode: flowMode,
                    policy: mode.fragmentOverlap, seed: seed))
            unsafe (neighbours + worker).initialize(to: NeighbourMemory(seed: seed))
        }
        let readers = UnsafeMutableBufferPointer<FlowReader>.allocate(capacity: workerCount)
        for worker in 0..<workerCount {
            unsafe readers.initializeElement(at: worker, to: tables[worker].reader)
        }
        unsafe self.readers = UnsafeBufferPointer(readers)
        self.hostBits = HostBits(capacity: hostBits, seed: seed)
        self.thresholds = ThresholdTable(capacity: thresholds, seed: seed)
        self.tags = TagTable(capacity: tags, seed: seed)
    }

    deinit {
        unsafe readers.deallocate()
        unsafe tables.deinitialize(count: workerCount)
        unsafe tables.deallocate()
        unsafe neighbours.deinitialize(count: workerCount)
        unsafe neighbours.deallocate()
        unsafe fragmentTables.deinitialize(count: workerCount)
        unsafe fragmentTables.deallocate()
        unsafe sightingWriters.deinitialize(count: workerCount)
        unsafe sightingWriters.deallocate()
    }

    /// Sightings that a worker may have waiting; they are taken ten times a second. A guest that claims more has to
    /// claim again.
    private static let sightingCapacity = 256

    /// Flows of a worker that may end before somebody takes them: more than a batch of packets can end.
    private static let endings = 2048

    /// The table of a worker, which alone may use it.
    func flows(_ worker: Int) -> UnsafeMutablePointer<FlowTable> {
        precondition((0..<workerCount).contains(worker))
        return unsafe tables + worker
    }

    /// The same for fragments.
    func fragments(_ worker: Int) -> UnsafeMutablePointer<FragmentTable> {
        precondition((0..<workerCount).contains(worker))
        return unsafe fragmentTables + worker
    }

    /// The same for who is where.
    func neighbours(_ worker: Int) -> UnsafeMutablePointer<NeighbourMemory> {
        precondition((0..<workerCount).contains(worker))
        return unsafe neighbours + worker
    }

    /// Where a worker says which addresses guests have.
    func sightings(_ worker: Int) -> UnsafeMutablePointer<Ring<Sighting>.Writer> {
        precondition((0..<workerCount).contains(worker))
        return unsafe sightingWriters + worker
    }

    /// What workers said of guests' addresses since the last call. One thread's at a time.
    public func takeSightings() -> [Sighting] {
        var all: [Sighting] = []
        for ring in sightings { ring.drain(max: FlowMemory.sightingCapacity) { all.append(copy $0) } }
        return all
    }

    /// What rules had to forget before its time, for want of room.
    public var forgotten: UInt64 { hostBits.evicted &+ thresholds.evicted &+ tags.evicted }

    /// Bytes for flows, their variables and the table that finds them; and bytes for what is kept of streams.
    public var bytes: (records: Int, streams: Int) {
        (0..<workerCount).reduce((0, 0)) {
            unsafe ($0.0 + tables[$1].recordBytes, $0.1 + tables[$1].streamBytes)
        }
    }

    public var memoryBytes: Int {
        (0..<workerCount).reduce(
            hostBits.memoryBytes + thresholds.memoryBytes + tags.memoryBytes + floods.memoryBytes
                + behaviour.memoryBytes + sightings.reduce(0) { $0 + $1.memory }
        ) {
            unsafe $0 + tables[$1].memoryBytes + fragmentTables[$1].memoryBytes + NeighbourMemory.memoryBytes
        }
    }
}
