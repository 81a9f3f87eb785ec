import Configuration
import Control
import Glibc
import Intake
import Inventory
import Synchronization

/// The interfaces that are listened to, and the rings of all workers at them. The main thread opens, changes and
/// follows them; the control socket's reads their figures.
///
/// A worker gets its rings as a whole (`RingSet`), and others when an interface was made anew or the configuration
/// names other ones: rings that stay are the same in both, so that nothing of them is lost, and those that go are read
/// to their end first.
@safe
final class MirrorPorts: @unchecked Sendable {
    /// An interface and its rings, one a worker.
    @safe
    fileprivate struct Open {
        let port: MirrorPort
        let rings: [UnsafeMutablePointer<MirrorRing>]

        func close() {
            unsafe rings.forEach {
                unsafe $0.deinitialize(count: 1)
                unsafe $0.deallocate()
            }
        }
    }

    private let workers: Int
    private let ringBytes: Int
    private var settings: Settings.Mirror
    private var open: [Open] = []
    private var answers: UInt32 = 0
    /// What workers read, by worker.
    private var sets: [UnsafeMutablePointer<RingSet>] = unsafe []
    private let shown = Mutex<[MirrorPort]>([])
    /// Of the last rings that were to share an interface.
    private var group = UInt16(truncatingIfNeeded: getpid() &* 17)

    /// Opens all. Throws what keeps an interface from being listened to, in words for the operator.
    init(_ settings: Settings.Mirror, workers: Int) throws {
        self.workers = workers
        self.settings = settings
        ringBytes = settings.ringShare
        let change = try prepare(settings)
        open = change.open
        answers = change.answers
        change.opened.removeAll()
        unsafe sets = unsafe makeSets()
        shown.withLock { $0 = open.map(\.port) }
    }

    /// The workers must be gone.
    deinit {
        unsafe sets.forEach { unsafe MirrorPorts.free($0) }
        for place in open { place.close() }
    }

    /// In the order of the configuration.
    var ports: [MirrorPort] { shown.withLock { $0 } }

    /// What a worker reads at first.
    func set(of worker: Int) -> UnsafeMutablePointer<RingSet> { unsafe sets[worker] }

    // MARK: - Another configuration

    /// What another configuration comes to, opened but not in force. What was opened for it closes with it unless it
    /// was committed.
    final class Change {
        fileprivate let settings: Settings.Mirror
        fileprivate let answers: UInt32
        fileprivate var open: [Open] = []
        fileprivate var opened: [Open] = []

        fileprivate init(_ settings: Settings.Mirror, answers: UInt32) {
            self.settings = settings
            self.answers = answers
        }

        deinit { for place in opened { place.close() } }
    }

    /// Opens what is new. Throws what keeps it from being listened to, and then nothing has changed.
    func prepare(_ next: Settings.Mirror) throws -> Change {
        let change = Change(next, answers: try MirrorPorts.index(of: next.answer))
        for interface in next.interfaces {
            if let place = open.first(where: { $0.port.interface == interface }) {
                // What is wrong with a filter is found before anything has changed.
                if let filter = next.filter, place.port.index != nil {
                    _ = try FrameFilter(filter, interface: interface)
                }
                change.open.append(place)
                continue
            }
            let port = MirrorPort(interface, workers: workers)
            let place = unsafe Open(port: port, rings: try makeRings(interface, filter: next.filter))
            unsafe port.adopt(place.rings.map { unsafe $0.pointee.socket })
            change.opened.append(place)
            change.open.append(place)
        }
        return change
    }

    /// Puts it in force, and returns when all workers have it.
    func commit(_ change: Change, _ cells: [UnsafeMutablePointer<WorkerCell>]) throws {
        if change.settings.filter != settings.filter { try setFilter(change.settings.filter, change) }
        let isSame = change.settings == settings
        let gone = open.filter { place in !change.open.contains { $0.port === place.port } }
        settings = change.settings
        answers = change.answers
        open = change.open
        change.opened = []
        if !isSame { unsafe hand(to: cells) }
        shown.withLock { $0 = open.map(\.port) }
        for place in gone { place.close() }
    }

    /// For the rings that stay.
    private func setFilter(_ text: String?, _ change: Change) throws {
        for place in change.open where open.contains(where: { $0.port === place.port }) && place.port.index != nil {
            if let text {
                let filter = try FrameFilter(text, interface: place.port.interface)
                for socket in place.port.sockets { try socket.filter(by: filter) }
            } else {
                for socket in place.port.sockets { try socket.removeFilter() }
            }
        }
    }

