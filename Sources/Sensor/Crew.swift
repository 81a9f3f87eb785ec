import CLinux
import Configuration
import Control
import Evidence
import Events
import Glibc
import Inspection
import Intake
import Inventory
import Offload
import Synchronization
import Wire

/// The workers, and what is shared with each of them.
///
/// The one place where packet-path state is handed between threads: a worker is built here, moved into its
/// thread, and owns itself from then on.
@safe
final class Crew: @unchecked Sendable {
    @safe
    struct Member: @unchecked Sendable {
        /// nil for a worker of the mirror.
        let queue: QueuePlace?
        let core: Int
        let ring: EventRing
        let flowRing: Ring<FlowEvent>
        let kept: PacketRing
        /// Who is to be denied, of a worker of the mirror.
        let accusations: Ring<Accusation>?
        fileprivate let cell: UnsafeMutablePointer<WorkerCell>
        fileprivate let thread: pthread_t
    }

    struct QueuePlace {
        let number: UInt16
        /// The second queue of the worker, for what of a flood is queued.
        let doubtful: UInt16?
        let setup: Queue.Setup
    }

    /// Those of queues first.
    let members: [Member]
    var queues: ArraySlice<Member> { members.prefix { $0.queue != nil } }
    var listeners: ArraySlice<Member> { members.drop { $0.queue != nil } }
    /// nil where nothing is listened to.
    let mirror: MirrorPorts?

    /// Opens all queues and rings, then starts the threads: `cores` are those of the queues' workers,
    /// `listenerCores` those of the mirror's, which come after them. On an error nothing is left open.
    init(
        cores: [Int], listenerCores: [Int], settings: Settings, inspector: (Int) throws -> Inspector
    ) throws {
        // Two passes: a queue that somebody else has is found before any thread runs.
        var queues: [UnsafeMutablePointer<Queue>] = unsafe []
        var inspectors: [UnsafeMutablePointer<Inspector>] = unsafe []
        do {
            for index in cores.indices {
                let queue = UnsafeMutablePointer<Queue>.allocate(capacity: 1)
                unsafe queue.initialize(to: try Queue(settings.queue(of: index, workers: cores.count)))
                unsafe queues.append(queue)
            }
            mirror = try settings.mirror.map { try MirrorPorts($0, workers: listenerCores.count) }
            for index in 0..<cores.count + listenerCores.count {
                let slot = UnsafeMutablePointer<Inspector>.allocate(capacity: 1)
                unsafe slot.initialize(to: try inspector(index))
                unsafe inspectors.append(slot)
            }
        } catch {
            unsafe queues.forEach { unsafe Crew.free($0) }
            unsafe inspectors.forEach { unsafe Crew.free($0) }
            throw error
        }
        let flowHash = SecretHash(seed: .random(in: .min ... .max))
        let limiter = EventLimiter()
        let share = settings.evidence.memory / (cores.count + listenerCores.count)
        var members: [Member] = []
        for index in 0..<cores.count + listenerCores.count {
            nonisolated(unsafe) let cell = UnsafeMutablePointer<WorkerCell>.allocate(capacity: 1)
            unsafe cell.initialize(to: WorkerCell())
            let ring = EventRing(capacity: settings.events.ring)
            let kept = PacketRing(memory: share)
            let flowRing = Ring<FlowEvent>(capacity: settings.events.flows ? FlowReporter.capacity : 2)
            if index < cores.count {
                let setup = unsafe queues[index].pointee.setup
                let place = unsafe queues[index].pointee.settings
                nonisolated(unsafe) let worker = UnsafeMutablePointer<Worker>.allocate(capacity: 1)
                unsafe worker.initialize(
                    to: Worker(
                        queue: queues[index].move(), inspector: inspectors[index], events: ring.makeWriter(),
                        flows: flowRing.makeWriter(), packets: kept.makeWriter(), limiter: limiter, cell: cell,
                        flowHash: flowHash))
                unsafe queues[index].deallocate()
                let thread = unsafe Crew.start("worker \(index)", on: cores[index], cell) {
                    unsafe worker.pointee.run()
                    unsafe Crew.free(worker)
                }
                unsafe members.append(
                    Member(
                        queue: QueuePlace(number: place.number, doubtful: place.doubtful, setup: setup),
                        core: cores[index], ring: ring, flowRing: flowRing, kept: kept, accusations: nil, cell: cell,
                        thread: thread))
            } else if let mirror {
                let number = index - cores.count
                let accusations = Ring<Accusation>(capacity: Accuser.capacity)
                nonisolated(unsafe) let worker = UnsafeMutablePointer<MirrorWorker>.allocate(capacity: 1)
                unsafe worker.initialize(
                    to: MirrorWorker(
                        set: mirror.set(of: number), inspector: inspectors[index], events: ring.makeWriter(),
                        flows: flowRing.makeWriter(), packets: kept.makeWriter(), limiter: limiter, cell: cell,
                        flowHash: flowHash, accusations: accusations.makeWriter()))
                let thread = unsafe Crew.start("mirror \(number)", on: listenerCores[number], cell) {
                    unsafe worker.pointee.run()
                    unsafe Crew.free(worker)
                }
                unsafe members.append(
                    Member(
                        queue: nil, core: listenerCores[number], ring: ring, flowRing: flowRing, kept: kept,
                        accusations: accusations, cell: cell, thread: thread))
            }
        }
        self.members = members
    }

