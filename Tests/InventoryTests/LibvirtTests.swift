import Inventory
import Testing
import Wire

@Suite struct LibvirtTests {
    @Test func aDomainHasItsCardsAndWhatItsFilterIsTold() throws {
        let inventory = Fixture.read(.libvirt, "libvirt")
        #expect(inventory.problems == [] && inventory.entries.count == 2)
        let web = try #require(inventory.entry("web"))
        #expect(web.guest.identifier == "4dea22b3-1d52-d8f3-2516-782e98ab3fa0")
        #expect(web.guest.platform == .libvirt && web.guest.owner == nil)
        #expect(
            web.guest.cards == [
                NetworkCard(ports: ["vnet3"], mac: 0x5254_006D_9001, bridge: "virbr0"),
                NetworkCard(
                    ports: ["vnet4"], mac: 0x5254_006D_9002, bridge: "br0", vlan: 42, addresses: prefixes("192.0.2.10")),
            ])
        #expect(inventory.entry("box")?.guest.cards.first?.ports == ["vnet7"])
    }

    @Test func novaSaysWhoseItIsAndWhatItsAddressesAre() throws {
        for platform in [Platform.openstack, .libvirt] {
            let inventory = Fixture.read(platform, "openstack")
            #expect(inventory.problems == [])
            // What nova did not make is no guest of OpenStack's.
            #expect(inventory.entries.count == (platform == .openstack ? 1 : 2))
            let shop = try #require(inventory.entry("shop"))
            #expect(shop.guest.platform == .openstack && shop.guest.owner == "acme")
            #expect(shop.guest.identifier == "629b29b9-b0fb-4766-b27d-f4a686d5cbda")
            #expect(shop.guest.cards.map(\.ports) == [["tap9b4e3c55-6f"]])
            #expect(shop.pinned == prefixes("10.0.0.3", "2001:db8:a::3"))
        }
        let both = Inventory.read(
            [Fixture.source(.libvirt, "openstack"), Fixture.source(.openstack, "openstack")], LinkTable([]))
        #expect(both.entries.count == 2 && both.problems == [])
    }

    /// Each file that cannot be used is told of, with its line; the others are.
    @Test func malformedFilesAreToldOf() throws {
        let inventory = Fixture.read(.libvirt, "malformed")
        let said = inventory.problems.map { "\($0)".dropFirst(Fixture.folder.count) }
        #expect(said.count == 4, "\(said)")
        #expect(said.contains { $0.hasPrefix("/malformed/qemu/bomb.xml:") }, "\(said)")
        #expect(said.contains { $0.contains("/doctype.xml:") && $0.hasSuffix(": a document type has no place here") })
        #expect(said.contains { $0.hasPrefix("/malformed/qemu/cut.xml:") && !$0.hasSuffix(": ") }, "\(said)")
        #expect(said.contains("/malformed/qemu/nameless.xml: the domain has no name"), "\(said)")
        // Names become one line, and what is no address, interface or VLAN is none.
        #expect(inventory.entries.map(\.name) == ["oddname"])
        #expect(inventory.entries.map(\.guest.cards) == [[NetworkCard()]])
    }

    @Test func whatIsNotThereHasNoGuests() {
        for platform in [Platform.libvirt, .openstack, .proxmox] {
            #expect(Fixture.read(platform, "nowhere") == Inventory())
        }
        #expect(Fixture.read(.file, "nowhere").problems.map(\.message) == ["is not there"])
    }
}
