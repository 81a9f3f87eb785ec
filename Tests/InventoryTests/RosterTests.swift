import Foundation
import Inventory
import Testing
import Topology
import Wire

/// Guests keep their places, and what is learned of them is theirs as long as they are there.
@Suite struct RosterTests {
    private static let second: UInt64 = 1_000_000_000

    private func entries(_ text: String, _ ports: [(name: String, index: UInt32)]) throws -> Inventory {
        let file = try TemporaryFile(text)
        let links =
            [Link(index: 1, name: "br0", kind: "bridge")]
            + ports.map { Link(index: $0.index, name: $0.name, master: 1, kind: "tun") }
        return Inventory.read([PlatformSource(.file, path: file.path)], LinkTable(links))
    }

    private func seen(_ kind: Sighting.Kind, _ address: String, port: UInt32 = 0, mac: UInt64 = 0, time: UInt64 = 1)
        -> Sighting
    {
        Sighting(kind, Address(address)!, port: port, mac: mac, time: time * RosterTests.second)
    }

    private static let two = """
        one id=1 port=tap1 mac=02:00:00:00:00:01
        two id=2 port=tap2 mac=02:00:00:00:00:02 address=192.0.2.2
        """

    private func roster(_ learning: AddressLearning = [.v4, .v6]) throws -> GuestRoster {
        var roster = GuestRoster(learning: learning)
        roster.take(try entries(RosterTests.two, [("tap1", 11), ("tap2", 12)]))
        return roster
    }

    /// A restart of the sensor forgets nothing of a guest that runs on; one that was started anew is learned anew.
    @Test func whatWasLearnedOutlivesTheSensor() throws {
        let day: UInt64 = 86_400
        var before = try roster()
        before.take([
            seen(.claimed, "192.0.2.1", port: 11, time: 100), seen(.leased, "192.0.2.5", port: 11, time: day),
            seen(.used, "2001:db8::2", port: 12, time: day),
        ])
        let kept = before.kept
        #expect(try JSONDecoder().decode([GuestRoster.Kept].self, from: JSONEncoder().encode(kept)) == kept)
        let now = (day + 200) * RosterTests.second

        var after = try roster()
        after.recall(kept, now)
        // The oldest was not claimed for a day.
        #expect(after.guests[0].addresses == prefixes("192.0.2.5") && after.members[0].learned.items[0].kind == .leased)
        #expect(after.guests[1].addresses == prefixes("192.0.2.2", "2001:db8::2"))

        var other = GuestRoster(learning: [.v4, .v6])
        other.take(try entries(RosterTests.two, [("tap1", 21), ("tap2", 12)]))
        other.recall(kept, now)
        #expect(other.guests[0].addresses.isEmpty, "its port is another")
        #expect(other.guests[1].addresses == prefixes("192.0.2.2", "2001:db8::2"))
        var silent = try roster([])
        silent.recall(kept, now)
        #expect(silent.guests[0].addresses.isEmpty, "nothing is learned any more")
        // Nobody can have what the platform has come to give to another, or what no host can have.
        var wrong = kept
        wrong[0].addresses[0].address = "192.0.2.2"
        wrong[0].addresses[0].time = now
        wrong[0].addresses[1].address = "224.0.0.1"
        var wary = try roster()
        wary.recall(wrong, now)
        #expect(wary.guests[0].addresses.isEmpty)
    }

    @Test func whatIsNotPinnedIsLearned() throws {
        var roster = try roster()
        #expect(roster.guests.map(\.name) == ["one", "two"] && roster.guests.map(\.ports) == [["tap1"], ["tap2"]])
        #expect(roster.guests.map(\.learning) == [[.v4, .v6], .v6])
        roster.take([
            seen(.claimed, "192.0.2.1", port: 11), seen(.claimed, "2001:db8::1", port: 11),
            // Pinned is pinned.
            seen(.claimed, "192.0.2.9", port: 12), seen(.claimed, "2001:db8::2", port: 12),
            // Of nobody's port.
            seen(.claimed, "192.0.2.7", port: 13),
        ])
        #expect(roster.guests[0].addresses == prefixes("192.0.2.1", "2001:db8::1"))
        #expect(roster.guests[1].addresses == prefixes("192.0.2.2", "2001:db8::2"))
        #expect(try self.roster([]).guests.map(\.learning) == [[], []])
    }

