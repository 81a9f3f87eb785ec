/// Guests, what is done to them, and what is done about it.
extension Status {
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
}
