import Conformance
import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Testing
import Topology
import Wire

/// Checks of form that only the conversation tells: a segment's place in its connection, and what an ICMP error is
/// about. For each a packet that fails it and a neighbour that passes.
@Suite struct SessionTests {
    /// Of a client's connection to the guest, established, whose windows are 512 bytes.
    private static func connected(_ family: Family) throws -> Rig {
        var rig = try Rig()
        rig.open(.client, .web, family)
        _ = rig.inspect(segment(family, .client, .web, 1, 2, .ack))
        try #require(rig.findings == [])
        return rig
    }

    private static func segment(
        _ family: Family, _ from: Party, _ to: Party, _ sequence: Int, _ acknowledgement: Int, _ flags: TCPFlags,
        _ text: String = ""
    ) -> [UInt8] {
        let ports = from == .web ? big16(80) + big16(40_000) : big16(40_000) + big16(80)
        return family.ip(
            from, to, 6,
            ports + big32(sequence) + big32(acknowledgement) + [0x50, flags.rawValue] + big16(512) + big32(0)
                + Array(text.utf8))
    }

    @Test(arguments: Family.allCases) func whatLiesOutOfTheWindow(_ family: Family) throws {
        var rig = try Self.connected(family)
        _ = rig.inspect(Self.segment(family, .client, .web, 510, 2, [.psh, .ack], "abc"))
        #expect(rig.findings == [])
        _ = rig.inspect(Self.segment(family, .client, .web, 511, 2, [.psh, .ack], "abc"))
        #expect(rig.findings == ["tcp.out_of_window"])
        _ = rig.inspect(Self.segment(family, .client, .web, 600, 2, [.fin, .ack]))
        #expect(rig.findings == ["tcp.out_of_window"])
        _ = rig.inspect(Self.segment(family, .client, .web, 1, 2, [.fin, .ack]))
        #expect(rig.findings == [])
    }

    @Test(arguments: Family.allCases) func whatAcknowledgesTheUnsent(_ family: Family) throws {
        var rig = try Self.connected(family)
        _ = rig.inspect(Self.segment(family, .client, .web, 1, 3, .ack))
        #expect(rig.findings == ["tcp.ack_of_unsent"])
        _ = rig.inspect(Self.segment(family, .web, .client, 2, 1, [.psh, .ack], "x"))
        _ = rig.inspect(Self.segment(family, .client, .web, 1, 3, .ack))
        #expect(rig.findings == [])
    }

    @Test(arguments: Family.allCases) func whatResetsWithAnotherNumber(_ family: Family) throws {
        var rig = try Self.connected(family)
        _ = rig.inspect(Self.segment(family, .client, .web, 2, 0, .rst))
        #expect(rig.findings == ["tcp.reset_out_of_window"])
        _ = rig.inspect(Self.segment(family, .client, .web, 1, 0, .rst))
        #expect(rig.findings == [])
    }

    @Test func aPolicyDropsThem() throws {
        var settings = CheckSettings()
        settings[.tcpOutOfWindow].action = .drop
        settings[.icmpErrorWithoutFlow].action = .drop
        var rig = try Rig(checks: CheckTable(guestCount: 2, settings))
        rig.open(.client, .web, .v4)
        _ = rig.inspect(Self.segment(.v4, .client, .web, 1, 2, .ack))
        #expect(rig.inspect(Self.segment(.v4, .client, .web, 700, 2, .ack, "abc")) == dropped(.evasion))
        rig.time += 11_000_000_000
        #expect(rig.inspect(Self.error(.v4, about: Family.v4.udp(.web, .client))) == dropped(.spoofed))
    }

    @Test(arguments: Family.allCases) func aFragmentWhoseDatagramWasNotWholeInTime(_ family: Family) throws {
        var rig = try Rig()
        let parts = family.fragments(of: family.udp(.client, .web, "nothing to be seen"), at: [8, 16])
        _ = rig.inspect(parts[0])
        rig.time += 9_000_000_000
        _ = rig.inspect(parts[1])
        #expect(!rig.findings.contains("ip.frag_incomplete"))
        rig.time += 2_000_000_000
        _ = rig.inspect(parts[2])
        #expect(rig.findings.contains("ip.frag_incomplete"))
    }

    // MARK: - ICMP errors

