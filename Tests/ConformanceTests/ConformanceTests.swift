import Conformance
import Evidence
import Testing
import Wire

@Suite struct ConformanceTests {
    /// A finding's code is the anomaly's bit and the index of the table.
    @Test func theTableFollowsTheBits() {
        #expect(Checks.all.count == Anomalies.count)
        for (index, check) in Checks.all.enumerated() {
            #expect(check.anomaly.rawValue == 1 << UInt64(index), "\(check.identifier)")
        }
    }

    @Test func everyCheckIsNamedAndExplained() {
        #expect(Set(Checks.all.map(\.identifier)).count == Checks.all.count)
        #expect(Set(Checks.all.map(\.text)).count == Checks.all.count)
        for check in Checks.all {
            #expect(check.identifier.wholeMatch(of: /[a-z0-9]+\.[a-z0-9_]+/) != nil, "\(check.identifier)")
            #expect(!check.reference.isEmpty)
        }
    }

    @Test func isFoundByName() throws {
        let found = try #require(Checks.named("ipv4.hlen_too_small"))
        #expect(found.check.anomaly == .ipv4HeaderTooSmall)
        #expect(Checks.all[found.index].identifier == "ipv4.hlen_too_small")
        #expect(Checks.named("ipv4.hlen") == nil)
    }

    private func inspect(_ anomalies: Anomalies) -> Findings {
        var packet = Packet()
        packet.anomalies = anomalies
        var findings = Findings()
        Conformance.inspect(packet, into: &findings)
        return findings
    }

    @Test func aPacketInOrderHasNoFinding() { #expect(inspect([]).count == 0) }

    @Test func eachAnomalyIsAFindingOfItsConcern() throws {
        for (index, check) in Checks.all.enumerated() {
            let findings = inspect(check.anomaly)
            #expect(findings.count == 1)
            let finding = findings[0]
            #expect(finding.source == .conformance && finding.asks == .accept)
            #expect(Int(finding.code) == index)
            #expect(finding.concern == check.concern)
        }
    }

    @Test(arguments: [
        (Anomalies.cutByCapture, Concern.low), (.ipv6Jumbogram, .low), (.ipv4Truncated, .medium),
        (.udpLengthTooSmall, .medium), (.fragmentTiny, .high), (.fragmentTooLarge, .high),
    ]) func concern(_ anomaly: Anomalies, _ concern: Concern) {
        #expect(inspect(anomaly)[0].concern == concern)
    }

    @Test func severalComeInTheOrderOfTheTable() {
        let findings = inspect([.udpLengthTooSmall, .ipv4LengthZero, .ipv4BadOptionLength])
        let names = (0..<findings.count).map { Checks.all[Int(findings[$0].code)].identifier }
        #expect(names == ["ipv4.iplen_zero", "ipv4.opt_invalid_len", "udp.len_invalid"])
    }

    @Test func whatDoesNotFitIsCounted() {
        var packet = Packet()
        packet.anomalies = Anomalies(rawValue: 1 << UInt64(Anomalies.count) - 1)
        var findings = Findings()
        for _ in 0..<2 { Conformance.inspect(packet, into: &findings) }
        #expect(findings.count == Findings.capacity)
        #expect(findings.overflow == 2 * Anomalies.count - Findings.capacity)
    }
}
