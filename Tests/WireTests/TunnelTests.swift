import Testing
import Wire

/// What is read through, and what is found to be a packet of its own.
@Suite struct TunnelTests {
    // MARK: - The same packet

    static let carriers: [(String, LinkLayer, [UInt8])] = [
        ("PPP", .ppp, hex("ff030021")), ("PPP without HDLC", .ppp, hex("0021")),
        ("PPP with one byte", .ppp, hex("21")), ("PPP of a compressed slot", .ppp, hex("ff03002f")),
        ("HDLC", .ciscoHDLC, hex("0f000800")), ("PPP in HDLC", .ciscoHDLC, hex("ff030021")),
        ("cooked", .linuxSLL, [UInt8](repeating: 0, count: 14) + hex("0800")),
        ("cooked 2", .linuxSLL2, hex("0800") + [UInt8](repeating: 0, count: 18)),
        ("loopback", .loopback, hex("02000000")), ("loopback, network order", .loopback, hex("00000002")),
        ("PPPoE", .ethernet, ethernet(0x8864, hex("11000001 0042 0021"))),
        ("PPPoE with one byte", .ethernet, ethernet(0x8864, hex("11000001 0042 21"))),
        ("MPLS", .ethernet, ethernet(0x8847, hex("00010000 00020140"))),
        ("MPLS, explicit null", .ethernet, ethernet(0x8848, hex("00000140"))),
        ("MPLS pseudowire", .ethernet, ethernet(0x8847, hex("00010140 00000000") + ethernet(0x0800, []))),
        ("NSH", .ethernet, ethernet(0x894F, hex("00020201 00000102"))),
        ("NSH with a frame", .ethernet, ethernet(0x894F, hex("00020203 00000102") + ethernet(0x0800, []))),
        ("NSH with a label", .ethernet, ethernet(0x894F, hex("00020205 00000102 00010140"))),
        ("802.1ah", .ethernet, ethernet(0x88E7, hex("00000001 020000000001 020000000002 0800"))),
        ("VN-Tag", .ethernet, ethernet(0x8926, hex("00000000 0800"))),
        ("E-Tag", .ethernet, ethernet(0x893F, hex("00000000 0000 0800"))),
        ("FabricPath", .ethernet, ethernet(0x8903, [0, 1] + ethernet(0x0800, []))),
    ]

    @Test(arguments: carriers) func isReadThrough(_ name: String, _ link: LinkLayer, _ header: [UInt8]) {
        let packet = decode(header + ipv4(6, tcp()), as: link)
        #expect(packet.kind == .tcp && packet.destinationPort == 80)
        #expect(packet.tunnel == .none && packet.events.isEmpty)
        #expect(packet.etherType == 0x0800)
        #expect(packet.networkHeader == header.count..<header.count + 20)
        #expect(packet.transportHeader == header.count + 20..<header.count + 40)
        #expect(Int(packet.payloadOffset) == header.count + 40 && packet.payloadLength == 16)
    }

    @Test func theInnermostFrameIsTheLink() {
        let inner = hex("00010140 00000000") + ethernet(0x0800, ipv4(6, tcp()))
        #expect(decode(ethernet(0x8847, inner), as: .ethernet).linkHeader == 22..<36)
        #expect(decode(ethernet(0x0800, ipv4(6, tcp())), as: .ethernet).linkHeader == 0..<14)
        #expect(decode(ipv4(6, tcp()), as: .ip).linkHeader.isEmpty)
    }

    @Test func anEtherTypeGivenApartIsReadThrough() {
        let packet = contents(of: hex("11000001 0042 0021") + ipv4(6, tcp()), behind: 0x8864)
        #expect(packet.kind == .tcp && packet.networkOffset == 8)
        let tagged = contents(of: hex("0064 0800") + ipv4(6, tcp()), behind: 0x8100)
        #expect(tagged.kind == .tcp && tagged.tag(0) == 100 && tagged.tag(1) == nil)
        let unknown = contents(of: data, behind: 0x88CC)
        #expect(unknown.kind == .other && unknown.etherType == 0x88CC && unknown.payloadLength == 16)
    }

    private func contents(of bytes: [UInt8], behind etherType: UInt16) -> Packet {
        unsafe Decoder.decode(bytes.span.bytes, as: .other, etherType: etherType)
    }

