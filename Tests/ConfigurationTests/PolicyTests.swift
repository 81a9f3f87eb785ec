import Configuration
import Conformance
import Evidence
import Floods
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
        #expect(guests[0].conformance[.tcpPortZero].action == .off && guests[0].signatures == .alertOnly)
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
