/// What all addresses of a guest receive and send together.
public struct GuestTraffic: Sendable, Equatable {
    public var name: String
    /// A second.
    public var packetsIn: UInt64 = 0
    public var packetsOut: UInt64 = 0
    public var bitsIn: UInt64 = 0
    public var bitsOut: UInt64 = 0
    /// Since the start: findings, packets by flood class, and those that were not let through.
    public var findings: UInt64 = 0
    public var received: [String: UInt64] = [:]
    public var dropped: [String: UInt64] = [:]

    /// Guests that are told apart; all others are one, of this name.
    public static let limit = 200
    public static let others = "_others"

    private init(name: String) { self.name = name }

    /// In the order of the status.
    public static func all(_ status: Status) -> [GuestTraffic] {
        var order: [String] = []
        var sums: [String: GuestTraffic] = [:]
        for guest in status.guests {
            let name = sums[guest.name] != nil || order.count < limit ? guest.name : others
            if sums[name] == nil { order.append(name) }
            sums[name, default: GuestTraffic(name: name)].add(guest)
        }
        return order.compactMap { sums[$0] }
    }

    private mutating func add(_ guest: Status.Guest) {
        packetsIn &+= guest.packetsIn
        packetsOut &+= guest.packetsOut
        bitsIn &+= guest.bitsIn
        bitsOut &+= guest.bitsOut
        findings &+= guest.alerts
        received.merge(guest.received, uniquingKeysWith: &+)
        dropped.merge(guest.dropped, uniquingKeysWith: &+)
    }
}
