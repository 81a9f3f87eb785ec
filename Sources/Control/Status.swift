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
    public var denials = Denials()
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