    /// Port unreachable, to who sent `packet`, from its receiver.
    private static func error(_ family: Family, about packet: [UInt8]) -> [UInt8] {
        let quoted = packet.prefix(family.headerSize + 8)
        let message: [UInt8] = [family == .v4 ? 3 : 1, family == .v4 ? 3 : 4, 0, 0, 0, 0, 0, 0] + quoted
        return family.ip(.client, .web, family == .v4 ? 1 : 58, message)
    }

    @Test(arguments: Family.allCases) func anErrorAboutWhatNobodySent(_ family: Family) throws {
        var rig = try Rig()
        _ = rig.inspect(family.udp(.web, .client))
        // Who has only begun to look cannot tell.
        _ = rig.inspect(Self.error(family, about: family.udp(.web, .client, port: 9001)))
        #expect(rig.findings == [])
        rig.time += 11_000_000_000
        _ = rig.inspect(family.ping(.web, .client))
        for (packet, wasSent) in [
            (family.udp(.web, .client), true), (family.udp(.web, .client, port: 9001), false),
            (family.ping(.web, .client), true), (family.tcp(.web, .client), false),
        ] {
            _ = rig.inspect(Self.error(family, about: packet))
            #expect(rig.findings == (wasSent ? [] : ["icmp.error_without_flow"]))
        }
        // A later fragment, or the first of what was never whole, has no flow.
        if family == .v4 {
            _ = rig.inspect(Self.error(.v4, about: Family.v4.fragment(.web, .client, offset: 0, more: true)))
            #expect(rig.findings == [])
        }
    }

    /// Of what the kernel does not bring up nobody can tell whether it was sent.
    @Test func anErrorAboutWhatIsNotLookedAt() throws {
        let (web, client) = (Relation.Party("", Rig.home[0]), Relation.Party("", [Prefix("10.0.0.100")!]))
        var rig = try Rig(unseen: [Relation(from: web, to: client, action: .alert)])
        _ = rig.inspect(Family.v4.udp(.web, .stranger))
        rig.time += 11_000_000_000
        for (to, expected) in [(Party.client, []), (.dns, ["icmp.error_without_flow"])] {
            _ = rig.inspect(Self.error(.v4, about: Family.v4.udp(.web, to, port: 9001)))
            #expect(rig.findings == expected)
        }
    }

    @Test(arguments: Family.allCases) func anErrorAboutASegmentThatIsNotUnderWay(_ family: Family) throws {
        var rig = try Self.connected(family)
        _ = rig.inspect(Self.segment(family, .web, .client, 2, 1, [.psh, .ack], "hello"))
        rig.time += 11_000_000_000
        for (number, isUnderWay) in [(2, true), (7, true), (8, false), (1_000_000, false), (-70_000, false)] {
            _ = rig.inspect(Self.error(family, about: Self.segment(family, .web, .client, number, 1, .ack)))
            #expect(rig.findings == (isUnderWay ? [] : ["icmp.error_out_of_window"]), "\(number)")
        }
    }

    /// The kernel gives the error to one worker, and its flow to another.
    @Test func anotherWorkerHasTheFlow() throws {
        let hosts = HostTable([Guest(name: "web", addresses: Rig.home[0])])
        let floods = FloodTable(slotCount: hosts.slotCount, workerCount: 2)
        let memory = FlowMemory(workers: 2)
        let rules = try RuleSet.compile(text: "", file: "", variables: .stock(home: []))
        let policies = PolicyTable(guests: [GuestPolicy()], others: GuestPolicy())
        let tally = Tally(workerCount: 2)
        func inspector(_ worker: Int) throws -> Inspector {
            try Inspector(
                worker: worker, generation: 1, hosts: hosts, floods: floods, rules: rules, policies: policies,
                tally: tally, memory: memory)
        }
        var one = try inspector(0)
        var other = try inspector(1)
        var time: UInt64 = 1_700_000_000_000_000_000
        func play(_ bytes: [UInt8], _ inspector: inout Inspector) -> Int {
            _ = unsafe inspector.inspect(bytes.span.bytes, .ip, Arrival(time: time))
            return inspector.findings.count
        }
        let sent = Family.v4.udp(.web, .client)
        #expect(play(sent, &one) == 0)
        #expect(play(Family.v4.ping(.web, .client), &other) == 0)
        time += 11_000_000_000
        #expect(play(Self.error(.v4, about: sent), &other) == 0)
        #expect(play(Self.error(.v4, about: Family.v4.udp(.web, .client, port: 9001)), &other) == 1)
    }
}
