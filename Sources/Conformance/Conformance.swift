import Evidence
import Wire

/// What conformance must know of a packet beside its bytes.
@frozen
public struct Surroundings: Sendable, BitwiseCopyable {
    /// Nanoseconds since the Unix epoch.
    public var time: UInt64
    /// Bridge port it came in by, and the hardware address that sent it, the first byte in bits 47…40; 0 where
    /// unknown.
    public var port: UInt32 = 0
    public var sourceMAC: UInt64 = 0
    /// The guest that sent it, as its port or its hardware address tells; -1 for none.
    public var sender: Int32 = -1
    /// The guest whose address the source is; -1 for none.
    public var sourceGuest: Int32 = -1
    /// It came by the sender's port, from a hardware address that the sender does not have.
    public var isMACForeign = false
    /// The source is nobody's, and may turn out to be the sender's: its addresses are not all known yet.
    public var isSourceUnsettled = false
    /// It may never have left the host that made it: what only a wire must not carry is right there.
    public var isLoopback = false
    /// The IPv4 header's checksum is there to be verified.
    public var hasChecksums = true
    /// Its TCP, UDP, ICMP or ICMPv6 checksum was verified and is wrong.
    public var isTransportChecksumBad = false

    @inlinable
    public init(time: UInt64) { self.time = time }
}

/// Says what is wrong with a packet's form. How bad that is, and what becomes of the packet, the policy says
/// (`CheckTable`).
///
/// A packet in order is told so by a few comparisons; what makes it odd is looked at out of line.
public enum Conformance {
    /// The checks that a captured packet fails. `bytes` are what it was decoded from.
    public static func examine(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ table: CheckTable.View,
        _ memory: inout NeighbourMemory
    ) -> CheckSet {
        var failed = CheckSet(packet.anomalies)
        if !packet.events.isEmpty { failed.formUnion(table.checks(of: packet.events)) }
        if around.sourceMAC >> 40 & 1 != 0 { failed.insert(.ethernetGroupSource) }
        if around.sender >= 0 { examineSender(packet, around, &memory, &failed) }
        guard packet.isIP, !packet.isUndecodable else {
            if packet.kind == .arp { examineARP(packet, bytes, around, &memory, &failed) }
            return failed
        }
        examineIP(packet, bytes, around, &failed)
        switch packet.kind {
        case .tcp: examineTCP(packet, bytes, &failed)
        case .udp: examineUDP(packet, bytes, around, &failed)
        case .icmp, .icmp6: examineICMP(packet, bytes, around, &failed)
        default: break
        }
        if around.isTransportChecksumBad { insertBadChecksum(packet.kind, &failed) }
        return failed
    }

    @inline(never)
    private static func insertBadChecksum(_ kind: PacketKind, _ failed: inout CheckSet) {
        switch kind {
        case .tcp: failed.insert(.tcpBadChecksum)
        case .udp: failed.insert(.udpBadChecksum)
        default: failed.insert(.icmpBadChecksum)
        }
    }
}

extension Packet {
    /// Every byte of the IP packet is there, as far as its header says.
    var isWhole: Bool {
        anomalies.isDisjoint(with: [.cutByCapture, .ipv4Truncated, .ipv6Truncated])
    }

    /// Where the IP packet ends, as stated.
    var statedEnd: Int { Int(networkOffset) + Int(statedLength) }
}
