/// Sources none of whose packets passes to a guest for a while.
extension Status {
    public struct Denials: Codable, Sendable {
        public struct Entry: Codable, Sendable {
            public var source: String
            /// Who asked for it, and why.
            public var by: String
            /// That are left.
            public var seconds: Double

            public init(source: String, by: String, seconds: Double) {
                self.source = source
                self.by = by
                self.seconds = seconds
            }
        }

        /// Another sensor that is told.
        public struct Sensor: Codable, Sendable {
            /// Of its control socket.
            public var path: String
            public var waiting = 0
            public var delivered: UInt64 = 0
            /// Refused, or nobody answered for ten seconds, or too many waited.
            public var undelivered: UInt64 = 0
            /// The last; nil if the last was delivered.
            public var problem: String?

            public init(path: String) { self.path = path }
        }

        /// Now, and since the start.
        public var active = 0
        public var made: UInt64 = 0
        /// Asked for and not made: never denied, or too many.
        public var refused: UInt64 = 0
        /// Beyond the rate, and those that found no room on their way from a worker.
        public var withheld: UInt64 = 0
        public var lost: UInt64 = 0
        /// At most a hundred.
        public var entries: [Entry] = []
        public var sensors: [Sensor] = []

        public init() {}
    }
}
