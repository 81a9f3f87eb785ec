/// Application protocols that a rule's header may name. Which of them a flow speaks is told by its first
/// bytes, never by its ports.
@frozen
public enum Application: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// Not known yet.
    case unknown = 0
    case http, tls, ssh, smtp, ftp, smb, dns, imap, pop3, dcerpc, rdp, rfb, sip, mqtt, krb5, snmp, tftp, dhcp, ntp,
        ike, quic, telnet, irc, ldap, http2, modbus, dnp3, enip, pgsql, nfs, mdns, bittorrentDHT
    /// What the client said is none of these, or what the server said; the other side may still tell.
    case notByClient = 253
    case notByServer = 254
    /// Looked at, and none of these.
    case other = 255

    /// As EVE's `app_proto` spells it; nil for what is not known, "failed" for what is none.
    public var name: String? {
        switch self {
        case .unknown, .notByClient, .notByServer: nil
        case .other: "failed"
        case .bittorrentDHT: "bittorrent-dht"
        default: "\(self)"
        }
    }

    /// What a rule's header means by a name: a bit for each protocol (`bit`), and where they are spoken; nil for
    /// no name of these. As in Suricata, `http` is either version, and `dcerpc` may come in SMB's pipes.
    static func named(_ name: String) -> (bits: Int64, transport: ProtocolClasses)? {
        switch name {
        case "http": return (Application.http.bit | Application.http2.bit, .tcp)
        case "http1": return (Application.http.bit, .tcp)
        case "dcerpc": return (Application.dcerpc.bit | Application.smb.bit, [.tcp, .udp])
        case "ssl": return (Application.tls.bit, .tcp)
        default:
            guard let known = allCases.first(where: { $0.bit != 0 && $0.name == name }) else { return nil }
            return (known.bit, known.transport)
        }
    }

    /// What a condition about the application compares; 0 for what is no protocol.
    var bit: Int64 { Application.isRecognised(rawValue) ? 1 << Int64(rawValue) : 0 }

    /// Whether a flow's number is that of a protocol.
    @inlinable @inline(__always)
    public static func isRecognised(_ number: UInt8) -> Bool { number > 0 && number < 63 }

    /// Whether a flow's number says that what comes in this direction may still tell the protocol.
    @inlinable @inline(__always)
    public static func isAwaited(_ number: UInt8, toServer: Bool) -> Bool {
        number == 0 || number == (toServer ? Application.notByServer : .notByClient).rawValue
    }

    private var transport: ProtocolClasses {
        switch self {
        case .dns, .krb5, .sip, .dcerpc, .ldap, .dnp3, .enip, .nfs: [.tcp, .udp]
        case .snmp, .tftp, .dhcp, .ntp, .ike, .quic, .mdns, .bittorrentDHT: .udp
        default: .tcp
        }
    }
}