    @Test func threeTagsAreKept() {
        let tags = [(type: 0x88A8, control: 200), (type: 0x8100, control: 300), (type: 0x8100, control: 400)]
        let packet = decode(ethernet(0x0800, tags: tags, ipv4(6, tcp())), as: .ethernet)
        #expect((0..<4).map { packet.tag($0) } == [200, 300, 400, nil])
    }

    @Test func headersWithoutEndAreLeftAlone() {
        // A pseudowire in a pseudowire, and so on: a frame and a label each.
        var bytes = ethernet(0x0800, ipv4(6, tcp()))
        for _ in 0..<7 { bytes = ethernet(0x8847, hex("00010140 00000000") + bytes) }
        let packet = decode(bytes, as: .ethernet)
        #expect(packet.kind == .other && packet.events.contains(.tooManyLayers) && packet.isInvalid)
        let fewer = decode(bytes.dropFirst(22), as: .ethernet)
        #expect(fewer.kind == .tcp && fewer.events.isEmpty)
    }

    @Test func headersOfARPAndIPv6() {
        let packet = decode(ethernet(0x0806, arp()), as: .ethernet)
        #expect(packet.networkHeader == 14..<42 && packet.transportHeader.isEmpty)
        let six = decode(ipv6(0, extensionHeader(17, hex("0502 0000 0100")) + udp()), as: .ip)
        #expect(six.networkHeader == 0..<48 && six.transportHeader == 48..<56)
        let short = decode(Array(ipv4(6, []).dropLast()), as: .ip)
        #expect(short.networkHeader.isEmpty && short.transportHeader.isEmpty)
    }

    // MARK: - Packets in packets

    static let carried: [(String, [UInt8], Tunnel, LinkLayer, Int32)] = [
        ("IPv4 in IPv4", ipv4(4, ipv4(6, tcp())), .ip, .ipv4, 20),
        ("IPv6 in IPv4", ipv4(41, ipv6(6, tcp())), .ip, .ipv6, 20),
        ("IPv4 in IPv6", ipv6(4, ipv4(6, tcp())), .ip, .ipv4, 40),
        ("IPv6 in IPv6", ipv6(41, ipv6(6, tcp())), .ip, .ipv6, 40),
        ("GRE", ipv4(47, hex("00000800") + ipv4(6, tcp())), .gre, .ipv4, 24),
        ("GRE with all fields", ipv4(47, hex("b0000800 00000000 00000001 00000002") + ipv4(6, tcp())), .gre, .ipv4, 36),
        (
            "GRE with a route", ipv4(47, hex("40000800 00000000 08000004 0a000001 00000000") + ipv4(6, tcp())), .gre,
            .ipv4, 40
        ),
        ("GRE, IPv6", ipv6(47, hex("000086dd") + ipv6(6, tcp())), .gre, .ipv6, 44),
        ("GRE, frame", ipv4(47, hex("00006558") + ethernet(0x0800, ipv4(6, tcp()))), .gre, .ethernet, 24),
        ("GRE, ARP", ipv4(47, hex("00000806") + arp()), .gre, .arp, 24),
        ("GRE, tag", ipv4(47, hex("00008100 00010800") + ipv4(6, tcp())), .gre, .vlan, 24),
        ("PPTP", ipv4(47, hex("3081880b 00200001 00000001 00000002 0021") + ipv4(6, tcp())), .gre, .ppp, 36),
        ("ERSPAN I", ipv4(47, hex("000088be") + ethernet(0x0800, ipv4(6, tcp()))), .gre, .ethernet, 24),
        (
            "ERSPAN II", ipv4(47, hex("100088be 00000001 10640000 00000000") + ethernet(0x0800, ipv4(6, tcp()))), .gre,
            .erspan, 28
        ),
        (
            "ERSPAN III",
            ipv4(47, hex("100022eb 00000001 20640000 00000000 00000000") + ethernet(0x0800, ipv4(6, tcp()))), .gre,
            .erspanIII, 28
        ),
        (
            "ERSPAN III, subheader",
            ipv4(
                47,
                hex("100022eb 00000001 20000000 00000000 00000001 0000000000000000")
                    + ethernet(0x0800, ipv4(6, tcp()))), .gre, .erspanIII, 28
        ),
        (
            "ERSPAN III, IP", ipv4(47, hex("100022eb 00000001 20000000 00000000 00000800") + ipv4(6, tcp())), .gre,
            .erspanIII, 28
        ),
        ("VXLAN", tunnel(4789, hex("08000000 00006400") + ethernet(0x0800, ipv4(6, tcp()))), .vxlan, .ethernet, 36),
        (
            "Geneve, frame", tunnel(6081, hex("00006558 00006400") + ethernet(0x0800, ipv4(6, tcp()))), .geneve,
            .ethernet, 36
        ),
        (
            "Geneve with options", tunnel(6081, hex("03000800 00006400 01020001 00000000 01020000") + ipv4(6, tcp())),
            .geneve, .ipv4, 48
        ),
        ("Geneve, IPv6", tunnel(6081, hex("000086dd 00006400") + ipv6(6, tcp())), .geneve, .ipv6, 36),
        ("Teredo", tunnel(3544, ipv6(6, tcp())), .teredo, .ipv6, 28),
        ("Teredo with its origin", tunnel(3544, hex("0000 6363 3f57fefe") + ipv6(6, tcp())), .teredo, .ipv6, 36),
    ]

