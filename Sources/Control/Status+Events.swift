/// Rules, events, and where those go.
extension Status {
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
}
