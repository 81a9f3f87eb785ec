/// Application protocols that a rule's header may name. Which of them a flow speaks is told by its first
/// bytes, never by its ports.
public enum Application: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// Not known yet.
    case unknown = 0
    case http, tls, ssh, smtp, ftp, smb, dns, imap, pop3, dcerpc, rdp, rfb, sip, mqtt, krb5, snmp, tftp, dhcp, ntp,
        ike, quic, telnet, irc, ldap
    /// Looked at, and none of these.
    case other = 255

    /// As rules spell it.
    static func named(_ name: String) -> Application? {
        switch name {
        case "http", "http1": .http
        case "tls", "ssl": .tls
        case "ssh": .ssh
        case "smtp": .smtp
        case "ftp": .ftp
        case "smb": .smb
        case "dns": .dns
        case "imap": .imap
        case "pop3": .pop3
        case "dcerpc": .dcerpc
        case "rdp": .rdp
        case "rfb": .rfb
        case "sip": .sip
        case "mqtt": .mqtt
        case "krb5": .krb5
        case "snmp": .snmp
        case "tftp": .tftp
        case "dhcp": .dhcp
        case "ntp": .ntp
        case "ike": .ike
        case "quic": .quic
        case "telnet": .telnet
        case "irc": .irc
        case "ldap": .ldap
        default: nil
        }
    }

    var transport: ProtocolClasses {
        switch self {
        case .dns, .krb5, .sip, .dcerpc, .ldap: [.tcp, .udp]
        case .snmp, .tftp, .dhcp, .ntp, .ike, .quic: .udp
        default: .tcp
        }
    }
}
