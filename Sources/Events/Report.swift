import Evidence

/// One event on its way out: its EVE line, and what a sink needs to choose by without reading it.
public struct Report: Sendable {
    /// The line's `event_type`.
    public enum Kind: String, Sendable, CaseIterable {
        case alert, anomaly, drop, flow, flood, packet, stats

        init(of source: Finding.Source) {
            switch source {
            case .signature, .relation: self = .alert
            case .conformance: self = .anomaly
            case .tag: self = .packet
            }
        }
    }

    public let kind: Kind
    /// nil for what is no finding, such as statistics.
    public let concern: Concern?
    /// EVE JSON with its line end. What came in packets is escaped in it (RFC 8259 §7).
    public let line: [UInt8]

    public init(kind: Kind, concern: Concern?, line: [UInt8]) {
        self.kind = kind
        self.concern = concern
        self.line = line
    }
}

/// Where the collector takes what it has collected.
public protocol Outlet: Sendable {
    /// Takes the reports over, in order, or counts them as dropped. Never waits.
    func offer(_ reports: [Report])
}
