import Evidence
import Testing
import Topology
import Wire

private func party(_ name: String, _ prefixes: String...) -> Relation.Party {
    Relation.Party(name, prefixes.map { Prefix($0)! })
}

private let all = party("all", "0.0.0.0/0", "::/0")

@Suite("Who may talk to whom")
struct RelationTableTests {
    private static let office = party("office", "10.1.0.0/16", "10.1.2.0/24", "2001:db8:1::/48")
    private static let boss = party("boss", "10.1.2.3")
    private static let servers = party("servers", "10.2.0.0/24", "2001:db8:2::/48")
    private static let relations = [
        Relation(from: boss, to: servers, action: .allow),
        Relation(from: office, to: servers, action: .deny, concern: .high),
        Relation(from: all, to: servers, action: .alert, concern: .low),
        Relation(from: servers, to: all, action: .deny),
    ]

    /// Senders and receivers, and the relation that holds between them.
    @Test(
        arguments: [
            ("10.1.2.3", "10.2.0.1", nil), ("10.1.2.4", "10.2.0.1", 1), ("10.1.2.2", "10.2.0.255", 1),
            ("10.1.0.0", "10.2.0.0", 1), ("10.1.255.255", "10.2.0.0", 1), ("10.0.255.255", "10.2.0.0", 2),
            ("10.1.2.4", "10.2.1.0", nil), ("10.2.0.1", "10.1.2.3", 3), ("10.2.0.1", "10.2.0.2", 2),
            ("2001:db8:1::5", "2001:db8:2::1", 1), ("2001:db8:3::5", "2001:db8:2::1", 2),
            ("2001:db8:2:ffff:ffff:ffff:ffff:ffff", "::1", 3), ("192.0.2.1", "192.0.2.2", nil),
            ("255.255.255.255", "10.2.0.9", 2), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", nil),
        ] as [(String, String, Int?)]) func theFirstThatFitsHolds(_ from: String, _ to: String, _ expected: Int?)
    {
        let table = RelationTable(RelationTableTests.relations)
        let finding = table.view.finding(of: table.view.relation(from: Address(from)!, to: Address(to)!))
        #expect(finding.map { Int($0.code) } == expected)
        #expect(finding?.asks == expected.map { RelationTableTests.relations[$0].action == .deny ? .drop : .accept })
        #expect(finding?.concern == expected.map { RelationTableTests.relations[$0].concern })
    }

    @Test func theTableSaysWhatTheListSays() {
        var random = SystemRandomNumberGenerator()
        func prefix() -> Prefix {
            let address = Address(high: 0, low: 0xFFFF_0A00_0000 | UInt64.random(in: 0..<64, using: &random) << 16)
            return Prefix(address, length: Int.random(in: 8...16, using: &random))!
        }
        for _ in 0..<20 {
            let relations = (0..<8).map { _ in
                Relation(
                    from: Relation.Party("", [prefix(), prefix()]), to: Relation.Party("", [prefix(), prefix()]),
                    action: Relation.Action.allCases.randomElement(using: &random)!)
            }
            let table = RelationTable(relations)
            for _ in 0..<500 {
                let (a, b) = (prefix().base, prefix().last)
                let listed = Relation.first(of: relations, from: a, to: b)
                let found = table.view.finding(of: table.view.relation(from: a, to: b))
                #expect(found.map { relations[Int($0.code)] } == (listed?.action == .allow ? nil : listed))
            }
        }
    }

    @Test func nothingSaidIsNothingAsked() {
        #expect(RelationTable([]).view.isEmpty)
        #expect(RelationTable([Relation(from: all, to: all, action: .allow)]).view.isEmpty)
        #expect(!RelationTable(RelationTableTests.relations).view.isEmpty)
        #expect(RelationTable(RelationTableTests.relations).memoryBytes < 1 << 10)
    }

    @Test func thePartiesAreBounded() {
        let many = (0..<300).map { number in
            Relation(
                from: party("", "10.0.\(number / 250).\(number % 250)"), to: all, action: .deny)
        }
        #expect(RelationTable.classCount(of: many) > RelationTable.limit)
        #expect(RelationTable.classCount(of: Array(many.prefix(200))) <= RelationTable.limit)
    }
}
