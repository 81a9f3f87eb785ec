import Testing
import Wire

@Suite struct DecoderTests {
    @Test(arguments: Tables.all) func tableOfCases(_ row: DecodeCase) { row.check() }

    /// A table that forgot an anomaly would say nothing about it.
    @Test func everyAnomalyHasACase() {
        let seen = Tables.all.reduce(into: Anomalies()) { $0.formUnion($1.anomalies) }
        #expect(seen.rawValue == 1 << UInt64(Anomalies.count) - 1)
        #expect(Set(Tables.all.map(\.kind)).count == PacketKind.allCases.count)
    }

    @Test func fillsInAnEthernetTCPPacket() {
        let segment = tcp(options: hex("0101 080a 00000001 00000002"), flags: [.syn, .ack])
        let tags = [(type: 0x88A8, control: 0x2064), (type: 0x8100, control: 0xE00A)]
        let packet = decode(ethernet(0x0800, tags: tags, ipv4(6, segment)), as: .ethernet)
        #expect(packet.source == Address("10.0.0.1"))
        #expect(packet.destination == Address("10.0.0.2"))
        #expect([packet.sourcePort, packet.destinationPort] == [40000, 80])
        #expect(packet.tcpFlags == [.syn, .ack])
        #expect([packet.ipVersion, packet.ipProtocol, packet.hopLimit, packet.vlanCount] == [4, 6, 64, 2])
        #expect([packet.outerTag, packet.innerTag, packet.etherType] == [0x2064, 0xE00A, 0x0800])
        #expect([packet.networkOffset, packet.transportOffset, packet.payloadOffset] == [22, 42, 74])
        #expect(packet.payloadLength == 16)
        #expect(packet.statedLength == 20 + 32 + 16)
        #expect(!packet.isFragment)
    }

    @Test func fillsInAnIPv6UDPPacketBehindExtensions() {
        let chain = extensionHeader(60) + extensionHeader(44) + fragmentHeader(17, offset: 0, more: true)
        let packet = decode(ipv6(0, chain + udp()), as: .ip)
        #expect(packet.kind == .udp)
        #expect(packet.source == Address("2001:db8::1"))
        #expect(packet.destination == Address("2001:db8::2"))
        #expect([packet.sourcePort, packet.destinationPort] == [40000, 53])
        #expect([packet.ipVersion, packet.ipProtocol, packet.hopLimit] == [6, 17, 64])
        #expect([packet.networkOffset, packet.transportOffset, packet.payloadOffset] == [0, 64, 72])
        #expect(packet.etherType == 0x86DD)
        #expect(packet.isFragment && packet.moreFragments && packet.fragmentOffset == 0)
    }

    @Test func fillsInAnARPMessage() {
        let packet = decode(ethernet(0x0806, arp() + [UInt8](repeating: 0, count: 18)), as: .ethernet)
        #expect(packet.source == Address("10.0.0.1"))
        #expect(packet.destination == Address("10.0.0.2"))
        #expect(!packet.isIP)
        #expect(packet.payloadLength == 0)
    }

    @Test(arguments: [(UInt8(8), LinkLayer.ip), (0, .ip), (3, .ethernet)])
    func fillsInICMP(_ type: UInt8, _ link: LinkLayer) {
        let bytes = ipv4(1, [type, 9] + echo(0).dropFirst(2))
        let packet = decode(link == .ip ? bytes : ethernet(0x0800, bytes), as: link)
        #expect([packet.icmpType, packet.icmpCode] == [type, 9])
        let six = decode(ipv6(58, [type, 9] + echo(0).dropFirst(2)), as: .ip)
        #expect([six.icmpType, six.icmpCode] == [type, 9])
    }

    @Test func laterFragmentsKeepOffsetAndProtocol() {
        let four = decode(ipv4(17, data, fragment: 0x2000 | 185), as: .ip)
        #expect(four.fragmentOffset == 1480 && four.moreFragments && four.ipProtocol == 17)
        #expect([four.transportOffset, four.payloadOffset, four.payloadLength] == [20, 20, 16])
        #expect(four.sourcePort == 0)
        let six = decode(ipv6(44, fragmentHeader(17, offset: 1480, more: false) + data), as: .ip)
        #expect(six.fragmentOffset == 1480 && !six.moreFragments && six.ipProtocol == 17)
        #expect([six.transportOffset, six.payloadOffset, six.payloadLength] == [48, 48, 16])
    }

    @Test func aJumbogramIsAsLongAsItsOptionSays() {
        let body = [UInt8](repeating: 0x41, count: 70_000)
        let options = [6, 0] + hex("c204") + big32(8 + 20 + 70_000)
        let packet = decode(ipv6(0, options + tcp(body), length: 0), as: .ip)
        #expect(packet.kind == .tcp)
        #expect(packet.statedLength == 40 + 8 + 20 + 70_000)
        #expect(packet.payloadLength == 70_000)
    }
}
