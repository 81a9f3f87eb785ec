/// What is remembered of packets.
extension Status {
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
        /// that, or with more urgent bytes than are told apart, dropped or passed as `when-full` says; different from
        /// what came first at their place; and retransmitted when what came first was forgotten, so that they were
        /// looked at by themselves.
        public var held: UInt64 = 0
        public var refused: UInt64 = 0
        public var contradictions: UInt64 = 0
        public var unverified: UInt64 = 0
        /// Places where a stream went on without bytes that were never seen.
        public var gaps: UInt64 = 0

        public init() {}
    }
}