    private static func index(of answer: Settings.Mirror.Answer?) throws -> UInt32 {
        guard let answer else { return 0 }
        let index = unsafe if_nametoindex(answer.interface)
        guard index != 0 else {
            throw ControlError(
                "there is no interface \(answer.interface) to answer by: correct mirror.answer.interface, or leave it out"
            )
        }
        return index
    }

    // MARK: - Interfaces that come and go

    /// What has become of an interface; `missing` in nanoseconds.
    struct News {
        var interface: String
        var condition: MirrorPort.Condition
        var missing: UInt64
        /// Why it cannot be listened to although it is there.
        var problem: String?
    }

    /// Listens again to interfaces that were made anew. `time`: monotonic.
    func follow(_ links: LinkTable, _ cells: [UnsafeMutablePointer<WorkerCell>], _ time: UInt64) -> [News] {
        var news: [News] = []
        for index in open.indices {
            let port = open[index].port
            let link = links[port.interface]
            var problem: String?
            if let link, port.index != link.index {
                do {
                    try unsafe reopen(index, cells)
                } catch {
                    problem = "\(error)"
                }
            }
            let condition: MirrorPort.Condition =
                link == nil || port.index != link?.index ? .gone : link?.isUp == true ? .listening : .down
            guard let change = port.note(condition, time) else { continue }
            news.append(
                News(interface: port.interface, condition: condition, missing: change.missing, problem: problem))
        }
        if let answer = settings.answer, let link = links[answer.interface], link.index != answers {
            answers = link.index
            unsafe hand(to: cells)
        }
        return news
    }

    private func reopen(_ index: Int, _ cells: [UnsafeMutablePointer<WorkerCell>]) throws {
        let former = open[index]
        let rings = unsafe try makeRings(former.port.interface, filter: settings.filter)
        open[index] = unsafe Open(port: former.port, rings: rings)
        unsafe hand(to: cells)
        // The former ones are read to their end by now.
        unsafe former.port.adopt(rings.map { unsafe $0.pointee.socket })
        former.close()
    }

    // MARK: - Rings

    /// Workers share an interface's frames by the same hash at each: the two directions of a flow may come by two
    /// interfaces. All join before any is opened, so that no frame is seen twice.
    private func makeRings(_ interface: String, filter: String?) throws -> [UnsafeMutablePointer<MirrorRing>] {
        var rings: [UnsafeMutablePointer<MirrorRing>] = unsafe []
        do {
            for _ in 0..<workers {
                let ring = UnsafeMutablePointer<MirrorRing>.allocate(capacity: 1)
                do {
                    unsafe ring.initialize(
                        to: try MirrorRing(interface: interface, memory: ringBytes, filter: filter))
                } catch {
                    unsafe ring.deallocate()
                    throw error
                }
                unsafe rings.append(ring)
            }
            // Of the whole network namespace: another's group of the same number would be refused, and so would be that
            // of rings at an interface that is gone.
            group &+= 1
            if workers > 1 { unsafe try rings.forEach { unsafe try $0.pointee.join(group: group) } }
            unsafe try rings.forEach { unsafe try $0.pointee.start() }
        } catch {
            unsafe Open(port: MirrorPort(interface, workers: 0), rings: rings).close()
            throw error
        }
        return unsafe rings
    }

    private func makeSets() -> [UnsafeMutablePointer<RingSet>] {
        unsafe (0..<workers).map { worker in
            let set = UnsafeMutablePointer<RingSet>.allocate(capacity: 1)
            unsafe set.initialize(
                to: RingSet(
                    open.map { unsafe RingSet.Place(ring: $0.rings[worker], gauges: $0.port.gauges + worker) },
                    answers: answers, rate: UInt64(max(1, (settings.answer?.rate ?? 0) / workers))))
            return unsafe set
        }
    }

    /// Gives every worker what it is to read, and returns when all have it.
    private func hand(to cells: [UnsafeMutablePointer<WorkerCell>]) {
        let next = unsafe makeSets()
        for worker in unsafe next.indices { unsafe cells[worker].pointee.rings.offer(next[worker]) }
        for worker in unsafe next.indices { unsafe MirrorPorts.free(cells[worker].pointee.rings.takeBack()) }
        unsafe sets = unsafe next
    }

    private static func free(_ set: UnsafeMutablePointer<RingSet>) {
        unsafe set.deinitialize(count: 1)
        unsafe set.deallocate()
    }
}
