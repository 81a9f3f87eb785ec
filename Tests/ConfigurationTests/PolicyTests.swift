import Configuration
import Conformance
import Evidence
import Floods
import Signatures
import Testing
import Topology
import Wire

/// Policies with a name: what they hold, whose they are, and what is said of it.
@Suite struct NamedPolicyTests {
    static let text = """
        policy: {conformance: {tcp.port_zero: off}}
        policies:
          office: {for: [10.0.0.0/8], unknown-protocols: drop}
          servers: {based-on: strict, for: ["web*", "group:dmz"], conformance: {ip.land: alert}}
          subnet: {for: [10.1.0.0/16, "2001:db8::/32"], shadow: true, floods: {syn: 123}}
          one: {for: [web1], signatures: alert-only}
        guests:
          - {name: web1, addresses: [10.1.0.1]}
          - {name: web2, addresses: [10.1.0.2, "2001:db8::2"]}
          - {name: web3, addresses: [10.1.0.3, 192.0.2.3]}
          - {name: mail, addresses: [192.0.2.4], group: dmz}
          - {name: db, addresses: [192.0.2.5], policy: strict, conformance: {tcp.port_zero: off}}
          - {name: rest, addresses: [192.0.2.6]}
          - {name: pc, addresses: [10.2.0.0/16]}

        """

    @Test(arguments: [
        ("web1", ["one", "subnet", "office", "servers"]), ("web2", ["subnet", "office", "servers"]),
        ("web3", ["servers"]),
        ("mail", ["servers"]), ("db", ["strict"]), ("rest", []), ("pc", ["office"]),
    ]) func theMostSpecificIsFirst(_ name: String, _ expected: [String]) throws {
        let guest = try #require(try parsed(NamedPolicyTests.text).guests.first { $0.guest.name == name })
        #expect(guest.choices.map(\.policy) == expected)
    }

    @Test func aPolicyIsWhatItIsBasedOnAndWhatItSays() throws {
        let guests = try parsed(NamedPolicyTests.text).guests
        // Based on nothing: what the file says for everybody.
        #expect(guests[0].conformance[.tcpPortZero].action == .off && guests[0].rules.standard == .alert)
        #expect(guests[1].guest.shadow && guests[1].floods[.syn].entry == 123)
        #expect(!guests[0].guest.shadow && guests[0].floods[.syn].entry == 2000)
        // Based on a ready one: what that says, and no more.
        #expect(guests[2].conformance[.tcpPortZero] == CheckSetting(action: .drop, concern: .medium))
        #expect(guests[2].conformance[.ipLand].action == .alert && guests[2].unknownProtocols == .drop)
        #expect(guests[2].floods[.syn].entry == 500)
        #expect(guests[4].conformance[.tcpPortZero].action == .off && guests[4].conformance[.ipLand].action == .drop)
        #expect(guests[5].conformance[.tcpPortZero].action == .off && guests[5].unknownProtocols == nil)
        #expect(guests[6].unknownProtocols == .drop)
    }

    @Test func strictDropsWhatIsOfConcern() {
        let strict = CheckSettings().strict
        for check in Checks.all {
            let expected: CheckAction =
                check.setting.action == .off ? .off : check.setting.concern > .low ? .drop : check.setting.action
            #expect(strict[check.check].action == expected, "\(check.identifier)")
        }
    }

    @Test(arguments: [
        ("web*", "web1", true), ("web*", "web", true), ("web*", "we", false), ("*", "", true), ("*1", "web1", true),
        ("w*b*1", "web21", true), ("w*b*1", "web12", false), ("web", "web1", false),
        ("a*a*a*a*b", "aaaaaaaaaaaaaa", false),
    ]) func patterns(_ pattern: String, _ name: String, _ isCovered: Bool) {
        #expect(Settings.PolicyTarget.name(pattern).covers(Guest(name: name, addresses: [])) == isCovered)
    }

    private static let actions = """
        policy: {rules: {100: off, "concern:high": alert}}
        policies:
          base: {for: [10.0.0.0/8], rules: {"classtype:trojan-activity": drop, "file:a.rules": alert, 2: as-written}}
          calm: {based-on: base, for: [10.1.0.0/16], signatures: alert-only, rules: {3: drop}}
        guests:
          - {name: nobodys, addresses: [192.0.2.1]}
          - {name: web, addresses: [10.2.0.1]}
          - {name: own, addresses: [10.2.0.2], rules: {"3:100": drop, all: off}}
          - {name: quiet, addresses: [10.1.0.1]}

        """

