import Wire

/// What tells one flow from another, as one packet of it has it.
struct FlowKey {
    var source: Address
    var destination: Address
    var sourcePort: UInt16
    var destinationPort: UInt16
    var vlan: UInt32
    var ipProtocol: UInt8

    /// nil for what belongs to no flow: not IP, headers that make no sense, fragments.
    @inline(__always)
    init?(_ packet: @_addressable Packet, _ bytes: RawSpan, vlan: UInt32) {
        guard packet.isIP, !packet.isFragment, !packet.isUndecodable else { return nil }
        source = packet.source
        destination = packet.destination
        sourcePort = packet.sourcePort
        destinationPort = packet.destinationPort
        self.vlan = vlan
        ipProtocol = packet.ipProtocol
        switch packet.kind {
        case .tcp, .udp, .otherIP: return
        case .icmp, .icmp6:
            // A query and its answer have an identifier in common; all else is told by its type.
            let start = Int(packet.transportOffset)
            let isQuery =
                packet.kind == .icmp ? packet.icmpType == 0 || packet.icmpType == 8 : packet.icmpType & 0xFE == 128
            var number = UInt16(packet.icmpType) << 8 | UInt16(packet.icmpCode)
            if isQuery, start >= 0, start + 6 <= bytes.byteCount {
                number = bytes.be16(start + 4)
            }
            sourcePort = number
            destinationPort = number
        case .other, .arp, .laterFragment, .malformed: return nil
        }
    }

    /// The same for both directions.
    @inline(__always)
    func hash(_ secret: SecretHash) -> UInt64 {
        secret.hash(
            source, sourcePort, destination, destinationPort, rest: UInt64(vlan) << 8 | UInt64(ipProtocol))
    }

    /// Whether it is of the flow; and, if so, whether it goes to the server.
    @inline(__always)
    func direction(in flow: UnsafeMutablePointer<Flow>) -> Bool? {
        guard unsafe flow.pointee.vlan == vlan && flow.pointee.ipProtocol == ipProtocol else { return nil }
        if unsafe flow.pointee.client == source && flow.pointee.server == destination
            && flow.pointee.clientPort == sourcePort && flow.pointee.serverPort == destinationPort
        {
            return true
        }
        if unsafe flow.pointee.client == destination && flow.pointee.server == source
            && flow.pointee.clientPort == destinationPort && flow.pointee.serverPort == sourcePort
        {
            return false
        }
        return nil
    }
}
