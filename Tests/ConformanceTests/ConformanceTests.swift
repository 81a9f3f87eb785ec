import Conformance
import Evidence
import Testing
import Wire

@Suite struct ConformanceTests {
    /// A finding's code is the check's number and the index of the table; of an anomaly it is the bit.
    @Test func theTableFollowsTheNumbers() {
        #expect(Checks.all.map(\.check) == Check.allCases)
        #expect(Check.allCases.count <= CheckSet.capacity)
        for number in 0..<Anomalies.count {
            var failed = CheckSet(Anomalies(rawValue: 1 << UInt64(number)))
            #expect(failed.popFirst() == UInt8(number) && failed.isEmpty)
        }
    }

    @Test func everyCheckIsNamedAndExplained() {
        #expect(Set(Checks.all.map(\.identifier)).count == Checks.all.count)
        #expect(Set(Checks.all.map(\.text)).count == Checks.all.count)
        for check in Checks.all {
            #expect(check.identifier.wholeMatch(of: /[a-z0-9]+\.[a-z0-9_]+/) != nil, "\(check.identifier)")
            #expect(!check.reference.isEmpty)
            // What is dropped for must be worth telling why.
            #expect(check.setting.action != .drop || check.setting.concern > .low, "\(check.identifier)")
        }
    }

    /// Every event has a check, but one of Suricata's own that is never raised; and one event raises one check.
    @Test func everyDecoderEventHasACheck() {
        let named = Set(Checks.all.flatMap(\.events))
        #expect(Set(DecodeEvent.allCases).subtracting(named) == [.afpacketTruncPkt])
        let raising = Checks.all.filter { Int($0.check.rawValue) >= Anomalies.count }.flatMap(\.events)
        #expect(Set(raising).count == raising.count)
    }

    @Test func isFoundByName() throws {
        let found = try #require(Checks.named("ipv4.hlen_too_small"))
        #expect(found.check == .ipv4HeaderTooSmall)
        #expect(Checks[found.check].identifier == "ipv4.hlen_too_small")
        #expect(Checks.named("ipv4.hlen") == nil)
        #expect(Checks.of(protocol: "arp").count == 9)
        #expect(Checks.of(protocol: "nothing").isEmpty)
    }

    @Test func aSetHoldsWhatWasPutIn() {
        var set = CheckSet()
        for check in Check.allCases { set.insert(check) }
        var other = CheckSet()
        other.formUnion(set)
        #expect(other == set)
        #expect(Check.allCases.allSatisfy { $0.rawValue == other.popFirst() ?? 255 })
        #expect(other.popFirst() == nil && other.isEmpty)
    }

    private func report(_ checks: [Check], _ change: (inout CheckSettings) -> Void = { _ in }) -> Reported {
        var settings = CheckSettings()
        change(&settings)
        // Of the second guest; nobody else's settings must count.
        let table = CheckTable(guests: [CheckSettings(), settings], others: CheckSettings())
        var failed = CheckSet()
        for check in checks { failed.insert(check) }
        var findings = Findings()
        let reason = table.view.report(failed, guest: 1, into: &findings)
        return Reported(
            findings: (0..<findings.count).map { findings[$0] }, overflow: findings.overflow, reason: reason)
    }

    private struct Reported {
        var findings: [Finding]
        var overflow: Int
        var reason: Reason
    }

    @Test(arguments: Checks.all) func eachIsAFindingAsTheTableHasIt(_ check: ConformanceCheck) {
        let reported = report([check.check])
        let (findings, reason) = (reported.findings, reported.reason)
        guard check.setting.action != .off else {
            #expect(findings.count == 0 && reason == .none)
            return
        }
        #expect(findings.count == 1)
        #expect(findings[0].source == .conformance && findings[0].code == UInt32(check.check.rawValue))
        #expect(findings[0].concern == check.setting.concern)
        #expect(findings[0].asks == (check.setting.action == .drop ? .drop : .accept))
        #expect(reason == (check.setting.action == .drop ? check.reason : .none))
    }

    @Test func thePolicySaysWhatBecomesOfIt() {
        let reported = report([.ipLand, .tcpReservedBits, .udpPortZero]) {
            $0[.ipLand].action = .off
            $0[.udpPortZero] = CheckSetting(action: .drop, concern: .high)
        }
        let (findings, reason) = (reported.findings, reported.reason)
        #expect(findings.count == 2 && reason == .malformed)
        #expect(findings[0].code == UInt32(Check.tcpReservedBits.rawValue) && findings[0].asks == .accept)
        #expect(findings[1].concern == .high && findings[1].asks == .drop)
    }

    @Test func alertOnlyDropsNothing() {
        #expect(report([.ipLand]).reason == .spoofed)
        let reported = report([.ipLand]) { $0 = $0.alertOnly }
        #expect(reported.findings.map(\.asks) == [.accept] && reported.reason == .none)
    }

    @Test func whatDoesNotFitIsCounted() {
        let reported = report(Check.allCases)
        let told = Checks.all.filter { $0.setting.action != .off }.count
        #expect(reported.findings.count == Findings.capacity)
        #expect(reported.overflow == told - Findings.capacity)
    }
}
