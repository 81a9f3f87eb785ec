import Wire

/// What a host was seen to do, over many packets. Whoever watches says it, not a worker.
public struct BehaviourEvent: Sendable {
    public enum Phase: String, Sendable {
        /// It goes on, and an event of phase `close` will follow.
        case open
        case close
        /// It is a moment.
        case once
    }

    /// The same for the opening and the closing event of one.
    public var identifier: UInt64
    public var phase: Phase
    /// Number and name of its kind, and a sentence for a person.
    public var number: UInt32
    public var kind: String
    public var message: String
    /// Who does it: the first few, and how many. Several seem to when a scanner hides among others.
    public var actors: [Address]
    public var actorCount: Int
    /// Whom it is done to, if that is one.
    public var target: Address?
    /// Name of the guest concerned.
    public var guest: String
    public var concern: Concern
    /// "alert" or "drop".
    public var action: String
    public var shadow: Bool
    /// Nanoseconds since the Unix epoch: of the first and the last of what was seen, and of this event.
    public var first: UInt64
    public var last: UInt64
    public var time: UInt64
    /// Of the probes or conversations; nil where there are several.
    public var ipProtocol: UInt8?
    /// What a scan goes through: "ports", "slow_ports", "hosts", "hosts_and_ports"; nil for what is none.
    public var shape: String?
    public var isFragmented = false
    /// Probes, logins, conversations; estimates of the hosts and ports that they went to; 0 for what is not counted.
    public var attempts: UInt64 = 0
    public var hosts: UInt64 = 0
    public var ports: UInt64 = 0
    /// The first few of them.
    public var peers: [Address] = []
    public var services: [String] = []
    /// Nanoseconds between two calls of a beacon; 0 for what is none.
    public var period: UInt64 = 0

    public init(
        identifier: UInt64, phase: Phase, number: UInt32, kind: String, message: String, actors: [Address],
        actorCount: Int, target: Address?, guest: String, concern: Concern, action: String, shadow: Bool,
        first: UInt64, last: UInt64, time: UInt64
    ) {
        self.identifier = identifier
        self.phase = phase
        self.number = number
        self.kind = kind
        self.message = message
        self.actors = actors
        self.actorCount = actorCount
        self.target = target
        self.guest = guest
        self.concern = concern
        self.action = action
        self.shadow = shadow
        self.first = first
        self.last = last
        self.time = time
    }
}
