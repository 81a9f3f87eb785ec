import Evidence
import Wire

/// Suricata's `flow` event: a conversation that is over (src/output-json-flow.c).
extension EVEEncoder {
    public mutating func encode(_ flow: FlowEvent) {
        let packet = Packet(standingFor: flow)
        line.openObject()
        line.field("timestamp", time: flow.time)
        line.field("flow_id", max(1, flow.flow & EVEEncoder.flowMask))
        communityID(packet)
        interface(flow.port, flow.time)
        line.field("event_type", "flow")
        tags(flow.vlan)
        endpoints(packet)
        if packet.kind == .icmp || packet.kind == .icmp6, flow.packetsToClient > 0 {
            line.field("response_icmp_type", flow.marksToClient)
            line.field("response_icmp_code", 0)
        }
        // Suricata's word for what was not looked at, or not long enough to tell.
        line.field("app_proto", application(flow) ?? "unknown")
        course(flow)
        if packet.kind == .tcp { tcp(flow) }
        if flow.guest >= 0 {
            line.key("flinch")
            line.openObject()
            guest(flow.guest, flow.generation)
            line.closeObject()
        }
        end()
    }

    private mutating func course(_ flow: FlowEvent) {
        line.key("flow")
        line.openObject()
        line.field("pkts_toserver", flow.packetsToServer)
        line.field("pkts_toclient", flow.packetsToClient)
        line.field("bytes_toserver", flow.bytesToServer)
        line.field("bytes_toclient", flow.bytesToClient)
        line.field("start", time: flow.start)
        line.field("end", time: flow.last)
        line.key("age")
        // Of whole seconds, as Suricata has it.
        let (start, end) = (flow.start / 1_000_000_000, flow.last / 1_000_000_000)
        line.value(end > start ? end - start : 0)
        line.field("state", "\(flow.state)")
        line.field("reason", EVEEncoder.reason(flow.end))
        line.field("alerted", flow.isAlerted)
        if flow.isDropped || flow.isPassed {
            line.field("action", flow.isDropped ? "drop" : "pass")
        }
        line.closeObject()
    }

    private mutating func tcp(_ flow: FlowEvent) {
        let all = flow.marksToServer | flow.marksToClient
        line.key("tcp")
        line.openObject()
        line.field("tcp_flags", EVEEncoder.hexadecimal(all))
        line.field("tcp_flags_ts", EVEEncoder.hexadecimal(flow.marksToServer))
        line.field("tcp_flags_tc", EVEEncoder.hexadecimal(flow.marksToClient))
        let flags: [(StaticString, TCPFlags)] = [
            ("syn", .syn), ("fin", .fin), ("rst", .rst), ("psh", .psh), ("ack", .ack), ("urg", .urg), ("ecn", .ece),
            ("cwr", .cwr),
        ]
        for (name, flag) in flags where TCPFlags(rawValue: all).contains(flag) {
            line.field(name, true)
        }
        line.field("state", EVEEncoder.text(flow.tcpState))
        line.closeObject()
    }

    private func application(_ flow: FlowEvent) -> String? { words(flow.generation)?.application(flow.application) }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }

    private static func reason(_ end: FlowEvent.End) -> String {
        switch end {
        case .timeout: "timeout"
        case .forced: "forced"
        case .shutdown: "shutdown"
        case .reuse: "tcp_reuse"
        }
    }

    private static func text(_ state: FlowEvent.TCPState) -> String {
        switch state {
        case .none: "none"
        case .synSent: "syn_sent"
        case .synReceived: "syn_recv"
        case .established: "established"
        case .closing: "closing"
        case .closed: "closed"
        }
    }

    /// Of a flow the two innermost at most: its number has no room for three.
    private mutating func tags(_ vlan: UInt32) {
        guard vlan != 0 else { return }
        line.key("vlan")
        line.openArray()
        if vlan >> 12 & 0xFFF != 0 { line.value(vlan >> 12 & 0xFFF) }
        line.value(vlan & 0xFFF)
        line.closeArray()
    }
}

extension Packet {
    /// A packet of the flow from its client, as far as a line needs it.
    fileprivate init(standingFor flow: FlowEvent) {
        self.init()
        source = flow.client
        destination = flow.server
        ipProtocol = flow.ipProtocol
        ipVersion = flow.client.isV4 ? 4 : 6
        switch flow.ipProtocol {
        case IPProtocol.tcp: kind = .tcp
        case IPProtocol.udp: kind = .udp
        case IPProtocol.icmp: kind = .icmp
        case IPProtocol.icmp6: kind = .icmp6
        default: kind = .otherIP
        }
        if kind == .icmp || kind == .icmp6 {
            icmpType = flow.packetsToServer > 0 ? flow.marksToServer : flow.marksToClient
            // Where the flow is no query and its answers, its number is type and code.
            if flow.clientPort >> 8 == icmpType { icmpCode = UInt8(flow.clientPort & 0xFF) }
        } else {
            sourcePort = flow.clientPort
            destinationPort = flow.serverPort
        }
    }
}
