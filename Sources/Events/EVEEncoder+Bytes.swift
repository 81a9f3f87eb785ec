import Evidence
import Wire

/// Where in a capture a packet stands.
public struct CapturePlace: Sendable {
    /// As it was given.
    public var file: String
    /// From 1; 0 for what no packet of it stands for.
    public var number: UInt64
    /// libpcap's number of the link type.
    public var linkType: Int32

    public init(file: String, number: UInt64, linkType: Int32) {
        self.file = file
        self.number = number
        self.linkType = linkType
    }

    /// IP without a link header, in libpcap's numbers on Linux: what came out of a tunnel or a stream.
    public static let raw: Int32 = 12
    static let ethernet: Int32 = 1

    static func name(ofLinkType number: Int32) -> String {
        switch number {
        case 0: "NULL"
        case 1: "EN10MB"
        case 9: "PPP"
        case 12: "RAW"
        case 101: "RAW2"
        case 104: "C_HDLC"
        case 113: "LINUX_SLL"
        case 228: "IPv4"
        case 229: "IPv6"
        case 276: "LINUX_SLL2"
        case 778: "GRE_RAW"
        default: "n/a"
        }
    }
}

/// The beginning of a packet that a worker kept.
struct KeptPacket {
    /// The Ethernet header before `bytes`; empty where they begin with one.
    var link: [UInt8]
    /// What the worker inspected, cut to `PacketRing.snapLength`.
    var bytes: [UInt8]
}

/// What an event line says of the packet that needs its bytes: replay has them still, and live they may be kept.
extension EVEEncoder {
    /// An alert with what is kept of its packet. Of what came out of the captured packet (a tunnel, fragments put
    /// together) only the captured one is.
    mutating func encode(_ event: Event, kept: KeptPacket, evidence: String?) {
        let isWire = event.origin.source == .wire && event.origin.depth == 0
        unsafe head(event, nil, type: EVEEncoder.type(of: event.finding.source), isWire ? kept.bytes.span.bytes : nil)
        ethernet(event.packet, event.arrival)
        body(event, nil)
        if event.finding.source == .signature, isWire, event.packet.isIP, !event.packet.isUndecodable {
            unsafe contents(kept.bytes.span.bytes.payload(of: event.packet), isStream: false)
        }
        capture(kept.link + kept.bytes)
        ending(event, evidence)
    }

    private mutating func capture(_ frame: [UInt8]) {
        unsafe line.field("packet", base64: frame.span.bytes)
        packetInfo(CapturePlace.ethernet)
    }

    /// Of the protocols whose messages are told of, what the record has no room for.
    mutating func messages(_ packet: Packet, _ bytes: RawSpan) {
        guard packet.kind == .otherIP, packet.transportLength > 0, !packet.isUndecodable,
            packet.events.isDisjoint(with: EVEEncoder.brokenChunks)
        else { return }
        let message = bytes.extracting(packet.upper(in: bytes))
        switch packet.ipProtocol {
        case IPProtocol.igmp: igmp(message, packet)
        case IPProtocol.sctp: sctp(message)
        default: break
        }
    }

    private static var brokenChunks: DecodeEvents {
        var events = DecodeEvents(.sctpChunkTooSmall)
        events.insert(.sctpChunkLenInvalid)
        return events
    }

    private mutating func igmp(_ bytes: RawSpan, _ packet: Packet) {
        guard let message = IGMPMessage(bytes) else { return }
        // The protocol by which routers tell switches (RFC 3488 §2).
        let isRouters =
            bytes.byteCount == 8 && packet.hopLimit == 1 && packet.destination == Address(v4: 0xE000_0019)
        if isRouters { line.key("rgmp") } else { line.key("igmp") }
        line.openObject()
        line.field("type", message.type)
        if !isRouters {
            line.field("version", message.version ?? 255)
        }
        line.closeObject()
    }

    private mutating func sctp(_ bytes: RawSpan) {
        guard let message = SCTPPacket(bytes) else { return }
        var chunks = message.chunks
        var types: [UInt8] = []
        var count = 0
        var seen: Set<UInt8> = []
        while let chunk = chunks.next() {
            count += 1
            if types.count < 16 { types.append(chunk.type) }
            seen.insert(chunk.type)
        }
        line.key("sctp")
        line.openObject()
        line.field("vtag", message.verificationTag)
        line.field("chunk_cnt", count)
        line.key("chunk_types")
        line.openArray()
        for type in types { line.value(SCTPChunk.name(of: type)) }
        line.closeArray()
        line.field("has_init", seen.contains(SCTPChunk.initiation))
        line.field("has_init_ack", seen.contains(SCTPChunk.initiationAcknowledgement))
        line.field("has_data", seen.contains(SCTPChunk.data))
        line.field("has_abort", seen.contains(SCTPChunk.abort))
        line.closeObject()
    }

    mutating func contents(_ payload: RawSpan, isStream: Bool) {
        line.field("payload", base64: payload)
        line.field("payload_printable", printable: payload)
        line.field("stream", isStream ? 1 : 0)
    }

    mutating func capture(_ event: Event, _ place: CapturePlace, _ bytes: RawSpan) {
        line.field("packet", base64: bytes)
        let isBare = event.origin.depth > 0 || event.origin.source == .streamEnd
        packetInfo(isBare ? CapturePlace.raw : place.linkType)
    }

    private mutating func packetInfo(_ linkType: Int32) {
        line.key("packet_info")
        line.openObject()
        line.field("linktype", linkType)
        line.field("linktype_name", CapturePlace.name(ofLinkType: linkType))
        line.closeObject()
    }
}

extension Packet {
    /// Where the upper header and what follows it stand, to the end of what IP states.
    fileprivate func upper(in bytes: RawSpan) -> Range<Int> {
        let start = Int(transportOffset)
        let end = min(bytes.byteCount, Int(networkOffset) + Int(statedLength))
        return start..<max(start, end)
    }
}

extension RawSpan {
    @_lifetime(copy self)
    func payload(of packet: Packet) -> RawSpan {
        let start = Int(packet.payloadOffset)
        // Of a packet that was kept the end may be missing.
        return extracting(min(start, byteCount)..<min(start + Int(packet.payloadLength), byteCount))
    }
}

extension SCTPChunk {
    /// In Suricata's spelling.
    fileprivate static func name(of type: UInt8) -> String {
        let names = [
            "data", "init", "init_ack", "sack", "heartbeat", "hb_ack", "abort", "shutdown", "shutdown_ack", "error",
            "cookie_echo", "cookie_ack", "ecne", "cwr", "shutdown_complete",
        ]
        if Int(type) < names.count { return names[Int(type)] }
        return type == 0xC0 ? "forward_tsn" : "unknown(\(type))"
    }
}
