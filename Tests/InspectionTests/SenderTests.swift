import Conformance
import Evidence
import Inspection
import Policy
import Testing
import Topology
import Wire

/// What is told of packets by who sends them: guests that are known by port and hardware address.
@Suite struct SenderTests {
    private static let own: UInt64 = 0x0200_0000_000A
    private static let other: UInt64 = 0x0200_0000_000B

    /// `web` is at interface 7.
    private func rig(macs: [UInt64]) throws -> Rig {
        try Rig(senders: [Guest(name: "web", addresses: Rig.home[0], port: "tap0", macs: macs)])
    }

    @Test(arguments: Family.allCases) func aGuestSendsFromItsOwnAddress(_ family: Family) throws {
        var rig = try rig(macs: [SenderTests.own])
        _ = rig.inspect(family.udp(.web, .client), port: 7, mac: SenderTests.own)
        #expect(rig.findings == [])
        _ = rig.inspect(family.udp(.dns, .client), port: 7, mac: SenderTests.own)
        #expect(rig.findings == ["guest.address_spoofed"])
        _ = rig.inspect(family.udp(.stranger, .client), port: 7, mac: SenderTests.own)
        #expect(rig.findings == ["guest.address_spoofed"])
        // Known by its hardware address alone.
        _ = rig.inspect(family.udp(.dns, .client), port: 9, mac: SenderTests.own)
        #expect(rig.findings == ["guest.address_spoofed"])
        // What others send with a guest's address may have been routed.
        _ = rig.inspect(family.udp(.web, .client), port: 9, mac: SenderTests.other)
        #expect(rig.findings == [])
    }

    @Test func aGuestSendsFromItsOwnHardwareAddress() throws {
        var rig = try rig(macs: [SenderTests.own])
        _ = rig.inspect(Family.v4.udp(.web, .client), port: 7, mac: SenderTests.own)
        #expect(rig.findings == [])
        _ = rig.inspect(Family.v4.udp(.web, .client), port: 7, mac: SenderTests.other)
        #expect(rig.findings == ["guest.mac_spoofed", "guest.mac_changed"])
    }

    /// Where it is not configured, the first that is seen is learned.
    @Test func aHardwareAddressIsLearned() throws {
        var rig = try rig(macs: [])
        for (mac, expected) in [
            (SenderTests.own, []), (SenderTests.own, []), (SenderTests.other, ["guest.mac_changed"]),
            (SenderTests.other, []),
        ] {
            _ = rig.inspect(Family.v4.udp(.web, .client), port: 7, mac: mac)
            #expect(rig.findings == expected)
        }
    }

    /// What a guest sends under another's name is its own policy's business, not that of whom it names.
    @Test(arguments: Family.allCases) func itsOwnPolicyCounts(_ family: Family) throws {
        var strict = CheckSettings()
        strict[.guestAddressSpoofed].action = .drop
        func rig(web: CheckSettings, dns: CheckSettings, webShadow: Bool = false) throws -> Rig {
            try Rig(
                web: GuestPolicy(shadow: webShadow),
                checks: CheckTable(guests: [web, dns], others: CheckSettings()),
                senders: [Guest(name: "web", addresses: Rig.home[0], port: "tap0")])
        }
        let (spoofed, told) = (dropped(.spoofed), Decision.accept)
        for (from, to) in [(Party.dns, Party.client), (.stranger, .client), (.stranger, .dns)] {
            let packet = family.udp(from, to)
            for (checks, shadow, expected) in [
                (strict, false, spoofed), (strict, true, shadowed(.spoofed)), (CheckSettings(), false, told),
            ] {
                var rig = try rig(web: checks, dns: CheckSettings(), webShadow: shadow)
                #expect(rig.inspect(packet, port: 7, mac: SenderTests.own) == expected, "\(from) \(to)")
                #expect(rig.findings == ["guest.address_spoofed"])
                // It is told of under the name of a guest that it names, else of the one that sent it.
                #expect(rig.inspector.guest == (from == .dns || to == .dns ? 1 : 0))
            }
            var other = try rig(web: CheckSettings(), dns: strict)
            #expect(other.inspect(packet, port: 7, mac: SenderTests.own) == told)
        }
    }

    @Test func aGuestIsNoServerOfAddresses() throws {
        var rig = try rig(macs: [SenderTests.own])
        let header: [UInt8] = big16(67) + big16(68) + big16(248) + big16(0)
        let offer: [UInt8] = header + [2] + [UInt8](repeating: 0, count: 239)
        _ = rig.inspect(Family.v4.ip(.web, .client, 17, offer), port: 7, mac: SenderTests.own)
        #expect(rig.findings == ["guest.rogue_dhcp"])
        _ = rig.inspect(Family.v4.ip(.client, .web, 17, offer), port: 9, mac: SenderTests.other)
        #expect(rig.findings == [])
    }

    @Test func manyAreFound() {
        let guests = (1...1000).map { (number: Int) -> Guest in
            let macs: [UInt64] = number % 3 == 0 ? [] : [UInt64(number) << 8]
            return Guest(name: "", addresses: [], port: number % 2 == 0 ? String(number) : nil, macs: macs)
        }
        let table = SenderTable(guests) { UInt32($0) }
        for number in 1...1000 {
            let index = Int32(number - 1)
            #expect(table.view.guest(atPort: UInt32(number)) == (number % 2 == 0 ? index : -1))
            #expect(table.view.guest(ofMAC: UInt64(number) << 8) == (number % 3 == 0 ? -1 : index))
            #expect(table.view.knowsMACs(of: index) == (number % 3 != 0))
        }
        #expect(table.view.guest(atPort: 0) == -1 && table.view.guest(ofMAC: 0) == -1)
        #expect(!table.view.isEmpty && SenderTable([]) { _ in 1 }.view.isEmpty)
    }
}
