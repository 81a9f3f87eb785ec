import Conformance
import Configuration
import Evidence
import Floods
import Inventory
import Testing
import Topology
import Wire

/// Guests that are found, and what the file says of them.
@Suite struct DiscoveryTests {
    private static let text = """
        policies:
          front: {for: [web*], shadow: true, floods: {syn: high}}
          acme: {for: ["group:acme"], conformance: {ip.land: alert}}
        guests:
          from: [libvirt, {proxmox: pve}, {file: /etc/guests}]
          learn: any
          list:
            - {name: db, policy: strict, addresses: [192.0.2.5]}
            - {name: mail}
        relations: [{from: web7, to: db, action: deny}]

        """

    private func found() -> [Guest] {
        var web = Guest(name: "web7", addresses: [Prefix("192.0.2.7")!], macs: [7], group: "acme")
        web.ports = ["tap7", "fwpr7p0"]
        web.learning = .v6
        var db = Guest(name: "db", addresses: [Prefix("192.0.2.5")!, Prefix("2001:db8::5")!], macs: [5], group: "x")
        db.learning = [.v4, .v6]
        return [web, db, Guest(name: "box", addresses: [], group: "acme")]
    }

    @Test func sourcesAndTheListAreRead() throws {
        let settings = try Settings.parse(text: DiscoveryTests.text, file: "/etc/flinch/f.yaml")
        #expect(
            settings.discovery.sources == [
                PlatformSource(.libvirt, path: "/run/libvirt"), PlatformSource(.proxmox, path: "/etc/flinch/pve"),
                PlatformSource(.file, path: "/etc/guests"),
            ])
        #expect(settings.discovery.learn == .any && settings.guests.map(\.guest.name) == ["db", "mail"])
        #expect(settings.guests[1].guest.addresses == [])
    }

    @Test func whoIsFoundHasThePolicyThatIsForIt() throws {
        let settings = try Settings.parse(text: DiscoveryTests.text, file: "f", found: found())
        #expect(settings.guests.map(\.guest.name) == ["db", "mail", "web7", "box"])
        let (db, web, box) = (settings.guests[0], settings.guests[2], settings.guests[3])
        #expect(
            web.choices.first?.policy == "front" && web.guest.shadow && web.floods[.syn].entry < box.floods[.syn].entry)
        #expect(web.guest.ports == ["tap7", "fwpr7p0"] && web.guest.learning == .v6)
        #expect(box.choices.first?.policy == "acme" && box.conformance[.ipLand].action == .alert && !box.guest.shadow)
        // What the file says stays; what it leaves out, the platform says.
        #expect(db.choices.first?.policy == "strict" && db.guest.group == "x" && db.guest.macs == [5])
        #expect(db.guest.addresses == [Prefix("192.0.2.5")!, Prefix("2001:db8::5")!] && db.guest.learning == .v6)
        #expect(settings.relations[0].from.addresses == [Prefix("192.0.2.7")!])
    }

    /// Who is not there yet is in no relation yet.
    @Test func aRelationWaitsForItsGuest() throws {
        let settings = try Settings.parse(text: DiscoveryTests.text, file: "f")
        #expect(settings.relations.count == 1 && settings.relations[0].from.addresses == [])
    }

    @Test(arguments: [
        ("guests: {learn: any}", "1:9: guests.from: there is nothing; write who says which guests there are"),
        ("guests: {from: []}", "1:16: guests.from: the list is empty"),
        (
            "guests: {from: [libvrt]}",
            "1:17: guests.from: \"libvrt\" is not one of libvirt, proxmox, openstack, file; did you mean libvirt?"
        ),
        ("guests: {from: [file]}", "1:17: guests.from: a file has a path; write {file: guests.list}"),
        ("guests: {from: [libvirt, libvirt]}", "1:26: guests.from: libvirt is listed twice"),
        ("guests: {from: [{files: x}]}", "1:18: guests.from: \"files\" is not known here; did you mean file?"),
        ("guests: {from: [libvirt], learn: arp}", "1:34: guests.learn: \"arp\" is not one of neighbours, any, none"),
        (
            "guests: {from: [libvirt], list: [{addresses: [192.0.2.1]}]}",
            "1:34: guests.list[0].name: the guest has none"
        ),
        // Kernel rules are about guests of the file.
        ("guests: {from: [libvirt]}\ndivert: {exclude: [web]}", "2:20: divert.exclude: no guest is \"web\""),
    ]) func whatIsWrongIsToldByLine(_ text: String, _ expected: String) {
        let said = problems(text)
        #expect(said.first?.hasPrefix(expected) == true, "\(said)")
    }
}
