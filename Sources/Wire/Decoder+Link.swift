/// What stands before the network header, apart from plain Ethernet and plain IP.
extension Decoder {
    @inline(never)
    static func readLink(
        _ bytes: RawSpan, _ link: LinkLayer, _ etherType: UInt16, _ cut: Bool, _ packet: inout Packet
    ) {
        switch link {
        case .ethernet: readEthernet(bytes, at: 0, cut, &packet)
        case .ip: readIP(bytes, at: 0, cut, &packet)
        case .ipv4: _ = readNetwork(bytes, EtherType.ipv4, at: 0, cut, &packet)
        case .ipv6: _ = readNetwork(bytes, EtherType.ipv6, at: 0, cut, &packet)
        case .arp: _ = readNetwork(bytes, EtherType.arp, at: 0, cut, &packet)
        case .other:
            packet.setPayload(0, end: bytes.byteCount)
            if etherType != 0 { _ = readNetwork(bytes, etherType, at: 0, cut, &packet) }
        case .ppp: readPPP(bytes, at: 0, cut, &packet)
        case .ciscoHDLC: readHDLC(bytes, cut, &packet)
        case .linuxSLL: readTyped(bytes, type: 14, header: 16, .sllPktTooSmall, cut, &packet)
        case .linuxSLL2: readTyped(bytes, type: 0, header: 20, .sll2PktTooSmall, cut, &packet)
        case .loopback: readLoopback(bytes, cut, &packet)
        case .vlan: readTag(bytes, at: 0, cut, &packet)
        case .erspan: readERSPAN(bytes, cut, &packet)
        case .erspanIII: readERSPANIII(bytes, cut, &packet)
        }
    }

    /// What follows a header that names its contents by an EtherType. false for one that is not known.
    @inline(never)
    static func readNetwork(
        _ bytes: RawSpan, _ type: UInt16, at offset: Int, _ cut: Bool, _ packet: inout Packet
    ) -> Bool {
        packet.networkOffset = Int32(truncatingIfNeeded: offset)
        packet.etherType = type < EtherType.lowest ? 0 : type
        packet.setPayload(offset, end: bytes.byteCount)
        switch type {
        case EtherType.ipv4: readIPv4(bytes, at: offset, cut, &packet)
        case EtherType.ipv6: readIPv6(bytes, at: offset, cut, &packet)
        case EtherType.arp: readARP(bytes, at: offset, cut, &packet)
        case EtherType.customerTag, EtherType.serviceTag, EtherType.legacyServiceTag:
            readTag(bytes, at: offset, cut, &packet)
        case EtherType.pppoeSession: readPPPoESession(bytes, at: offset, cut, &packet)
        case EtherType.pppoeDiscovery: readPPPoEDiscovery(bytes, at: offset, cut, &packet)
        case EtherType.mplsUnicast, EtherType.mplsMulticast: readMPLS(bytes, at: offset, cut, &packet)
        case EtherType.nsh: readNSH(bytes, at: offset, cut, &packet)
        // IEEE 802.1ah §9.7: a backbone service tag, then the addresses of the customer's frame.
        case EtherType.backboneServiceTag:
            readWrapper(bytes, at: offset, size: 18, .ieee8021ahHeaderTooSmall, nil, cut, &packet)
        case EtherType.vnTag:
            readWrapper(bytes, at: offset, size: 6, .vntagHeaderTooSmall, .vntagUnknownType, cut, &packet)
        case EtherType.eTag:
            readWrapper(bytes, at: offset, size: 8, .etagHeaderTooSmall, .etagUnknownType, cut, &packet)
        case EtherType.fabricPath:
            // Two bytes of its own, then a whole frame.
            guard bytes.byteCount - offset >= 2 + EthernetHeader.size else {
                packet.halt(.dcePktTooSmall, cut: cut)
                return true
            }
            readEthernet(bytes, at: offset + 2, cut, &packet)
        default:
            packet.note(.ethernetUnknownEthertype)
            return false
        }
        return true
    }

