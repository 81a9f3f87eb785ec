import Topology
import Wire

/// The addresses that were learned of one guest: bounded, because a guest can claim as many as it likes.
public struct LearnedAddresses: Sendable, Equatable {
    public struct Item: Sendable, Equatable {
        public var address: Address
        public var kind: Sighting.Kind
        /// When it was last claimed or leased; nanoseconds since the Unix epoch.
        public var time: UInt64
    }

    public private(set) var items: [Item] = []

    /// IPv6 hosts have temporary addresses beside the lasting ones, a new one each day for a week (RFC 8981 §3.8).
    static let limitV4 = 8
    static let limitV6 = 16
    /// Nanoseconds after which one that was not claimed again makes room for another: a day.
    static let life: UInt64 = 86_400_000_000_000

    var prefixes: [Prefix] { items.map { Prefix($0.address) } }

    func contains(_ address: Address) -> Bool { items.contains { $0.address == address } }

    /// No other may be learned, until one is old.
    func isFull(isV4: Bool) -> Bool { items.count { $0.address.isV4 == isV4 } >= LearnedAddresses.limit(isV4) }

    private static func limit(_ isV4: Bool) -> Int { isV4 ? limitV4 : limitV6 }

    /// Notes that an address is still the guest's; false for one that is not.
    mutating func refresh(_ sighting: Sighting) -> Bool {
        guard let place = items.firstIndex(where: { $0.address == sighting.address }) else { return false }
        items[place].time = max(items[place].time, sighting.time)
        if sighting.kind == .leased { items[place].kind = .leased }
        return true
    }

    /// Makes room where there is none. Returns whether it did.
    mutating func expire(_ time: UInt64) -> Bool {
        let before = items.count
        for isV4 in [true, false] where isFull(isV4: isV4) {
            items.removeAll { $0.address.isV4 == isV4 && time > $0.time + LearnedAddresses.life }
        }
        return items.count < before
    }

    mutating func add(_ sighting: Sighting) {
        guard !isFull(isV4: sighting.address.isV4) else { return }
        items.append(Item(address: sighting.address, kind: sighting.kind, time: sighting.time))
    }

    mutating func remove(where isWrong: (Address) -> Bool) { items.removeAll { isWrong($0.address) } }
}
