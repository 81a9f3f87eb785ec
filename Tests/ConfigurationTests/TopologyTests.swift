import Configuration
import Evidence
import Offload
import Testing
import Topology
import Wire

/// Which traffic is not looked at, and who may talk to whom.
@Suite struct TopologyTests {
    private static let guests = """
        guests:
          - {name: web1, addresses: [10.1.0.1, "2001:db8::1"], group: dmz}
          - {name: web2, addresses: [10.1.0.2], group: dmz}
          - {name: lab, addresses: [10.2.0.0/16]}

        """

    private static func prefixes(_ texts: String...) -> [Prefix] { texts.map { Prefix($0)! } }

    @Test func trafficIsNamedAsPeopleDo() throws {
        let divert = try parsed(
            TopologyTests.guests + """
                divert:
                  exclude: [192.0.2.1, "2001:db8:f::/64", "group:dmz", "vlan:100", "vlan:200-299", "port:tap7i0", [web2, 10.9.0.0/24]]
                  only: [lab]

                """
        ).divert
        #expect(
            divert.excluded
                == TrafficSelection(
                    prefixes: TopologyTests.prefixes(
                        "192.0.2.1", "2001:db8:f::/64", "10.1.0.1", "2001:db8::1", "10.1.0.2"),
                    vlans: [100...100, 200...299], ports: ["tap7i0"],
                    pairs: [.init(TopologyTests.prefixes("10.1.0.2"), TopologyTests.prefixes("10.9.0.0/24"))]))
        #expect(divert.only == TrafficSelection(prefixes: TopologyTests.prefixes("10.2.0.0/16")))
    }

    @Test func relationsAreAList() throws {
        let relations = try parsed(
            TopologyTests.guests + """
                relations:
                  - {from: web1, to: lab, action: allow}
                  - {from: "group:dmz", to: [lab, 192.0.2.0/24], action: deny, concern: high}
                  - {from: all, to: "web*", action: alert}

                """
        ).relations
        #expect(
            relations.map(\.text) == [
                "web1 may talk to lab", "group:dmz may not talk to lab, 192.0.2.0/24", "all talks to web*",
            ])
        #expect(relations.map(\.concern) == [.medium, .high, .medium])
        #expect(relations[1].from.addresses == TopologyTests.prefixes("10.1.0.1", "2001:db8::1", "10.1.0.2"))
        #expect(relations[1].to.addresses == TopologyTests.prefixes("10.2.0.0/16", "192.0.2.0/24"))
        #expect(relations[2].from.addresses.contains { $0.contains(Address("2001:db8::77")!) })
    }

    @Test func whoMayTalkIsExplained() throws {
        let settings = try parsed(
            TopologyTests.guests + "relations: [{from: lab, to: \"group:dmz\", action: deny}]\n")
        let text = PolicyExplanation(settings, Address("10.1.0.1")!, Address("10.2.0.5")!).text
        #expect(text.contains("  10.1.0.1 → 10.2.0.5 allow, because no relation says otherwise\n"))
        #expect(text.contains("  10.2.0.5 → 10.1.0.1 deny, because lab may not talk to group:dmz\n"))
        #expect(!PolicyExplanation(settings, Address("10.1.0.1")!).text.contains("→"))
    }

    @Test(arguments: [
        BadCase(
            "divert: {exclude: [web3]}\n",
            "1:20: divert.exclude: no guest is \"web3\"; did you mean web1?"),
        BadCase(
            "divert: {only: [\"group:nobody\"]}\n",
            "1:17: divert.only: no guest is \"group:nobody\"; write a guest's name, a pattern like web*,"
                + " \"group:NAME\", a prefix, or all"),
        BadCase(
            "divert: {exclude: [\"vlan:4095\", \"vlan:9-8\", \"vlan:\", \"port:a/b\"]}\n",
            "1:20: divert.exclude: \"vlan:4095\" is not VLANs; write vlan:100 or vlan:100-199, of 1 to 4094",
            "1:33: divert.exclude: \"vlan:9-8\" is not VLANs; write vlan:100 or vlan:100-199, of 1 to 4094",
            "1:45: divert.exclude: \"vlan:\" is not VLANs; write vlan:100 or vlan:100-199, of 1 to 4094",
            "1:54: divert.exclude: \"port:a/b\" is not a port; write port: and an interface's name (1 to 15 bytes,"
                + " no blank, no slash, no colon)"),
        BadCase(
            "divert: {exclude: [[web1], [web2, \"2001:db8::9\"]]}\n",
            "1:20: divert.exclude: a pair has two ends, and this has 1; write [web, 192.0.2.9]",
            "1:28: divert.exclude: one end has IPv4 addresses only and the other IPv6: they never talk"),
        BadCase(
            "relations: [{from: web1, action: forbid}]\n",
            "1:13: relations[0].to: there is none; write to: and hosts, or all",
            "1:34: relations[0].action: \"forbid\" is not one of allow, alert, deny"),
        BadCase(
            "relations: [{from: [], to: all, action: deny, concern: lots}]\n",
            "1:20: relations[0].from: the list is empty; write at least one, or all",
            "1:56: relations[0].concern: \"lots\" is not one of low, medium, high"),
    ]) func whatIsWrongIsSaid(_ bad: BadCase) {
        #expect(problems(bad.text + TopologyTests.guests) == bad.problems)
    }

    @Test func tooManyAreRefused() {
        let pairs = (0..<65).map { "[10.0.0.\($0), web1]" }.joined(separator: ", ")
        #expect(
            problems("divert: {exclude: [\(pairs)]}\n" + TopologyTests.guests) == [
                "1:19: divert.exclude: 65 pairs are too many; write at most 64"
            ])
        let relations = (0..<257).map { _ in "{from: web1, to: lab, action: deny}" }.joined(separator: ", ")
        #expect(
            problems("relations: [\(relations)]\n" + TopologyTests.guests) == [
                "1:12: relations: 257 relations are too many; write at most 256"
            ])
        let sets = (0..<255).map { "{from: 10.3.0.\($0), to: all, action: deny}" }.joined(separator: ", ")
        #expect(
            problems("relations: [\(sets)]\n" + TopologyTests.guests) == [
                "1:12: relations: these name 257 different sets of hosts, more than 256: put guests into groups and"
                    + " name the groups"
            ])
    }

    // MARK: - Of policies

    private static let policies = """
        policies:
          all: {for: ["*"], topology: {relations: [{to: "lab", action: deny, concern: high}], exclude: [192.0.2.9]}}
          dmz: {for: ["web*"], based-on: all, topology: {relations: [{from: all, action: alert}, {to: lab, action: allow}]}}
          named: {topology: {exclude: [192.0.2.8]}}
        guests:
          - {name: web1, addresses: [10.1.0.1, "2001:db8::1"]}
          - {name: web2, addresses: [10.1.0.2]}
          - {name: web3, addresses: [10.1.0.3], topology: {relations: [{to: 10.1.0.2, action: allow}]}}
          - {name: lab, addresses: [10.2.0.0/16]}
          - {name: own, addresses: [10.3.0.1], policy: named}
        relations: [{from: all, to: 10.1.0.2, action: deny}]

        """

    /// A guest's own, then that of its policy, the most specific first, then what the file says for everybody. What a
    /// policy leaves out is as in the one that it is based on.
    @Test func thePolicysTopologyIsThatOfItsGuests() throws {
        let settings = try parsed(TopologyTests.policies)
        #expect(
            settings.relations.map(\.text) == [
                "web3 may talk to 10.1.0.2", "all talks to guests of dmz", "guests of dmz may talk to lab",
                "guests of all may not talk to lab", "all may not talk to 10.1.0.2",
            ])
        #expect(settings.relations.map(\.concern) == [.medium, .medium, .medium, .high, .medium])
        let explained = { (one: String, other: String) in
            PolicyExplanation(settings, Address(one)!, Address(other)!).text
        }
        #expect(settings.guests.map { $0.choices.first?.policy } == ["dmz", "dmz", "dmz", "all", "named"])
        #expect(explained("10.1.0.3", "10.1.0.2").contains("10.1.0.3 → 10.1.0.2 allow, because web3 may talk to"))
        #expect(explained("10.1.0.1", "10.2.0.1").contains("→ 10.2.0.1 allow, because guests of dmz may talk to lab"))
        #expect(explained("10.1.0.1", "10.2.0.1").contains("10.1.0.1 alert, because all talks to guests of dmz"))
        #expect(explained("10.3.0.1", "10.1.0.9").contains("allow, because no relation says otherwise"))
        #expect(explained("10.1.0.1", "192.0.2.9").contains("10.1.0.1 → 192.0.2.9 not looked at: it is excluded"))
        #expect(explained("10.3.0.1", "192.0.2.9").contains("10.3.0.1 → 192.0.2.9 allow"))
        #expect(explained("10.2.0.1", "10.1.0.1").contains("  topology           not looked at with 192.0.2.9\n"))
        #expect(explained("10.2.0.1", "10.1.0.1").contains("deny to lab\n"))
        #expect(
            settings.divert.excluded.pairs.map(\.other)
                == [9, 8, 9, 9].map { TopologyTests.prefixes("192.0.2.\($0)") })
    }

    @Test func whoIsNotLookedAtAtAll() throws {
        let settings = try parsed(
            """
            policies: {off: {for: [web], topology: {exclude: [all]}}}
            guests: [{name: web, addresses: [10.1.0.1]}, {name: db, addresses: [10.1.0.2]}]

            """)
        #expect(settings.divert.excluded == TrafficSelection(prefixes: TopologyTests.prefixes("10.1.0.1")))
    }

    @Test(arguments: [
        BadCase(
            "policies: {p: {topology: {exclude: [\"vlan:7\", [web1, lab], web3]}}}\n",
            "1:37: policies.p.topology.exclude: \"vlan:7\" is not hosts; VLANs, ports and pairs belong into divert.exclude",
            "1:47: policies.p.topology.exclude: a list is not hosts; VLANs, ports and pairs belong into divert.exclude",
            "1:60: policies.p.topology.exclude: no guest is \"web3\"; did you mean web1?"),
        BadCase(
            "policies: {p: {topology: {relations: [{from: all, to: lab, action: deny}, {to: lab}], other: 1}}}\n",
            "1:39: policies.p.topology.relations[0]: the guests of the policy are one side; write the other: to: and whom"
                + " they may talk to, or from: and who may talk to them",
            "1:75: policies.p.topology.relations[1].action: there is none; write action: allow, alert or deny",
            "1:87: policies.p.topology: \"other\" is not known here; write one of exclude, relations"),
    ]) func whatIsWrongInAPolicyIsSaid(_ bad: BadCase) {
        #expect(problems(bad.text + TopologyTests.guests) == bad.problems)
    }

    @Test func tooManyWithThoseOfPoliciesAreRefused() {
        let rules = (0..<200).map { _ in "{to: lab, action: deny}" }.joined(separator: ", ")
        let relations = (0..<60).map { _ in "{from: web1, to: lab, action: deny}" }.joined(separator: ", ")
        #expect(
            problems(
                "policies: {p: {for: [web1], topology: {relations: [\(rules)]}}}\nrelations: [\(relations)]\n"
                    + TopologyTests.guests) == [
                    "1:11: policies: 260 relations with those of policies are too many; write at most 256"
                ])
    }

    /// What the kernel does not bring up, both ways.
    @Test(arguments: [
        ("{}", "none"), ("{exclude: [192.0.2.1]}", "192.0.2.1"), ("{exclude: [[web2, lab]]}", "pair"),
        ("{exclude: [\"vlan:7\"]}", "all"), ("{only: [web1]}", "all"),
    ]) func whatIsNotBroughtUp(_ divert: String, _ expected: String) throws {
        let unseen = try parsed("divert: \(divert)\n" + TopologyTests.guests).divert.unseen
        func isUnseen(_ one: String, _ other: String) -> Bool {
            Relation.first(of: unseen, from: Address(one)!, to: Address(other)!) != nil
        }
        #expect(isUnseen("10.1.0.1", "192.0.2.1") == ["192.0.2.1", "all"].contains(expected))
        #expect(isUnseen("192.0.2.1", "10.1.0.1") == ["192.0.2.1", "all"].contains(expected))
        #expect(isUnseen("10.2.0.9", "10.1.0.2") == ["pair", "all"].contains(expected))
        #expect(isUnseen("10.1.0.2", "10.1.0.1") == (expected == "all"))
    }
}
