import Configuration
import Events
import Foundation
import Sensor
import Testing
import Topology
import Wire

/// What a program takes over from the one before when guests come.
@Suite struct FollowTests {
    private func program(_ found: [Guest], former: Program? = nil, keepsRules: Bool = false) throws -> Program {
        let text = "guests: {from: [libvirt], list: [{name: web, addresses: [192.0.2.1]}]}\n"
        let settings = try Settings.parse(text: text, file: "f", found: found)
        return try Program(settings, workers: 1, former: former, found: found, keepsRules: keepsRules)
    }

    private func guest(_ name: String, _ addresses: String...) -> Guest {
        Guest(name: name, addresses: addresses.map { Prefix($0)! })
    }

    @Test func countersGoOnWhenGuestsCome() throws {
        let first = try program([guest("a", "192.0.2.2")])
        let second = try program([guest("a", "192.0.2.2"), guest("b")], former: first, keepsRules: true)
        #expect(second.floods === first.floods && second.generation == first.generation)
        #expect(!second.needsRules, "it has no address yet")
        let third = try program([guest("a", "192.0.2.2"), guest("b", "192.0.2.3")], former: second, keepsRules: true)
        #expect(third.floods === first.floods && third.hosts.continues(first.hosts))
        #expect(third.needsRules && third.rules === first.rules && third.generation == first.generation)
        #expect(third.names.guest(2) == "b" && third.guest(of: Address("192.0.2.3")!) == 2)
        // The rules behind it: their numbers may be others.
        let fourth = try program([guest("a", "192.0.2.2"), guest("b", "192.0.2.3")], former: third)
        #expect(!fourth.needsRules && fourth.rules !== first.rules && fourth.generation == first.generation + 1)
        #expect(fourth.floods === first.floods)
    }

    /// Where places change, tables are made anew: nobody's counts become another's.
    @Test func placesThatChangeMeanNewTables() throws {
        let first = try program([guest("a", "192.0.2.2"), guest("b", "192.0.2.3")])
        let second = try program([guest("b", "192.0.2.3")], former: first, keepsRules: true)
        #expect(second.floods !== first.floods && second.generation == first.generation + 1)
        let many = (0..<1200).map { guest("m\($0)", "10.0.\($0 / 200).\($0 % 200)") }
        let third = try program([guest("b", "192.0.2.3")] + many, former: second, keepsRules: true)
        #expect(third.floods !== second.floods && third.hosts.slotCount >= 1202)
    }
}
