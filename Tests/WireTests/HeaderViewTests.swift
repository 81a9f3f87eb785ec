import Testing
import Wire

/// Each view over bytes that count up from 0, so that a value names the offset that it was read from. A view
/// of one byte less must not come to be.
@Suite struct HeaderViewTests {
    private static let ramp = (0..<64).map { UInt8($0) }

    @Test func ethernet() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(13))
        if EthernetHeader(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(14))
        guard let view = EthernetHeader(whole.span) else { return missing() }
        #expect(view.destination == 0x0001_0203_0405)
        #expect(view.source == 0x0607_0809_0A0B)
        #expect(view.type == 0x0C0D)
    }

    @Test func vlan() {
        let bytes: [UInt8] = [0xB0, 0x7B, 0x08, 0x00]
        let short = GuardedBytes(bytes.prefix(3))
        if VLANTag(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes)
        guard let view = VLANTag(whole.span) else { return missing() }
        #expect(view.control == 0xB07B && view.priority == 5 && view.identifier == 0x07B)
        #expect(view.type == 0x0800)
    }

    @Test func arp() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(27))
        if ARPMessage(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(28))
        guard let view = ARPMessage(whole.span) else { return missing() }
        #expect([view.hardwareType, view.protocolType, view.operation] == [0x0001, 0x0203, 0x0607])
        #expect([view.hardwareLength, view.protocolLength] == [4, 5])
        #expect(view.senderMAC == 0x0809_0A0B_0C0D && view.targetMAC == 0x1213_1415_1617)
        #expect(view.sender == Address(v4: 0x0E0F_1011) && view.target == Address(v4: 0x1819_1A1B))
    }

    @Test func ipv4() {
        var bytes = Self.ramp
        bytes[0] = 0x4F
        let short = GuardedBytes(bytes.prefix(19))
        if IPv4Header(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes)
        guard let view = IPv4Header(whole.span) else { return missing() }
        #expect(view.version == 4 && view.headerLength == 60 && view.service == 1)
        #expect([view.totalLength, Int(view.identification)] == [0x0203, 0x0405])
        #expect(view.fragmentWord == 0x0607 && view.fragmentOffset == 0x3038)
        #expect(!view.dontFragment && !view.moreFragments)
        #expect([view.timeToLive, view.protocol] == [8, 9] && view.checksum == 0x0A0B)
        #expect(view.source == Address(v4: 0x0C0D_0E0F) && view.destination == Address(v4: 0x1011_1213))
        #expect(view.optionBytes.byteCount == 40)
    }

    @Test func ipv6() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(39))
        if IPv6Header(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(40))
        guard let view = IPv6Header(whole.span) else { return missing() }
        #expect(view.version == 0 && view.trafficClass == 0x00 && view.flowLabel == 0x10203)
        #expect(view.payloadLength == 0x0405 && view.nextHeader == 6 && view.hopLimit == 7)
        #expect(view.source == Address(high: 0x0809_0A0B_0C0D_0E0F, low: 0x1011_1213_1415_1617))
        #expect(view.destination == Address(high: 0x1819_1A1B_1C1D_1E1F, low: 0x2021_2223_2425_2627))
    }

    @Test func ipv6Extension() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(7))
        if IPv6Extension(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(8))
        guard let view = IPv6Extension(whole.span) else { return missing() }
        #expect(view.nextHeader == 0 && view.routingType == 2 && view.segmentsLeft == 3)
        #expect(view.fragmentOffset == 0x0200 && view.moreFragments && view.identification == 0x0405_0607)
        #expect([0, 43, 44, 51, 60, 135].map { view.length(as: $0) } == [16, 16, 8, 12, 16, 16])
    }

    @Test func tcp() {
        var bytes = Self.ramp
        bytes[12] = 0x60
        let short = GuardedBytes(bytes.prefix(19))
        if TCPHeader(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes)
        guard let view = TCPHeader(whole.span) else { return missing() }
        #expect([view.sourcePort, view.destinationPort] == [0x0001, 0x0203])
        #expect([view.sequence, view.acknowledgement] == [0x0405_0607, 0x0809_0A0B])
        #expect(view.headerLength == 24 && view.flags == [.fin, .rst, .psh])
        #expect([view.window, view.checksum, view.urgentPointer] == [0x0E0F, 0x1011, 0x1213])
        #expect(view.optionBytes.byteCount == 4)
    }

    @Test func udp() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(7))
        if UDPHeader(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(8))
        guard let view = UDPHeader(whole.span) else { return missing() }
        #expect([view.sourcePort, view.destinationPort, view.checksum] == [0x0001, 0x0203, 0x0607])
        #expect(view.length == 0x0405)
    }

    @Test func icmp() {
        let bytes = Self.ramp
        let short = GuardedBytes(bytes.prefix(7))
        if ICMPHeader(short.span) != nil { accepted() }
        let whole = GuardedBytes(bytes.prefix(8))
        guard let view = ICMPHeader(whole.span) else { return missing() }
        #expect([view.type, view.code] == [0, 1])
        #expect([view.checksum, view.identifier, view.sequence] == [0x0203, 0x0405, 0x0607])
    }

    /// Options that a header promises and the bytes do not hold.
    @Test func optionsCutShort() {
        let bytes = hex("4f") + [UInt8](repeating: 0, count: 21)
        let whole = GuardedBytes(bytes)
        guard let view = IPv4Header(whole.span) else { return missing() }
        #expect(view.optionBytes.byteCount == 2)
        let lying = GuardedBytes(hex("41") + [UInt8](repeating: 0, count: 21))
        guard let none = IPv4Header(lying.span) else { return missing() }
        #expect(none.optionBytes.byteCount == 0)
    }

    @Test(
        arguments: [
            ("", [], false),
            ("01010101", [], false),
            ("020405b4 01 030307 0402 0000", [[2, 2, 2], [3, 7, 1], [4, 10, 0]], false),
            ("00 0204", [], false),
            ("0204", [], true),
            ("0402 05", [[4, 2, 0]], true),
            ("0401", [], true),
        ] as [(String, [[Int]], Bool)])
    func walksOptions(_ text: String, _ expected: [[Int]], _ isMalformed: Bool) {
        let bytes = big32(0) + big32(0) + big32(0) + hex("f000") + big32(0) + [0, 0] + hex(text)
        let whole = GuardedBytes(bytes)
        guard let header = TCPHeader(whole.span) else { return missing() }
        var options = header.options
        var found: [[Int]] = []
        while let option = options.next() {
            found.append([Int(option.kind), option.offset, option.length])
        }
        #expect(found == expected)
        #expect(options.isMalformed == isMalformed)
        #expect(options.next() == nil)
    }

    private func accepted() { Issue.record("the view took too few bytes") }
    private func missing() { Issue.record("the view refused enough bytes") }
}
