public import Evidence
import Glibc
import Synchronization

/// From one worker to the thread that writes its events out.
public typealias EventRing = Ring<Event>

/// Takes events out of the workers' rings, encodes each once, and offers it to every outlet, in a thread of
/// its own.
///
/// Twenty times a second it empties what it finds, up to a limit a pass: an event storm costs the packet
/// path's cores a bounded share, and what is beyond stays in the rings, which count what they lose. An outlet
/// takes what it is offered or counts it as dropped, and never waits; so no channel holds up another.
public final class EventCollector: Sendable {
    private let loop: Loop
    private let recorder: EvidenceRecorder?
    private let control = Mutex(Control())
    private let unqueued = Atomic<UInt64>(0)

    /// Messages that may wait: floods and statistics, a few a second.
    private static let queueLimit = 1024

    private enum Message {
        case flood(FloodEvent)
        case behaviour(BehaviourEvent)
        case stats(time: UInt64, uptime: UInt64, counters: [String: UInt64], guests: [GuestRate])
    }

    private struct Control: ~Copyable {
        var messages: [Message] = []
        var names: [(EVENames, generation: UInt32)] = []
        var isStopping = false
        var thread: ServiceThread?
    }

    /// How packets are kept as evidence, and where captures of them go.
    public struct EvidenceSettings: Sendable {
        /// One for each of `rings`, in their order.
        public var packets: [PacketRing]
        public var folder: String
        /// Bytes of one capture, and of all.
        public var fileLimit: Int
        public var limit: Int
        /// Whether alerts have the bytes of their packets.
        public var showsPackets: Bool

        public init(
            packets: [PacketRing], folder: String, fileLimit: Int, limit: Int, showsPackets: Bool = false
        ) {
            self.showsPackets = showsPackets
            self.packets = packets
            self.folder = folder
            self.fileLimit = fileLimit
            self.limit = limit
        }
    }

    /// `names` and `generation` as `EVEEncoder` has them. `drops`: packets that are dropped get an event of that
    /// type besides. `watch` is shown every event and flood, by the collector's thread. `interval` is in milliseconds.
    public init(
        rings: [EventRing], flows: [Ring<FlowEvent>] = [], outlets: [any Outlet], names: EVENames,
        generation: UInt32? = nil,
        sensor: String? = nil, communityID: Bool = false, drops: Bool = false,
        evidence: EvidenceSettings? = nil, watch: Watch? = nil, interval: Int = 50
    ) throws(EvidenceError) {
        recorder = try evidence.map { settings throws(EvidenceError) in
            precondition(settings.packets.count == rings.count)
            return try EvidenceRecorder(
                rings: settings.packets, folder: settings.folder, fileLimit: settings.fileLimit, limit: settings.limit)
        }
        loop = Loop(
            rings: rings, flows: flows, outlets: outlets, recorder: recorder,
            encoder: EVEEncoder(names: names, generation: generation, sensor: sensor, communityID: communityID),
            drops: drops, showsPackets: evidence?.showsPackets ?? false, watch: watch, interval: interval)
    }

    /// Who looks on while events are collected.
    public struct Watch: Sendable {
        public var event: @Sendable (Event) -> Void
        public var flood: @Sendable (FloodEvent) -> Void

        public init(event: @escaping @Sendable (Event) -> Void, flood: @escaping @Sendable (FloodEvent) -> Void) {
            self.event = event
            self.flood = flood
        }
    }

    public func start() throws(ThreadError) {
        let thread = try ServiceThread(name: "flinch-events") { [self] in run() }
        control.withLock { $0.thread = thread }
    }

    /// Offers all that waits, and ends. The workers have stopped by then. Calling it again does nothing.
    public func stop() {
        let thread = control.withLock { control in
            control.isStopping = true
            defer { control.thread = nil }
            return control.thread
        }
        thread?.join()
    }

    // MARK: - For any thread

    /// Hands over an event of the controller. False, and counted as lost, when too many wait.
    @discardableResult
    public func post(_ flood: FloodEvent) -> Bool { post(.flood(flood)) }

    @discardableResult
    public func post(_ behaviour: BehaviourEvent) -> Bool { post(.behaviour(behaviour)) }

    /// Hands over a `stats` event. Times as `EVEEncoder.encodeStats` has them.
    @discardableResult
    public func postStats(
        time: UInt64, uptime: UInt64, counters: [String: UInt64], guests: [GuestRate] = []
    ) -> Bool {
        post(.stats(time: time, uptime: uptime, counters: counters, guests: guests))
    }

    private func post(_ message: Message) -> Bool {
        let isQueued = control.withLock { control in
            guard !control.isStopping, control.messages.count < EventCollector.queueLimit else { return false }
            control.messages.append(message)
            return true
        }
        if !isQueued { unqueued.wrappingAdd(1, ordering: .relaxed) }
        return isQueued
    }

    /// Words for the numbers in events of a new generation. Before a worker writes the first of them.
    public func add(names: EVENames, generation: UInt32) {
        control.withLock { $0.names.append((names, generation)) }
    }