    /// An 802.1Q tag.
    static func readTag(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard packet.vlanCount < 3 else {
            packet.anomalies.insert(.vlanTooMany)
            packet.note(.vlanTooManyLayers)
            return
        }
        guard let tag = VLANTag(bytes.from(offset)) else {
            return packet.stop(.vlanTooShort, .vlanHeaderTooSmall, cut: cut)
        }
        guard packet.enterLayer() else { return }
        packet.append(tag: tag.control)
        if !readNetwork(bytes, tag.type, at: offset + VLANTag.size, cut, &packet) {
            packet.fault(.vlanUnknownType)
        }
    }

    /// A header of `size` bytes whose last two are the EtherType of what follows.
    private static func readWrapper(
        _ bytes: RawSpan, at offset: Int, size: Int, _ short: DecodeEvent, _ unknown: DecodeEvent?,
        _ cut: Bool, _ packet: inout Packet
    ) {
        guard bytes.byteCount - offset >= size else { return packet.halt(short, cut: cut) }
        guard packet.enterLayer() else { return }
        let isKnown = readNetwork(bytes, bytes.be16(offset + size - 2), at: offset + size, cut, &packet)
        if !isKnown, let unknown { packet.fault(unknown) }
    }

    /// A header at the start with an EtherType in it.
    private static func readTyped(
        _ bytes: RawSpan, type: Int, header: Int, _ short: DecodeEvent, _ cut: Bool, _ packet: inout Packet
    ) {
        packet.setPayload(0, end: bytes.byteCount)
        guard bytes.byteCount >= header else { return packet.halt(short, cut: cut) }
        guard packet.enterLayer() else { return }
        _ = readNetwork(bytes, bytes.be16(type), at: header, cut, &packet)
    }

    private static func readHDLC(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        if bytes.byteCount >= 2, bytes.be16(0) == 0xFF03 { return readPPP(bytes, at: 0, cut, &packet) }
        readTyped(bytes, type: 2, header: 4, .chdlcPktTooSmall, cut, &packet)
    }

    /// The family is in the order of the machine that captured (NULL) or of the network (LOOP). IPv6 has
    /// another number on each system.
    private static func readLoopback(_ bytes: RawSpan, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(0, end: bytes.byteCount)
        guard bytes.byteCount >= 4 else { return packet.halt(.ltnullPktTooSmall, cut: cut) }
        let (high, low) = (bytes.be16(0), bytes.be16(2))
        switch high == 0 ? low : low == 0 ? high.byteSwapped : 0 {
        case 2: _ = readNetwork(bytes, EtherType.ipv4, at: 4, cut, &packet)
        case 10, 23, 24, 26, 28, 30: _ = readNetwork(bytes, EtherType.ipv6, at: 4, cut, &packet)
        default: packet.note(.ltnullUnsupportedType)
        }
    }

    static func readARP(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        packet.setPayload(offset, end: bytes.byteCount)
        guard let message = ARPMessage(bytes.from(offset)) else {
            packet.isUndecodable = !cut
            return packet.stop(
                .arpTooShort, bytes.byteCount - offset < 8 ? .arpPktTooSmall : .arpInvalidPkt, cut: cut)
        }
        guard packet.enterLayer() else { return }
        packet.kind = .arp
        guard message.isEthernetIPv4 else {
            packet.isUndecodable = true
            packet.fault(message.hardwareType != 1 ? .arpUnsupportedHardware : .arpUnsupportedProtocol)
            packet.anomalies.insert(.arpUnsupported)
            return
        }
        guard message.hasUsualLengths else {
            packet.isUndecodable = true
            return packet.refuse(
                .arpBadLengths,
                message.hardwareLength != 6 ? .arpInvalidHardwareSize : .arpInvalidProtocolSize)
        }
        if !(1...4).contains(message.operation) {
            packet.isUndecodable = true
            packet.fault(.arpUnsupportedOpcode)
        }
        packet.source = message.sender
        packet.destination = message.target
        // What follows is padding.
        let end = offset + ARPMessage.size
        packet.setPayload(end, end: end)
    }
}

extension Packet {
    /// `vlanCount < 3` is the caller's promise.
    mutating func append(tag: UInt16) {
        switch vlanCount {
        case 0: outerTag = tag
        case 1: innerTag = tag
        default: thirdTag = tag
        }
        vlanCount += 1
    }
}
