public import Evidence
import Sketches
import Wire

/// What workers tell the watch, and what it tells them: a ring each, and who is refused. It outlives the programs.
@safe
public final class BehaviourMemory: @unchecked Sendable {
    /// Contacts that a worker may have waiting; the watch takes them ten times a second.
    static var ringCapacity: Int { 1 << 13 }
    /// Lines of eight for at most 4,096 sources that are denied: one in a line on average, so that hardly ever
    /// nine meet in one.
    private static var deniedLines: Int { 4096 }

    /// Valid while this lives.
    public let refusals: UnsafeMutablePointer<Refusals>
    /// Sources none of whose packets pass, by order of the operator or of who listens.
    public let denied: UnsafeMutablePointer<Refusals>
    let rings: [Ring<Contact>]
    let secret: SecretHash
    private let writers: UnsafeMutablePointer<Ring<Contact>.Writer>

    /// `seed` keys the tables. On a live network nobody may know it.
    public init(workers: Int, seed: UInt64 = .random(in: .min ... .max)) {
        secret = SecretHash(seed: seed)
        unsafe refusals = .allocate(capacity: 1)
        unsafe refusals.initialize(to: Refusals(secret: secret))
        unsafe denied = .allocate(capacity: 1)
        unsafe denied.initialize(to: Refusals(secret: secret, lines: BehaviourMemory.deniedLines))
        rings = (0..<workers).map { _ in Ring(capacity: BehaviourMemory.ringCapacity) }
        unsafe writers = .allocate(capacity: max(1, workers))
        for (index, ring) in rings.enumerated() { unsafe (writers + index).initialize(to: ring.makeWriter()) }
    }

    deinit {
        unsafe refusals.deinitialize(count: 1)
        unsafe refusals.deallocate()
        unsafe denied.deinitialize(count: 1)
        unsafe denied.deallocate()
        unsafe writers.deinitialize(count: rings.count)
        unsafe writers.deallocate()
    }

    /// Where a worker writes, which alone may.
    @safe
    public func contacts(_ worker: Int) -> UnsafeMutablePointer<Ring<Contact>.Writer> {
        precondition(rings.indices.contains(worker))
        return unsafe writers + worker
    }

    public var memoryBytes: Int {
        rings.reduce(unsafe refusals.pointee.memoryBytes + denied.pointee.memoryBytes) { $0 + $1.memory }
    }
}
