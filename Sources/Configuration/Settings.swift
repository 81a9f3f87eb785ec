import Behaviour
import Conformance
import Evidence
import Floods
import Flows
import Glibc
import Inventory
import Offload
import Signatures
import Sinks
import Topology
import Wire

/// What the operator's configuration file says, checked, with every default filled in.
///
/// Paths are absolute or relative to the working directory: what the file wrote relative to its own
/// folder has that folder in front.
public struct Settings: Sendable, Equatable {
    public var sensor = Sensor()
    public var queues = Queues()
    public var divert = Divert()
    /// nil where nothing is listened to.
    public var mirror: Mirror?
    public var deny = Denials()
    /// Verdicts are recorded and everything passes. Each guest's own `shadow` is then set as well.
    public var shadow = false
    /// For every guest that says nothing else; already part of each guest's own.
    public var floods = FloodLimits()
    public var guests: [ProtectedGuest] = []
    public var discovery = Discovery()
    /// Who may talk to whom; of several the first holds. Everybody else may.
    public var relations: [Relation] = []
    /// Those that are ready, then those of the file.
    public var policies = NamedPolicy.ready
    public var rules = Rules()
    public var flows = Flows()
    public var policy = Policy()
    /// How long guests are learned from, and how many relationships are remembered.
    public var behaviour = BehaviourWatch.Options()
    public var events = Events()
    public var evidence = Evidence()
    /// Besides the file of `events`.
    public var sinks: [SinkSettings] = []
    /// Where Prometheus asks: a path, or an address of this machine; nil for nowhere.
    public var metrics: Endpoint?

    public init() {}

    public struct Sensor: Sendable, Equatable {
        /// Default: the host's name.
        public var name = ""
        /// Workers of the queues, 1…64; 0 for none, where all is only listened to; nil for one a core.
        public var workers: Int?
        /// Cores the workers are pinned to, one a worker; empty for whichever are usable.
        public var cores: [Int] = []
        /// Path of the control socket, at most 107 bytes.
        public var control = "/run/flinch/flinchd.sock"
        /// Folder of what must outlive the sensor.
        public var state = Settings.standardState
    }

    public struct Queues: Sendable, Equatable {
        /// Number of the first worker's queue; the others follow.
        public var first: UInt16 = 0
        /// Packets that may wait for a verdict in one queue.
        public var length: UInt32 = 16_384
        /// Bytes of each queue socket's receive buffer.
        public var receiveBuffer = 64 << 20
    }

    public struct Divert: Sendable, Equatable {
        public var backend = Backend.auto
        /// Empty for every bridge.
        public var bridges: [String] = []
        public var whenStopped = Uninspected.pass
        public var whenOverloaded = Uninspected.pass
        public var arp = NonIP.pass
        public var otherProtocols = NonIP.pass
        /// What the kernel never brings up, and what alone it does; the latter empty for everything.
        public var excluded = TrafficSelection()
        public var only = TrafficSelection()
        public var markBit: UInt32 = 0x0100_0000
        /// Whether the kernel drops the bulk of a flood by itself.
        public var offload = true
    }

    /// Which kind of kernel rules diverts the traffic.
    public enum Backend: String, Sendable, CaseIterable {
        /// `bridge` where the kernel can, else `inet`.
        case auto
        case bridge, inet
        /// The rules are the operator's own.
        case none
    }

    /// Guests that are not written in the file, but found.
    public struct Discovery: Sendable, Equatable {
        /// Who says which there are; empty for nobody.
        public var sources: [PlatformSource] = []
        public var learn = Learning.neighbours
        /// Of those that are found and not written in the file, who is only watched.
        public var watched: [PolicyTarget] = []

        public var isOn: Bool { !sources.isEmpty }

        /// Which addresses are learned of guests whose platform does not say them.
        public enum Learning: String, Sendable, CaseIterable {
            /// What they claim by ARP and neighbour discovery, and what DHCP gives them.
            case neighbours
            /// What they send from, too.
            case any
            case none

            public var addresses: AddressLearning {
                switch self {
                case .neighbours: [.v4, .v6]
                case .any: [.v4, .v6, .anyPacket]
                case .none: []
                }
            }
        }
    }

    public struct ProtectedGuest: Sendable, Equatable {
        public var guest: Guest
        public var floods: FloodLimits
        public var conformance: CheckSettings
        public var behaviour = BehaviourSettings()
        public var mode = GuestMode.filtered
        /// nil: as the file has it for everybody.
        public var unknownProtocols: Handling?
        /// With what the file says for everybody.
        public var rules: RuleActions
        public var topology = PolicyTopology()
        /// The policies that could be the guest's; the first is. Empty: what the file says for everybody.
        public var choices: [PolicyChoice] = []

        public init(
            guest: Guest, floods: FloodLimits, conformance: CheckSettings = CheckSettings(),
            rules: RuleActions = RuleActions()
        ) {
            self.rules = rules
            self.guest = guest
            self.floods = floods
            self.conformance = conformance
        }
    }

    public struct Rules: Sendable, Equatable {
        public var files: [String] = []
        /// Path of the file that says how often rules alert or act; nil for none.
        public var thresholds: String?
        /// What the file sets. Suricata's defaults for the rest are the rule loader's.
        public var variables = RuleVariables(addresses: [:], ports: [:])
        /// Folder of compiled patterns; nil for the one that systemd gives, if it does (CACHE_DIRECTORY).
        public var cache: String?
        /// Which of several matching rules is acted on first.
        public var actionOrder = RuleAction.allCases
        /// File of classes in the format of Suricata's classification.config; nil for none beside the rule files'.
        public var classification: String?
    }

