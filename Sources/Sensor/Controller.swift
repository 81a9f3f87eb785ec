import Behaviour
import CLinux
import Configuration
import Control
import Evidence
import Floods
import Inspection
import Intake
import Offload
import Policy
import Signatures
import Synchronization
import Topology
import Wire

/// What the control plane knows and does ten times a second: floods, the kernel's losses, rates. Shared by
/// the sensor's main thread, which steps it, and the control socket's, which asks it for a status.
final class Controller: Sendable {
    private struct State {
        var program: Program
        var floods: FloodController
        var watch: BehaviourWatch
        var losses: KernelLosses
        var workerPackets: [[UInt64]]  // sums of the last ten steps, [step][worker]
        var generation = 1
        var lastError: String?
    }

    private let state: Mutex<State>
    private let crew: Crew
    private let tally: Tally
    private let started: UInt64

    init(program: Program, crew: Crew, tally: Tally, losses: KernelLosses, time: UInt64) {
        self.crew = crew
        self.tally = tally
        started = time
        state = Mutex(
            State(
                program: program,
                floods: FloodController(
                    table: program.floods, guests: program.guestFloods, memory: program.floodMemory),
                watch: program.makeWatch(), losses: losses,
                workerPackets: Array(repeating: Array(repeating: 0, count: crew.members.count), count: 10)))
    }

    /// What came of a step.
    struct Findings {
        var floods: [FloodEvent]
        var behaviour: [BehaviourEvent]
    }

    /// One step of the floods and of the watch over behaviour; every tenth also reads the kernel's counters.
    /// `offloaded` is what the kernel dropped by itself since the last step.
    func step(
        _ index: Int, _ time: UInt64, offloaded: [(order: FloodOrder, packets: UInt64)] = []
    ) -> Findings {
        state.withLock { state in
            let program = state.program
            for (order, packets) in offloaded { state.floods.countOffloaded(order, packets: packets) }
            let events = state.floods.step(time, identify: program.identify, release: program.hosts.release)
            state.workerPackets[index % 10] = crew.members.map(\.packets)
            if index % 10 == 0 {
                state.losses.read(crew.queues)
                state.floods.adaptShare(lost: state.losses.lostOfFloods(crew.queues))
            }
            return Findings(floods: events, behaviour: state.watch.step(time))
        }
    }

    /// What the kernel is to do by itself.
    struct Orders {
        var orders: [FloodOrder]
        /// What most SYNs of the floods look like.
        var hostile: [RequestShape]
        /// Knows who has proved itself.
        var memory: FloodMemory
    }

    func orders(_ time: UInt64) -> Orders {
        state.withLock { state in
            Orders(
                orders: state.floods.orders(
                    time, identify: state.program.identify, isShared: state.program.hosts.isShared),
                hostile: state.floods.hostileShapes, memory: state.program.floodMemory)
        }
    }

    /// Takes over a reloaded program, or one that follows the guests, whose inspectors the workers already have.
    func adopt(_ program: Program, _ time: UInt64, isFollowing: Bool = false) -> Findings {
        state.withLock { state in
            let former = state.program
            var events: [FloodEvent] = []
            let same = program.hosts.continues(former.hosts)
            if program.floods === former.floods {
                state.floods.replaceLimits(program.guestFloods, identify: program.identify)
            } else {
                events = state.floods.closeAll(time, identify: former.identify)
                state.floods = FloodController(
                    table: program.floods, guests: program.guestFloods, memory: program.floodMemory)
            }
            state.program = program
            if !isFollowing {
                state.generation += 1
                state.lastError = nil
            }
            let behaviour = state.watch.adopt(
                program.watchedGuests, learning: program.settings.behaviour.learning, same: same, time: time,
                identify: program.guest)
            return Findings(floods: events, behaviour: behaviour)
        }
    }

    /// What runs now.
    var program: Program { state.withLock { $0.program } }

    /// No flood is open.
    var isQuiet: Bool { state.withLock { $0.floods.open.isEmpty } }

    func refuseReload(_ why: String) {
        state.withLock { $0.lastError = why }
    }

    /// What was not inspected, once no more packets come to the queues, which must still be bound. Read twice
    /// because one reading does not tell a packet on its way from one that was passed.
    func settleLosses() -> Status.Uninspected {
        state.withLock { state in
            state.losses.read(crew.queues)
            state.losses.read(crew.queues)
            return state.losses.uninspected(crew.queues, passedFragments: tally.passedFragments())
        }
    }

