import Topology
import Wire

/// What was learned outlives the sensor: a guest that goes on while it is restarted keeps the addresses that it had.
extension GuestRoster {
    /// Of one guest, to be written down.
    public struct Kept: Codable, Sendable, Equatable {
        public struct Item: Codable, Sendable, Equatable {
            public var address: String
            /// `Sighting.Kind`.
            public var kind: UInt8
            /// When it was last claimed or leased; nanoseconds since the Unix epoch.
            public var time: UInt64
        }

        /// What tells it from all others.
        public var identity: String
        /// Its ports, and their indices: another index is another start of the guest, which may have other addresses.
        public var ports: [String: UInt32]
        public var addresses: [Item]
    }

    /// As bounded as what is learned.
    public var kept: [Kept] {
        members.filter { !$0.learned.items.isEmpty }.map { member in
            Kept(
                identity: member.identity, ports: member.portIndices,
                addresses: member.learned.items.map {
                    Kept.Item(address: "\($0.address)", kind: $0.kind.rawValue, time: $0.time)
                })
        }
    }

    /// Takes what was learned before, of guests that run since then and are learned from still; what is older than a day
    /// must be learned again. `time` as in sightings. By the way of sightings, so that all that holds for those does.
    public mutating func recall(_ kept: [Kept], _ time: UInt64) {
        for one in kept {
            guard let member = members.first(where: { $0.identity == one.identity }), member.isRunning,
                member.portIndices == one.ports, let port = member.entry.ports.first
            else { continue }
            take(
                one.addresses.compactMap { item in
                    guard let address = Address(item.address), address.isLearnable,
                        let kind = Sighting.Kind(rawValue: item.kind),
                        item.time <= time, time - item.time <= LearnedAddresses.life
                    else { return nil }
                    return Sighting(kind, address, port: port.index, mac: 0, time: item.time)
                })
        }
    }
}

extension GuestRoster.Member {
    fileprivate var portIndices: [String: UInt32] {
        Dictionary(entry.ports.map { ($0.name, $0.index) }) { first, _ in first }
    }
}
