/// What a running sensor says of itself, as `flinch status --json` prints it. Counters start with the sensor.
public struct Status: Codable, Sendable {
    public var sensor: String
    public var version: String
    /// Process id, and seconds since the start.
    public var pid: Int32
    public var uptime: Double
    /// "bridge" or "inet": which kind of kernel rules divert the traffic; nil when the operator makes them.
    public var backend: String?
    public var shadow: Bool
    public var whenStopped: String
    public var whenOverloaded: String
    public var queues: [Queue]
    /// Interfaces that are listened to.
    public var mirrors: [Mirror] = []
    public var guests: [Guest]
    /// Floods that are open now.
    public var floods: [Flood]
    /// What hosts do over many packets.
    public var behaviour = Behaviour()
    public var verdicts: Verdicts
    public var uninspected: Uninspected
    public var fragments: Fragments
    public var flows = Flows()
    public var rules: Rules
    public var events: Events
    public var sinks: [Sink]
    /// nil where no packets are kept.
    public var evidence: Evidence?
    /// Bytes: the bound that was printed at start, and what is resident now.
    public var memoryBound: UInt64
    public var memoryResident: UInt64

    public struct Queue: Codable, Sendable {
        public var number: UInt16
        public var core: Int
        /// Packets received from the kernel, and packets a second over the last second.
        public var packets: UInt64
        public var rate: UInt64
        /// Packets waiting for a verdict now.
        public var waiting: UInt64
        /// The kernel's own counters (/proc/net/netfilter/nfnetlink_queue): the queue was full; the
        /// message could not be given to the socket.
        public var dropped: UInt64
        public var undelivered: UInt64
        public var batches: UInt64
        /// CPU time of the worker in seconds.
        public var userTime: Double
        public var systemTime: Double
        public var latency: Latency

        public init(
            number: UInt16, core: Int, packets: UInt64, rate: UInt64, waiting: UInt64,
            dropped: UInt64, undelivered: UInt64, batches: UInt64, userTime: Double,
            systemTime: Double, latency: Latency = Latency()
        ) {
            self.latency = latency
            self.number = number
            self.core = core
            self.packets = packets
            self.rate = rate
            self.waiting = waiting
            self.dropped = dropped
            self.undelivered = undelivered
            self.batches = batches
            self.userTime = userTime
            self.systemTime = systemTime
        }
    }

    /// What is only listened to, at one interface.
    public struct Mirror: Codable, Sendable {
        public var interface: String
        public var workers: Int
        /// Frames that the kernel saw (that passed the filter), and those of them that found its ring full; how often
        /// it became full.
        public var came: UInt64 = 0
        public var dropped: UInt64 = 0
        public var full: UInt64 = 0
        /// Frames that were read, and their bytes; once all are read, `came` is `packets` and `dropped`.
        public var packets: UInt64 = 0
        public var bytes: UInt64 = 0
        /// Of those read, frames that were left to the workers of the queues.
        public var left: UInt64 = 0
        /// Times that the interface went down.
        public var errors: UInt64 = 0
        /// Of all interfaces together, with the first: frames a second over the last second, and CPU time in seconds.
        public var rate: UInt64 = 0
        public var userTime: Double = 0
        public var systemTime: Double = 0

        public init(interface: String, workers: Int) {
            self.interface = interface
            self.workers = workers
        }
    }

    public struct Guest: Codable, Sendable {
        public var name: String
        public var address: String
        public var shadow: Bool
        /// "filtered" or "watched".
        public var mode: String
        /// A second, over the last second.
        public var packetsIn: UInt64
        public var bitsIn: UInt64
        public var packetsOut: UInt64
        public var bitsOut: UInt64
        /// Packets a second to the guest, by class.
        public var rates: [String: UInt64]
        /// Packets to the guest by class since the start, and those of them that were not let through.
        public var received: [String: UInt64]
        public var dropped: [String: UInt64]
        public var alerts: UInt64

