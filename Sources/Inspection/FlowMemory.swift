import Conformance
import Flows
public import Signatures

/// What workers remember of flows and hosts. It outlives the programs: after a reload a flow is still what
/// it was.
@safe
public final class FlowMemory: @unchecked Sendable {
    public let workerCount: Int
    public let hostBits: HostBits
    private let tables: UnsafeMutablePointer<FlowTable>
    private let neighbours: UnsafeMutablePointer<NeighbourMemory>

    /// `flows` and `streamBytes` are for all workers together.
    public init(
        workers: Int, flows: Int = 1 << 18, streamBytes: Int = 64 << 20, hostBits: Int = 1 << 16,
        mode: InspectionMode = .live
    ) {
        workerCount = max(1, workers)
        unsafe tables = .allocate(capacity: workerCount)
        unsafe neighbours = .allocate(capacity: workerCount)
        let share = max(16, flows / workerCount)
        for worker in 0..<workerCount {
            unsafe (tables + worker).initialize(
                to: FlowTable(
                    capacity: share, variables: share, streamBytes: streamBytes / workerCount,
                    mode: FlowMode(isInline: mode.isInline, midstream: mode.midstream)))
            // A replay is to find the same each time.
            let seed: UInt64 = mode.isInline ? .random(in: .min ... .max) : 0
            unsafe (neighbours + worker).initialize(to: NeighbourMemory(seed: seed))
        }
        self.hostBits = HostBits(capacity: hostBits)
    }

    deinit {
        unsafe tables.deinitialize(count: workerCount)
        unsafe tables.deallocate()
        unsafe neighbours.deinitialize(count: workerCount)
        unsafe neighbours.deallocate()
    }

    /// The table of a worker, which alone may use it.
    func flows(_ worker: Int) -> UnsafeMutablePointer<FlowTable> {
        precondition((0..<workerCount).contains(worker))
        return unsafe tables + worker
    }

    /// What a worker, which alone may use it, knows of who is where.
    func neighbours(_ worker: Int) -> UnsafeMutablePointer<NeighbourMemory> {
        precondition((0..<workerCount).contains(worker))
        return unsafe neighbours + worker
    }

    public var memoryBytes: Int {
        (0..<workerCount).reduce(hostBits.memoryBytes) {
            unsafe $0 + tables[$1].memoryBytes + NeighbourMemory.memoryBytes
        }
    }
}
