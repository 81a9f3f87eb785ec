import Evidence
import Wire

/// What an event line says of the packet that can be told from its record.
extension EVEEncoder {
    mutating func tags(_ packet: Packet, _ arrival: Arrival) {
        guard arrival.hasTag || packet.vlanCount > 0 else { return }
        line.key("vlan")
        line.openArray()
        // The kernel takes off the outermost tag.
        if arrival.hasTag { line.value(arrival.tag & 0xFFF) }
        for index in 0..<3 {
            if let tag = packet.tag(index) { line.value(tag & 0xFFF) }
        }
        line.closeArray()
    }

    mutating func endpoints(_ packet: Packet) {
        guard packet.isIP || packet.source != .none || packet.destination != .none else { return }
        // A malformed packet has ports only if they were read before the contradiction.
        let hasPorts =
            switch packet.kind {
            case .tcp, .udp: true
            case .otherIP: packet.ipProtocol == IPProtocol.sctp
            case .malformed: packet.sourcePort != 0 || packet.destinationPort != 0
            default: false
            }
        line.key("src_ip")
        line.value(packet.source)
        if hasPorts {
            line.key("src_port")
            line.value(packet.sourcePort)
        }
        line.key("dest_ip")
        line.value(packet.destination)
        if hasPorts {
            line.key("dest_port")
            line.value(packet.destinationPort)
        }
        if packet.isIP {
            line.key("proto")
            line.value(protocol: packet.ipProtocol)
            line.key("ip_v")
            line.value(packet.ipVersion)
        } else if packet.kind == .arp {
            line.key("proto")
            line.value("ARP")
        }
        if packet.kind == .icmp || packet.kind == .icmp6 {
            line.key("icmp_type")
            line.value(packet.icmpType)
            line.key("icmp_code")
            line.value(packet.icmpCode)
        }
    }

    /// Who attacks whom, of a rule that says which side is the target.
    mutating func sides(_ packet: Packet, isSourceTarget: Bool) {
        side("source", of: packet, isSource: !isSourceTarget)
        side("target", of: packet, isSource: isSourceTarget)
    }

    private mutating func side(_ key: StaticString, of packet: Packet, isSource: Bool) {
        line.key(key)
        line.openObject()
        line.key("ip")
        line.value(isSource ? packet.source : packet.destination)
        if packet.kind == .tcp || packet.kind == .udp || packet.ipProtocol == IPProtocol.sctp {
            line.key("port")
            line.value(isSource ? packet.sourcePort : packet.destinationPort)
        }
        line.closeObject()
    }

    /// The cards of a packet that the kernel handed over, or of the frame itself.
    mutating func ethernet(_ packet: Packet, _ arrival: Arrival, _ bytes: RawSpan? = nil) {
        if let bytes, !packet.linkHeader.isEmpty,
            let header = EthernetHeader(bytes.extracting(packet.linkHeader))
        {
            return ethernet(type: header.type, source: header.source, destination: header.destination)
        }
        let hasType = !packet.isIP && packet.etherType != 0
        guard arrival.sourceMAC != 0 || arrival.destinationMAC != 0 || hasType else { return }
        ethernet(
            type: hasType ? packet.etherType : nil, source: arrival.sourceMAC != 0 ? arrival.sourceMAC : nil,
            destination: arrival.destinationMAC != 0 ? arrival.destinationMAC : nil)
    }

    private mutating func ethernet(type: UInt16?, source: UInt64?, destination: UInt64?) {
        line.key("ether")
        line.openObject()
        if let type {
            line.key("ether_type")
            line.value(type)
        }
        if let source {
            line.key("src_mac")
            line.value(mac: source)
        }
        if let destination {
            line.key("dest_mac")
            line.value(mac: destination)
        }
        line.closeObject()
    }

    /// The captured packet around one that came by tunnel, or of whose fragments one was put together.
    mutating func tunnel(_ origin: Origin, _ place: CapturePlace?) {
        guard origin.source != .wire, origin.source != .streamEnd || origin.depth > 0 else { return }
        line.key("tunnel")
        line.openObject()
        line.key("src_ip")
        line.value(origin.outerSource)
        line.key("src_port")
        line.value(origin.outerSourcePort)
        line.key("dest_ip")
        line.value(origin.outerDestination)
        line.key("dest_port")
        line.value(origin.outerDestinationPort)
        line.key("proto")
        line.value(protocol: origin.outerProtocol)
        line.key("depth")
        line.value(origin.depth)
        if let place {
            line.key("pcap_cnt")
            line.value(place.number)
        }
        line.key("pkt_src")
        line.value(PacketSource.wire.text)
        line.closeObject()
    }

    /// Which way the packet went in its flow, and the flow from its client's side.
    mutating func course(_ event: Event) {
        let course = event.course
        guard course.direction != .none else { return }
        let isToServer = course.direction == .toServer
        line.key("direction")
        line.value(isToServer ? "to_server" : "to_client")
        line.key("flow")
        line.openObject()
        line.key("pkts_toserver")
        line.value(course.packetsToServer)
        line.key("pkts_toclient")
        line.value(course.packetsToClient)
        line.key("bytes_toserver")
        line.value(course.bytesToServer)
        line.key("bytes_toclient")
        line.value(course.bytesToClient)
        line.key("start")
        line.value(time: course.start)
        let packet = event.packet
        line.key("src_ip")
        line.value(isToServer ? packet.source : packet.destination)
        line.key("dest_ip")
        line.value(isToServer ? packet.destination : packet.source)
        if packet.sourcePort != 0 {
            line.key("src_port")
            line.value(isToServer ? packet.sourcePort : packet.destinationPort)
            line.key("dest_port")
            line.value(isToServer ? packet.destinationPort : packet.sourcePort)
        }
        line.closeObject()
    }

    /// What became of the packet, in Suricata's words.
    mutating func verdict(_ event: Event) {
        line.key("verdict")
        line.openObject()
        line.key("action")
        line.value(event.verdict == .drop ? "drop" : event.isPassed ? "pass" : "alert")
        if !event.rejects.isEmpty {
            line.key("reject_target")
            line.value(
                event.rejects == .source ? "to_client" : event.rejects == .destination ? "to_server" : "both")
            line.key("reject")
            line.openArray()
            line.value(event.packet.kind == .tcp ? "tcp-reset" : "icmp-prohib")
            line.closeArray()
        }
        line.closeObject()
    }
}