    /// What became of evidence; nil where none is kept.
    public var evidence: EvidenceFigures? { recorder?.figures }

    /// Messages that found too many waiting. What a full ring lost, the ring counts.
    public var lost: UInt64 { unqueued.load(ordering: .relaxed) }

    // MARK: - The thread

    private func run() {
        while true {
            let isStopping = pass()
            if isStopping { break }
            var rest = timespec(
                tv_sec: loop.interval / 1000, tv_nsec: loop.interval % 1000 * 1_000_000)
            unsafe nanosleep(&rest, nil)
        }
        // The producers are gone: as many passes as one ring's worth takes, and not for ever.
        for _ in 0..<loop.passesForAll where loop.isWaiting { loop.drain() }
        recorder?.follow(isLast: true)
    }

    private func pass() -> Bool {
        let (messages, names, isStopping) = control.withLock { control in
            defer {
                control.messages.removeAll(keepingCapacity: true)
                control.names.removeAll()
            }
            return (control.messages, control.names, control.isStopping)
        }
        for (names, generation) in names { loop.encoder.add(names: names, generation: generation) }
        for message in messages {
            switch message {
            case .flood(let flood):
                loop.watch?.flood(flood)
                loop.encoder.encode(flood)
                loop.collect(flood.phase == .open ? .alert : .flood, flood.concern)
            case .behaviour(let behaviour):
                loop.encoder.encode(behaviour)
                loop.collect(behaviour.phase == .close ? .behaviour : .alert, behaviour.concern)
            case .stats(let time, let uptime, let counters, let guests):
                loop.encoder.encodeStats(time: time, uptime: uptime, counters: counters, guests: guests)
                loop.collect(.stats, nil)
            }
        }
        loop.drain()
        return isStopping
    }

    /// What belongs to the thread alone. Unchecked, because the collector hands it to one thread and keeps to
    /// its constants.
    private final class Loop: @unchecked Sendable {
        let interval: Int
        var encoder: EVEEncoder
        private let rings: [EventRing]
        private let flows: [Ring<FlowEvent>]
        private let recorder: EvidenceRecorder?
        private let outlets: [any Outlet]
        private var collected: [Report] = []
        private let drops: Bool
        private let showsPackets: Bool
        let watch: Watch?
        /// The packet of the last `drop` event: all findings on a packet come one after the other.
        private var lastDrop: (time: UInt64, flow: UInt64) = (0, 0)
        /// Events taken from one ring in a pass.
        private let portion: Int

        private static let eventsAPass = 8192
        /// Reports offered at a time.
        private static let offerSize = 512

        init(
            rings: [EventRing], flows: [Ring<FlowEvent>], outlets: [any Outlet], recorder: EvidenceRecorder?,
            encoder: EVEEncoder, drops: Bool, showsPackets: Bool, watch: Watch?, interval: Int
        ) {
            self.showsPackets = showsPackets
            self.recorder = recorder
            self.drops = drops
            self.watch = watch
            self.rings = rings
            self.flows = flows
            self.outlets = outlets
            self.encoder = encoder
            self.interval = interval
            portion = max(64, Loop.eventsAPass / max(1, rings.count))
        }

        var isWaiting: Bool { rings.contains { $0.waiting > 0 } || flows.contains { $0.waiting > 0 } }

        var passesForAll: Int { (rings.map(\.capacity) + flows.map(\.capacity)).map { $0 / portion + 1 }.max() ?? 0 }

        func drain() {
            for (index, ring) in rings.enumerated() {
                ring.drain(max: portion) { event in
                    watch?.event(copy event)
                    encode(copy event, ring: index)
                    collect(Report.Kind(of: event.finding.source), event.finding.concern)
                    if drops, event.verdict == .drop { collectDrop(copy event) }
                }
            }
            // Behind what was found: a crowd of conversations is nobody's hurry.
            for ring in flows {
                ring.drain(max: portion) { flow in
                    encoder.encode(copy flow)
                    collect(.flow, nil)
                }
            }
            recorder?.follow()
            offer()
        }

        private func encode(_ event: Event, ring: Int) {
            let evidence = recorder?.capture(event, ring: ring)
            let isShown = showsPackets && event.finding.source != .conformance
            if isShown, let packet = recorder?.packet(event, ring: ring) {
                encoder.encode(event, kept: packet, evidence: evidence)
            } else {
                encoder.encode(event, evidence: evidence)
            }
        }

        /// What the encoder holds is one report.
        func collect(_ kind: Report.Kind, _ concern: Concern?) {
            collected.append(Report(kind: kind, concern: concern, line: encoder.takeLine()))
            if collected.count >= Loop.offerSize { offer() }
        }

        private func collectDrop(_ event: Event) {
            guard lastDrop != (event.arrival.time, event.flow) else { return }
            lastDrop = (event.arrival.time, event.flow)
            encoder.encodeDrop(event)
            collect(.drop, event.finding.concern)
        }

        private func offer() {
            guard !collected.isEmpty else { return }
            for outlet in outlets { outlet.offer(collected) }
            collected.removeAll(keepingCapacity: true)
        }
    }
}
