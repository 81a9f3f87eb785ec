import Behaviour
import CLinux
import Configuration
import Control
import Events
import Evidence
import Floods
import Inspection
import Intake
import Logging
import Offload
import Signatures
import Sinks
import Topology

/// One `flinchd`, from its start to its end.
///
/// The main thread is the controller: it steps ten times a second and takes signals in between. Each worker
/// has a thread, the collector of events and each sink have one, the control socket and Prometheus's have one, who
/// looks for guests has one, and a reload is prepared on one.
public final class Sensor {
    let path: String
    let log: Logger
    let cores: [Int]
    /// What the workers of queues say; and those of the mirror, whose verdicts nobody gets.
    let tally: Tally
    let heard: Tally
    let crew: Crew
    let collector: EventCollector
    let sinks: SinkSet
    let controller: Controller
    private let control: ControlServer
    private let metrics: MetricsServer?
    let history: ConfigurationHistory
    let shadow: ShadowLedger
    let desk = ReloadDesk()
    let denials: DenialDesk
    /// What the sensor says of itself now.
    private let status: @Sendable () -> Status
    private let keeper: StateKeeper
    let follower: GuestFollower
    /// Of the configuration that runs.
    var text: String
    var rules: KernelRules
    var offload: KernelOffload
    var program: Program
    var reload: Reload?
    /// The reload that is under way is not ordered, but follows the guests.
    var isFollowing = false
    /// When the rules were last compiled for other guests; nanoseconds of the packets' clock.
    var rulesFollowed: UInt64 = 0
    /// Why following the guests failed, once told, and when it is tried again.
    var followProblem: String?
    var followAfter: UInt64 = 0
    /// Who ordered the reload that is under way.
    var order = ReloadDesk.Order(how: "start")

    /// Nanoseconds that the sinks have at the end for what waits.
    private static let sinkPatience: UInt64 = 3_000_000_000

    /// Runs the sensor until SIGTERM or SIGINT ends it.
    ///
    /// Throws what keeps it from starting, in words for the operator; nothing is then left behind.
    public static func run(path: String, log: Logger) throws {
        // Before any thread is started: all inherit the mask, and only the main thread takes signals.
        Signals.block()
        let sensor = try Sensor(path: path, log: log)
        Notify.ready(status: "inspecting")
        sensor.loop()
        Notify.stopping()
        sensor.stop()
    }

    private init(path: String, log: Logger) throws {
        self.path = path
        self.log = log
        let text = try Settings.text(of: path)
        let written = try Settings.parse(text: text, file: path)
        let follower = GuestFollower(written.discovery, state: written.sensor.state, log: log)
        let found = follower.guests
        let settings = found.isEmpty ? written : try Settings.parse(text: text, file: path, found: found)
        let cores = settings.workerCores(usable: UsableCores.list)
        let listenerCores = settings.listenerCores(usable: UsableCores.list)
        let workers = cores.count + listenerCores.count
        let program = try Program(settings, workers: workers, listeners: listenerCores.count, found: found)
        self.text = text
        self.follower = follower
        let (tally, heard) = (Tally(workerCount: workers), Tally(workerCount: workers))
        let rules = try KernelRules(settings, workers: cores.count)
        // The socket first: it is what shows that another sensor runs here.
        control = try ControlServer(path: settings.sensor.control)
        metrics = try settings.metrics.map { place throws(ControlError) in
            place.transport == .unix
                ? try MetricsServer(path: place.host) : try MetricsServer(host: place.host, port: place.port)
        }
        sinks = try SinkSet(settings.allSinks, state: settings.sensor.state)
        crew = try Crew(cores: cores, listenerCores: listenerCores, settings: settings) {
            try program.inspector(for: $0, tally: $0 < cores.count ? tally : heard)
        }
        let shadow = ShadowLedger(time: flinch_now(), names: program.names, generation: program.generation)
        self.shadow = shadow
        history = ConfigurationHistory(state: settings.sensor.state, path: path, text: text, time: flinch_now())
        do {
            collector = try EventCollector(
                rings: crew.members.map(\.ring), flows: crew.members.map(\.flowRing), outlets: [sinks],
                names: program.names, generation: program.generation, sensor: settings.sensor.name,
                communityID: settings.events.communityID, drops: settings.events.drops,
                evidence: settings.evidence.settings(crew.members.map(\.kept), settings),
                watch: EventCollector.Watch(event: { shadow.note($0) }, flood: { shadow.note($0) }))
        } catch {
            crew.stop(patience: 0)
            throw error
        }
        try sinks.start()
        try collector.start()
        do {
            try rules.install(log)
            rules.tellOfUnbound(log)
        } catch {
            crew.stop(patience: 0)
            collector.stop()
            sinks.stop(patience: Sensor.sinkPatience)
            throw error
        }
        controller = Controller(
            program: program, crew: crew, tally: tally,
            losses: KernelLosses(
                failOpen: settings.divert.whenOverloaded == .pass,
                divertedBefore: rules.backend == nil ? nil : rules.divertedBefore,
                floodDroppedBefore: rules.floodDroppedBefore, unbound: rules.unbound,
                unboundPassed: settings.divert.whenStopped == .pass),
            time: flinch_now())
        keeper = StateKeeper(folder: settings.sensor.state, controller, shadow, log)
        self.cores = cores
        self.tally = tally
        self.heard = heard
        self.rules = rules
        offload = KernelOffload(rules, log)
        self.program = program
        let bound = UInt64(
            program.memoryBytes + sinks.memoryBytes + EventLimiter.memoryBytes
                + cores.count * Queue.memoryBytes
                + (settings.mirror.map { $0.interfaces.count * $0.workers * $0.ringShare } ?? 0)
                + workers
                * (Injector.memoryBytes + Reporter.memoryBytes + EventRing.memory(capacity: settings.events.ring)
                    + PacketRing.memory(settings.evidence.memory / workers)
                    + Ring<FlowEvent>.memory(capacity: settings.events.flows ? FlowReporter.capacity : 2)))
        let denials = DenialDesk(DenyList(program, filters: !cores.isEmpty), log: log)
        denials.adopt(program)
        self.denials = denials
        status = Sensor.status(
            Status(starting: settings, backend: rules.backend?.rawValue, memoryBound: bound), controller, collector,
            sinks, crew, denials)
        follower.start()
        keeper.start(settings)
        serve()
        announce(settings, bound)
        // Reading rules takes more than they do, memory and code. After a reload the code stays mapped: workers would wait
        // for theirs.
        flinch_trim_memory()
        flinch_unmap_code()
    }

