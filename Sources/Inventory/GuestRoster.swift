import Topology
import Wire

/// The guests that were found, each at one place as long as the sensor runs, and the addresses that were learned of
/// them.
///
/// A guest that stops keeps its place, so that what is counted and remembered by place stays true when it, or another,
/// comes back. `compact` takes the places of those that are gone.
public struct GuestRoster: Sendable {
    public struct Member: Sendable {
        public internal(set) var entry: Inventory.Entry
        public internal(set) var learned = LearnedAddresses()
        /// The platform knows it no more.
        public internal(set) var isGone = false
        /// The last of its claims to an address that was another guest's, and whose.
        public internal(set) var conflict: (address: Address, owner: String)?

        /// What tells it from all others, whatever it is called.
        var identity: String {
            let guest = entry.guest
            return "\(guest.platform.rawValue) \(guest.identifier.isEmpty ? entry.name : guest.identifier)"
        }

        /// It has a port on a bridge whose packets come by.
        public var isRunning: Bool { entry.ports.contains { $0.bridge != nil && !$0.isOpenVSwitch } }
    }

    public private(set) var members: [Member] = []
    public private(set) var problems: [InventoryProblem] = []
    /// Which addresses are learned of guests whose platform does not say them.
    public var learning: AddressLearning

    public init(learning: AddressLearning) { self.learning = learning }

    /// The guests, in their places.
    public var guests: [Guest] {
        members.map { member in
            let pinned = member.entry.pinned
            var guest = Guest(
                name: member.entry.name, addresses: pinned + member.learned.prefixes, macs: member.entry.macs,
                group: member.entry.guest.owner)
            guest.ports = member.isGone ? [] : member.entry.ports.map(\.name)
            guest.learning = self.learning(of: member)
            return guest
        }
    }

    /// Of a family that the platform gives addresses of, none is learned.
    private func learning(of member: Member) -> AddressLearning {
        guard !member.isGone, !learning.isEmpty else { return [] }
        var open = learning
        for family in [AddressLearning.v4, .v6] {
            let isV4 = family == .v4
            let isPinned = member.entry.pinned.contains { $0.isV4 == isV4 }
            if isPinned || member.learned.isFull(isV4: isV4) { open.remove(family) }
        }
        return open.isDisjoint(with: [.v4, .v6]) ? [] : open
    }

    // MARK: - What changes

    /// Who is there now. What was learned of a guest that has no port any more is forgotten: another may have it.
    public mutating func take(_ inventory: Inventory) {
        problems = inventory.problems
        var places: [String: Int] = [:]
        for (place, member) in members.enumerated() { places[member.identity] = place }
        let fresh = inventory.entries.map { Member(entry: $0) }
        var seen = Set(fresh.compactMap { places[$0.identity] })
        for member in fresh {
            let entry = member.entry
            // Another of the same name has the place of one that is gone: names are what policies are for.
            let namesake = members.indices.first { !seen.contains($0) && members[$0].entry.name == entry.name }
            let place = places[member.identity] ?? namesake ?? members.count
            if place == members.count { members.append(member) }
            if places[member.identity] == nil { members[place] = member }
            seen.insert(place)
            members[place].entry = entry
            members[place].isGone = false
        }
        for place in members.indices {
            if !seen.contains(place) {
                members[place].isGone = true
                members[place].entry.ports = []
            }
            if !members[place].isRunning { members[place].learned = LearnedAddresses() }
        }
        // What a platform has come to give to somebody is not another's by its own word.
        let pinned = members.flatMap(\.entry.pinned)
        for place in members.indices {
            members[place].learned.remove { address in pinned.contains { $0.contains(address) } }
        }
    }

    /// What guests said of their addresses. A pinned address is never another's; of two that claim one, the first keeps
    /// it, unless a DHCP server gives it to the second.
    public mutating func take(_ sightings: [Sighting], taken: (Address) -> Bool = { _ in false }) {
        for sighting in sightings {
            guard let place = place(of: sighting) else { continue }
            let family: AddressLearning = sighting.address.isV4 ? .v4 : .v6
            if members[place].learned.refresh(sighting) { continue }
            guard learning(of: members[place]).contains(family), !taken(sighting.address) else { continue }
            if let owner = owner(of: sighting.address), owner.place != place {
                guard sighting.kind == .leased, !owner.isPinned else {
                    members[place].conflict = (sighting.address, members[owner.place].entry.name)
                    continue
                }
                members[owner.place].learned.remove { $0 == sighting.address }
            }
            members[place].learned.add(sighting)
        }
    }

    private func place(of sighting: Sighting) -> Int? {
        members.firstIndex { member in
            sighting.port != 0
                ? member.entry.ports.contains { $0.index == sighting.port }
                : member.isRunning && member.entry.macs.contains(sighting.mac)
        }
    }

    private func owner(of address: Address) -> (place: Int, isPinned: Bool)? {
        if let place = members.firstIndex(where: { $0.entry.pinned.contains { $0.contains(address) } }) {
            return (place, true)
        }
        return members.firstIndex { $0.learned.contains(address) }.map { ($0, false) }
    }

    /// Makes room for new addresses of guests that have as many as are learned. `time` as in sightings. Returns whether
    /// anything was forgotten.
    public mutating func expire(_ time: UInt64) -> Bool {
        var hasChanged = false
        for place in members.indices where members[place].learned.expire(time) { hasChanged = true }
        return hasChanged
    }

    public var hasGone: Bool { members.contains(where: \.isGone) }

    /// Takes the places of guests that are gone. Places change by it.
    public mutating func compact() { members.removeAll(where: \.isGone) }
}