    @Test func theFirstKeepsWhatTwoClaim() throws {
        var roster = try roster()
        roster.take([
            seen(.claimed, "2001:db8::1", port: 11), seen(.claimed, "2001:db8::1", port: 12),
            // Neither by word nor by DHCP is a pinned one another's.
            seen(.claimed, "192.0.2.2", port: 11), seen(.leased, "192.0.2.2", mac: 0x0200_0000_0001),
        ])
        #expect(roster.guests.map(\.addresses) == [prefixes("2001:db8::1"), prefixes("192.0.2.2")])
        #expect(roster.members[1].conflict?.owner == "one" && roster.members[0].conflict?.owner == "two")
    }

    /// What a server gives to one is not another's who only said so.
    @Test func aLeaseIsWorthMoreThanAClaim() throws {
        var roster = GuestRoster(learning: [.v4, .v6])
        roster.take(
            try entries(
                "a port=tap1 mac=02:00:00:00:00:01\nb port=tap2 mac=02:00:00:00:00:02", [("tap1", 11), ("tap2", 12)]))
        roster.take([seen(.claimed, "192.0.2.5", port: 11), seen(.leased, "192.0.2.5", mac: 0x0200_0000_0002)])
        #expect(roster.guests.map(\.addresses) == [[], prefixes("192.0.2.5")])
        roster.take([seen(.claimed, "192.0.2.5", port: 11)])
        #expect(roster.guests.map(\.addresses) == [[], prefixes("192.0.2.5")])
        roster.take([seen(.claimed, "192.0.2.6", port: 11)]) { $0 == Address("192.0.2.6") }
        #expect(roster.guests[0].addresses == [], "an address of a guest that the file names")
    }

    @Test func aGuestThatClaimsManyIsBounded() throws {
        var roster = try roster()
        roster.take((1...200).map { seen(.claimed, "10.0.0.\($0)", port: 11) })
        roster.take((1...200).map { seen(.claimed, "2001:db8::\($0)", port: 11) })
        #expect(roster.guests[0].addresses.count == 24 && roster.guests[0].learning == [])
        // A day later those that were not claimed again make room.
        let (tooSoon, inTime) = (roster.expire(86_400 * RosterTests.second), roster.expire(86_402 * RosterTests.second))
        #expect(!tooSoon && inTime)
        #expect(roster.guests[0].addresses == [] && roster.guests[0].learning == [.v4, .v6])
    }

    @Test func whoStopsKeepsThePlaceAndForgetsWhatWasLearned() throws {
        var roster = try roster()
        roster.take([seen(.claimed, "192.0.2.1", port: 11)])
        roster.take(try entries(RosterTests.two, [("tap2", 12)]))
        #expect(roster.guests.map(\.name) == ["one", "two"] && roster.guests[0].addresses == [])
        #expect(roster.guests[0].ports == [] && !roster.hasGone)
        // Gone from the list, and another comes: places stay until they are taken.
        roster.take(try entries("three port=tap3\ntwo id=2 port=tap2 address=192.0.2.2", [("tap2", 12), ("tap3", 13)]))
        #expect(roster.guests.map(\.name) == ["one", "two", "three"] && roster.hasGone)
        roster.compact()
        #expect(roster.guests.map(\.name) == ["two", "three"] && !roster.hasGone)
    }

    /// One of its name that comes has its place, and nothing that was learned of it.
    @Test func aNamesakeHasThePlaceOfOneThatIsGone() throws {
        var roster = try roster()
        roster.take([seen(.claimed, "192.0.2.1", port: 11)])
        roster.take(try entries(RosterTests.two.replacing("id=1", with: "id=9"), [("tap1", 11), ("tap2", 12)]))
        #expect(roster.guests.map(\.name) == ["one", "two"] && !roster.hasGone)
        #expect(roster.guests[0].addresses == [] && roster.members[0].entry.guest.identifier == "9")
    }

    /// By what the platform calls it a guest is the same under another name and at another port.
    @Test func aGuestIsTheSameAtAnotherPort() throws {
        var roster = try roster()
        roster.take([seen(.claimed, "192.0.2.1", port: 11)])
        roster.take(try entries(RosterTests.two.replacing("one", with: "uno"), [("tap1", 21), ("tap2", 12)]))
        #expect(roster.guests.map(\.name) == ["uno", "two"] && roster.guests[0].addresses == prefixes("192.0.2.1"))
        roster.take([seen(.claimed, "192.0.2.4", port: 21)])
        #expect(roster.guests[0].addresses.count == 2)
    }
}
