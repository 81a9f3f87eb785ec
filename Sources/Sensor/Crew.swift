import CLinux
import Configuration
import Control
import Evidence
import Events
import Glibc
import Inspection
import Intake
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
        let number: UInt16
        /// The second queue of the worker, for what of a flood is queued.
        let doubtful: UInt16?
        let core: Int
        let setup: Queue.Setup
        let ring: EventRing
        let flowRing: Ring<FlowEvent>
        let kept: PacketRing
        fileprivate let cell: UnsafeMutablePointer<WorkerCell>
        fileprivate let thread: pthread_t
    }

    let members: [Member]

    /// Opens all queues, then starts the threads. On an error nothing is left open.
    init(
        cores: [Int], settings: Settings, inspector: (Int) throws -> Inspector
    ) throws {
        // Two passes: a queue that somebody else has is found before any thread runs.
        var queues: [UnsafeMutablePointer<Queue>] = unsafe []
        var inspectors: [UnsafeMutablePointer<Inspector>] = unsafe []
        do {
            for index in cores.indices {
                let queue = UnsafeMutablePointer<Queue>.allocate(capacity: 1)
                unsafe queue.initialize(
                    to: try Queue(
                        QueueSettings(
                            number: settings.queues.first + UInt16(index),
                            doubtful: settings.doubtfulQueue(of: index, workers: cores.count),
                            length: settings.queues.length,
                            failOpen: settings.divert.whenOverloaded == .pass,
                            receiveBuffer: settings.queues.receiveBuffer)))
                unsafe queues.append(queue)
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
        members = cores.indices.map { index in
            nonisolated(unsafe) let cell = UnsafeMutablePointer<WorkerCell>.allocate(capacity: 1)
            unsafe cell.initialize(to: WorkerCell())
            let ring = EventRing(capacity: settings.events.ring)
            let kept = PacketRing(memory: settings.evidence.memory / cores.count)
            let flowRing = Ring<FlowEvent>(capacity: settings.events.flows ? FlowReporter.capacity : 2)
            let setup = unsafe queues[index].pointee.setup
            nonisolated(unsafe) let worker = UnsafeMutablePointer<Worker>.allocate(capacity: 1)
            unsafe worker.initialize(
                to: Worker(
                    queue: queues[index].move(), inspector: inspectors[index], events: ring.makeWriter(),
                    flows: flowRing.makeWriter(), packets: kept.makeWriter(), limiter: limiter, cell: cell,
                    flowHash: flowHash))
            unsafe queues[index].deallocate()
            let core = cores[index]
            let thread = Thread.start(named: "worker \(index)") {
                let error = flinch_pin_to_core(Int32(core))
                if error != 0 { unsafe cell.pointee.pinError.store(error, ordering: .relaxed) }
                unsafe cell.pointee.thread.store(flinch_thread_identifier(), ordering: .relaxed)
                unsafe worker.pointee.run()
                unsafe worker.deinitialize(count: 1)
                unsafe worker.deallocate()
            }
            return unsafe Member(
                number: settings.queues.first + UInt16(index),
                doubtful: settings.doubtfulQueue(of: index, workers: cores.count), core: core, setup: setup,
                ring: ring, flowRing: flowRing, kept: kept, cell: cell, thread: thread)
        }
    }

    private static func free<T: ~Copyable>(_ pointer: UnsafeMutablePointer<T>) {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    // MARK: - Reload

    /// Gives every worker a new inspector and waits until all have taken it (a worker looks every 50 ms at
    /// least). The old ones are freed here.
    func adopt(_ make: (Int) throws -> Inspector) throws {
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
            unsafe member.cell.pointee.next.store(UInt(bitPattern: fresh[index]), ordering: .releasing)
        }
        for member in members {
            var old: UInt = 0
            while old == 0 {
                old = unsafe member.cell.pointee.retired.exchange(0, ordering: .acquiring)
                if old == 0 { usleep(1_000) }
            }
            if let inspector = unsafe UnsafeMutablePointer<Inspector>(bitPattern: old) {
                unsafe Crew.free(inspector)
            }
        }
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
    var packets: UInt64 { unsafe cell.pointee.packets.value }
    var batches: UInt64 { unsafe cell.pointee.batches.value }
    var unreadable: UInt64 { unsafe cell.pointee.unreadable.value &+ setup.answeredEarly }
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