    private static func rule(_ sid: UInt32, gid: UInt32 = 1, _ classtype: String, _ file: String, _ priority: UInt8)
        throws -> Rule
    {
        let text = "alert ip any any -> any any (gid:\(gid); sid:\(sid); priority:\(priority);)"
        var rule = try RuleSet.compile(text: text, file: file, variables: .stock(home: [])).rules[0]
        rule.classtype = classtype
        return rule
    }

    /// What is narrower counts within one policy; what is written over another counts before it.
    @Test(arguments: [
        ("nobodys", ["off", "alert", "as-written", "as-written"]),
        ("web", ["off", "alert", "drop", "alert"]),
        ("own", ["off", "off", "off", "off"]),
        ("quiet", ["alert", "alert", "alert", "alert"]),
    ]) func rulesAreActedOnByWhatIsNarrowest(_ name: String, _ expected: [String]) throws {
        let rules = [
            try NamedPolicyTests.rule(100, "x", "b.rules", 1), try NamedPolicyTests.rule(101, "x", "b.rules", 1),
            try NamedPolicyTests.rule(102, "trojan-activity", "/etc/a.rules", 3),
            try NamedPolicyTests.rule(103, "x", "/etc/a.rules", 3),
        ]
        let settings = try parsed(NamedPolicyTests.actions)
        let guest = try #require(settings.guests.first { $0.guest.name == name })
        #expect(guest.rules.handlings(of: rules).map(\.rawValue) == expected)
        // By their numbers, over classes, files and concerns.
        let numbers = [
            try NamedPolicyTests.rule(2, "trojan-activity", "a.rules", 1),
            try NamedPolicyTests.rule(3, "x", "a.rules", 1),
            try NamedPolicyTests.rule(100, gid: 3, "x", "a.rules", 1),
        ]
        let byNumber = [
            "nobodys": ["alert", "alert", "alert"], "web": ["as-written", "alert", "alert"],
            "own": ["off", "off", "drop"], "quiet": ["alert", "drop", "alert"],
        ]
        #expect(guest.rules.handlings(of: numbers).map(\.rawValue) == byNumber[name])
        #expect(
            settings.unmatchedRuleNames(among: rules) == [
                "a policy speaks of 1:2, which no loaded rule is", "a policy speaks of 1:3, which no loaded rule is",
                "a policy speaks of 3:100, which no loaded rule is",
            ])
    }

    @Test(arguments: [
        BadCase(
            "policy: {rules: {trojan: drop, 1: block, \"1:1\": off, 1: off}}\n",
            "1:26: policy.rules.trojan: \"trojan\" names no rules; write a sid, gid:sid, classtype:NAME, file:NAME,"
                + " concern:low, medium or high, or all",
            "1:35: policy.rules.1: \"block\" is not one of as-written, off, alert, drop",
            "1:54: policy.rules: the key \"1\" is given twice; the first is on line 1")
    ]) func whatIsWrongWithRulesIsSaid(_ bad: BadCase) {
        #expect(problems(bad.text + BadFileTests.web) == bad.problems)
    }

    @Test func isExplained() throws {
        let settings = try parsed(NamedPolicyTests.text)
        let text = PolicyExplanation(settings, Address("10.1.0.1")!).text
        #expect(text.contains("10.1.0.1 is an address of guest web1\n"))
        #expect(text.contains("  policy             one, because it is for web1\n"))
        #expect(text.contains("  less specific      subnet, because it is for 10.1.0.0/16\n"))
        #expect(text.contains("  signatures         alert-only\n"))
        #expect(text.contains("    tcp.port_zero: off, medium"))
        #expect(PolicyExplanation(settings, Address("192.0.2.5")!).text.contains("strict, because the guest names it"))
        #expect(PolicyExplanation(settings, Address("192.0.2.6")!).text.contains("what the file says for everybody"))
        #expect(PolicyExplanation(settings, Address("198.51.100.1")!).text.contains("is no guest's"))
    }
}
