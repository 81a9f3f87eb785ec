import Evidence
import Wire

/// Turns events into EVE JSON, one line each, with Suricata's field names and order
/// (docs.suricata.io, "EVE JSON Format"); what is ours alone is under `flinch`.
///
/// Lines are appended to `bytes`, which the caller writes out and empties. Not for the packet path.
public struct EVEEncoder {
    /// gid of the alerts that floods raise. Rules have 1 and Snort's preprocessors stay below 500.
    public static let floodGenerator: UInt32 = 3500
    /// gid of the alerts about who talks to whom.
    public static let relationGenerator: UInt32 = 3510
    /// flow_id keeps to this many low bits, so that JavaScript's numbers hold it exactly.
    static let flowMask: UInt64 = 1 << 53 - 1

    var line = JSONLine()
    private var interfaces: InterfaceNames

    private var names: NamesOfGenerations
    /// Written as `host`, as Suricata writes its `sensor-name`; nil for none.
    private let sensor: String?
    private let hasCommunityID: Bool

    /// `generation` is that of the events that `names` has the words for; nil for all events, where nothing
    /// is ever reloaded.
    public init(
        names: EVENames, generation: UInt32? = nil, sensor: String? = nil, communityID: Bool = false
    ) {
        hasCommunityID = communityID
        self.names = NamesOfGenerations(names, generation: generation)
        self.sensor = sensor
        interfaces = InterfaceNames(lookup: names.interface)
    }

    /// Words for events of another generation, after a reload. Those of the last few are kept.
    public mutating func add(names: EVENames, generation: UInt32) {
        self.names.add(names, generation: generation)
    }

    /// The lines encoded since the last `removeAll`.
    public var bytes: [UInt8] { line.bytes }
    public var count: Int { line.bytes.count }

    public mutating func removeAll() { line.bytes.removeAll(keepingCapacity: true) }

    /// What was encoded since the last `removeAll`, in memory of its own, and empties the encoder.
    mutating func takeLine() -> [UInt8] {
        defer { removeAll() }
        return unsafe [UInt8](unsafeUninitializedCapacity: line.bytes.count) { room, count in
            count = unsafe room.initialize(fromContentsOf: line.bytes)
        }
    }

    // MARK: - Packets

    /// An alert (signature, relation) or anomaly (conformance). `place` says where in a capture the packet stands, in
    /// replay; `evidence` is the path of a capture of its flow.
    public mutating func encode(_ event: Event, at place: CapturePlace? = nil, evidence: String? = nil) {
        open(event, place)
        ethernet(event.packet, event.arrival)
        body(event, place)
        ending(event, evidence, place)
    }

    /// What became of the packet, where there is more of it, and what is ours alone.
    mutating func ending(_ event: Event, _ evidence: String?, _ place: CapturePlace? = nil) {
        if event.finding.source == .signature || event.finding.source == .relation { verdict(event) }
        if let evidence {
            line.field("capture_file", evidence)
        }
        close(event, place)
    }

    /// The same with what the line can show of the bytes: `packet` are those that the event's packet was decoded
    /// from, and `payload`, where it is not the packet's own, that of the stream in which something was found.
    public mutating func encode(
        _ event: Event, at place: CapturePlace, packet: RawSpan, payload: RawSpan? = nil
    ) {
        open(event, place, packet)
        ethernet(event.packet, event.arrival, packet)
        body(event, place)
        if event.finding.source == .tag { capture(event, place, packet) }
        if event.finding.source == .signature {
            if event.packet.isIP, !event.packet.isUndecodable {
                if let payload {
                    contents(payload, isStream: event.finding.matchedStream)
                } else {
                    contents(packet.payload(of: event.packet), isStream: event.finding.matchedStream)
                }
            }
            capture(event, place, packet)
            verdict(event)
        }
        close(event, place)
    }

    private mutating func open(_ event: Event, _ place: CapturePlace?, _ bytes: RawSpan? = nil) {
        head(event, place, type: EVEEncoder.type(of: event.finding.source), bytes)
    }

    mutating func head(_ event: Event, _ place: CapturePlace?, type: StaticString, _ bytes: RawSpan? = nil) {
        line.openObject()
        line.field("timestamp", time: event.arrival.time)
        if event.flow != 0 {
            line.field("flow_id", max(1, event.flow & EVEEncoder.flowMask))
        }
        if !event.packet.isUndecodable { communityID(event.packet) }
        let port = event.arrival.port != 0 ? event.arrival.port : event.arrival.bridge
        interface(port, event.arrival.time)
        if let place, place.number > 0 {
            line.field("pcap_cnt", place.number)
        }
        line.field("event_type", type)
        tags(event.packet, event.arrival)
        // What cannot be decoded has no addresses to believe; a check says so of those that it names.
        if !event.packet.isUndecodable || event.finding.source == .conformance { endpoints(event.packet) }
        if let bytes { messages(event.packet, bytes) }
        line.field("pkt_src", event.origin.source.text)
    }

    /// The name of interface `port` now; nothing for 0. `time` is the packets' clock.
    mutating func interface(_ port: UInt32, _ time: UInt64) {
        guard port != 0 else { return }
        line.field("in_iface", interfaces.name(of: port, at: time))
    }

