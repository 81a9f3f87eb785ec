import Evidence
import Wire

/// Turns events into EVE JSON, one line each, with Suricata's field names and order
/// (docs.suricata.io, "EVE JSON Format"); what is ours alone is under `flinch`.
///
/// Lines are appended to `bytes`, which the caller writes out and empties. Not for the packet path.
public struct EVEEncoder {
    /// gid of the alerts that floods raise. Rules have 1 and Snort's preprocessors stay below 500.
    public static let floodGenerator: UInt32 = 3500
    /// flow_id keeps to this many low bits, so that JavaScript's numbers hold it exactly.
    static let flowMask: UInt64 = 1 << 53 - 1

    private var line = JSONLine()
    private var interfaces: InterfaceNames

    /// The words for the numbers in events. Replaced when rules or guests are.
    public var names: EVENames
    /// Written as `host`, as Suricata writes its `sensor-name`; nil for none.
    public var sensor: String?

    public init(names: EVENames, sensor: String? = nil) {
        self.names = names
        self.sensor = sensor
        // Through the value and not `self.names`: names of interfaces do not change with a reload.
        interfaces = InterfaceNames(lookup: names.interface)
    }

    /// The lines encoded since the last `removeAll`.
    public var bytes: [UInt8] { line.bytes }
    public var count: Int { line.bytes.count }

    public mutating func removeAll() { line.bytes.removeAll(keepingCapacity: true) }

    // MARK: - Packets

    /// An alert (signature) or anomaly (conformance). `captureNumber` is the packet's place in its
    /// capture file, from 1, in replay.
    public mutating func encode(_ event: Event, captureNumber: UInt64? = nil) {
        line.openObject()
        line.key("timestamp")
        line.value(time: event.arrival.time)
        if event.flow != 0 {
            line.key("flow_id")
            line.value(max(1, event.flow & EVEEncoder.flowMask))
        }
        let port = event.arrival.port != 0 ? event.arrival.port : event.arrival.bridge
        if port != 0 {
            line.key("in_iface")
            line.value(interfaces.name(of: port, at: event.arrival.time))
        }
        if let captureNumber {
            line.key("pcap_cnt")
            line.value(captureNumber)
        }
        line.key("event_type")
        line.value(event.finding.source == .signature ? "alert" : "anomaly")
        tags(event.packet, event.arrival)
        endpoints(event.packet)
        line.key("pkt_src")
        line.value("wire/pcap")
        ethernet(event.packet, event.arrival)
        switch event.finding.source {
        case .signature: alert(event)
        case .conformance:
            line.key("anomaly")
            line.openObject()
            line.key("type")
            line.value("decode")
            line.key("event")
            let code = event.finding.code
            line.value(names.check(code) ?? "check.\(code)")
            line.closeObject()
        }
        flinch(event)
        end()
    }

    private mutating func tags(_ packet: Packet, _ arrival: Arrival) {
        guard arrival.hasTag || packet.vlanCount > 0 else { return }
        line.key("vlan")
        line.openArray()
        // The kernel takes off the outermost tag.
        if arrival.hasTag { line.value(arrival.tag & 0xFFF) }
        if packet.vlanCount > 0 { line.value(packet.outerTag & 0xFFF) }
        if packet.vlanCount > 1 { line.value(packet.innerTag & 0xFFF) }
        line.closeArray()
    }

