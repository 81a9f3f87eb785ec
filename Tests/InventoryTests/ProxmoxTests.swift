import Inventory
import Testing
import Wire

@Suite struct ProxmoxTests {
    @Test func machinesAndContainersAreRead() throws {
        let inventory = Fixture.read(.proxmox, "pve")
        #expect(inventory.problems == [] && inventory.entries.map(\.name) == ["web", "db", "mail"])
        let web = try #require(inventory.entry("web"))
        #expect(web.guest.identifier == "100" && web.guest.owner == "acme" && web.guest.platform == .proxmox)
        // As it is, not as it was in a snapshot.
        #expect(
            web.guest.cards == [
                NetworkCard(
                    ports: ["tap100i0", "fwpr100p0"], mac: 0xBC24_11AA_0001, bridge: "vmbr0", vlan: 100,
                    addresses: prefixes("192.0.2.10", "2001:db8::10")),
                NetworkCard(ports: ["tap100i1", "fwpr100p1"], mac: 0xBC24_11AA_0002, bridge: "vmbr1"),
            ])
        let mail = try #require(inventory.entry("mail"))
        #expect(mail.guest.cards.first?.ports == ["veth200i0", "fwpr200p0"] && mail.guest.owner == "acme")
        #expect(mail.pinned == prefixes("192.0.2.20"))
    }

    @Test func theFirewallSaysWhichAddressesACardMayHave() throws {
        let db = try #require(Fixture.read(.proxmox, "pve").entry("db"))
        #expect(db.pinned == prefixes("192.0.2.11", "2001:db8::11"))
        #expect(db.macs == [0xBC24_11AA_0011] && db.guest.owner == nil)
    }

    @Test func aCardWithoutAnAddressIsToldOf() {
        let inventory = Fixture.read(.proxmox, "malformed")
        #expect(inventory.entries.map(\.name) == ["ok"])
        #expect(
            inventory.problems.map { "\($0)".dropFirst(Fixture.folder.count) }.first?.hasPrefix(
                "/malformed/qemu-server/101.conf:2: the card has no hardware address") == true)
        #expect(inventory.problems.count == 1)
    }
}