    /// Closes what is open.
    func finish(_ time: UInt64) -> Findings {
        state.withLock { state in
            Findings(
                floods: state.floods.closeAll(time, identify: state.program.identify),
                behaviour: state.watch.closeAll(time))
        }
    }

    // MARK: - Status

    /// `base` is what the sensor knows of itself; the rest is filled in here.
    func fill(_ base: Status) -> Status {
        state.withLock { state in
            var status = base
            state.losses.read(crew.queues)
            let time = flinch_now()
            status.uptime = Double(time &- started) / 1e9
            status.shadow = state.program.settings.shadow
            status.queues = queues(state)
            status.mirrors = mirrors(state)
            status.guests = guests(state)
            status.floods = state.floods.open.values.sorted { $0.identifier < $1.identifier }
                .compactMap { flood($0, state, time) }
            status.behaviour = behaviour(state.watch, time)
            status.verdicts = verdicts(offloaded: state.losses.floodDropped)
            status.uninspected = state.losses.uninspected(
                crew.queues, passedFragments: tally.passedFragments())
            status.fragments = Status.Fragments(tally.fragments())
            for member in crew.members { member.addFlows(to: &status.flows) }
            status.rules = Status.Rules(
                loaded: state.program.rules.rules.count, rejected: state.program.rules.problems.count,
                generation: state.generation, lastError: state.lastError,
                forgotten: state.program.memory.forgotten)
            return status
        }
    }

    private func queues(_ state: borrowing State) -> [Status.Queue] {
        crew.queues.enumerated().compactMap { index, member in
            guard let queue = member.queue else { return nil }
            let (user, system) = ThreadTimes.read(member.threadIdentifier)
            let sums = state.workerPackets.map { $0[index] }
            let kernel = [queue.number, queue.doubtful].compactMap { $0.flatMap { state.losses.queues[$0] } }
            return Status.Queue(
                number: queue.number, core: member.core, packets: member.packets,
                rate: (sums.max() ?? 0) - (sums.min() ?? 0), waiting: kernel.reduce(0) { $0 + UInt64($1.waiting) },
                dropped: kernel.reduce(0) { $0 + UInt64($1.dropped) },
                undelivered: kernel.reduce(0) { $0 + UInt64($1.undelivered) },
                batches: member.batches, userTime: user, systemTime: system,
                latency: member.latency)
        }
    }

    /// One an interface.
    private func mirrors(_ state: borrowing State) -> [Status.Mirror] {
        let listeners = crew.listeners
        let times = listeners.map { ThreadTimes.read($0.threadIdentifier) }
        let sums = state.workerPackets.map { $0.suffix(listeners.count).reduce(0, &+) }
        return (crew.mirror?.ports ?? []).enumerated().map { index, port in
            var row = Status.Mirror(port, workers: listeners.count)
            // Threads read all interfaces: their figures are shown with the first.
            guard index == 0 else { return row }
            row.rate = (sums.max() ?? 0) - (sums.min() ?? 0)
            row.userTime = times.reduce(0) { $0 + $1.user }
            row.systemTime = times.reduce(0) { $0 + $1.system }
            return row
        }
    }

    /// Every host that is named singly, and of the prefixes those that were seen, the busiest first.
    private func guests(_ state: borrowing State) -> [Status.Guest] {
        let program = state.program
        let floods = state.floods
        var rows: [(active: UInt64, row: Status.Guest)] = []
        for slot in 0..<program.hosts.slotCount {
            guard let host = program.identify(slot) else { continue }
            let guest = floods.guests[host.guest]
            let total =
                floods.total(slot, HostCounter.bytesIn.rawValue)
                &+ floods.total(slot, HostCounter.bytesOut.rawValue)
            let named = program.settings.guests[host.guest].guest.addresses.contains {
                $0.isSingle && $0.base == host.address
            }
            // What is no guest's any more keeps its slot, where nobody finds it.
            guard named || total > 0, program.hosts.isShared(slot) || program.guest(of: host.address) == host.guest
            else { continue }
            var row = Status.Guest(
                name: guest.name,
                address: program.hosts.isShared(slot) ? "\(host.address) …" : "\(host.address)",
                shadow: guest.shadow, mode: program.settings.guests[host.guest].mode.rawValue,
                packetsIn: 0, bitsIn: floods.rate(slot, .bytesIn) &* 8,
                packetsOut: floods.rate(slot, .packetsOut), bitsOut: floods.rate(slot, .bytesOut) &* 8,
                rates: [:], received: [:], dropped: [:], alerts: floods.total(slot, HostCounter.findings.rawValue))
            for floodClass in FloodClass.allCases {
                let offset = Int(floodClass.rawValue)
                row.rates[floodClass.name] = floods.rate(slot, HostCounter(rawValue: offset)!)
                row.received[floodClass.name] = floods.total(slot, offset)
                row.dropped[floodClass.name] = floods.total(slot, HostCounter.synStopped.rawValue + offset)
            }
            row.packetsIn = row.rates.values.reduce(floods.rate(slot, .otherIn), &+)
            rows.append((named ? .max : total, row))
        }
        return rows.sorted { $0.active > $1.active }.prefix(1000).map(\.row)
    }

