import Conformance
import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Testing
import Wire

@Suite struct VerdictTests {
    @Test(arguments: VerdictTable.all)
    func isAsTheTableSays(_ row: VerdictCase) throws {
        for family in row.families {
            var rig = try Rig(
                rules: VerdictTable.rules, web: row.web, others: row.others,
                checks: CheckTable(guests: [row.webChecks, CheckSettings()], others: row.othersChecks),
                handlings: RuleHandlingTable(guests: [row.webRules, []], others: []))
            if let (floodClass, setting) = row.gate {
                rig.floods.setGate(rig.slot(of: .web, family), floodClass, setting)
            }
            if row.open { rig.open(.client, .web, family) }
            let bytes = row.bytes(family)
            for _ in 0..<row.before { _ = rig.inspect(bytes, row.link) }
            let decision = rig.inspect(
                bytes, row.link, hardwareProtocol: row.hardwareProtocol, capturedShort: row.capturedShort, port: 9)
            #expect(decision == row.expected, "\(family)")
            let (guest, etherType) = (rig.inspector.guest, rig.inspector.packet.etherType)
            #expect(guest == row.guest, "\(family)")
            if row.link == .other { #expect(etherType == row.hardwareProtocol) }
            let findings = rig.findings
            // Checks of the two families have names of their own for the same thing.
            #expect(
                findings == row.findings
                    || findings == row.findings.map { "ip\(family).\($0)" }, "\(family)")
        }
    }

    /// As many alerts as one packet may raise are kept; the rest is counted, and what asks for a drop comes first.
    @Test(arguments: Family.allCases)
    func findingsThatDoNotFitAreCounted(_ family: Family) throws {
        let all = Matcher.alertLimit + 4
        let many = (1...all).map { sid in
            "\(sid == all ? "drop" : "alert") tcp any any -> any 80 (msg:\"m\"; content:\"EVIL\"; sid:\(sid);)"
        }
        var rig = try Rig(rules: many.joined(separator: "\n"))
        let decision = rig.inspect(family.tcp(.client, .web, "EVIL"))
        let (count, overflow) = (rig.inspector.findings.count, rig.inspector.findings.overflow)
        #expect(decision == dropped(.rule))
        #expect(count == Matcher.alertLimit && overflow == 4)
        #expect(rig.findings.first == "sid:\(all)")
        // And nothing of it is left for the next packet of another flow.
        let next = rig.inspect(family.udp(.client, .web))
        let left = rig.inspector.findings.count + rig.inspector.findings.overflow
        #expect(next == .accept && left == 0)
    }

    /// A rule that asks for addresses and bits of hosts alone is asked of the first packet of each direction of a flow
    /// (Suricata's SignatureIsIPOnly); one that counts is asked of each packet.
    @Test func bitsOfHostsAreOfAddresses() throws {
        var rig = try Rig(
            rules: """
                alert ip 10.0.0.100 any -> any any (xbits:set,seen,track ip_dst,expire 10; sid:1;)
                alert ip 10.0.0.100 any -> any any (flowint:n,+,1; sid:2;)
                alert ip any any -> any any (xbits:isset,seen,track ip_src; sid:3;)
                """)
        let packet = Family.v4.udp(.client, .web, "x")
        let answer = Family.v4.udp(.web, .client, "y")
        var found: [[String]] = []
        for sent in [packet, packet, answer, answer] {
            _ = rig.inspect(sent)
            found.append(rig.findings.sorted())
        }
        #expect(found == [["sid:1", "sid:2"], ["sid:2"], ["sid:3"], []])
    }
}
