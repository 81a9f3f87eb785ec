import Wire

/// What `pass or drop` the operator chose for traffic that cannot be inspected.
public enum Uninspected: String, Sendable, CaseIterable {
    case pass, drop
}

/// What happens to frames that are neither IPv4 nor IPv6.
public enum NonIP: String, Sendable, CaseIterable {
    /// Never diverted: the bridge forwards them as if Flinch were not there.
    case pass
    /// Queued like the rest (bridge family only; br_netfilter brings up IP alone).
    case inspect
    /// Dropped by the kernel's rule.
    case drop
}

/// Which traffic the kernel hands to which queues.
public struct DiversionPlan: Sendable, Equatable {
    /// Bridges whose traffic is diverted; empty for every bridge of the host (network namespace).
    public var bridges: [String]
    /// Queues `firstQueue ..< firstQueue + queueCount`, one a worker.
    public var firstQueue: UInt16
    public var queueCount: UInt16
    /// What happens to packets while no sensor is bound to the queues.
    public var whenStopped: Uninspected
    public var arp: NonIP
    public var otherProtocols: NonIP
    /// Never diverted, whatever else is said: management addresses, and what is not to be looked at.
    public var excluded: TrafficSelection
    /// All that is diverted, but for what is excluded; empty for everything.
    public var only: TrafficSelection
    /// Not diverted either, because it is seen elsewhere.
    public var watched: WatchedTraffic
    /// The bit of the packet mark that says that a routed packet was queued once already.
    public var markBit: UInt32
    /// Whether the kernel drops the bulk of a flood by itself. Then each worker has a second queue, for what of a
    /// flood is queued all the same: `doubtfulQueue` and the `queueCount - 1` that follow.
    public var offloads: Bool
    public var doubtfulQueue: UInt16 { firstQueue &+ queueCount }

    public init(
        bridges: [String] = [], firstQueue: UInt16 = 0, queueCount: UInt16 = 1,
        whenStopped: Uninspected = .pass, arp: NonIP = .pass, otherProtocols: NonIP = .pass,
        excluded: TrafficSelection = TrafficSelection(), only: TrafficSelection = TrafficSelection(),
        watched: WatchedTraffic = WatchedTraffic(), markBit: UInt32 = 0x0100_0000, offloads: Bool = false
    ) {
        self.bridges = bridges
        self.firstQueue = firstQueue
        self.queueCount = queueCount
        self.whenStopped = whenStopped
        self.arp = arp
        self.otherProtocols = otherProtocols
        self.excluded = excluded
        self.only = only
        self.watched = watched
        self.markBit = markBit
        self.offloads = offloads
    }

    /// Whether anything but the bridges decides what is diverted.
    public var selects: Bool { !excluded.isEmpty || !only.isEmpty || !watched.isEmpty }
}
