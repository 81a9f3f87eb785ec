import Intake
public import Offload
import Topology
import Wire

extension Settings {
    /// Traffic that is only listened to: interfaces that a copy of it comes by.
    public struct Mirror: Sendable, Equatable {
        public var interfaces: [String] = []
        /// Workers, 1…64; each has a ring at every interface.
        public var workers = 1
        /// What alone is listened to, in tcpdump's words; nil for everything.
        public var filter: String?
        /// Bytes of the rings of all workers at one interface.
        public var ring = 32 << 20
        /// How attacks that were seen are answered; nil for not at all.
        public var answer: Answer?
        /// How who attacks is kept out by those who filter; nil for not at all.
        public var deny: Deny?

        public init() {}

        /// Resets that end the connection of a packet that a rule would have dropped.
        public struct Answer: Sendable, Equatable {
            /// The interface that they leave by.
            public var interface: String
            /// At most so many frames a second, all workers together.
            public var rate = 100

            public init(interface: String) { self.interface = interface }
        }

        /// Entries for who attacked, at this sensor where it filters and at others.
        public struct Deny: Sendable, Equatable {
            /// Seconds for which he is denied, from his last attack on.
            public var seconds = 300
            /// At most so many entries a second.
            public var rate = 10
            /// Control sockets of other sensors.
            public var sensors: [String] = []

            public init() {}
        }

        /// Bytes of one worker's ring at one interface.
        public var ringShare: Int { max(MirrorRing.leastMemory, ring / workers) }
    }

    /// Which sources may be denied, whoever asks.
    public struct Denials: Sendable, Equatable {
        public var never: [Prefix] = []
        /// Sources at one time.
        public var most = 1000
        /// Seconds.
        public var longest = 3600

        public init() {}
    }

    /// How a guest is looked at.
    public enum GuestMode: String, Sendable, CaseIterable {
        /// Inline: its traffic waits for a verdict.
        case filtered
        /// Its traffic is not diverted, and seen in the mirror.
        case watched
    }

    /// Nothing is diverted and no queue bound: all that is seen is the mirror's.
    public var onlyListens: Bool { sensor.workers == 0 }

    /// Which traffic is left to the mirror. Of prefixes that overlap the longer one says what a host is.
    public var watchedTraffic: WatchedTraffic {
        guard guests.contains(where: { $0.mode == .watched }) else { return WatchedTraffic() }
        let ranges = AddressRange.flatten(guests.map(\.guest))
        let of = { (mode: GuestMode) in
            ranges.filter { guests[$0.guest].mode == mode }.map { $0.first...$0.last }
        }
        return WatchedTraffic(watched: of(.watched), filtered: of(.filtered))
    }

    /// nil for a guest that there is not.
    public func mode(of guest: String) -> GuestMode? { guests.first { $0.guest.name == guest }?.mode }

    /// Workers of the mirror.
    public var listeners: Int { mirror?.workers ?? 0 }
}