    static func tunnel(_ port: Int, _ payload: [UInt8]) -> [UInt8] {
        ipv4(17, big16(40000) + big16(port) + big16(8 + payload.count) + big16(0) + payload)
    }

    @Test(arguments: carried)
    func isFound(_ name: String, _ bytes: [UInt8], _ tunnel: Tunnel, _ link: LinkLayer, _ offset: Int32) {
        let packet = decode(bytes, as: .ip)
        #expect(packet.tunnel == tunnel && packet.innerLink == link && packet.innerOffset == offset)
        #expect(packet.events.isEmpty)
        let end = packet.payloadOffset + packet.payloadLength
        #expect(Int(end) == bytes.count)
        let inner = decode(bytes[Int(offset)...], as: link)
        #expect(inner.kind == (link == .arp ? .arp : .tcp))
        // Nothing is looked for in a part of it.
        var first = bytes
        if first[0] >> 4 == 4 {
            first[6] |= 0x20
            #expect(decode(first, as: .ip).tunnel == .none)
        }
        #expect(decode(bytes.dropLast(), as: .ip, cut: true).anomalies == .cutByCapture)
    }

    static let others: [(String, [UInt8], [String])] = [
        ("GRE of 3 bytes", ipv4(47, [0, 0, 8]), ["gre.pkt_too_small"]),
        ("GRE version 2", ipv4(47, hex("00020800") + ipv4(6, tcp())), ["gre.wrong_version"]),
        ("GRE recursion", ipv4(47, hex("01000800") + ipv4(6, tcp())), ["gre.version0_recur"]),
        ("GRE flags", ipv4(47, hex("00080800") + ipv4(6, tcp())), ["gre.version0_flags"]),
        ("GRE longer than the packet", ipv4(47, hex("20000800 0000")), ["gre.version0_hdr_too_big"]),
        (
            "GRE route beyond the packet", ipv4(47, hex("40000800 00000000 08000008 0a000001")),
            ["gre.version0_malformed_sre_hdr"]
        ),
        (
            "GRE route without end", ipv4(47, hex("40000800 00000000 08000004 0a000001")),
            ["gre.version0_malformed_sre_hdr"]
        ),
        ("PPTP with a checksum", ipv4(47, hex("b081880b 00200001")), ["gre.version1_chksum"]),
        ("PPTP with a route", ipv4(47, hex("6001880b 00200001")), ["gre.version1_route"]),
        ("PPTP with a strict route", ipv4(47, hex("2801880b 00200001")), ["gre.version1_ssr"]),
        ("PPTP recursion", ipv4(47, hex("2101880b 00200001")), ["gre.version1_recur"]),
        ("PPTP flags", ipv4(47, hex("2041880b 00200001")), ["gre.version1_flags"]),
        ("PPTP without PPP", ipv4(47, hex("20010800 00200001")), ["gre.version1_wrong_protocol"]),
        ("PPTP without a key", ipv4(47, hex("0001880b 00200001")), ["gre.version1_no_key"]),
        ("PPTP longer than the packet", ipv4(47, hex("3001880b 00200001 0000")), ["gre.version1_hdr_too_big"]),
        ("PPTP acknowledgement", ipv4(47, hex("2081880b 00000001 00000001")), []),
        ("GRE, something else", ipv4(47, hex("00000900 00000000")), []),
        ("IPv4 in IPv6 of 19 bytes", ipv6(4, Array(ipv4(6, []).dropLast())), ["ipv6.ipv4_in_ipv6_too_small"]),
        ("IPv4 in IPv6, version 6", ipv6(4, ipv6(6, [])), ["ipv6.ipv4_in_ipv6_wrong_version"]),
        ("IPv6 in IPv6 of 39 bytes", ipv6(41, Array(ipv6(6, []).dropLast())), ["ipv6.ipv6_in_ipv6_too_small"]),
        ("IPv6 in IPv6, version 4", ipv6(41, ipv4(6, tcp())), ["ipv6.ipv6_in_ipv6_wrong_version"]),
        ("VXLAN with a policy", tunnel(4789, hex("88000000 00006400") + ethernet(0x0800, ipv4(6, tcp()))), []),
        ("VXLAN too short", tunnel(4789, hex("08000000 00006400") + ethernet(0x0800, []).dropLast()), []),
        ("VXLAN, LLDP", tunnel(4789, hex("08000000 00006400") + ethernet(0x88CC, [])), ["vxlan.unknown_payload_type"]),
        ("Geneve version 1", tunnel(6081, hex("40000800 00006400") + ipv4(6, tcp())), []),
        ("Geneve options beyond", tunnel(6081, hex("01000800 00006400 01020001") + ipv4(6, tcp())), []),
        ("Geneve, LLDP", tunnel(6081, hex("000088cc 00006400")), ["geneve.unknown_payload_type"]),
        ("Teredo and a byte", tunnel(3544, ipv6(6, tcp()) + [0]), []),
        ("Teredo authentication", tunnel(3544, hex("0001 6363 3f57fefe") + ipv6(6, tcp())), []),
        ("an ordinary port", tunnel(53, ipv6(6, tcp())), []),
    ]

