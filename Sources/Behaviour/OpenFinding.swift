import Evidence
import Wire

/// Something that goes on, or was just seen.
public struct OpenFinding: Sendable {
    public let identifier: UInt64
    public let kind: BehaviourKind
    public internal(set) var shape: ScanShape?
    /// The first few of those who do it, and how many.
    public internal(set) var actors: [Address]
    public internal(set) var actorCount = 1
    /// Nil for several.
    public internal(set) var target: Address?
    /// Index of the guest concerned.
    public let guest: Int
    /// Whether it is one of its hosts that does it.
    public let isFromGuest: Bool
    /// Nanoseconds on the packets' clock.
    public let first: UInt64
    public internal(set) var last: UInt64
    public internal(set) var attempts: UInt64 = 0
    var fragmented: UInt64 = 0
    var peers: [Address] = []
    var services: [Service] = []
    var ipProtocol: UInt8?
    var period: UInt64 = 0
    /// The sketches of its hosts and ports are 2n and 2n + 1; nil for none.
    var sketch: Int?
    /// When it is told of: who hides among others is waited for. 0 when it was.
    var due: UInt64

    /// Whether it was told of.
    public var isTold: Bool { due == 0 }

    static let samples = 8

    init(
        _ identifier: UInt64, _ kind: BehaviourKind, actor: Address, target: Address?, guest: Int, isFromGuest: Bool,
        first: UInt64, last: UInt64, due: UInt64
    ) {
        self.identifier = identifier
        self.kind = kind
        self.target = target
        self.guest = guest
        self.isFromGuest = isFromGuest
        self.first = first
        self.last = last
        self.due = due
        actors = [actor]
    }

    mutating func note(_ peer: Address, _ service: Service) {
        if peers.count < OpenFinding.samples, !peers.contains(peer) { peers.append(peer) }
        if services.count < OpenFinding.samples * 2, !services.contains(service) { services.append(service) }
        ipProtocol = ipProtocol == nil && attempts == 0 || ipProtocol == service.ipProtocol ? service.ipProtocol : nil
    }

    /// Nanoseconds of silence after which it is over.
    var patience: UInt64 {
        let second: UInt64 = 1_000_000_000
        if kind == .outwardFlood { return 10 * second }
        guard kind.isScan else { return 300 * second }
        // As it goes, so it is waited for.
        return max(60 * second, 10 * min(180 * second, (last - first) / max(1, attempts)))
    }
}

/// A guest as the watch needs to know it.
public struct WatchedGuest: Sendable {
    public var name: String
    public var shadow: Bool
    public var settings: BehaviourSettings

    public init(name: String, shadow: Bool = false, settings: BehaviourSettings = BehaviourSettings()) {
        self.name = name
        self.shadow = shadow
        self.settings = settings
    }
}
