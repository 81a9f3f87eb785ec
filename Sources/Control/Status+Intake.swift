/// Where packets come from, and those that were not inspected.
extension Status {
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
        /// Times that the interface went down or away.
        public var errors: UInt64 = 0
        /// `listening`, `down`, or `gone` where there is none of that name or it cannot be listened to.
        public var condition = "listening"
        /// Seconds for which nothing was listened to there.
        public var missing: Double = 0
        /// Of all interfaces together, with the first: frames a second over the last second, and CPU time in seconds.
        public var rate: UInt64 = 0
        public var userTime: Double = 0
        public var systemTime: Double = 0

        public init(interface: String, workers: Int) {
            self.interface = interface
            self.workers = workers
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
}
