import Evidence
import Inspection
import Policy
import Testing
import Wire

/// Datagrams in fragments: what is found in them, and what passes.
@Suite struct FragmentTests {
    private static let rules = """
        alert udp any any -> any 9000 (content:"needle"; sid:1;)
        alert tcp any any -> any 80 (content:"needle"; sid:2;)
        drop udp any any -> any 9000 (content:"poison"; sid:3;)
        drop ip any any -> any any (fragbits:R+; sid:4;)
        """

    enum Order: CaseIterable, Sendable { case forward, backward, twice, contradicted }

    /// A datagram whose payload has the pattern at every place relative to the first cut: fragments are cut at
    /// multiples of 8, so it is the pattern that moves.
    private static func datagrams(_ family: Family, _ isTCP: Bool) -> [[UInt8]] {
        (0..<24).map { place in
            let text = String(repeating: ".", count: place) + "needle" + String(repeating: ".", count: 34 - place)
            return isTCP ? family.tcp(.client, .dns, text) : family.udp(.client, .web, text)
        }
    }

    @Test(arguments: Family.allCases, Order.allCases)
    func aPatternIsFoundHoweverItIsCut(_ family: Family, _ order: Order) throws {
        var rig = try Rig(rules: Self.rules)
        var number = 0
        for isTCP in [false, true] {
            for (place, datagram) in Self.datagrams(family, isTCP).enumerated() {
                for cuts in [[16], [8, 16], [8, 24], [16, 24], [24, 32]] {
                    number += 1
                    var datagram = datagram
                    // A flow of its own.
                    datagram.replaceSubrange(family.headerSize..<family.headerSize + 2, with: big16(number))
                    let parts = family.fragments(of: datagram, at: cuts, identification: number)
                    var found: [String] = []
                    for part in Self.arranged(parts, family, order) where rig.inspect(part) == .accept {
                        found += rig.findings.filter { $0.hasPrefix("sid") }
                    }
                    // In IPv6 a contradiction ends the datagram.
                    let isLost = order == .contradicted && family == .v6
                    #expect(
                        found == (isLost ? [] : [isTCP ? "sid:2" : "sid:1"]),
                        "\(isTCP ? "TCP" : "UDP"), place \(place), cut at \(cuts)")
                }
            }
        }
    }

    /// `only_frag` and `no_frag` are about what was put together (Suricata's rules/flow-keywords.rst).
    @Test(arguments: Family.allCases) func whatWasPutTogetherIsKnown(_ family: Family) throws {
        var rig = try Rig(
            rules: """
                alert udp any any -> any any (flow:only_frag; content:"needle"; sid:1;)
                alert udp any any -> any any (flow:no_frag; content:"needle"; sid:2;)
                alert ip any any -> any any (flow:only_frag; sid:3;)
                """)
        let datagram = family.udp(.client, .web, "some hay and a needle in it")
        #expect(rig.inspect(datagram).verdict == .accept && rig.findings == ["sid:2"])
        let parts = family.fragments(of: datagram, at: [16], identification: 7)
        #expect(rig.inspect(parts[0]).verdict == .accept && rig.findings == [])
        #expect(rig.inspect(parts[1]).verdict == .accept && rig.findings.sorted() == ["sid:1", "sid:3"])
    }

    private static func arranged(_ parts: [[UInt8]], _ family: Family, _ order: Order) -> [[UInt8]] {
        switch order {
        case .forward: return parts
        case .backward: return parts.reversed()
        // Not the last one: after it, its copy is the first of another datagram.
        case .twice: return parts.dropLast().flatMap { [$0, $0] } + [parts.last!]
        case .contradicted:
            let other = parts.dropLast().map { Array($0.dropLast(8)) + Array(repeating: 0x58, count: 8) }
            return zip(parts, other).flatMap { [$0, $1] } + [parts.last!]
        }
    }

    // MARK: - Verdicts

    @Test(arguments: Family.allCases, [false, true])
    func theOneThatMakesItWholeGetsTheVerdictOfTheWhole(_ family: Family, _ isBackward: Bool) throws {
        var rig = try Rig(rules: Self.rules)
        var parts = family.fragments(of: family.udp(.client, .web, "some poison in here"), at: [8, 16])
        if isBackward { parts.reverse() }
        #expect(rig.inspect(parts[0]) == .accept && rig.inspect(parts[1]) == .accept)
        #expect(rig.inspect(parts[2]) == dropped(.rule) && rig.findings == ["sid:3"])
        // Sent again, nothing of it passes, whatever it says now.
        for part in parts + [parts[2].dropLast() + [0]] { #expect(rig.inspect(part) == dropped(.fragment)) }
        #expect(rig.tally.dropped(.fragment) == 4)
    }

    @Test func whatIsGoodPassesAndItsNumberIsFree() throws {
        var rig = try Rig(rules: Self.rules)
        let parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "nothing to be seen"), at: [8, 16])
        for part in parts + parts { #expect(rig.inspect(part) == .accept && rig.findings == []) }
    }

    @Test func inShadowModeEverythingPasses() throws {
        var rig = try Rig(rules: Self.rules, web: GuestPolicy(shadow: true))
        let parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "some poison in here"), at: [16])
        #expect(rig.inspect(parts[0]).verdict == .accept)
        let decision = rig.inspect(parts[1])
        #expect(decision.verdict == .accept && decision.intended == .drop && decision.reason == .rule)
    }

    /// A host that did not get one fragment must not get it later from somebody else.
    @Test func aFragmentThatIsDroppedTakesTheDatagramWithIt() throws {
        var rig = try Rig(rules: Self.rules)
        var parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "nothing to be seen"), at: [8, 16])
        // The reserved bit.
        parts[1][6] |= 0x80
        parts[1] = sealed(parts[1])
        #expect(rig.inspect(parts[0]) == .accept)
        #expect(rig.inspect(parts[1]) == dropped(.rule))
        #expect(rig.inspect(parts[2]) == dropped(.fragment))
    }

    @Test(arguments: [true, false]) func whatFindsNoRoomPassesOnlyIfTheOperatorSaysSo(_ passes: Bool) throws {
        var rig = try Rig(rules: Self.rules, web: GuestPolicy(passesFragments: passes), datagrams: 16)
        let datagram = Family.v4.udp(.client, .web, "nothing to be seen")
        for number in 0..<17 {
            #expect(rig.inspect(Family.v4.fragments(of: datagram, at: [16], identification: number)[0]) == .accept)
        }
        let decision = rig.inspect(Family.v4.fragments(of: datagram, at: [16], identification: 0)[1])
        #expect(decision == (passes ? .accept : dropped(.fragment)))
        #expect(rig.tally.passedFragments() == (passes ? 1 : 0))
        let events = rig.inspector.packet.events
        #expect(events.contains(.ipv4FragIgnored))
    }

    @Test func twoFragmentHeadersDoNotPass() throws {
        var rig = try Rig()
        let whole = Family.v6.udp(.client, .web, "nothing to be seen")
        var part = Family.v6.fragments(of: whole, at: [16])[0]
        // One of no fragment before that of a real one: some hosts go by the second.
        part.insert(contentsOf: [44, 0, 0, 0, 0, 0, 0, 9], at: 40)
        part.replaceSubrange(4..<6, with: big16(part.count - 40))
        #expect(rig.inspect(part) == dropped(.fragment))
        var replayed = try Rig(mode: InspectionMode(isInline: false, verifiesChecksums: false))
        #expect(replayed.inspect(part) == .accept)
    }

    // MARK: - Tunnels, tags, ports

    @Test(arguments: TunnelTests.wrappings, Family.allCases)
    func fragmentsInTunnelsMeet(
        _ wrapping: (String, PacketSource, @Sendable ([UInt8]) -> [UInt8]), _ family: Family
    ) throws {
        var rig = try Rig(rules: Self.rules)
        let parts = family.fragments(of: family.udp(.stranger, .dns, "some poison in here"), at: [16])
        #expect(rig.inspect(wrapping.2(parts[0])) == .accept)
        #expect(rig.inspect(wrapping.2(parts[1])) == dropped(.rule))
        #expect(rig.inspector.packets.count == 3 && rig.inspector.findings[0].layer == 2)
        let whole = rig.inspector.packets[2]
        #expect(whole.source == .defragmented && whole.parent == 1 && whole.depth == 1)
        // Elsewhere they are others.
        #expect(rig.inspect(parts[1]) == .accept)
    }

    @Test func aTunnelInFragmentsIsUnwrapped() throws {
        var rig = try Rig(rules: Self.rules)
        let inner = Family.v4.udp(.stranger, .dns, "some poison in here")
        let parts = Family.v6.fragments(of: Family.v6.ip(.client, .web, 4, inner), at: [24])
        #expect(rig.inspect(parts[0]) == .accept && rig.inspector.packets.count == 1)
        #expect(rig.inspect(parts[1]) == dropped(.rule))
        let sources = (0..<3).map { rig.inspector.packets[$0].source }
        #expect(sources == [.wire, .defragmented, .ipv6Tunnel] && rig.inspector.packets[2].depth == 1)
        #expect(rig.bytes(of: 2, in: parts[1]) == inner)
    }

    /// Fragments of fragments, as a tunnel makes them whose packets are too long for its path.
    @Test func fragmentsOfFragments() throws {
        var rig = try Rig(rules: Self.rules)
        let inner = Family.v4.fragments(of: Family.v4.udp(.stranger, .dns, "some poison in here"), at: [16])
        let outer = inner.enumerated().map { number, part in
            Family.v6.fragments(of: Family.v6.ip(.client, .web, 4, part), at: [16], identification: number)
        }
        let decisions = outer.flatMap { $0 }.map { rig.inspect($0) }
        #expect(decisions == [.accept, .accept, .accept, dropped(.rule)])
        let sources = (0..<4).map { rig.inspector.packets[$0].source }
        #expect(sources == [.wire, .defragmented, .ipv6Tunnel, .defragmented])
    }

    @Test func tagsAndPortsKeepDatagramsApart() throws {
        var rig = try Rig(rules: Self.rules)
        let parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "some poison in here"), at: [16])
        _ = rig.inspect(Family.v4.ethernet(tag: 5, parts[0]), .ethernet)
        #expect(rig.inspect(Family.v4.ethernet(tag: 6, parts[1]), .ethernet) == .accept)
        #expect(rig.inspect(Family.v4.ethernet(tag: 5, parts[1]), .ethernet) == dropped(.rule))
        rig.outPort = 3
        _ = rig.inspect(parts[0])
        rig.outPort = 4
        #expect(rig.inspect(parts[1]) == .accept)
        rig.outPort = 3
        #expect(rig.inspect(parts[1]) == dropped(.rule))
    }

    // MARK: - What is said of them

    @Test func aFragmentIsAskedAboutAsOne() throws {
        var rig = try Rig(
            rules: """
                alert ip any any -> any any (fragbits:M; sid:1;)
                alert udp any any -> any 9000 (sid:2;)
                alert udp any any -> any any (content:"needle"; sid:3;)
                """)
        let parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "a needle, and more of it"), at: [24])
        _ = rig.inspect(parts[0])
        #expect(rig.findings == ["sid:1"])
        _ = rig.inspect(parts[1])
        #expect(Set(rig.findings) == ["sid:2", "sid:3"])
        #expect(rig.inspector.packets[1].packet.kind == .udp && rig.inspector.packets[1].packet.destinationPort == 9000)
    }

    @Test(arguments: Family.allCases) func overlapsAreSaid(_ family: Family) throws {
        var rig = try Rig(
            rules: """
                alert pkthdr any any -> any any (decode-event:ipv4.frag_overlap; sid:4;)
                alert pkthdr any any -> any any (decode-event:ipv6.frag_overlap; sid:6;)
                alert pkthdr any any -> any any (decode-event:ipv4.frag_pkt_too_large; sid:5;)
                alert pkthdr any any -> any any (decode-event:ipv6.frag_pkt_too_large; sid:7;)
                """, mode: InspectionMode(isInline: false, verifiesChecksums: false))
        let part = family.fragments(of: family.udp(.client, .web, "nothing to be seen"), at: [16])[0]
        for found in [[], [family == .v4 ? "sid:4" : "sid:6"]] {
            _ = rig.inspect(part)
            #expect(rig.findings.filter { $0.hasPrefix("sid") } == found)
        }
        let header = family.udp(.client, .web).prefix(family.headerSize)
        _ = rig.inspect(family.piece(header, ArraySlice(repeating: 0, count: 8), offset: 65_528, more: false))
        #expect(rig.findings.filter { $0.hasPrefix("sid") } == [family == .v4 ? "sid:5" : "sid:7"])
    }

    @Test func whatIsKnownOutlivesAReload() throws {
        var rig = try Rig(rules: Self.rules)
        let parts = Family.v4.fragments(of: Family.v4.udp(.client, .web, "some poison in here"), at: [16])
        _ = rig.inspect(parts[0])
        try rig.reload()
        #expect(rig.inspect(parts[1]) == dropped(.rule))
        try rig.reload()
        #expect(rig.inspect(parts[1]) == dropped(.fragment))
    }
}
