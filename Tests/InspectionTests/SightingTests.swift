import Conformance
import Inspection
import Testing
import Topology
import Wire

/// What guests whose addresses are not known say of them.
@Suite struct SightingTests {
    private static let own: UInt64 = 0x0200_0000_000A

    /// A guest at interface 7 that has no address yet; `dns` has its own. The rig's first guest is the sender.
    private func rig(_ learning: AddressLearning, addresses: [Prefix] = []) throws -> Rig {
        var guest = Guest(name: "new", addresses: addresses, port: "tap0", macs: [SightingTests.own])
        guest.learning = learning
        return try Rig(senders: [guest])
    }

    private func arpFrame(_ from: Party) -> [UInt8] { frame(0x0806, arp(from, .dns)) }

    @Test func arpIsAClaim() throws {
        var rig = try rig([.v4, .v6])
        _ = rig.inspect(arpFrame(.stranger), .ethernet, port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == ["claimed 10.0.0.101 7"] && rig.findings == [])
        // From another hardware address than the guest's, or of another port: nothing.
        _ = rig.inspect(arpFrame(.stranger), .ethernet, port: 7, mac: SightingTests.own + 1)
        _ = rig.inspect(arpFrame(.stranger), .ethernet, port: 9, mac: SightingTests.own)
        #expect(rig.sightings() == [])
    }

    /// An address of another guest is no sighting, and a finding.
    @Test func whatIsAnothersIsTold() throws {
        var rig = try rig([.v4, .v6])
        _ = rig.inspect(arpFrame(.dns), .ethernet, port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == [] && rig.findings.contains("guest.address_spoofed"))
    }

    @Test func neighbourDiscoveryIsAClaim() throws {
        let address = Family.v6.bytes(of: .stranger)
        let none = [UInt8](repeating: 0, count: 16)
        func discovery(_ type: UInt8, source: [UInt8], target: [UInt8]) -> [UInt8] {
            [0x60, 0, 0, 0] + big16(24) + [58, 255] + source + Family.v6.bytes(of: .client) + [
                type, 0, 0, 0, 0, 0, 0, 0,
            ]
                + target
        }
        let local = [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [9]
        for (type, source, target, isClaim) in [
            (135, none, address, true), (136, local, address, true), (135, address, local, true),
            (135, local, address, false), (136, address, local, false),
        ] as [(UInt8, [UInt8], [UInt8], Bool)] {
            var rig = try rig([.v4, .v6])
            _ = rig.inspect(discovery(type, source: source, target: target), port: 7, mac: SightingTests.own)
            #expect(rig.sightings() == (isClaim ? ["claimed 2001:db8::65 7"] : []), "\(type)")
        }
        // Nothing is read behind the end.
        var rig = try rig([.v4, .v6])
        _ = rig.inspect(
            discovery(136, source: local, target: address).dropLast(1), port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == [])
    }

    /// Packets are believed only where that was asked for; before any address is known they are no spoofing either way.
    @Test(arguments: Family.allCases) func packetsAreBelievedWhereTheyMayBe(_ family: Family) throws {
        let own: AddressLearning = family == .v4 ? .v4 : .v6
        var rig = try rig([own])
        _ = rig.inspect(family.udp(.stranger, .client), port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == [] && rig.findings == [])
        rig = try self.rig([own, .anyPacket])
        _ = rig.inspect(family.udp(.stranger, .client), port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == ["used \(family.address(of: .stranger)) 7"] && rig.findings == [])
        // Once one is known, another must be claimed first.
        rig = try self.rig([own], addresses: [Prefix(family.address(of: .web))])
        _ = rig.inspect(family.udp(.stranger, .client), port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == [] && rig.findings == ["guest.address_spoofed"])
        // Of a family that is not learned, none.
        rig = try self.rig([family == .v4 ? .v6 : .v4, .anyPacket])
        _ = rig.inspect(family.udp(.stranger, .client), port: 7, mac: SightingTests.own)
        #expect(rig.sightings() == [] && rig.findings == ["guest.address_spoofed"])
    }

    @Test func whatDHCPGivesIsTheGuests() throws {
        func reply(_ kind: UInt8 = 5, operation: UInt8 = 2, cookie: Int = 0x6382_5363, cut: Int = 0) -> [UInt8] {
            var message: [UInt8] = [operation, 1, 6, 0] + [UInt8](repeating: 0, count: 12)
            message += Family.v4.bytes(of: .stranger) + [UInt8](repeating: 0, count: 8)
            message += [2, 0, 0, 0, 0, 0x0A] + [UInt8](repeating: 0, count: 202) + big32(cookie)
            message += [0, 0, 1, 4, 255, 255, 255, 0, 53, 1, kind, 255]
            message.removeLast(cut)
            return Family.v4.ip(
                .client, .stranger, 17, big16(67) + big16(68) + big16(8 + message.count) + big16(0) + message)
        }
        var rig = try rig([.v4])
        _ = rig.inspect(reply(), port: 9, mac: 0x0200_0000_00FF)
        #expect(rig.sightings() == ["leased 10.0.0.101 0"])
        // An offer, a request, no DHCP, cut off before its type; and from a guest's own port.
        for packet in [reply(2), reply(operation: 1), reply(cookie: 0), reply(cut: 2), reply(cut: 12)] {
            _ = rig.inspect(packet, port: 9, mac: 0x0200_0000_00FF)
            #expect(rig.sightings() == [])
        }
        _ = rig.inspect(reply(), port: 7, mac: SightingTests.own)
        #expect(!rig.sightings().contains { $0.hasPrefix("leased") })
    }

    @Test func whatNoHostHasIsNotLearned() {
        for text in [
            "0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "ff02::1",
        ] { #expect(!Address(text)!.isLearnable, "\(text)") }
        for text in ["10.0.0.1", "223.1.1.1", "2001:db8::1", "fd00::1", "64:ff9b::1"] {
            #expect(Address(text)!.isLearnable, "\(text)")
        }
    }
}
