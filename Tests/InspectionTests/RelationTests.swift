import Evidence
import Inspection
import Policy
import Testing
import Topology
import Wire

/// Who may begin to talk to whom: `web` must not call `dns`, and strangers who call `web` are told of.
@Suite struct RelationTests {
    private static func party(_ party: Party) -> Relation.Party {
        Relation.Party("\(party)", Family.allCases.map { Prefix($0.address(of: party)) })
    }

    private static let relations = [
        Relation(from: party(.web), to: party(.dns), action: .deny),
        Relation(from: party(.stranger), to: party(.web), action: .alert),
    ]

    private func rig(_ relations: [Relation] = RelationTests.relations, shadow: Bool = false) throws -> Rig {
        try Rig(dns: GuestPolicy(shadow: shadow), relations: relations)
    }

    private static let refused = Decision(verdict: .drop, intended: .drop, reason: .relation)

    @Test(arguments: Family.allCases) func whoMayNotTalkIsDropped(_ family: Family) throws {
        var rig = try rig()
        for packet in [
            family.tcp(.web, .dns, flags: .syn), family.udp(.web, .dns), family.ping(.web, .dns),
            family.ip(.web, .dns, 132, Array(repeating: 0, count: 12)),
        ] {
            #expect(rig.inspect(packet) == RelationTests.refused)
            #expect(rig.findings == ["relation 0"])
        }
        #expect(rig.tally.dropped(.relation) == 4)
        #expect(rig.inspect(family.udp(.client, .dns)) == .accept)
        #expect(rig.inspect(family.udp(.web, .client)) == .accept)
        #expect(rig.findings == [])
    }

    @Test(arguments: Family.allCases) func answersAreNoBeginning(_ family: Family) throws {
        var rig = try rig()
        #expect(rig.inspect(family.tcp(.dns, .web, flags: .syn)) == .accept)
        #expect(rig.inspect(family.answer(.web, .dns)) == .accept)
        #expect(rig.inspect(family.tcp(.dns, .web, "x")) == .accept)
        #expect(rig.findings == [])
        let question = family.ip(.dns, .web, 17, big16(9000) + big16(40_000) + big16(8) + big16(0))
        #expect(rig.inspect(question) == .accept)
        #expect(rig.inspect(family.udp(.web, .dns)) == .accept)
    }

    /// An answer to a SYN that nobody sent makes a flow in which the sender is the server.
    @Test func aConnectionIsBegunByWhoAsksForIt() throws {
        var rig = try rig()
        _ = rig.inspect(Family.v4.answer(.web, .dns, port: 40_000))
        _ = rig.inspect(Family.v4.tcp(.dns, .web, port: 40_000, flags: [.rst, .ack]))
        #expect(rig.inspect(Family.v4.tcp(.web, .dns, port: 40_000, flags: .syn)) == RelationTests.refused)
        // Of one that was there before, it is not known who began it.
        #expect(rig.inspect(Family.v4.tcp(.web, .dns, port: 81, "x")) == .accept)
        var both = try self.rig(
            RelationTests.relations + [
                Relation(from: RelationTests.party(.dns), to: RelationTests.party(.web), action: .deny)
            ])
        #expect(both.inspect(Family.v4.tcp(.web, .dns, port: 81, "x")) == RelationTests.refused)
    }

    @Test func fragmentsAreTheDatagrams() throws {
        var rig = try rig()
        #expect(rig.inspect(Family.v4.fragment(.web, .dns, offset: 16, more: false)) == .accept)
        // It makes the datagram whole, and whose that is is known.
        #expect(rig.inspect(Family.v4.fragment(.web, .dns, offset: 0, more: true)) == RelationTests.refused)
        #expect(rig.findings == ["relation 0"])
    }

    /// What is in a tunnel is not asked about, and says nothing of the same conversation without one.
    @Test func aTunnelIsItsEnds() throws {
        var rig = try rig()
        #expect(rig.inspect(Family.v4.ip(.client, .stranger, 4, Family.v4.udp(.web, .dns))) == .accept)
        #expect(rig.inspect(Family.v4.udp(.web, .dns)) == RelationTests.refused)
        #expect(rig.inspect(Family.v4.ip(.web, .dns, 4, Family.v4.udp(.client, .stranger))) == RelationTests.refused)
    }

    @Test func whatIsToldOfPasses() throws {
        var rig = try rig()
        #expect(rig.inspect(Family.v4.udp(.stranger, .web)) == .accept)
        #expect(rig.findings == ["relation 1"])
        #expect(rig.inspector.findings[0].concern == .medium)
    }

    @Test func inShadowModeItPasses() throws {
        var rig = try rig(shadow: true)
        let expected = Decision(verdict: .accept, intended: .drop, reason: .relation)
        #expect(rig.inspect(Family.v4.udp(.web, .dns)) == expected)
        #expect(rig.tally.wouldHaveDropped(.relation) == 1)
    }

    @Test func aReloadHoldsForConversationsThatAreOpen() throws {
        var rig = try rig([])
        rig.open(.web, .dns, .v4)
        #expect(rig.inspect(Family.v4.tcp(.web, .dns, "x")) == .accept)
        try rig.reload(relations: RelationTests.relations)
        #expect(rig.inspect(Family.v4.tcp(.web, .dns, "x")) == RelationTests.refused)
        try rig.reload(relations: [])
        #expect(rig.inspect(Family.v4.tcp(.web, .dns, "x")) == .accept)
    }
}