    private func flood(
        _ flood: FloodController.OpenFlood, _ state: borrowing State, _ time: UInt64
    ) -> Status.Flood? {
        guard let host = state.program.identify(flood.slot) else { return nil }
        let guest = state.floods.guests[host.guest]
        return Status.Flood(
            identifier: flood.identifier, guest: guest.name, address: "\(host.address)",
            floodClass: flood.floodClass.name, concern: "\(flood.concern)", action: "\(flood.limit.action)",
            shadow: guest.shadow, seconds: Double(time > flood.opened ? time - flood.opened : 0) / 1e9,
            rate: flood.rate, peakRate: flood.peakRate, packets: state.floods.received(by: flood),
            dropped: state.floods.stopped(by: flood), sources: state.floods.sources(of: flood),
            sieve: state.floods.sieve(of: flood)?.byName, offloaded: state.floods.offloaded(by: flood))
    }

    private func behaviour(_ watch: BehaviourWatch, _ time: UInt64) -> Status.Behaviour {
        let figures = watch.figures
        var status = Status.Behaviour(
            contacts: figures.contacts, lost: figures.lost, unreported: figures.unreported, peers: figures.peers,
            peersForgotten: figures.peersForgotten)
        for kind in BehaviourKind.allCases where watch.raised[Int(kind.rawValue)] > 0 {
            status.raised[kind.identifier] = watch.raised[Int(kind.rawValue)]
        }
        status.open = watch.open.filter(\.isTold).map { finding in
            let event = watch.event(finding, .open, time)
            return Status.Behaviour.Open(
                identifier: event.identifier, kind: event.kind, message: event.message, guest: event.guest,
                sources: event.actors.map(\.description), sourceCount: event.actorCount,
                target: event.target?.description, concern: event.concern.description, action: event.action,
                shadow: event.shadow, seconds: Double(time > event.first ? time - event.first : 0) / 1e9,
                attempts: event.attempts, hosts: event.hosts, ports: event.ports)
        }
        return status
    }

    /// What was learned of guests, to be kept; and what was kept before.
    var learned: Learned { state.withLock { $0.watch.learned } }
    func recall(_ learned: Learned, _ time: UInt64) -> Int? { state.withLock { $0.watch.recall(learned, time: time) } }

    /// Who talks to whom, the latest first.
    func peers(limit: Int) -> PeersDocument {
        state.withLock { state in
            let program = state.program
            let name = { (address: Address) in
                program.guest(of: address).map { program.settings.guests[$0].guest.name }
            }
            let all = state.watch.relationships()
            return PeersDocument(
                relationships: all.prefix(limit).map {
                    PeersDocument.Relationship(
                        client: $0.client.description, clientGuest: name($0.client), server: $0.server.description,
                        serverGuest: name($0.server), service: $0.service.text, first: Double($0.first) / 1e9,
                        last: Double($0.last) / 1e9, connections: $0.connections, bytesToServer: $0.bytesToServer,
                        bytesToClient: $0.bytesToClient)
                }, known: all.count, forgotten: state.watch.figures.peersForgotten)
        }
    }

    /// `offloaded` packets were dropped by the kernel before they were queued.
    private func verdicts(offloaded: UInt64) -> Status.Verdicts {
        let reasons = Reason.allCases.dropFirst()
        var dropped = reasons.map { ($0.text, tally.dropped($0)) }.filter { $0.1 > 0 }
        if offloaded > 0 { dropped.append((Status.Verdicts.offloaded, offloaded)) }
        let would = reasons.map { ($0.text, tally.wouldHaveDropped($0)) }.filter { $0.1 > 0 }
        return Status.Verdicts(
            accepted: tally.accepted(), dropped: dropped.reduce(0) { $0 + $1.1 },
            byReason: Dictionary(uniqueKeysWithValues: dropped), wouldDrop: Dictionary(uniqueKeysWithValues: would),
            rejectsSent: crew.members.reduce(0) { $0 &+ $1.rejectsSent },
            rejectsWithheld: crew.members.reduce(0) { $0 &+ $1.rejectsWithheld })
    }
}
