import Evidence
import Inspection
import Policy
import Testing
import Wire

/// Packets in packets: each is inspected, and what is found says on which.
@Suite struct TunnelTests {
    private static let rules = """
        alert tcp any any -> any any (content:"needle"; sid:1;)
        drop tcp any any -> any any (content:"poison"; sid:2;)
        """

    /// What tunnels from the client to the guest: nothing said of the payload is said of the outer packet.
    private static func inner(_ family: Family, _ text: String) -> [UInt8] {
        family.tcp(.stranger, .dns, text)
    }

    static let wrappings: [(String, PacketSource, @Sendable ([UInt8]) -> [UInt8])] = [
        ("IP in IPv4", .ipv4Tunnel, { Family.v4.ip(.client, .web, $0[0] >> 4 == 4 ? 4 : 41, $0) }),
        ("IP in IPv6", .ipv6Tunnel, { Family.v6.ip(.client, .web, $0[0] >> 4 == 4 ? 4 : 41, $0) }),
        ("GRE", .gre, { Family.v4.ip(.client, .web, 47, [0, 0] + big16($0[0] >> 4 == 4 ? 0x0800 : 0x86DD) + $0) }),
        ("VXLAN", .vxlan, { vxlan(frame($0[0] >> 4 == 4 ? 0x0800 : 0x86DD, $0)) }),
        ("Geneve", .geneve, { udp(6081, [0, 0] + big16($0[0] >> 4 == 4 ? 0x0800 : 0x86DD) + [0, 0, 1, 0] + $0) }),
    ]

    static func udp(_ port: Int, _ payload: [UInt8]) -> [UInt8] {
        Family.v4.ip(
            .client, .web, 17, big16(40_000) + big16(port) + big16(8 + payload.count) + big16(0) + payload)
    }

    static func vxlan(_ frame: [UInt8]) -> [UInt8] { udp(4789, [8, 0, 0, 0, 0, 0, 1, 0] + frame) }

    @Test(arguments: wrappings, Family.allCases)
    func isInspected(
        _ wrapping: (String, PacketSource, @Sendable ([UInt8]) -> [UInt8]), _ family: Family
    ) throws {
        var rig = try Rig(rules: Self.rules)
        let inner = Self.inner(family, "a needle")
        let bytes = wrapping.2(inner)
        let decision = rig.inspect(bytes)
        #expect(decision == .accept && rig.findings == ["sid:1"])
        #expect(rig.inspector.findings[0].layer == 1)
        #expect(rig.inspector.packets.count == 2)
        let (source, depth) = (rig.inspector.packets[1].source, rig.inspector.packets[1].depth)
        #expect(source == wrapping.1 && depth == 1 && rig.inspector.packets[0].source == .wire)
        // Who came over the wire is who counts for the policy; what the finding is about is what was inside.
        #expect(rig.inspector.guest == 0 && rig.inspector.packet.hidesPayload)
        #expect(rig.inspector.packets[1].packet.source == family.address(of: .stranger))
        let origin = rig.inspector.packets.origin(of: 1)
        #expect(origin.outerDestination == rig.inspector.packet.destination && origin.depth == 1)
        // VXLAN's has a frame's header before it.
        let found = rig.bytes(of: 1, in: bytes)
        #expect(found.suffix(inner.count) == inner[...])
    }

    @Test(arguments: wrappings)
    func aDropInsideDropsThePacket(
        _ wrapping: (String, PacketSource, @Sendable ([UInt8]) -> [UInt8])
    ) throws {
        var rig = try Rig(rules: Self.rules)
        let decision = rig.inspect(wrapping.2(Self.inner(.v4, "poison")))
        #expect(decision == dropped(.rule))
        // And nothing of the inner packet is left for the next.
        let next = rig.inspect(Family.v4.tcp(.client, .web, "good"))
        #expect(next == .accept && rig.inspector.packets.count == 1 && rig.findings == [])
    }

    @Test func tunnelsInTunnelsAreUnwrappedAsFarAsThereIsRoom() throws {
        var rig = try Rig(rules: Self.rules)
        var bytes = Self.inner(.v4, "a needle")
        for _ in 1...6 { bytes = Family.v4.ip(.client, .web, 4, bytes) }
        _ = rig.inspect(bytes)
        #expect(rig.findings == ["sid:1"] && rig.inspector.findings[0].layer == 6)
        let parents = (0..<7).map { rig.inspector.packets[$0].parent }
        #expect(parents == [0, 0, 1, 2, 3, 4, 5])
        for _ in 1...3 { bytes = Family.v4.ip(.client, .web, 4, bytes) }
        _ = rig.inspect(bytes)
        let count = rig.inspector.packets.count
        #expect(rig.findings == [] && count == InspectedPackets.capacity)
        let events = rig.inspector.packets[count - 1].packet.events
        #expect(events.contains(.tooManyLayers))
    }

    @Test func whatIsNoPacketIsLeftAsAPayload() throws {
        var rig = try Rig(rules: "alert udp any any -> any 3544 (content:\"needle\"; sid:3;)")
        // An IPv6 header that fits, and a segment that does not.
        let bogus = Family.v6.ip(.stranger, .dns, 6, Array("a needle".utf8))
        _ = rig.inspect(Self.udp(3544, bogus))
        #expect(rig.inspector.packets.count == 1 && !rig.inspector.packet.hidesPayload)
        #expect(rig.findings == ["sid:3"])
        _ = rig.inspect(Self.udp(3544, Self.inner(.v6, "a needle")))
        #expect(rig.inspector.packets.count == 2 && rig.inspector.packets[1].source == .teredo)
        // An IPv4 packet that states more than it is.
        _ = rig.inspect(Family.v4.ip(.client, .web, 4, Self.inner(.v4, "a needle").dropLast()))
        #expect(rig.inspector.packets.count == 1)
    }

    @Test func aFrameInsideIsKeptForWhatIsWrongWithIt() throws {
        var rig = try Rig()
        _ = rig.inspect(Self.vxlan(frame(0x0800, Self.inner(.v4, "").dropLast())))
        #expect(rig.inspector.packets.count == 2)
        let events = rig.inspector.packets[1].packet.events
        #expect(events.contains(.ipv4TruncPkt))
    }

    @Test func whatTheCaptureCutIsNotTheInnerPacketsFault() throws {
        var rig = try Rig(rules: Self.rules)
        let whole = Family.v4.ip(.client, .web, 4, Self.inner(.v4, "a needle, and more"))
        _ = rig.inspect(whole.dropLast(3), capturedShort: true)
        #expect(rig.findings.contains("sid:1"))
        #expect(rig.inspector.packets[1].packet.anomalies == .cutByCapture)
    }
}
