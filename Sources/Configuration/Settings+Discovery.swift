import Inventory
import Topology
import Wire

extension Settings {
    /// Reads and checks a configuration file, and takes in the guests that its platforms know now. What a running
    /// sensor has learned of their addresses is not in it.
    public static func loadWithGuests(path: String) throws(ConfigurationErrors) -> Settings {
        let text = try text(of: path)
        let written = try parse(text: text, file: path)
        guard written.discovery.isOn else { return written }
        var roster = GuestRoster(learning: [])
        roster.take(Inventory.read(written.discovery.sources, (try? LinkTable.read()) ?? LinkTable([])))
        return try parse(text: text, file: path, found: roster.guests)
    }

    /// Takes in guests that were found. One of a name that is written in the file is that guest, and has what the file
    /// says; what the file leaves out, the platform says.
    mutating func include(_ found: [Guest]) {
        var places: [String: Int] = [:]
        for (place, guest) in guests.enumerated() { places[guest.guest.name] = place }
        for guest in found {
            if let place = places[guest.name] {
                guests[place].guest.complete(from: guest)
            } else {
                guests.append(discovered(guest))
            }
        }
    }

    private func discovered(_ found: Guest) -> ProtectedGuest {
        let choices = Settings.choices(for: found, named: nil, among: policies)
        let policy = policies.first { $0.name == choices.first?.policy } ?? defaults
        var guest = found
        guest.shadow = policy.shadow || shadow
        var protected = ProtectedGuest(
            guest: guest, floods: policy.floods, conformance: policy.conformance, rules: policy.rules)
        protected.behaviour = policy.behaviour
        let isWatched = onlyListens || discovery.watched.contains { $0.covers(found) }
        protected.mode = isWatched ? .watched : .filtered
        protected.choices = choices
        if !choices.isEmpty { protected.unknownProtocols = policy.unknownProtocols }
        return protected
    }
}

extension Guest {
    fileprivate mutating func complete(from found: Guest) {
        // Whose addresses of a family are written has no others.
        learning = found.learning
        if addresses.contains(where: \.isV4) { learning.remove(.v4) }
        if addresses.contains(where: { !$0.isV4 }) { learning.remove(.v6) }
        addresses += found.addresses.filter { !addresses.contains($0) }
        if ports.isEmpty { ports = found.ports }
        if macs.isEmpty { macs = found.macs }
        group = group ?? found.group
    }
}
