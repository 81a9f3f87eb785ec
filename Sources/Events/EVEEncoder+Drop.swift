import Evidence
import Wire

/// Suricata's `drop` event: a packet that was not let through, as far as its record tells of it.
extension EVEEncoder {
    /// Of an event whose verdict is drop. There is one for a packet, whatever number of findings it has.
    public mutating func encodeDrop(_ event: Event, at place: CapturePlace? = nil) {
        head(event, place, type: "drop")
        line.key("drop")
        line.openObject()
        figures(event.packet)
        line.field("reason", EVEEncoder.dropReason(event.reason))
        line.closeObject()
        course(event)
        verdict(event)
        close(event, place)
    }

    private mutating func figures(_ packet: Packet) {
        guard packet.isIP else { return }
        line.field("len", max(0, packet.statedLength))
        if packet.ipVersion == 4 { line.key("ttl") } else { line.key("hoplimit") }
        line.value(packet.hopLimit)
        switch packet.kind {
        case .tcp:
            let flags: [(StaticString, TCPFlags)] = [
                ("syn", .syn), ("ack", .ack), ("psh", .psh), ("rst", .rst), ("urg", .urg), ("fin", .fin),
            ]
            for (name, flag) in flags {
                line.field(name, packet.tcpFlags.contains(flag))
            }
        case .udp:
            line.field("udplen", Int(packet.transportLength) + max(0, Int(packet.payloadLength)))
        default: break
        }
    }

    /// In Suricata's words where it has some (src/decode.c, PacketDropReasonToString).
    private static func dropReason(_ reason: Reason) -> String {
        switch reason {
        case .none: "unknown"
        case .rule: "rules"
        case .stream: "stream error"
        case .malformed: "decode error"
        default: reason.text
        }
    }
}