        public init(
            name: String, address: String, shadow: Bool, mode: String = "filtered", packetsIn: UInt64, bitsIn: UInt64,
            packetsOut: UInt64, bitsOut: UInt64, rates: [String: UInt64],
            received: [String: UInt64], dropped: [String: UInt64], alerts: UInt64
        ) {
            self.name = name
            self.address = address
            self.shadow = shadow
            self.mode = mode
            self.packetsIn = packetsIn
            self.bitsIn = bitsIn
            self.packetsOut = packetsOut
            self.bitsOut = bitsOut
            self.rates = rates
            self.received = received
            self.dropped = dropped
            self.alerts = alerts
        }
    }

    public struct Flood: Codable, Sendable {
        public var identifier: UInt64
        public var guest: String
        public var address: String
        public var floodClass: String
        public var concern: String
        public var action: String
        public var shadow: Bool
        public var seconds: Double
        public var rate: UInt64
        public var peakRate: UInt64
        public var packets: UInt64
        public var dropped: UInt64
        /// An estimate of how many addresses they come from; nil while they are not counted.
        public var sources: UInt64?
        /// Where sources are told apart: packets by what became of them.
        public var sieve: [String: UInt64]?
        /// Of those dropped, packets that the kernel dropped by itself, before they were queued.
        public var offloaded: UInt64

        public init(
            identifier: UInt64, guest: String, address: String, floodClass: String, concern: String,
            action: String, shadow: Bool, seconds: Double, rate: UInt64, peakRate: UInt64,
            packets: UInt64, dropped: UInt64, sources: UInt64? = nil, sieve: [String: UInt64]? = nil,
            offloaded: UInt64 = 0
        ) {
            self.offloaded = offloaded
            self.sources = sources
            self.sieve = sieve
            self.identifier = identifier
            self.guest = guest
            self.address = address
            self.floodClass = floodClass
            self.concern = concern
            self.action = action
            self.shadow = shadow
            self.seconds = seconds
            self.rate = rate
            self.peakRate = peakRate
            self.packets = packets
            self.dropped = dropped
        }
    }

    /// Scans, login attempts and other things that hosts are seen to do.
    public struct Behaviour: Codable, Sendable {
        /// Those that go on now.
        public var open: [Open] = []
        /// How many there were of each kind.
        public var raised: [String: UInt64] = [:]
        /// What workers told of conversations; and what was lost of it because they told too much at once.
        public var contacts: UInt64 = 0
        public var lost: UInt64 = 0
        /// Findings that were left out because too many go on.
        public var unreported: UInt64 = 0
        /// Relationships that are remembered, and those that had to go for others.
        public var peers: UInt64 = 0
        public var peersForgotten: UInt64 = 0

        public init(
            contacts: UInt64 = 0, lost: UInt64 = 0, unreported: UInt64 = 0, peers: UInt64 = 0,
            peersForgotten: UInt64 = 0
        ) {
            self.contacts = contacts
            self.lost = lost
            self.unreported = unreported
            self.peers = peers
            self.peersForgotten = peersForgotten
        }

        public struct Open: Codable, Sendable {
            public var identifier: UInt64
            public var kind: String
            public var message: String
            public var guest: String
            /// The first few who do it, and how many they are.
            public var sources: [String]
            public var sourceCount: Int
            public var target: String?
            public var concern: String
            public var action: String
            public var shadow: Bool
            public var seconds: Double
            /// Probes, logins or conversations; hosts and ports that they went to, 0 where they are not counted.
            public var attempts: UInt64
            public var hosts: UInt64
            public var ports: UInt64

            public init(
                identifier: UInt64, kind: String, message: String, guest: String, sources: [String],
                sourceCount: Int, target: String?, concern: String, action: String, shadow: Bool, seconds: Double,
                attempts: UInt64, hosts: UInt64, ports: UInt64
            ) {
                self.identifier = identifier
                self.kind = kind
                self.message = message
                self.guest = guest
                self.sources = sources
                self.sourceCount = sourceCount
                self.target = target
                self.concern = concern
                self.action = action
                self.shadow = shadow
                self.seconds = seconds
                self.attempts = attempts
                self.hosts = hosts
                self.ports = ports
            }
        }
    }

