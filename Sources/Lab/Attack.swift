/// A flood by a real program: bounded in packets, in rate and in time.
public struct Attack: Sendable {
    public var from: Machine
    public var to: Machine
    /// The flood class that it belongs to.
    public var floodClass: String
    /// Packets a second at most: both programs sleep between packets and reach two thirds or more of it.
    /// (trafgen keeps `--rate` exactly, but sends a second's packets in one burst at its beginning.)
    public var rate: Int
    public var seconds: Double
    var command: [String]
    var input: String?
    /// Its packets do not have the attacker's address.
    var isSpoofed = false

    public var program: String { command[0] }

    /// pcap-filter(7) that matches its packets on the sender's port.
    public var filter: String {
        let match =
            switch floodClass {
            case "syn": "tcp[tcpflags] & tcp-syn != 0"
            case "tcp": "tcp"
            case "udp": "udp dst port 53"
            case "icmp": "icmp"
            default: "ip[6:2] & 0x3fff != 0"
            }
        return (isSpoofed ? "src net 11.0.0.0/8" : "src host \(from.ipv4)") + " and dst host \(to.ipv4) and \(match)"
    }

    public func start() throws -> Program {
        try from.start(command, limit: .milliseconds(Int(seconds * 1000) + 200), input: input)
    }

    /// TCP SYNs to port 80, as hping3 sends them.
    public static func syn(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        hping("syn", from, to, rate, seconds, ["--syn", "--destport", "80"])
    }

    /// Echo requests with as much data as ping's.
    public static func icmp(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        hping("icmp", from, to, rate, seconds, ["--icmp", "--data", "56"])
    }

    /// Acknowledgements of no connection, to the SMB port.
    public static func tcp(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        trafgen4(
            "tcp", from, to, rate, seconds,
            "tcp(sport=drnd(1024, 65535), dport=445, ack, aseq=drnd(), seq=drnd(), win=1024)")
    }

    /// What looks like answers to questions nobody asked, to the DNS port: a server drops them without
    /// work, so that the machine is left to the sensor.
    public static func udp(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        trafgen4(
            "udp", from, to, rate, seconds,
            "udp(sport=drnd(1024, 65535), dport=53) drnd(2), 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, fill(0x41, 32)"
        )
    }

    /// Middle fragments of datagrams that never become whole.
    public static func fragment(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        trafgen4(
            "fragment", from, to, rate, seconds, "fill(0x41, 64)",
            ip: ", proto=17, mf, frag=drnd(100, 1000), id=drnd()")
    }

    /// Packets of a class with sources drawn from `sources` addresses upwards of 11.0.0.0, ports and numbers at
    /// random.
    public static func spoofed(
        _ floodClass: String, from: Machine, to: Machine, sources: Int, rate: Int, seconds: Double
    ) -> Attack {
        let first = 11 << 24
        let (ip, body) =
            switch floodClass {
            case "syn": (", ttl=64", "tcp(sport=drnd(1024, 65535), dport=80, syn, seq=drnd(), win=1024)")
            case "tcp":
                (", ttl=64", "tcp(sport=drnd(1024, 65535), dport=80, ack, aseq=drnd(), seq=drnd(), win=1024)")
            case "udp": (", ttl=64", "udp(sport=drnd(1024, 65535), dport=53) fill(0x41, 32)")
            case "icmp": (", ttl=64", "icmp4(echorequest) fill(0x41, 32)")
            default: (", proto=17, mf, frag=drnd(100, 1000), id=drnd()", "fill(0x41, 64)")
            }
        var attack = trafgen(
            floodClass, from, to, rate, seconds,
            "{ eth(da=\(to.mac), sa=\(from.mac)) "
                + "ipv4(saddr=drnd(\(first), \(first + sources - 1)), daddr=\(to.ipv4)\(ip)) \(body) }\n")
        attack.isSpoofed = true
        return attack
    }

    /// Echo requests over IPv6.
    public static func icmp6(from: Machine, to: Machine, rate: Int, seconds: Double) -> Attack {
        trafgen(
            "icmp", from, to, rate, seconds,
            "{ eth(da=\(to.mac), sa=\(from.mac)) ipv6(saddr=\(from.ipv6), daddr=\(to.ipv6)) "
                + "icmp6(echorequest) }\n")
    }

    private static func hping(
        _ floodClass: String, _ from: Machine, _ to: Machine, _ rate: Int, _ seconds: Double,
        _ options: [String]
    ) -> Attack {
        Attack(
            from: from, to: to, floodClass: floodClass, rate: rate, seconds: seconds,
            command: [
                "hping3", "--quiet", "--interval", "u\(1_000_000 / rate)", "--count",
                "\(Int(Double(rate) * seconds))",
            ] + options + [to.ipv4], input: nil)
    }

    private static func trafgen4(
        _ floodClass: String, _ from: Machine, _ to: Machine, _ rate: Int, _ seconds: Double, _ body: String,
        ip: String = ", ttl=64"
    ) -> Attack {
        trafgen(
            floodClass, from, to, rate, seconds,
            "{ eth(da=\(to.mac), sa=\(from.mac)) ipv4(saddr=\(from.ipv4), daddr=\(to.ipv4)\(ip)) \(body) }\n")
    }

    private static func trafgen(
        _ floodClass: String, _ from: Machine, _ to: Machine, _ rate: Int, _ seconds: Double, _ packet: String
    ) -> Attack {
        Attack(
            from: from, to: to, floodClass: floodClass, rate: rate, seconds: seconds,
            command: [
                "trafgen", "--in", "-", "--out", "eth0", "--cpus", "1", "--gap", "\(1_000_000 / rate)us",
                "--num",
                "\(Int(Double(rate) * seconds))", "--no-sock-mem", "--no-cpu-stats",
            ], input: packet)
    }
}
