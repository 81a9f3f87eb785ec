/// The kinds of packet that rules are told apart by. Raw values are bits; their positions index the tables
/// of `CompiledRules`.
struct ProtocolClasses: OptionSet, Sendable, Hashable, BitwiseCopyable {
    let rawValue: UInt8

    static let tcp = ProtocolClasses(rawValue: 1)
    static let udp = ProtocolClasses(rawValue: 2)
    static let icmp = ProtocolClasses(rawValue: 4)
    static let icmp6 = ProtocolClasses(rawValue: 8)
    /// IP with any other upper protocol, and IP whose headers contradict its bytes.
    static let other = ProtocolClasses(rawValue: 16)

    static let all: ProtocolClasses = [.tcp, .udp, .icmp, .icmp6, .other]
    static let withPorts: ProtocolClasses = [.tcp, .udp]
    static let count = 5
}

/// What the second word of a rule means.
struct RuleProtocol: Sendable, Hashable {
    var classes: ProtocolClasses
    /// 4 or 6; 0 for either.
    var ipVersion: UInt8 = 0

    init(_ name: String) throws(Rejection) {
        switch name.lowercased() {
        // Every packet is looked at by itself, so that tcp means what Suricata calls tcp-pkt.
        case "tcp", "tcp-pkt": classes = .tcp
        case "udp": classes = .udp
        case "icmp": classes = [.icmp, .icmp6]
        case "icmpv4", "icmp4": classes = .icmp
        case "icmpv6", "icmp6": classes = .icmp6
        case "ip": classes = .all
        case "ipv4", "ip4":
            classes = .all
            ipVersion = 4
        case "ipv6", "ip6":
            classes = .all
            ipVersion = 6
        case let name where RuleProtocol.applications.contains(name):
            throw Rejection("application protocol \(name) is not recognised yet")
        case let name where RuleProtocol.later.contains(name):
            throw Rejection("protocol \(name) is not supported yet")
        default:
            throw Rejection("unknown protocol \(name): expected tcp, udp, icmp or ip")
        }
    }

    private static let later: Set = [
        "arp", "ah", "decode", "esp", "ether", "gre", "igmp", "ipip", "pkthdr", "sctp", "tcp-stream",
    ]

    private static let applications: Set = [
        "bittorrent-dht", "dcerpc", "dhcp", "dnp3", "dns", "doh2", "enip", "file", "ftp", "ftp-data",
        "http", "http1", "http2", "http3", "ike", "ikev2", "imap", "irc", "jabber", "krb5", "ldap", "mdns",
        "modbus", "mqtt", "msn", "netbios-ssn", "nfs", "ntp", "pgsql", "pop3", "quic", "rdp", "rfb", "sip",
        "smb", "smtp", "snmp", "ssh", "ssl", "sunrpc", "telnet", "template", "tftp", "tls", "websocket",
        "wininet",
    ]
}