    private mutating func endpoints(_ packet: Packet) {
        guard packet.isIP || packet.source != .none || packet.destination != .none else { return }
        // A malformed packet has ports only if they were read before the contradiction.
        let hasPorts =
            switch packet.kind {
            case .tcp, .udp: true
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
            line.value(EVEEncoder.name(ofProtocol: packet.ipProtocol))
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

    /// Suricata's names for the four that have one here; the IANA number for the rest.
    static func name(ofProtocol number: UInt8) -> String {
        switch number {
        case 1: "ICMP"
        case 6: "TCP"
        case 17: "UDP"
        case 58: "IPv6-ICMP"
        default: String(number)
        }
    }

    private mutating func ethernet(_ packet: Packet, _ arrival: Arrival) {
        let hasType = !packet.isIP && packet.etherType != 0
        guard arrival.sourceMAC != 0 || arrival.destinationMAC != 0 || hasType else { return }
        line.key("ether")
        line.openObject()
        if hasType {
            line.key("ether_type")
            line.value(packet.etherType)
        }
        if arrival.sourceMAC != 0 {
            line.key("src_mac")
            line.value(mac: arrival.sourceMAC)
        }
        if arrival.destinationMAC != 0 {
            line.key("dest_mac")
            line.value(mac: arrival.destinationMAC)
        }
        line.closeObject()
    }

    private mutating func alert(_ event: Event) {
        let blocked =
            event.verdict == .drop || (event.verdict == .throttle && event.reason == .floodThrottle)
        let finding = event.finding
        let rule =
            names.rule(finding.code)
            ?? EVENames.Rule(
                sid: 0, rev: 0, message: "rule \(finding.code), no longer loaded", category: "",
                severity: finding.concern.severity)
        alert(rule, blocked: blocked)
    }

    private mutating func alert(_ rule: EVENames.Rule, blocked: Bool) {
        line.key("alert")
        line.openObject()
        line.key("action")
        line.value(blocked ? "blocked" : "allowed")
        line.key("gid")
        line.value(rule.gid)
        line.key("signature_id")
        line.value(rule.sid)
        line.key("rev")
        line.value(rule.rev)
        line.key("signature")
        line.value(rule.message)
        line.key("category")
        line.value(rule.category)
        line.key("severity")
        line.value(rule.severity)
        if !rule.metadata.isEmpty {
            line.key("metadata")
            line.openObject()
            for (key, values) in rule.metadata {
                line.key(text: key)
                line.openArray()
                for value in values { line.value(value) }
                line.closeArray()
            }
            line.closeObject()
        }
        line.closeObject()
    }

    private mutating func flinch(_ event: Event) {
        line.key("flinch")
        line.openObject()
        if event.guest >= 0 {
            line.key("guest")
            let guest = event.guest
            line.value(names.guest(guest) ?? "guest \(guest)")
        }
        line.key("concern")
        line.value(event.finding.concern.description)
        line.key("reason")
        line.value(event.reason.text)
        line.key("verdict")
        line.value(event.verdict.name)
        line.key("intended")
        line.value(event.intended.name)
        line.key("shadow")
        line.value(event.verdict != event.intended)
        line.closeObject()
    }

    // MARK: - Floods

    /// A flood that opens is an alert; one that closes is an event of type "flood" with the same id.
    ///
    /// There is no `src_ip`: a flood has as many sources as it likes to claim.
    public mutating func encode(_ flood: FloodEvent) {
        let opens = flood.phase == .open
        line.openObject()
        line.key("timestamp")
        line.value(time: flood.time)
        line.key("event_type")
        line.value(opens ? "alert" : "flood")
        line.key("dest_ip")
        line.value(flood.host)
        if let number = EVEEncoder.ipProtocol(of: flood.floodClass, v4: flood.host.isV4) {
            line.key("proto")
            line.value(EVEEncoder.name(ofProtocol: number))
        }
        let intended: Verdict =
            switch flood.action {
            case "deny": .drop
            case "throttle": .throttle
            default: .accept
            }
        let verdict = flood.shadow ? .accept : intended
        if opens {
            let rule = EVENames.Rule(
                gid: EVEEncoder.floodGenerator, sid: UInt32(flood.floodClass.rawValue) + 1, rev: 1,
                message: "FLOOD \(flood.floodClass.name) flood to \(flood.guest)",
                category: "Attempted Denial of Service", severity: flood.concern.severity)
            alert(rule, blocked: verdict != .accept)
        }
        line.key("flinch")
        line.openObject()
        line.key("guest")
        line.value(flood.guest)
        line.key("concern")
        line.value(flood.concern.description)
        line.key("reason")
        line.value(EVEEncoder.reason(for: intended).text)
        line.key("verdict")
        line.value(verdict.name)
        line.key("intended")
        line.value(intended.name)
        line.key("shadow")
        line.value(flood.shadow)
        line.key("flood")
        figures(flood)
        line.closeObject()
        end()
    }

    private mutating func figures(_ flood: FloodEvent) {
        line.openObject()
        line.key("id")
        line.value(flood.identifier)
        line.key("class")
        line.value(flood.floodClass.name)
        line.key("phase")
        line.value(flood.phase.rawValue)
        line.key("action")
        line.value(flood.action)
        line.key("threshold")
        line.value(flood.threshold)
        switch flood.phase {
        case .open:
            line.key("rate")
            line.value(flood.peakRate)
        case .close:
            line.key("opened")
            line.value(time: flood.opened)
            line.key("packets")
            line.value(flood.packets)
            line.key("peak_rate")
            line.value(flood.peakRate)
            line.key("dropped")
            line.value(flood.dropped)
            line.key("duration")
            line.value(seconds: flood.time >= flood.opened ? flood.time - flood.opened : 0)
        }
        line.closeObject()
    }

    private static func ipProtocol(of floodClass: FloodClass, v4: Bool) -> UInt8? {
        switch floodClass {
        case .syn, .tcp: 6
        case .udp: 17
        case .icmp: v4 ? 1 : 58
        case .fragment: nil
        }
    }

    private static func reason(for verdict: Verdict) -> Reason {
        switch verdict {
        case .accept: .none
        case .drop: .floodDeny
        case .throttle: .floodThrottle
        }
    }

    // MARK: - Statistics

    /// Suricata's `stats` event. `uptime` in seconds. A counter's name is a path: "decoder.pkts" becomes
    /// `{"decoder": {"pkts": …}}`.
    public mutating func encodeStats(time: UInt64, uptime: UInt64, counters: [String: UInt64]) {
        line.openObject()
        line.key("timestamp")
        line.value(time: time)
        line.key("event_type")
        line.value("stats")
        line.key("stats")
        line.openObject()
        line.key("uptime")
        line.value(uptime)
        CounterTree(counters).write(to: &line)
        line.closeObject()
        end()
    }

    private mutating func end() {
        if let sensor {
            line.key("host")
            line.value(sensor)
        }
        line.closeObject()
        line.endLine()
    }
}

extension Verdict {
    /// As EVE lines spell it.
    var name: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .throttle: "throttle"
        }
    }
}
