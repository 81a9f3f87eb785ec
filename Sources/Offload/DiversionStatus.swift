/// What of ours is installed in this network namespace.
public struct DiversionStatus: Sendable, Equatable {
    public var backend: Backend
    /// False after `quiesce`, or when somebody emptied the chains: the rest is there, and nothing is diverted.
    public var diverting: Bool
    /// Of the rules as they were rendered: compare `Diversion.digest(_:)`.
    public var digest: String
    public var firstQueue: UInt16
    public var queueCount: UInt16
    public var whenStopped: Uninspected
    public var counters: DiversionCounters
    /// inet only: br_netfilter's switches now, and as they were before.
    public var bridgeNetfilter: [Switch]

    public struct Switch: Sendable, Equatable {
        /// Below net.bridge.
        public var name: String
        public var on: Bool
        public var wasOn: Bool
    }
}

extension Diversion {
    /// What is installed, whoever installed it; nil when nothing is.
    public static func status() throws(OffloadError) -> DiversionStatus? {
        let present = try InstalledRules.read()
        guard let backend = present.backend, let state = present.state else { return nil }
        let counters = try counters() ?? DiversionCounters()
        var switches: [DiversionStatus.Switch] = []
        if let former = state.formerSwitches {
            let now = try BridgeNetfilter.read()
            for (index, name) in BridgeNetfilter.names.enumerated() {
                switches.append(.init(name: name, on: now.on[index], wasOn: former.on[index]))
            }
        }
        return DiversionStatus(
            backend: backend, diverting: present.chains.contains { $0.name == "divert" }, digest: state.digest,
            firstQueue: state.firstQueue, queueCount: state.queueCount, whenStopped: state.whenStopped,
            counters: counters, bridgeNetfilter: switches)
    }

    /// The kernel's counters; nil when nothing of ours is installed. A few microseconds.
    public static func counters() throws(OffloadError) -> DiversionCounters? {
        try DiversionCounters.read()
    }
}
