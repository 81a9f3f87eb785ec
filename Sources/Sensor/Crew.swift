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
        /// nil for a worker of the mirror.
        let queue: QueuePlace?
        /// The rings of a worker of the mirror; empty for one of a queue.
        let rings: [RingPlace]
        let core: Int
        let ring: EventRing
        let flowRing: Ring<FlowEvent>
        let kept: PacketRing
        fileprivate let cell: UnsafeMutablePointer<WorkerCell>
        fileprivate let gauges: UnsafeMutablePointer<RingGauges>
        fileprivate let thread: pthread_t
    }

    struct QueuePlace {
        let number: UInt16
        /// The second queue of the worker, for what of a flood is queued.
        let doubtful: UInt16?
        let setup: Queue.Setup
    }

    struct RingPlace {
        let interface: String
        let losses: MirrorLosses
    }

    /// Those of queues first.
    let members: [Member]
    var queues: ArraySlice<Member> { members.prefix { $0.queue != nil } }
    var listeners: ArraySlice<Member> { members.drop { $0.queue != nil } }

    /// Opens all queues and rings, then starts the threads: `cores` are those of the queues' workers,
    /// `listenerCores` those of the mirror's, which come after them. On an error nothing is left open.
    init(
        cores: [Int], listenerCores: [Int], settings: Settings, inspector: (Int) throws -> Inspector
    ) throws {
        // Two passes: a queue that somebody else has is found before any thread runs.
        var queues: [UnsafeMutablePointer<Queue>] = unsafe []
        var rings: [UnsafeMutablePointer<MirrorRing>] = unsafe []
        var inspectors: [UnsafeMutablePointer<Inspector>] = unsafe []
        let interfaces = settings.mirror?.interfaces ?? []
        if let answer = settings.mirror?.answer, unsafe if_nametoindex(answer.interface) == 0 {
            throw ControlError(
                "there is no interface \(answer.interface) to answer by: correct mirror.answer.interface, or leave it out"
            )
        }
        do {
            for index in cores.indices {
                let queue = UnsafeMutablePointer<Queue>.allocate(capacity: 1)
                unsafe queue.initialize(to: try Queue(settings.queue(of: index, workers: cores.count)))
                unsafe queues.append(queue)
            }
            for _ in listenerCores {
                unsafe rings.append(try Crew.rings(settings))
            }
            try unsafe Crew.share(rings, interfaces)
            for index in 0..<cores.count + listenerCores.count {
                let slot = UnsafeMutablePointer<Inspector>.allocate(capacity: 1)
                unsafe slot.initialize(to: try inspector(index))
                unsafe inspectors.append(slot)
            }
        } catch {
            unsafe queues.forEach { unsafe Crew.free($0) }
            unsafe rings.forEach { unsafe Crew.free($0, interfaces.count) }
            unsafe inspectors.forEach { unsafe Crew.free($0) }
            throw error
        }
        let flowHash = SecretHash(seed: .random(in: .min ... .max))
        let limiter = EventLimiter()
        let answers = settings.mirror?.answer.map { unsafe if_nametoindex($0.interface) } ?? 0
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
                        queue: QueuePlace(number: place.number, doubtful: place.doubtful, setup: setup), rings: [],
                        core: cores[index], ring: ring, flowRing: flowRing, kept: kept, cell: cell,
                        gauges: UnsafeMutablePointer<RingGauges>.allocate(capacity: 1), thread: thread))
            } else {
                let number = index - cores.count
                let own = unsafe rings[number]
                let gauges = UnsafeMutablePointer<RingGauges>.allocate(capacity: interfaces.count)
                for i in interfaces.indices { unsafe (gauges + i).initialize(to: RingGauges()) }
                let places = interfaces.indices.map {
                    unsafe RingPlace(interface: interfaces[$0], losses: own[$0].losses)
                }
                nonisolated(unsafe) let worker = UnsafeMutablePointer<MirrorWorker>.allocate(capacity: 1)
                unsafe worker.initialize(
                    to: MirrorWorker(
                        rings: own, count: interfaces.count, inspector: inspectors[index], events: ring.makeWriter(),
                        flows: flowRing.makeWriter(), packets: kept.makeWriter(), limiter: limiter, cell: cell,
                        gauges: gauges, flowHash: flowHash, answers: answers,
                        rate: max(1, (settings.mirror?.answer?.rate ?? 0) / listenerCores.count)))
                let thread = unsafe Crew.start("mirror \(number)", on: listenerCores[number], cell) {
                    unsafe worker.pointee.run()
                    unsafe Crew.free(worker)
                }
                unsafe members.append(
                    Member(
                        queue: nil, rings: places, core: listenerCores[number], ring: ring, flowRing: flowRing,
                        kept: kept, cell: cell, gauges: gauges, thread: thread))
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

    // MARK: - Rings

    /// Those of one worker, one an interface.
    private static func rings(_ settings: Settings) throws -> UnsafeMutablePointer<MirrorRing> {
        let mirror = settings.mirror ?? Settings.Mirror()
        let rings = UnsafeMutablePointer<MirrorRing>.allocate(capacity: max(1, mirror.interfaces.count))
        for (index, interface) in mirror.interfaces.enumerated() {
            do {
                unsafe (rings + index).initialize(
                    to: try MirrorRing(interface: interface, memory: mirror.ringShare, filter: mirror.filter))
            } catch {
                unsafe free(rings, index)
                throw error
            }
        }
        return unsafe rings
    }

    /// Workers share an interface's frames by the same hash at each: the two directions of a flow may come by two
    /// interfaces. All join before any is opened, so that no frame is seen twice.
    private static func share(_ rings: [UnsafeMutablePointer<MirrorRing>], _ interfaces: [String]) throws {
        for index in interfaces.indices {
            // Of the whole network namespace: another's group of the same number would be refused.
            let group = UInt16(truncatingIfNeeded: getpid() &* 17 &+ Int32(index))
            if unsafe rings.count > 1 {
                unsafe try rings.forEach { unsafe try $0[index].join(group: group) }
            }
        }
        for index in interfaces.indices { unsafe try rings.forEach { unsafe try $0[index].start() } }
    }

    private static func free<T: ~Copyable>(_ pointer: UnsafeMutablePointer<T>, _ count: Int) {
        unsafe pointer.deinitialize(count: count)
        unsafe pointer.deallocate()
    }

    private static func free<T: ~Copyable>(_ pointer: UnsafeMutablePointer<T>) {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    // MARK: - Reload

    /// Gives every worker a new inspector and waits until all have taken it (a worker looks every 50 ms at
    /// least). The old ones are freed here.
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
        for member in members {
            unsafe Crew.free(member.cell)
            unsafe Crew.free(member.gauges, member.rings.count)
        }
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
    /// Of one of its rings.
    func figures(of ring: Int) -> (packets: UInt64, bytes: UInt64, left: UInt64, errors: UInt64) {
        unsafe (
            gauges[ring].packets.value, gauges[ring].bytes.value, gauges[ring].left.value, gauges[ring].errors.value
        )
    }
}

extension Settings {
    /// The queues of a worker.
    fileprivate func queue(of worker: Int, workers: Int) -> QueueSettings {
        QueueSettings(
            number: queues.first + UInt16(worker), doubtful: doubtfulQueue(of: worker, workers: workers),
            length: queues.length, failOpen: divert.whenOverloaded == .pass, receiveBuffer: queues.receiveBuffer)
    }
}