    private func serve() {
        let status = status
        let desk = ControlDesk(
            status: status, peers: { [controller] in controller.peers(limit: PeersDocument.limit).json },
            guests: { [controller, follower] in controller.guests(follower.roster) }, history: history, shadow: shadow,
            reloads: desk, denials: denials)
        control.start { request, peer in desk.answer(request, peer) }
        metrics?.start { MetricsPage(status()).text }
    }

    /// `base` is what is known before the first packet.
    private static func status(
        _ base: Status, _ controller: Controller, _ collector: EventCollector, _ sinks: SinkSet, _ crew: Crew,
        _ denials: DenialDesk
    ) -> @Sendable () -> Status {
        {
            var status = controller.fill(base)
            status.memoryResident = ThreadTimes.residentMemory()
            status.report(
                sinks.health, withheld: crew.members.reduce(0) { $0 + $1.withheld },
                lostRing: crew.members.reduce(0) { $0 + $1.lost }, unqueued: collector.lost)
            status.denials = denials.status(crew)
            status.evidence = collector.evidence.map(Status.Evidence.init)
            return status
        }
    }

    // MARK: - Life

    private func loop() {
        let step = FloodController.step
        // The first step at once: the gates of guests that are defended are set by it, and clients learned from then on.
        var next = flinch_monotonic()
        var index = 0
        let statsSteps = program.settings.events.stats * 10
        while true {
            switch Signals.wait(until: next) {
            case .stop: return
            case .reload(let sender): orderReload(by: sender)
            case .rotate: sinks.reopen()
            case nil:
                stepFloods(index)
                denials.take(crew, program, flinch_now())
                finishReload()
                if reload == nil, let order = desk.take() { startReload(order) }
                follow()
                followMirror()
                if index % 10 == 0 {
                    rules.recordProgress()
                    Notify.watchdog()
                    // One that is killed has lost a minute's at most.
                    if index % 600 == 0 { follower.keep() }
                }
                if statsSteps > 0, index % statsSteps == statsSteps - 1 { postStats() }
                index += 1
                // After a stall the next step is one step from now: steps are not made up for.
                let now = flinch_monotonic()
                next = max(next &+ step, now > step ? now &- step / 2 : 0)
            }
        }
    }

    /// What the kernel dropped counts before the step, and what it is to do is known after it.
    private func stepFloods(_ index: Int) {
        report(controller.step(index, flinch_now(), offloaded: offload.drops()))
        let now = flinch_now()
        offload.apply(controller.orders(now), now)
    }

    private func postStats() {
        let status = status()
        collector.postStats(
            time: flinch_now(), uptime: UInt64(status.uptime), counters: status.counters, guests: status.guestRates)
    }

    func report(_ findings: Controller.Findings) {
        for flood in findings.floods { collector.post(flood) }
        for behaviour in findings.behaviour { collector.post(behaviour) }
    }

    /// What waits in the queues is answered before they are closed; what is in the rings is written.
    private func stop() {
        log.notice("stopping")
        follower.stop()
        keeper.stop()
        denials.stop()
        offload.clear()
        rules.quiesce(log)
        let uninspected = controller.settleLosses()
        crew.stop(patience: 2_000_000_000)
        rules.remove(log)
        report(controller.finish(flinch_now()))
        keeper.keepLearned()
        follower.keep()
        collector.stop()
        // What was in the rings is counted now.
        keeper.keepShadow()
        sinks.stop(patience: Sensor.sinkPatience)
        control.stop()
        metrics?.stop()
        let inspected = crew.queues.reduce(0) { $0 + $1.packets }
        log.notice("stopped; \(inspected) packets inspected, \(uninspected.total) not")
        if program.settings.mirror != nil {
            let lost = crew.mirror?.ports.reduce(0) { $0 + $1.figures.kernel.dropped } ?? 0
            log.notice("\(crew.listeners.reduce(0) { $0 + $1.packets }) frames listened to, \(lost) lost by the kernel")
        }
    }
}

extension Settings.Evidence {
    /// nil where no packets are kept.
    fileprivate func settings(_ packets: [PacketRing], _ settings: Settings) -> EventCollector.EvidenceSettings? {
        guard memory > 0 else { return nil }
        return EventCollector.EvidenceSettings(
            packets: packets, folder: folder ?? settings.sensor.state + "/evidence", fileLimit: file, limit: total,
            showsPackets: settings.events.packets)
    }
}