    public struct Verdicts: Codable, Sendable {
        /// The reason, in `byReason`, of what the kernel dropped by itself.
        public static let offloaded = "flood, by the kernel"
        public var accepted: UInt64
        public var dropped: UInt64
        /// By the text of the reason.
        public var byReason: [String: UInt64]
        /// Shadow mode: what would have been dropped, by reason; those packets are in `accepted`.
        public var wouldDrop: [String: UInt64]
        /// Resets and ICMP messages sent for reject rules; and those that were not: more than 1,000 a second a
        /// worker, no hardware address known, no permission.
        public var rejectsSent: UInt64
        public var rejectsWithheld: UInt64

        public init(
            accepted: UInt64, dropped: UInt64, byReason: [String: UInt64],
            wouldDrop: [String: UInt64], rejectsSent: UInt64 = 0, rejectsWithheld: UInt64 = 0
        ) {
            self.accepted = accepted
            self.dropped = dropped
            self.byReason = byReason
            self.wouldDrop = wouldDrop
            self.rejectsSent = rejectsSent
            self.rejectsWithheld = rejectsWithheld
        }
    }

    /// Every packet that was diverted and not inspected, by what became of it.
    public struct Uninspected: Codable, Sendable {
        /// Dropped by the kernel: queue full, socket full.
        public var droppedQueueFull: UInt64
        public var droppedSocketFull: UInt64
        /// Passed by the kernel because queue or socket were full (fail-open).
        public var passedOverload: UInt64
        /// Passed by the kernel while no sensor was bound.
        public var passedUnbound: UInt64
        /// Dropped by the kernel while no sensor was bound.
        public var droppedUnbound: UInt64
        /// Messages that Flinch could not read; accepted or dropped as `when-overloaded` says.
        public var unreadable: UInt64
        /// Fragments that passed though their datagram could not be put together (`policy.fragments`).
        public var passedFragments: UInt64
        public var total: UInt64 {
            droppedQueueFull + droppedSocketFull + passedOverload + passedUnbound + droppedUnbound
                + unreadable + passedFragments
        }

        public init(
            droppedQueueFull: UInt64, droppedSocketFull: UInt64, passedOverload: UInt64,
            passedUnbound: UInt64, droppedUnbound: UInt64, unreadable: UInt64, passedFragments: UInt64
        ) {
            self.droppedQueueFull = droppedQueueFull
            self.droppedSocketFull = droppedSocketFull
            self.passedOverload = passedOverload
            self.passedUnbound = passedUnbound
            self.droppedUnbound = droppedUnbound
            self.unreadable = unreadable
            self.passedFragments = passedFragments
        }
    }

    /// Fragments of IP datagrams, and what became of them.
    public struct Fragments: Codable, Sendable {
        public var received: UInt64
        /// Datagrams that became whole, that did not in time, and that had to go for others.
        public var reassembled: UInt64
        public var expired: UInt64
        public var evicted: UInt64
        /// Fragments that contradict others, that no host takes, and that found no room.
        public var contradictions: UInt64
        public var impossible: UInt64
        public var withoutRoom: UInt64

        public init(
            received: UInt64 = 0, reassembled: UInt64 = 0, expired: UInt64 = 0, evicted: UInt64 = 0,
            contradictions: UInt64 = 0, impossible: UInt64 = 0, withoutRoom: UInt64 = 0
        ) {
            self.received = received
            self.reassembled = reassembled
            self.expired = expired
            self.evicted = evicted
            self.contradictions = contradictions
            self.impossible = impossible
            self.withoutRoom = withoutRoom
        }
    }

    /// What is remembered of conversations.
    public struct Flows: Codable, Sendable {
        /// Those that are remembered now, and those that had to go for another though they were not over.
        public var count: UInt64 = 0
        public var evicted: UInt64 = 0
        /// Segments of TCP streams: kept until they can be inspected with what comes before; without room for
        /// that, dropped or passed as `when-full` says; different from what came first at their place; and
        /// retransmitted when what came first was forgotten, so that they were looked at by themselves.
        public var held: UInt64 = 0
        public var refused: UInt64 = 0
        public var contradictions: UInt64 = 0
        public var unverified: UInt64 = 0
        /// Places where a stream went on without bytes that were never seen.
        public var gaps: UInt64 = 0

