import Evidence
import Signatures
import Testing
import Wire

/// Rule headers: what a packet's protocol, addresses and ports must be.
@Suite struct HeaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var header: String
        var sample: Sample
        var matches: Bool
        var testDescription: String { "\(header) on \(sample.testDescription): \(matches)" }
    }

    static let inbound = Sample.tcp(40_000, 445)
    static let outbound = Sample.tcp(445, 40_000).from("192.0.2.10", to: "198.51.100.7")
    static let v6 = Sample.tcp(40_000, 445).from("2001:db8:9::1", to: "2001:db8:1::10")

    static let cases: [Case] = [
        // Protocols.
        Case(header: "tcp any any -> any any", sample: .tcp(), matches: true),
        Case(header: "tcp any any -> any any", sample: .udp(), matches: false),
        Case(header: "tcp-pkt any any -> any any", sample: .tcp(), matches: true),
        Case(header: "UDP any any -> any any", sample: .udp(), matches: true),
        Case(header: "udp any any -> any any", sample: .icmp(8), matches: false),
        Case(header: "icmp any any -> any any", sample: .icmp(8), matches: true),
        Case(
            header: "icmp any any -> any any",
            sample: Sample(
                source: "2001:db8:9::1", destination: "2001:db8:1::1", upper: .icmp6(type: 128, code: 0)),
            matches: true),
        Case(
            header: "icmpv4 any any -> any any",
            sample: Sample(
                source: "2001:db8:9::1", destination: "2001:db8:1::1", upper: .icmp6(type: 128, code: 0)),
            matches: false),
        Case(header: "icmpv6 any any -> any any", sample: .icmp(8), matches: false),
        Case(header: "ip any any -> any any", sample: .tcp(), matches: true),
        Case(header: "ip any any -> any any", sample: .icmp(0), matches: true),
        Case(header: "ip any any -> any any", sample: Sample(upper: .other(ipProtocol: 47)), matches: true),
        Case(header: "ipv4 any any -> any any", sample: inbound, matches: true),
        Case(header: "ipv4 any any -> any any", sample: v6, matches: false),
        Case(header: "ipv6 any any -> any any", sample: v6, matches: true),
        Case(header: "ip any any -> any 445", sample: inbound, matches: true),
        Case(header: "ip any any -> any 445", sample: .udp(1, 445), matches: true),
        Case(header: "ip any any -> any 445", sample: .icmp(8), matches: false),
        Case(header: "ip any any -> any 0", sample: .icmp(8), matches: false),
        // A fragment that is not the first has a protocol and addresses, but no ports.
        Case(header: "tcp any any -> any any", sample: .tcp().fragment(at: 64), matches: true),
        Case(header: "udp any any -> any any", sample: .tcp().fragment(at: 64), matches: false),
        Case(header: "tcp any any -> any 80", sample: .tcp().fragment(at: 64), matches: false),
        Case(header: "tcp any any -> any 0:", sample: .tcp().fragment(at: 64), matches: true),
        // Addresses.
        Case(header: "tcp $EXTERNAL_NET any -> $HOME_NET any", sample: inbound, matches: true),
        Case(header: "tcp $EXTERNAL_NET any -> $HOME_NET any", sample: outbound, matches: false),
        Case(header: "tcp $EXTERNAL_NET any -> $HOME_NET any", sample: v6, matches: true),
        Case(header: "tcp $HOME_NET any -> any any", sample: v6, matches: false),
        Case(header: "tcp 198.51.100.7 any -> 192.0.2.10/32 any", sample: inbound, matches: true),
        Case(header: "tcp 198.51.100.8 any -> any any", sample: inbound, matches: false),
        Case(header: "tcp 198.51.100.0/255.255.255.0 any -> any any", sample: inbound, matches: true),
        Case(header: "tcp 198.51.100.0/29 any -> any any", sample: inbound, matches: true),
        Case(header: "tcp 198.51.100.8/29 any -> any any", sample: inbound, matches: false),
        Case(header: "tcp 198.51.100.1-198.51.100.7 any -> any any", sample: inbound, matches: true),
        Case(header: "tcp 198.51.100.1-198.51.100.6 any -> any any", sample: inbound, matches: false),
        Case(header: "tcp !198.51.100.7 any -> any any", sample: inbound, matches: false),
        Case(header: "tcp ![198.51.100.6,198.51.100.8] any -> any any", sample: inbound, matches: true),
        Case(header: "tcp [10.0.0.0/8, 198.51.100.0/24] any -> any any", sample: inbound, matches: true),
        Case(
            header: "tcp [198.51.100.0/24,!198.51.100.7] any -> any any", sample: inbound, matches: false),
        Case(header: "tcp [198.51.100.0/24,![198.51.100.6]] any -> any any", sample: inbound, matches: true),
        Case(
            header: "tcp [[10.0.0.1,[198.51.100.7]],10.0.0.2] any -> any any", sample: inbound, matches: true),
        // A list in a list excludes from the outermost, as a variable in one does; behind a `!` it is its own.
        Case(
            header: "tcp [198.51.100.0/24,[!198.51.100.7]] any -> any any", sample: inbound, matches: false),
        Case(
            header: "tcp [10.0.0.1,[!10.0.0.0/8,198.51.100.7]] any -> any any", sample: inbound, matches: true),
        Case(header: "tcp [10.0.0.1,[!10.0.0.2]] any -> any any", sample: inbound, matches: false),
        Case(header: "tcp [$EXTERNAL_NET,10.0.0.1] any -> any any", sample: inbound, matches: false),
        Case(header: "tcp [$EXTERNAL_NET,198.51.100.7] any -> any any", sample: inbound, matches: true),
        Case(
            header: "tcp ![198.51.0.0/16,!198.51.100.7] any -> any any", sample: inbound, matches: true),
        Case(header: "tcp any [1:65535,[!40000]] -> any any", sample: inbound, matches: false),
        Case(header: "tcp any [1:10,[!20]] -> any any", sample: inbound, matches: false),
        Case(header: "tcp any ![!40000] -> any any", sample: inbound, matches: true),
        Case(header: "tcp [!10.0.0.0/8,!172.16.0.0/12] any -> any any", sample: inbound, matches: true),
        Case(header: "tcp !10.0.0.0/8 any -> any any", sample: v6, matches: true),
        Case(header: "tcp 2001:db8:9::/48 any -> any any", sample: v6, matches: true),
        Case(header: "tcp 2001:db8:8::/48 any -> any any", sample: v6, matches: false),
        Case(header: "tcp ::/0 any -> any any", sample: inbound, matches: false),
        Case(header: "tcp ::/0 any -> any any", sample: v6, matches: true),
        Case(header: "tcp 0.0.0.0/0 any -> any any", sample: v6, matches: false),
        // Ports.
        Case(header: "tcp any any -> any 445", sample: inbound, matches: true),
        Case(header: "tcp any any -> any 446", sample: inbound, matches: false),
        Case(header: "tcp any 40000 -> any 445", sample: inbound, matches: true),
        Case(header: "tcp any 40001 -> any 445", sample: inbound, matches: false),
        Case(header: "tcp any 40000 -> any any", sample: inbound, matches: true),
        Case(header: "tcp any 445 -> any any", sample: inbound, matches: false),
        Case(header: "tcp any any -> any 400:445", sample: inbound, matches: true),
        Case(header: "tcp any any -> any 400:444", sample: inbound, matches: false),
        Case(header: "tcp any any -> any :445", sample: inbound, matches: true),
        Case(header: "tcp any any -> any 445:", sample: inbound, matches: true),
        Case(header: "tcp any any -> any 446:", sample: inbound, matches: false),
        Case(header: "tcp any any -> any !445", sample: inbound, matches: false),
        Case(header: "tcp any any -> any !444", sample: inbound, matches: true),
        Case(header: "tcp any any -> any [139,445]", sample: inbound, matches: true),
        Case(header: "tcp any any -> any [400:500,!445]", sample: inbound, matches: false),
        Case(header: "tcp any any -> any [400:500,![440:444]]", sample: inbound, matches: true),
        Case(header: "tcp any any -> any $HTTP_PORTS", sample: .tcp(1, 80), matches: true),
        Case(header: "tcp any any -> any $FILE_DATA_PORTS", sample: .tcp(1, 143), matches: true),
        Case(header: "tcp any any -> any !$SHELLCODE_PORTS", sample: .tcp(1, 80), matches: true),
        Case(header: "tcp any any -> any [$SSH_PORTS, 2222]", sample: .tcp(1, 2222), matches: true),
        // Both directions.
        Case(header: "tcp $EXTERNAL_NET any <> $HOME_NET 445", sample: inbound, matches: true),
        Case(header: "tcp $EXTERNAL_NET any <> $HOME_NET 445", sample: outbound, matches: true),
        Case(
            header: "tcp $EXTERNAL_NET any <> $HOME_NET 445",
            sample: outbound.from("198.51.100.7", to: "192.0.2.10"), matches: false),
        Case(header: "tcp any any <> any 445", sample: inbound, matches: true),
        Case(header: "tcp any 445 <> any 445", sample: inbound, matches: false),
    ]

    @Test(arguments: cases)
    func header(_ entry: Case) throws {
        let rules = try compile("alert \(entry.header) (sid:1;)")
        #expect(rules.problems == [])
        #expect(try rules.alerts(entry.sample) == (entry.matches ? [1] : []))
    }

    /// The same, found by a pattern instead of by the header alone.
    @Test(arguments: cases)
    func headerWithPattern(_ entry: Case) throws {
        var sample = entry.sample
        sample.payload = Array("a needle in hay".utf8)
        let rules = try compile("alert \(entry.header) (content:\"needle\"; sid:1;)")
        let hasPayload = sample.fragmentOffset == 0
        #expect(try rules.alerts(sample) == (entry.matches && hasPayload ? [1] : []))
    }

    @Test func bothDirectionsOfOneRuleAreOneFinding() throws {
        let rules = try compile("alert tcp any any <> any [80,445] (content:\"x\"; sid:1;)")
        #expect(try rules.alerts(.tcp(80, 445, "x")) == [1])
    }

    @Test func whatIsNotIPMatchesNothing() throws {
        let rules = try compile("alert ip any any -> any any (sid:1;)")
        var matcher = try Matcher(rules)
        let frame: [UInt8] =
            Array(repeating: 0xFF, count: 12) + [0x88, 0xCC] + Array(repeating: 0, count: 46)
        #expect(matcher.findings(frame, as: .ethernet).count == 0)
        #expect(matcher.findings([]).count == 0)
    }

    @Test func malformedUpperHeaderIsSeenByIPRulesOnly() throws {
        let rules = try compile(
            "alert ip any any -> any any (sid:1;)\nalert tcp any any -> any any (sid:2;)\n"
                + "alert ip any any -> any any (dsize:0; sid:3;)")
        var matcher = try Matcher(rules)
        var bytes = Sample.tcp().bytes
        bytes[32] = 0x10  // a TCP header of four bytes
        let findings = matcher.findings(bytes)
        #expect(findings.count == 1 && findings[0].code == 0)
    }
}
