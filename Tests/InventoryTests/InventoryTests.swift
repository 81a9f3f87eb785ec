import Foundation
import Inventory
import Testing
import Wire

@Suite struct InventoryTests {
    private static let bridge = Link(index: 2, name: "vmbr0", kind: "bridge")

    /// Those of a guest's interfaces that are there are its ports, wherever they are.
    @Test func portsAreFoundWhereTheyAre() throws {
        let links = [
            InventoryTests.bridge, Link(index: 3, name: "fwbr100i0", kind: "bridge"),
            Link(index: 4, name: "tap100i0", master: 3, kind: "tun"),
            Link(index: 5, name: "fwln100i0", master: 3, kind: "veth"),
            Link(index: 6, name: "fwpr100p0", master: 2, kind: "veth"),
            Link(index: 7, name: "tap100i1", kind: "tun"),
            Link(index: 8, name: "ovs-system", kind: "openvswitch"),
            Link(index: 9, name: "veth200i0", master: 8, kind: "veth"),
        ]
        let inventory = Fixture.read(.proxmox, "pve", links)
        let web = try #require(inventory.entry("web"))
        #expect(web.ports.map(\.name) == ["tap100i0", "fwpr100p0", "tap100i1"])
        #expect(web.ports.map(\.index) == [4, 6, 7] && web.ports.map(\.bridge) == ["fwbr100i0", "vmbr0", nil])
        #expect(inventory.entry("mail")?.ports.map(\.isOpenVSwitch) == [true])
        #expect(inventory.entry("db")?.ports == [])
    }

    @Test func ofWhatTwoAreGivenTheFirstKeepsIt() throws {
        let file = try TemporaryFile(
            """
            one id=1 address=192.0.2.1 mac=02:00:00:00:00:01
            one id=2 address=192.0.2.1 address=192.0.2.2 mac=02:00:00:00:00:01
            one
            """)
        let inventory = Inventory.read([PlatformSource(.file, path: file.path)], LinkTable([]))
        #expect(inventory.entries.map(\.name) == ["one", "one (2)"])
        #expect(inventory.entries.map(\.pinned) == [prefixes("192.0.2.1"), prefixes("192.0.2.2")])
        #expect(inventory.entries.map(\.macs) == [[0x0200_0000_0001], []])
        #expect(inventory.problems.count == 3, "\(inventory.problems)")
    }

    @Test func aListOfGuestsIsRead() throws {
        let inventory = Fixture.read(.file, "guests.list")
        #expect(inventory.problems == [])
        let (web, two) = (try #require(inventory.entry("web")), try #require(inventory.entry("two")))
        #expect(web.guest.identifier == "7" && web.guest.owner == "acme")
        #expect(web.guest.cards.map(\.ports) == [["tap7"]] && web.pinned == prefixes("192.0.2.7", "2001:db8::7"))
        #expect(two.macs == [0x0200_0000_0008, 0x0200_0000_0009] && two.guest.cards.map(\.vlan) == [nil, 12])
    }

    @Test(arguments: [
        ("port=tap7", "1: a guest's name comes first"), ("\nweb tap7", "2: 'tap7' is no word"),
        ("web prt=tap7", "1: 'prt' is not known; the words are id, owner, port"),
        ("web port=a/b", "1: 'port=a/b': write an interface"), ("web mac=1:2", "1: 'mac=1:2': write it like"),
        ("web vlan=4095", "1: 'vlan=4095': write a number from 1 to 4094"),
        ("web address=192.0.2.300", "1: 'address=192.0.2.300': write an address or prefix"),
    ]) func whatIsWrongInAListIsToldByLine(_ text: String, _ expected: String) throws {
        let file = try TemporaryFile(text)
        let inventory = Inventory.read([PlatformSource(.file, path: file.path)], LinkTable([]))
        #expect(inventory.entries.isEmpty)
        #expect(inventory.problems.map { "\($0)".dropFirst(file.path.count + 1) }.first?.hasPrefix(expected) == true)
    }

    /// Sizes and kinds of files that are none of a platform's.
    @Test func whatIsNoFileIsNotRead() throws {
        let folder = try TemporaryFile("").path + ".d"
        try FileManager.default.createDirectory(atPath: folder + "/qemu", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(unsafe mkfifo(folder + "/qemu/fifo.xml", 0o600) == 0)
        try Data(repeating: 32, count: 5 << 20).write(to: URL(fileURLWithPath: folder + "/qemu/large.xml"))
        let deep = String(repeating: "<a>", count: 100_000)
        try Data(deep.utf8).write(to: URL(fileURLWithPath: folder + "/qemu/deep.xml"))
        let inventory = Inventory.read([PlatformSource(.libvirt, path: folder)], LinkTable([]))
        #expect(inventory.entries.isEmpty)
        #expect(
            inventory.problems.map { "\($0)".dropFirst(folder.count) } == [
                "/qemu/deep.xml:1: more elements, or deeper ones, than a domain has",
                "/qemu/fifo.xml: is no regular file", "/qemu/large.xml: is larger than 4 MiB; this describes no guest",
            ])
    }
}

/// A file that is gone with the object.
final class TemporaryFile {
    let path: String

    init(_ text: String) throws {
        path = FileManager.default.temporaryDirectory.path + "/flinch-inventory-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