        public init() {}
    }

    public struct Rules: Codable, Sendable {
        public var loaded: Int
        public var rejected: Int
        /// Times the rules were (re)loaded, and why the last reload was refused, if it was.
        public var generation: Int
        public var lastError: String?
        /// What rules remembered of hosts and flows, and had to forget early for want of room.
        public var forgotten: UInt64

        public init(
            loaded: Int, rejected: Int, generation: Int, lastError: String?, forgotten: UInt64 = 0
        ) {
            self.forgotten = forgotten
            self.loaded = loaded
            self.rejected = rejected
            self.generation = generation
            self.lastError = lastError
        }
    }

    public struct Events: Codable, Sendable {
        public var written: UInt64
        /// Findings without an event of their own, because there were many of the same rule or check within
        /// seconds: one event told of them together.
        public var withheld: UInt64
        /// The ring was full.
        public var lostRing: UInt64
        /// They found too many waiting for the file, which could not be written (full disk, gone).
        public var lostWrite: UInt64
        /// Waiting to be written.
        public var waiting: UInt64
        public var lastError: String?

        public init(
            written: UInt64, withheld: UInt64, lostRing: UInt64, lostWrite: UInt64, waiting: UInt64,
            lastError: String?
        ) {
            self.written = written
            self.withheld = withheld
            self.lostRing = lostRing
            self.lostWrite = lostWrite
            self.waiting = waiting
            self.lastError = lastError
        }
    }

    /// Captures of flows in which something of high concern was found.
    public struct Evidence: Codable, Sendable {
        public var files: Int
        public var bytes: UInt64
        /// Events of high concern that have none and should, and why the last of them has not.
        public var missed: UInt64
        public var lastError: String?

        public init(files: Int, bytes: UInt64, missed: UInt64, lastError: String?) {
            self.files = files
            self.bytes = bytes
            self.missed = missed
            self.lastError = lastError
        }
    }

    /// Where events go, the EVE file first.
    public struct Sink: Codable, Sendable {
        public var name: String
        public var channel: String
        /// "working", "failing" (the last try failed, it tries again) or "stopped".
        public var state: String
        /// Events that wait, that the receiver has, and that it will never have.
        public var queued: UInt64
        public var delivered: UInt64
        public var dropped: UInt64
        /// Tries that failed, why the last one did, and when (seconds since the Unix epoch; 0 for never).
        public var failures: UInt64
        public var lastError: String?
        public var lastErrorTime: Double

        public init(
            name: String, channel: String, state: String, queued: UInt64, delivered: UInt64, dropped: UInt64,
            failures: UInt64, lastError: String?, lastErrorTime: Double
        ) {
            self.name = name
            self.channel = channel
            self.state = state
            self.queued = queued
            self.delivered = delivered
            self.dropped = dropped
            self.failures = failures
            self.lastError = lastError
            self.lastErrorTime = lastErrorTime
        }
    }

    public init(
        sensor: String, version: String, pid: Int32, uptime: Double, backend: String?,
        shadow: Bool, whenStopped: String, whenOverloaded: String, queues: [Queue],
        guests: [Guest], floods: [Flood], verdicts: Verdicts, uninspected: Uninspected,
        fragments: Fragments = Fragments(), rules: Rules, events: Events, sinks: [Sink], memoryBound: UInt64,
        memoryResident: UInt64
    ) {
        self.sensor = sensor
        self.version = version
        self.pid = pid
        self.uptime = uptime
        self.backend = backend
        self.shadow = shadow
        self.whenStopped = whenStopped
        self.whenOverloaded = whenOverloaded
        self.queues = queues
        self.guests = guests
        self.floods = floods
        self.verdicts = verdicts
        self.uninspected = uninspected
        self.fragments = fragments
        self.rules = rules
        self.events = events
        self.sinks = sinks
        self.memoryBound = memoryBound
        self.memoryResident = memoryResident
    }
}
