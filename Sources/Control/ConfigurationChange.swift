/// A configuration that the sensor took over: what the control socket answers to `history`, `history N`, `running`.
public struct ConfigurationChange: Codable, Sendable, Equatable {
    /// From 1; each configuration that was taken over has the next.
    public var number: Int
    /// Seconds since the Unix epoch.
    public var time: Double
    /// As `Peer.name` has it; empty for the sensor's own start.
    public var who: String
    /// `start`, `SIGHUP`, `apply`, `rollback to 3`.
    public var how: String
    public var comment: String
    /// Where it was read from, and what was there; nil in a list.
    public var path: String
    public var text: String?

    public init(
        number: Int, time: Double, who: String, how: String, comment: String, path: String, text: String? = nil
    ) {
        self.number = number
        self.time = time
        self.who = who
        self.how = how
        self.comment = comment
        self.path = path
        self.text = text
    }
}

/// How the last reload ended: the answer to `reloaded`.
public struct ReloadOutcome: Codable, Sendable, Equatable {
    /// Reloads that have ended since the start; 0 if there was none.
    public var finished: Int
    /// Why the configuration was not taken over; nil if it was.
    public var problem: String?
    /// Settings that only a restart takes over.
    public var needRestart: [String]
    /// The number of the configuration that is running now.
    public var number: Int

    public init(finished: Int = 0, problem: String? = nil, needRestart: [String] = [], number: Int = 0) {
        self.finished = finished
        self.problem = problem
        self.needRestart = needRestart
        self.number = number
    }
}

/// What shadow mode let pass: the answer to `shadow`.
public struct ShadowFigures: Codable, Sendable {
    public struct Entry: Codable, Sendable {
        public var guest: String
        /// `1:2100498`, a check, or `relation`, `flood`.
        public var source: String
        /// What the rule, check or relation says of itself.
        public var message: String
        /// Packets that would have been dropped for it.
        public var count: UInt64
        /// Seconds since the Unix epoch.
        public var first: Double
        public var last: Double
        public var examples: [Example]

        public init(
            guest: String, source: String, message: String, count: UInt64, first: Double, last: Double,
            examples: [Example]
        ) {
            self.guest = guest
            self.source = source
            self.message = message
            self.count = count
            self.first = first
            self.last = last
            self.examples = examples
        }
    }

    /// One packet.
    public struct Example: Codable, Sendable {
        public var time: Double
        public var proto: String
        /// Addresses, with a port where there is one.
        public var from: String
        public var to: String

        public init(time: Double, proto: String, from: String, to: String) {
            self.time = time
            self.proto = proto
            self.from = from
            self.to = to
        }
    }

    /// Since when they are counted, seconds since the Unix epoch.
    public var since: Double
    /// The greatest count first.
    public var entries: [Entry]
    /// Counted without an entry, because there were too many kinds.
    public var others: UInt64

    public init(since: Double, entries: [Entry], others: UInt64) {
        self.since = since
        self.entries = entries
        self.others = others
    }
}
