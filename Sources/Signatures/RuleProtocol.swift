/// The kinds of packet that rules are told apart by. Raw values are bits; their positions index the tables
/// of `CompiledRules`.
struct ProtocolClasses: OptionSet, Sendable, Hashable, BitwiseCopyable {
    let rawValue: UInt8

    static let tcp = ProtocolClasses(rawValue: 1)
    static let udp = ProtocolClasses(rawValue: 2)
    static let icmp = ProtocolClasses(rawValue: 4)
    static let icmp6 = ProtocolClasses(rawValue: 8)
    /// IP with any other upper protocol.
    static let other = ProtocolClasses(rawValue: 16)
    /// ARP and all else that is not IP.
    static let notIP = ProtocolClasses(rawValue: 32)
    /// Headers that contradict the bytes: only rules about decoder events speak of them.
    static let malformed = ProtocolClasses(rawValue: 64)

    static let ip: ProtocolClasses = [.tcp, .udp, .icmp, .icmp6, .other]
    static let all: ProtocolClasses = [.tcp, .udp, .icmp, .icmp6, .other, .notIP, .malformed]
    static let withPorts: ProtocolClasses = [.tcp, .udp]
    static let count = 7
}

/// What the second word of a rule means.
struct RuleProtocol: Sendable, Hashable {
    /// Where the payload tests of a TCP rule look.
    enum Payload: Sendable, Hashable { case unsaid, packets, streams }

    var classes: ProtocolClasses
    /// 4 or 6; 0 for either.
    var ipVersion: UInt8 = 0
    var payload = Payload.unsaid
    /// The upper protocol, where the class is `other`.
    var upper: UInt8?
    /// The applications that it is about, `Application.bit` of each; 0 for whatever is spoken.
    var applications: Int64 = 0
    var condition: Condition?

    init(_ name: String) throws(Rejection) {
        let name = name.lowercased()
        switch name {
        case "tcp": classes = .tcp
        case "tcp-pkt":
            classes = .tcp
            payload = .packets
        case "tcp-stream":
            classes = .tcp
            payload = .streams
        case "udp": classes = .udp
        case "icmp": classes = [.icmp, .icmp6]
        case "icmpv4", "icmp4": classes = .icmp
        case "icmpv6", "icmp6": classes = .icmp6
        case "ip": classes = .ip
        case "ipv4", "ip4":
            classes = .ip
            ipVersion = 4
        case "ipv6", "ip6":
            classes = .ip
            ipVersion = 6
        case "pkthdr", "decode": classes = .all
        case "arp":
            classes = .notIP
            condition = Condition(.isARP, .any, bits: 1)
        case "ether":
            classes = .all
            condition = Condition(.isEthernet, .any, bits: 1)
        case let name where Application.named(name) != nil:
            (applications, classes) = Application.named(name)!
        case let name where RuleProtocol.number(ofUpper: name) != nil:
            classes = .other
            upper = RuleProtocol.number(ofUpper: name)
        case let name where RuleProtocol.unrecognised.contains(name):
            throw Rejection("needs the application buffer \(name)")
        case _ where name.contains(":"):
            throw Rejection("rules have no hooks here: write the protocol alone", detail: name)
        default:
            throw Rejection("unknown protocol \(name): expected tcp, udp, icmp or ip")
        }
    }

    /// The IANA number of an upper protocol's name.
    static func number(ofUpper name: String) -> UInt8? {
        switch name {
        case "icmp": 1
        case "igmp": 2
        case "ipip", "ip-in-ip": 4
        case "tcp": 6
        case "egp": 8
        case "udp": 17
        case "ipv6": 41
        case "rsvp": 46
        case "gre": 47
        case "esp": 50
        case "ah": 51
        case "icmpv6", "ipv6-icmp", "icmp6": 58
        case "eigrp": 88
        case "ospf", "ospfigp": 89
        case "pim": 103
        case "ipcomp": 108
        case "vrrp": 112
        case "l2tp": 115
        case "sctp": 132
        case "udplite": 136
        default: nil
        }
    }

    /// Protocols of Suricata that are not told by their first bytes: a parser of another one announces them.
    private static let unrecognised: Set = [
        "doh2", "file", "ftp-data", "http3", "ikev2", "jabber", "msn", "netbios-ssn", "sunrpc", "template",
        "websocket", "wininet",
    ]
}
