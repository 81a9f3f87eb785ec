/// An event as the store keeps it: what it is looked up by, and its EVE line.
public struct StoredEvent: Sendable, Equatable {
    /// Microseconds since the Unix epoch.
    public var time: Int64
    /// The line's `event_type`.
    public var kind: String
    /// 0 for none, 1 for low, 2 for medium, 3 for high.
    public var concern: Int
    /// What events have in common that a person would call the same.
    public var group: String
    public var title: String
    public var guest: String
    /// Addresses without ports; empty for none.
    public var source: String
    public var destination: String
    public var verdict: String
    /// Of a flood: its class, and whether this is its end.
    public var flood: String?
    public var isFloodEnd: Bool
    /// Findings that it stands for, and the time of the last of them (the event's own, if it says nothing).
    public var count: Int
    public var last: Int64
    public var line: String

    /// It is about the form of a packet, not about what somebody does.
    var isOfForm: Bool { kind == "anomaly" }

    public init(
        time: Int64, kind: String, concern: Int, group: String, title: String, guest: String, source: String,
        destination: String, verdict: String, flood: String? = nil, isFloodEnd: Bool = false, count: Int = 1,
        last: Int64? = nil, line: String
    ) {
        self.time = time
        self.kind = kind
        self.concern = concern
        self.group = group
        self.title = title
        self.guest = guest
        self.source = source
        self.destination = destination
        self.verdict = verdict
        self.flood = flood
        self.isFloodEnd = isFloodEnd
        self.count = count
        self.last = max(time, last ?? time)
        self.line = line
    }
}

/// What a guest received and sent in a second, at one moment.
public struct StoredRate: Sendable, Equatable {
    /// Seconds since the Unix epoch.
    public var time: Int64
    public var guest: String
    public var packetsIn: Int64
    public var bitsIn: Int64
    public var packetsOut: Int64
    public var bitsOut: Int64

    public init(time: Int64, guest: String, packetsIn: Int64, bitsIn: Int64, packetsOut: Int64, bitsOut: Int64) {
        self.time = time
        self.guest = guest
        self.packetsIn = packetsIn
        self.bitsIn = bitsIn
        self.packetsOut = packetsOut
        self.bitsOut = bitsOut
    }
}

/// One thing that happened: the events that belong together, because one actor caused them or because one
/// that it attacked did something afterwards.
public struct Incident: Sendable, Equatable, Codable {
    public struct Part: Sendable, Equatable, Codable {
        public var title: String
        public var concern: Int
        public var count: Int
        /// Microseconds since the Unix epoch.
        public var first: Int64
        public var last: Int64
    }

    public var id: Int64
    /// Microseconds since the Unix epoch.
    public var first: Int64
    public var last: Int64
    public var concern: Int
    /// Who began it; empty for floods, whose sources are many or forged.
    public var actor: String
    /// The guests concerned, in the order in which they were.
    public var guests: [String]
    public var count: Int
    /// What happened, in its order.
    public var parts: [Part]
}
