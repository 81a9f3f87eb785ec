import Foundation
import Inventory
import Testing
import Wire

/// Platforms' files with bytes changed, cut out, doubled: whatever is read of them is in order, or told of.
@Suite struct HostileTests {
    /// The same numbers each time (Steele, Lea and Flood, "SplitMix64", OOPSLA 2014).
    private struct Numbers {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var number = state
            number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
            number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
            return Int((number ^ number >> 31) % UInt64(max(1, limit)))
        }
    }

    private static func damage(_ bytes: [UInt8], _ numbers: inout Numbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0...numbers.next(below: 4) where !bytes.isEmpty {
            let place = numbers.next(below: bytes.count)
            let end = min(bytes.count, place + 1 + numbers.next(below: 40))
            switch numbers.next(below: 4) {
            case 0: bytes[place] = UInt8(numbers.next(below: 256))
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: bytes[place..<end], at: numbers.next(below: bytes.count))
            default: bytes.insert(contentsOf: [0xE2, 0x80, 0xAE, 0x1B, 0x0A], at: place)
            }
        }
        return bytes
    }

    @Test(arguments: [
        (Platform.libvirt, "libvirt/qemu/web.xml", "qemu/web.xml"),
        (.openstack, "openstack/qemu/instance-00000885.xml", "qemu/a.xml"),
        (.proxmox, "pve/qemu-server/100.conf", "qemu-server/100.conf"),
        (.proxmox, "pve/lxc/200.conf", "lxc/200.conf"), (.file, "guests.list", "guests.list"),
    ]) func whateverIsReadIsInOrder(_ platform: Platform, _ fixture: String, _ place: String) throws {
        let folder = try TemporaryFile("").path + ".d"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/\(place)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Fixture.folder)/\(fixture)")))
        let source = PlatformSource(platform, path: platform == .file ? path : folder)
        var numbers = Numbers(state: 1)
        var (read, refused) = (0, 0)
        for _ in 0..<400 {
            try Data(HostileTests.damage(whole, &numbers)).write(to: URL(fileURLWithPath: path))
            let inventory = Inventory.read([source], LinkTable([]))
            read += inventory.entries.count
            refused += inventory.problems.count
            for entry in inventory.entries {
                let isPlain = entry.name.unicodeScalars.allSatisfy {
                    ![.control, .format].contains($0.properties.generalCategory)
                }
                #expect(isPlain && (1...64).contains(entry.name.utf8.count), "\(entry.name)")
                for card in entry.guest.cards {
                    #expect(card.ports.allSatisfy { (1...15).contains($0.utf8.count) && !$0.contains("/") })
                    #expect(card.vlan.map { (1...4094).contains($0) } ?? true)
                    #expect(card.mac.map { $0 >> 40 & 1 == 0 && $0 != 0 && $0 >> 48 == 0 } ?? true)
                }
            }
        }
        // Both are tried.
        #expect(read > 0 && refused > 0, "\(read) read, \(refused) refused")
    }
}