    /// What is remembered of conversations; of all workers together, and from the start on: a reload changes
    /// none of it.
    public struct Flows: Sendable, Equatable {
        /// Conversations, 1,024…16,777,216.
        public var count = 1 << 17
        /// Bytes for the ends of TCP streams, and for what waits behind a gap: 1 MiB…16 GiB.
        public var streamMemory = 32 << 20
        /// TCP connections that were open before the sensor was are taken up.
        public var midstream = true
        /// What becomes of a segment that cannot be kept until it can be inspected with its stream.
        public var whenFull = Uninspected.drop
        /// What is made of bytes that TCP calls urgent.
        public var urgent = UrgentData.both
        /// What guests make of TCP segments that contradict each other, to who cannot stop them (replay).
        public var segmentOverlap = SegmentOverlap.bsd
        /// The same for fragments that overlap; nil for what Suricata's stock configuration has.
        public var fragmentOverlap: FragmentOverlap?
    }

    public struct Policy: Sendable, Equatable {
        /// For every guest that says nothing else, already part of each guest's own; and for traffic of nobody's.
        public var conformance = CheckSettings()
        public var behaviour = BehaviourSettings()
        public var unknownProtocols = Handling.pass
        public var rules = RuleActions()
        /// What becomes of fragments that there is no room to put together, and so to inspect.
        public var fragments = Uninspected.drop
    }

    public struct Events: Sendable, Equatable {
        public var eve = EVEFileSettings(path: "/var/log/flinch/eve.json")
        /// Whether lines carry `community_id`, by which other programs' logs of the same flow are found.
        public var communityID = true
        /// Whether packets that are dropped get an event of type `drop`, besides the alert that says why.
        public var drops = false
        /// Whether alerts show the bytes of their packets, as far as those are kept as evidence.
        public var packets = true
        /// Whether a conversation gets an event of type `flow` when it is over.
        public var flows = false
        /// Seconds between two `stats` events; 0 for none.
        public var stats = 60
        /// Events that one worker's ring holds, a power of two.
        public var ring = 8192
        public var limits = Limits()

        /// Against noise. Replay is not limited.
        public struct Limits: Sendable, Equatable {
            /// Seconds. What follows the first event of a rule between two hosts within them is told of in one
            /// event at their end.
            public var period = 10
            /// Events of one rule or check in a period; what is beyond is told of in one event a worker.
            public var standard = 20
            /// Of rules that have another limit.
            public var rules: [RuleNumber: Int] = [:]
            public var drops = Drops.alert
        }

        /// Whether packets that a rule drops are told of.
        public enum Drops: String, Sendable, CaseIterable { case alert, silent }
    }

    /// Captures of flows in which something of high concern was found.
    public struct Evidence: Sendable, Equatable {
        /// Bytes of packets that all workers together keep; 0 for none, and no captures.
        public var memory = 8 << 20
        /// Packets at a flow's beginning that are kept, and from each on which something was found; 1…255.
        public var packets = 32
        /// nil: `evidence` in the folder of what outlives the sensor.
        public var folder: String?
        /// Bytes of one capture, and of all.
        public var file = 1 << 20
        public var total = 256 << 20
    }

    /// What tells a rule from all others.
    public struct RuleNumber: Sendable, Hashable {
        public var gid: UInt32
        public var sid: UInt32

        public init(gid: UInt32 = 1, sid: UInt32) {
            self.gid = gid
            self.sid = sid
        }
    }
}

extension Settings {
    /// One core a worker, given the cores that this process may use, lowest first.
    ///
    /// More workers than cores share them in turn. Empty only where all is listened to.
    public func workerCores(usable: [Int]) -> [Int] {
        if !sensor.cores.isEmpty { return sensor.cores }
        let pool = usable.isEmpty ? [0] : usable
        let count = sensor.workers ?? min(pool.count, Settings.maximumWorkers)
        return (0..<count).map { pool[$0 % pool.count] }
    }

    /// One core a worker of the mirror: those that the workers of the queues do not have, as long as there are such.
    public func listenerCores(usable: [Int]) -> [Int] {
        let taken = Set(workerCores(usable: usable))
        let pool = usable.isEmpty ? [0] : usable.filter { !taken.contains($0) } + usable.filter(taken.contains)
        return (0..<listeners).map { pool[$0 % pool.count] }
    }

    /// What the kernel is to divert to `workers` queues.
    public func diversionPlan(workers: Int) -> DiversionPlan {
        DiversionPlan(
            bridges: divert.bridges, firstQueue: queues.first, queueCount: UInt16(max(1, workers)),
            whenStopped: divert.whenStopped, arp: divert.arp, otherProtocols: divert.otherProtocols,
            excluded: divert.excluded, only: divert.only, watched: watchedTraffic, markBit: divert.markBit,
            // What is not to be looked at is not to be dropped either, and of `only` the kernel cannot tell.
            offloads: divert.offload && divert.only.isEmpty)
    }

    /// The second queue of a worker, for what of a flood is queued though the kernel drops the bulk of it; nil
    /// where the kernel drops nothing by itself.
    public func doubtfulQueue(of worker: Int, workers: Int) -> UInt16? {
        let plan = diversionPlan(workers: workers)
        guard plan.offloads, divert.backend != .none else { return nil }
        return plan.doubtfulQueue &+ UInt16(worker)
    }

    public static let maximumWorkers = 64

    /// What systemd gives (STATE_DIRECTORY), or else /var/lib/flinch.
    public static var standardState: String {
        unsafe getenv("STATE_DIRECTORY").map { unsafe String(cString: $0) } ?? "/var/lib/flinch"
    }

    /// The file of `events` first.
    public var allSinks: [SinkSettings] {
        [SinkSettings(name: SinkReader.eveName, filter: Sink.Filter(), channel: .eve(events.eve))] + sinks
    }
}
