import Conformance
import Evidence
import Floods
import Inspection
import Policy
import Testing
import Wire

@Suite struct CounterTests {
    @Test(arguments: Family.allCases)
    func aHostsPacketsAreCountedByClassAndDirection(_ family: Family) throws {
        var rig = try Rig(rules: "alert tcp any any -> any 80 (msg:\"m\"; content:\"EVIL\"; sid:1;)")
        let to = [
            family.tcp(.client, .web, flags: .syn), family.tcp(.client, .web, "EVIL"),
            family.tcp(.client, .web, "x"),
            family.udp(.client, .web, "query"), family.ping(.client, .web),
            family.fragment(.client, .web, offset: 16, more: false),
            family.badTCP(.client, .web),
            family.ip(.client, .web, 99, [1]),
        ]
        let from = [family.tcp(.web, .client, "EVIL"), family.udp(.web, .client)]
        for bytes in to + from + [family.udp(.client, .stranger)] { _ = rig.inspect(bytes) }

        let counts = [
            HostCounter.synIn, .tcpIn, .udpIn, .icmpIn, .fragmentIn, .otherIn, .packetsOut, .findings,
        ].map { rig.sum(.web, family, $0) }
        #expect(counts == [1, 3, 1, 1, 1, 1, 2, 3])
        #expect(rig.sum(.web, family, .bytesIn) == UInt64(to.reduce(0) { $0 + $1.count }))
        #expect(rig.sum(.web, family, .bytesOut) == UInt64(from.reduce(0) { $0 + $1.count }))
        // The guest's address of the other family is another host, and so is the other guest.
        let other: Family = family == .v4 ? .v6 : .v4
        let elsewhere = (0..<HostCounter.count).map {
            rig.floods.sum(rig.slot(of: .web, other), $0) + rig.floods.sum(rig.slot(of: .dns, family), $0)
        }
        #expect(elsewhere.allSatisfy { $0 == 0 })
    }

    @Test(arguments: Family.allCases)
    func betweenGuestsBothAreCounted(_ family: Family) throws {
        var rig = try Rig(rules: "alert udp any any -> any 9000 (msg:\"m\"; content:\"EVIL\"; sid:1;)")
        let bytes = family.udp(.web, .dns, "EVIL")
        _ = rig.inspect(bytes)
        let web = [HostCounter.udpIn, .bytesIn, .packetsOut, .bytesOut, .findings].map {
            rig.sum(.web, family, $0)
        }
        let dns = [HostCounter.udpIn, .bytesIn, .packetsOut, .bytesOut, .findings].map {
            rig.sum(.dns, family, $0)
        }
        #expect(web == [0, 0, 1, UInt64(bytes.count), 1])
        #expect(dns == [1, UInt64(bytes.count), 0, 0, 1])
    }

    /// An IP packet is as long as its header says; Ethernet's header and padding are not the host's.
    @Test(arguments: Family.allCases)
    func bytesAreThoseOfTheIPPacket(_ family: Family) throws {
        var rig = try Rig()
        let packet = family.udp(.client, .web, "x")
        _ = rig.inspect(family.ethernet(packet) + [0, 0, 0, 0, 0, 0], .ethernet)
        #expect(rig.sum(.web, family, .bytesIn) == UInt64(packet.count))
    }

    @Test(arguments: Family.allCases)
    func whatAGateStopsIsCountedOnce(_ family: Family) throws {
        var rig = try Rig()
        rig.floods.setGate(rig.slot(of: .web, family), .udp, .throttle(10))
        for _ in 0..<5 { _ = rig.inspect(family.udp(.client, .web)) }
        #expect(rig.sum(.web, family, .udpIn) == 5)
        #expect(rig.sum(.web, family, .udpStopped) == 4)
        #expect(rig.tally.dropped(.floodThrottle) == 4 && rig.tally.accepted() == 1)
        // A second later one more passes.
        rig.time += 1_000_000_000
        let decision = rig.inspect(family.udp(.client, .web))
        #expect(decision == .accept)
    }

    /// Each packet is in exactly one place of the tally: accepted or dropped. What shadow mode would have
    /// dropped is accepted.
    @Test func everyPacketIsTalliedOnce() throws {
        var shadow = GuestPolicy(shadow: true, unknownProtocol: .drop)
        shadow.signaturesDrop = true
        let strict = GuestPolicy(unknownProtocol: .drop)
        var checks = CheckSettings()
        checks[.tcpHeaderTooSmall].action = .drop
        var rig = try Rig(
            rules: "drop udp any any -> any 9000 (msg:\"m\"; content:\"KILL\"; sid:1;)", web: shadow,
            dns: strict, checks: CheckTable(guests: [checks, checks], others: CheckSettings()))
        for party in [Party.web, .dns] {
            for family in Family.allCases {
                rig.floods.setGate(rig.slot(of: party, family), .icmp, .deny)
                for bytes in [
                    family.udp(.client, party), family.udp(.client, party, "KILL"),
                    family.ping(.client, party),
                    family.badTCP(.client, party), family.ip(.client, party, 99, []),
                ] { _ = rig.inspect(bytes) }
            }
        }
        let reasons = [Reason.rule, .floodDeny, .malformed, .unknownProtocol]
        #expect(reasons.map(rig.tally.dropped) == [2, 2, 2, 2])
        #expect(reasons.map(rig.tally.wouldHaveDropped) == [2, 2, 2, 2])
        #expect(rig.tally.accepted() == 12)
        #expect(rig.tally.dropped(.none) == 0 && rig.tally.wouldHaveDropped(.none) == 0)
        #expect(rig.tally.dropped(.floodThrottle) == 0 && rig.tally.wouldHaveDropped(.floodThrottle) == 0)
    }
}
