import Configuration
import Control
import Inventory
import Topology
import Wire

extension Controller {
    /// Who is protected, and where.
    func guests(_ roster: GuestRoster) -> GuestsDocument {
        let settings = program.settings
        let members = Dictionary(roster.members.map { ($0.entry.name, $0) }) { first, _ in first }
        return GuestsDocument(
            guests: settings.guests.map { Controller.describe($0, members[$0.guest.name]) },
            problems: roster.problems.map(\.description))
    }

    private static func describe(
        _ protected: Settings.ProtectedGuest, _ member: GuestRoster.Member?
    ) -> GuestsDocument.Guest {
        let guest = protected.guest
        let ports = member.map {
            $0.entry.ports.map { GuestsDocument.Port(name: $0.name, index: $0.index, bridge: $0.bridge) }
        }
        let entry = member?.entry.guest
        let identifier = entry?.identifier ?? ""
        return GuestsDocument.Guest(
            name: guest.name, platform: entry?.platform.rawValue, identifier: identifier.isEmpty ? nil : identifier,
            owner: guest.group,
            ports: ports ?? guest.ports.map { GuestsDocument.Port(name: $0, index: 0, bridge: nil) },
            macs: guest.macs.map(text), addresses: guest.addresses.map { address($0, member) },
            policy: protected.choices.first?.policy ?? "default", shadow: guest.shadow, state: state(guest, member),
            conflict: member?.conflict.map { "\($0.address) of \($0.owner)" })
    }

    private static func address(_ prefix: Prefix, _ member: GuestRoster.Member?) -> GuestsDocument.Address {
        let item = member?.learned.items.first { Prefix($0.address) == prefix }
        let isPinned = member?.entry.pinned.contains(prefix) ?? false
        return GuestsDocument.Address(
            address: "\(prefix)", known: isPinned ? "pinned" : item.map { "\($0.kind)" } ?? "configured")
    }

    private static func state(_ guest: Guest, _ member: GuestRoster.Member?) -> String {
        guard let member else { return "configured" }
        if member.isRunning { return "running" }
        guard let port = member.entry.ports.first else { return "stopped" }
        return port.isOpenVSwitch ? "openvswitch" : "no bridge"
    }

    /// `02:00:00:00:00:0a`
    private static func text(_ mac: UInt64) -> String {
        stride(from: 40, through: 0, by: -8).map { shift in
            let byte = String(mac >> UInt64(shift) & 0xFF, radix: 16)
            return byte.count == 1 ? "0" + byte : byte
        }.joined(separator: ":")
    }
}