    private static func start(
        _ name: String, on core: Int, _ cell: UnsafeMutablePointer<WorkerCell>, _ run: @escaping @Sendable () -> Void
    ) -> pthread_t {
        nonisolated(unsafe) let cell = unsafe cell
        return Thread.start(named: name) {
            let error = flinch_pin_to_core(Int32(core))
            if error != 0 { unsafe cell.pointee.pinError.store(error, ordering: .relaxed) }
            unsafe cell.pointee.thread.store(flinch_thread_identifier(), ordering: .relaxed)
            run()
        }
    }

    private static func free<T: ~Copyable>(_ pointer: UnsafeMutablePointer<T>) {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    // MARK: - Reload

    /// Gives every worker a new inspector and waits until all have taken it. The old ones are freed here.
    ///
    /// Those of the mirror take it from the frames on that came after `since`, packets' clock.
    func adopt(since: UInt64 = 0, _ make: (Int) throws -> Inspector) throws {
        var fresh: [UnsafeMutablePointer<Inspector>] = unsafe []
        do {
            for index in members.indices {
                let slot = UnsafeMutablePointer<Inspector>.allocate(capacity: 1)
                unsafe slot.initialize(to: try make(index))
                unsafe fresh.append(slot)
            }
        } catch {
            unsafe fresh.forEach { unsafe Crew.free($0) }
            throw error
        }
        for (index, member) in members.enumerated() {
            unsafe member.cell.pointee.nextSince.store(since, ordering: .relaxed)
            unsafe member.cell.pointee.inspector.offer(fresh[index])
        }
        for member in members { unsafe Crew.free(member.cell.pointee.inspector.takeBack()) }
    }

    /// Opens what another configuration of the mirror comes to. Throws what keeps it from being taken over.
    func prepare(_ settings: Settings.Mirror?) throws -> MirrorPorts.Change? {
        guard let mirror, let settings else { return nil }
        return try mirror.prepare(settings)
    }

    /// Puts it in force.
    func commit(_ change: MirrorPorts.Change?) throws {
        guard let mirror, let change else { return }
        try unsafe mirror.commit(change, listeners.map { unsafe $0.cell })
    }

    /// Follows what is listened to. `time`: monotonic.
    func follow(_ links: LinkTable, _ time: UInt64) -> [MirrorPorts.News] {
        unsafe mirror?.follow(links, listeners.map { unsafe $0.cell }, time) ?? []
    }

    // MARK: - Stop

    /// Tells the workers to leave once their queues are empty, or in `patience` nanoseconds at the latest,
    /// and waits for them.
    func stop(patience: UInt64) {
        let deadline = flinch_now() &+ patience
        for member in members {
            unsafe member.cell.pointee.deadline.store(deadline, ordering: .relaxed)
            unsafe member.cell.pointee.stopping.store(true, ordering: .relaxed)
        }
        for member in members { _ = pthread_join(member.thread, nil) }
    }

    deinit {
        for member in members { unsafe Crew.free(member.cell) }
    }
}

extension Crew.Member {
    var latency: Latency { unsafe cell.pointee.latency.value }
    var packets: UInt64 { unsafe cell.pointee.packets.value }
    var batches: UInt64 { unsafe cell.pointee.batches.value }
    var unreadable: UInt64 { unsafe cell.pointee.unreadable.value &+ (queue?.setup.answeredEarly ?? 0) }
    var withheld: UInt64 { unsafe cell.pointee.withheld.value }
    /// Events that found no room.
    var lost: UInt64 { unsafe ring.lost &+ flowRing.lost &+ cell.pointee.flowsUntold.value }
    var rejectsSent: UInt64 { unsafe cell.pointee.rejectsSent.value }
    var rejectsWithheld: UInt64 { unsafe cell.pointee.rejectsWithheld.value }
    func addFlows(to sum: inout Status.Flows) { unsafe cell.pointee.flows.add(to: &sum) }
    var receiveErrors: UInt64 { unsafe cell.pointee.receiveErrors.value }
    var commitErrors: UInt64 { unsafe cell.pointee.commitErrors.value }
    var framesSent: UInt64 { unsafe cell.pointee.framesSent.value }
    var frameErrors: UInt64 { unsafe cell.pointee.frameErrors.value }
    /// 0, or why the thread could not be pinned (an errno value).
    var pinError: Int32 { unsafe cell.pointee.pinError.load(ordering: .relaxed) }
    /// Identifier of the worker's thread; 0 before it runs.
    var threadIdentifier: Int32 { unsafe cell.pointee.thread.load(ordering: .relaxed) }
}

extension Settings {
    /// The queues of a worker.
    fileprivate func queue(of worker: Int, workers: Int) -> QueueSettings {
        QueueSettings(
            number: queues.first + UInt16(worker), doubtful: doubtfulQueue(of: worker, workers: workers),
            length: queues.length, failOpen: divert.whenOverloaded == .pass, receiveBuffer: queues.receiveBuffer)
    }
}
