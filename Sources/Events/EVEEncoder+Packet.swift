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
        line.field("src_ip", packet.source)
        if hasPorts {
            line.field("src_port", packet.sourcePort)
        }
        line.field("dest_ip", packet.destination)
        if hasPorts {
            line.field("dest_port", packet.destinationPort)
        }
        if packet.isIP {
            line.field("proto", protocol: packet.ipProtocol)
            line.field("ip_v", packet.ipVersion)
        } else if packet.kind == .arp {
            line.field("proto", "ARP")
        }
        if packet.kind == .icmp || packet.kind == .icmp6 {
            line.field("icmp_type", packet.icmpType)
            line.field("icmp_code", packet.icmpCode)
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
        line.field("ip", isSource ? packet.source : packet.destination)
        if packet.kind == .tcp || packet.kind == .udp || packet.ipProtocol == IPProtocol.sctp {
            line.field("port", isSource ? packet.sourcePort : packet.destinationPort)
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
            line.field("ether_type", type)
        }
        if let source {
            line.field("src_mac", mac: source)
        }
        if let destination {
            line.field("dest_mac", mac: destination)
        }
        line.closeObject()
    }

    /// The captured packet around one that came by tunnel, or of whose fragments one was put together.
    mutating func tunnel(_ origin: Origin, _ place: CapturePlace?) {
        guard origin.source != .wire, origin.source != .streamEnd || origin.depth > 0 else { return }
        line.key("tunnel")
        line.openObject()
        line.field("src_ip", origin.outerSource)
        line.field("src_port", origin.outerSourcePort)
        line.field("dest_ip", origin.outerDestination)
        line.field("dest_port", origin.outerDestinationPort)
        line.field("proto", protocol: origin.outerProtocol)
        line.field("depth", origin.depth)
        if let place {
            line.field("pcap_cnt", place.number)
        }
        line.field("pkt_src", PacketSource.wire.text)
        line.closeObject()
    }

    /// Which way the packet went in its flow, and the flow from its client's side.
    mutating func course(_ event: Event) {
        let course = event.course
        guard course.direction != .none else { return }
        let isToServer = course.direction == .toServer
        line.field("direction", isToServer ? "to_server" : "to_client")
        line.key("flow")
        line.openObject()
        line.field("pkts_toserver", course.packetsToServer)
        line.field("pkts_toclient", course.packetsToClient)
        line.field("bytes_toserver", course.bytesToServer)
        line.field("bytes_toclient", course.bytesToClient)
        line.field("start", time: course.start)
        let packet = event.packet
        line.field("src_ip", isToServer ? packet.source : packet.destination)
        line.field("dest_ip", isToServer ? packet.destination : packet.source)
        if packet.sourcePort != 0 {
            line.field("src_port", isToServer ? packet.sourcePort : packet.destinationPort)
            line.field("dest_port", isToServer ? packet.destinationPort : packet.sourcePort)
        }
        line.closeObject()
    }

    /// What became of the packet, in Suricata's words.
    mutating func verdict(_ event: Event) {
        line.key("verdict")
        line.openObject()
        line.field("action", event.verdict == .drop ? "drop" : event.isPassed ? "pass" : "alert")
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