    @Test(arguments: others) func isNone(_ name: String, _ bytes: [UInt8], _ events: [String]) {
        let packet = decode(bytes, as: .ip)
        #expect(packet.tunnel == .none)
        #expect(DecodeEvent.allCases.filter(packet.events.contains).map(\.name) == events)
    }

    @Test func vxlanIsToldByItsDestinationPort() {
        let payload = hex("08000000 00006400") + ethernet(0x0800, ipv4(6, tcp()))
        let answer = ipv4(17, big16(4789) + big16(40000) + big16(8 + payload.count) + big16(0) + payload)
        #expect(decode(answer, as: .ip).tunnel == .none)
    }

    @Test func aMirroredFrameHasTheTagOfItsSession() {
        let packet = decode(
            hex("10640000 00000000") + ethernet(0x0800, tags: [(0x8100, 7)], ipv4(6, tcp())), as: .erspan)
        #expect(packet.kind == .tcp && packet.tag(0) == 100 && packet.tag(1) == 7)
    }

    // MARK: - SCTP and IGMP

    @Test func sctpHasPortsAndTheFirstData() {
        let first: [UInt8] = [0, 3, 0, 18] + [UInt8](repeating: 0, count: 12) + [65, 66, 0, 0]
        let packet = decode(ipv4(132, EventCase.sctp([3, 0, 0, 4] + first + first)), as: .ip)
        #expect([packet.sourcePort, packet.destinationPort] == [5000, 5001])
        #expect([packet.payloadOffset, packet.payloadLength] == [20 + 12 + 4 + 16, 2])
        #expect(packet.transportHeader == 20..<32 && packet.kind == .otherIP)
        let chunk = EventCase.sctp([3, 0, 0, 4] + first)
        var chunks = unsafe SCTPPacket(chunk.span.bytes)!.chunks
        let types = [chunks.next()?.type, chunks.next()?.type, chunks.next()?.type]
        #expect(types == [3, 0, nil])
    }

    @Test(arguments: [
        ("11000000 e0000001", 1), ("11640000 e0000001", 2), ("11640000 e0000001 00000000", 3), ("12000000 e0000005", 1),
        ("16000000 e0000005", 2), ("17000000 e0000005", 2), ("22000000 00000000", 3), ("30000000 00000000", nil),
    ]) func versionOfIGMP(_ text: String, _ version: Int?) {
        let message = hex(text)
        let found = unsafe IGMPMessage(message.span.bytes)!.version
        #expect(found == version)
    }
}