    mutating func communityID(_ packet: Packet) {
        guard hasCommunityID, let digest = CommunityID.digest(packet) else { return }
        line.key("community_id")
        line.value(communityID: digest)
    }

    mutating func guest(_ guest: Int32, _ generation: UInt32) {
        line.field("guest", names[generation]?.guest(guest) ?? "guest \(guest)")
    }

    func words(_ generation: UInt32) -> EVENames? { names[generation] }

    static func type(of source: Finding.Source) -> StaticString {
        switch source {
        case .signature, .relation: "alert"
        case .conformance: "anomaly"
        case .tag: "packet"
        }
    }

    mutating func body(_ event: Event, _ place: CapturePlace?) {
        switch event.finding.source {
        case .signature: alert(event)
        case .relation: relation(event)
        case .tag: break
        case .conformance:
            line.key("anomaly")
            line.openObject()
            line.field("type", "decode")
            line.key("event")
            let code = event.finding.code
            line.value(names[event.generation]?.check(code) ?? "check.\(code)")
            line.closeObject()
        }
        tunnel(event.origin, place)
        course(event)
    }

    mutating func close(_ event: Event, _ place: CapturePlace?) {
        if let place {
            line.field("pcap_filename", place.file)
        }
        flinch(event)
        end()
    }

    private mutating func alert(_ event: Event) {
        // Of a packet that one rule dropped, the alerts of others say that they would have let it by.
        // A reject rule says blocked wherever it stands (Suricata's AlertJsonHeader).
        let blocked =
            !event.finding.rejects.isEmpty
            || event.verdict == .drop && (event.reason != .rule || event.finding.asks == .drop)
            || event.verdict == .throttle && event.reason == .floodThrottle
        let finding = event.finding
        let rule =
            names[event.generation]?.rule(finding.code)
            ?? EVENames.Rule(
                sid: 0, rev: 0, message: "rule \(finding.code), no longer loaded", category: "",
                severity: finding.concern.severity)
        alert(rule, blocked: blocked, about: event.packet)
    }

    /// Our own alerts have numbers of our own: `signature_id` is the relation's place in the list, from 1.
    private mutating func relation(_ event: Event) {
        let code = event.finding.code
        let text = names[event.generation]?.relation(code) ?? "relation \(code + 1), no longer there"
        let rule = EVENames.Rule(
            gid: EVEEncoder.relationGenerator, sid: code + 1, rev: 1, message: "TOPOLOGY \(text)",
            category: "Potential Corporate Privacy Violation", severity: event.finding.concern.severity)
        alert(rule, blocked: event.verdict == .drop)
    }

    mutating func alert(_ rule: EVENames.Rule, blocked: Bool, about packet: Packet? = nil) {
        line.key("alert")
        line.openObject()
        line.field("action", blocked ? "blocked" : "allowed")
        line.field("gid", rule.gid)
        line.field("signature_id", rule.sid)
        line.field("rev", rule.rev)
        line.field("signature", rule.message)
        line.field("category", rule.category)
        line.field("severity", rule.severity)
        if let packet, rule.target != .unsaid { sides(packet, isSourceTarget: rule.target == .source) }
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
        if event.guest >= 0 { guest(event.guest, event.generation) }
        line.field("concern", event.finding.concern.description)
        line.field("reason", event.reason.text)
        line.field("verdict", event.verdict.name)
        line.field("intended", event.intended.name)
        line.field("shadow", event.verdict != event.intended)
        if event.summary.count > 0 { summary(event.summary) }
        line.closeObject()
    }

    /// Of what the line stands for: times, number, and whether the addresses are those of all.
    private mutating func summary(_ summary: EventSummary) {
        line.field("first", time: summary.first)
        line.field("last", time: summary.last)
        line.field("count", summary.count)
        line.field("scope", summary.scope == .pair ? "pair" : "rule")
    }

    // MARK: - Statistics

    /// Suricata's `stats` event. `uptime` in seconds. A counter's name is a path: "decoder.pkts" becomes
    /// `{"decoder": {"pkts": …}}`.
    public mutating func encodeStats(
        time: UInt64, uptime: UInt64, counters: [String: UInt64], guests: [GuestRate] = []
    ) {
        line.openObject()
        line.field("timestamp", time: time)
        line.field("event_type", "stats")
        line.key("stats")
        line.openObject()
        line.field("uptime", uptime)
        CounterTree(counters).write(to: &line)
        line.closeObject()
        if !guests.isEmpty {
            line.key("flinch")
            line.openObject()
            line.key("guests")
            line.openArray()
            for guest in guests { encode(guest) }
            line.closeArray()
            line.closeObject()
        }
        end()
    }

    private mutating func encode(_ guest: GuestRate) {
        line.openObject()
        line.field("name", guest.name)
        line.field("packets_in", guest.packetsIn)
        line.field("bits_in", guest.bitsIn)
        line.field("packets_out", guest.packetsOut)
        line.field("bits_out", guest.bitsOut)
        line.closeObject()
    }

    mutating func end() {
        if let sensor {
            line.field("host", sensor)
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
