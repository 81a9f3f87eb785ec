import Conformance
import Evidence
import Floods
import Policy
import Signatures
import Testing
import Wire

/// A packet, under which policy it comes, and what becomes of it.
struct VerdictCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: @Sendable (Family) -> [UInt8]
    var link = LinkLayer.ip
    var hardwareProtocol: UInt16 = 0
    var capturedShort = false
    /// Of the guest web; everybody else has the default policy, but for `others`.
    var web = GuestPolicy()
    var others = GuestPolicy()
    var webChecks = CheckSettings()
    var othersChecks = CheckSettings()
    /// What web has in place of what rules say, in their order.
    var webRules: [RuleHandling] = []
    /// A gate at web.
    var gate: (FloodClass, GateSetting)?
    /// Its connection was seen to begin.
    var open = false
    /// How often the same packet came just before.
    var before = 0
    /// 0 web, 1 dns, -1 nobody.
    var guest: Int32
    var expected = Decision.accept
    var findings: [String] = []
    /// In families of which this row says nothing.
    var families = Family.allCases

    init(
        _ name: String, _ guest: Int32, _ bytes: @escaping @Sendable (Family) -> [UInt8],
        _ change: (inout VerdictCase) -> Void = { _ in }
    ) {
        testDescription = name
        self.guest = guest
        self.bytes = bytes
        change(&self)
    }
}

func dropped(_ reason: Reason, _ intended: Verdict = .drop) -> Decision {
    Decision(verdict: .drop, intended: intended, reason: reason)
}

func shadowed(_ reason: Reason, _ intended: Verdict = .drop) -> Decision {
    Decision(verdict: .accept, intended: intended, reason: reason)
}

private let malformed: @Sendable (Family) -> [UInt8] = { $0.badTCP(.client, .web, "EVIL") }

/// All rules of the table as written, but one.
private func handled(_ sid: Int, _ handling: RuleHandling) -> [RuleHandling] {
    (1...5).map { $0 == sid ? handling : .asWritten }
}

enum VerdictTable {
    static let rules = """
            alert tcp any any -> $HOME_NET 80 (msg:"alert"; content:"EVIL"; sid:1;)
        drop udp any any -> $HOME_NET 9000 (msg:"drop"; content:"KILL"; sid:2;)
        alert udp any any -> $HOME_NET 9000 (msg:"beside the drop"; content:"KILL"; sid:3;)
        drop tcp $HOME_NET any -> $EXTERNAL_NET 80 (msg:"from a guest"; content:"LEAK"; sid:4;)
        pass tcp any any -> $HOME_NET 80 (msg:"known"; content:"GOOD"; sid:5;)
        """

    static let all = ordinary + signatures + conformance + unknown + floods

    static let ordinary: [VerdictCase] = [
        VerdictCase("TCP to a guest", 0) { $0.tcp(.client, .web, "GET /") },
        VerdictCase("TCP from a guest", 0) { $0.tcp(.web, .client, "200 OK") },
        VerdictCase("UDP to another guest", 1) { $0.udp(.client, .dns, "query") },
        VerdictCase("ping to a guest", 0) { $0.ping(.client, .web, "abc") },
        VerdictCase("guest to guest: the destination's policy decides", 1) { $0.udp(.web, .dns, "query") },
        VerdictCase("guest to guest, the other way", 0) { $0.udp(.dns, .web, "answer") },
        VerdictCase("of nobody's", -1) { $0.tcp(.client, .stranger, "EVIL") },
        VerdictCase("a first fragment", 0) { $0.fragment(.client, .web, offset: 0, more: true) },
        VerdictCase("a later fragment", 0) { $0.fragment(.client, .web, offset: 16, more: false) },
        VerdictCase("in an Ethernet frame", 0, { $0.ethernet($0.tcp(.client, .web)) }) {
            $0.link = .ethernet
        },
        VerdictCase("ARP from the queue", 0, { _ in arp(.client, .web) }) {
            $0.link = .arp
            $0.families = [.v4]
        },
        VerdictCase("ARP in a frame, from a guest", 0, { _ in frame(0x0806, arp(.web, .client)) }) {
            $0.link = .ethernet
            $0.families = [.v4]
        },
        VerdictCase("cut by the capture", 0, { Array($0.tcp(.client, .web, "GET /").dropLast(3)) }) {
            $0.capturedShort = true
            $0.findings = ["capture.truncated"]
        },
    ]

    static let signatures: [VerdictCase] = [
        VerdictCase("a rule alerts", 0, { $0.tcp(.client, .web, "an EVIL one") }) { $0.findings = ["sid:1"] },
        VerdictCase("behind a VLAN tag", 0, { $0.ethernet(tag: 5, $0.tcp(.client, .web, "EVIL")) }) {
            $0.link = .ethernet
            $0.findings = ["sid:1"]
        },
        VerdictCase("on another port it does not", 0) { $0.tcp(.client, .web, port: 81, "EVIL") },
        VerdictCase("a pass rule silences it", 0) { $0.tcp(.client, .web, "EVIL but GOOD") },
        VerdictCase("a rule drops, and is named first", 1, { $0.udp(.client, .dns, "KILL") }) {
            $0.expected = dropped(.rule)
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("a rule would drop, in shadow mode", 0, { $0.udp(.client, .web, "KILL") }) {
            $0.web.shadow = true
            $0.expected = shadowed(.rule)
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("a rule would drop, but rules only alert", 0, { $0.udp(.client, .web, "KILL") }) {
            $0.web.signaturesDrop = false
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("a rule that is off", 0, { $0.tcp(.client, .web, "EVIL") }) { $0.webRules = handled(1, .off) },
        VerdictCase("a rule that alerts and is to drop", 0, { $0.tcp(.client, .web, "EVIL") }) {
            $0.webRules = handled(1, .drop)
            $0.expected = dropped(.rule)
            $0.findings = ["sid:1"]
        },
        VerdictCase("a rule that drops and is to alert", 0, { $0.udp(.client, .web, "KILL") }) {
            $0.webRules = handled(2, .alert)
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("a rule that passes, passes", 0, { $0.tcp(.client, .web, "EVIL but GOOD") }) {
            $0.webRules = handled(5, .drop)
        },
        VerdictCase("one guest's rules are not another's", 1, { $0.udp(.client, .dns, "KILL") }) {
            $0.webRules = handled(2, .off)
            $0.expected = dropped(.rule)
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("one guest's shadow mode is not another's", 1, { $0.udp(.client, .dns, "KILL") }) {
            $0.web.shadow = true
            $0.expected = dropped(.rule)
            $0.findings = ["sid:2", "sid:3"]
        },
        VerdictCase("a rule drops what leaves a guest", 0, { $0.tcp(.web, .client, "LEAK") }) {
            $0.expected = dropped(.rule)
            $0.findings = ["sid:4"]
        },
        VerdictCase("a later fragment has no ports for a rule", 0) {
            $0.fragment(.client, .web, offset: 16, more: false, "KILL")
        },
    ]

    static let conformance: [VerdictCase] = [
        VerdictCase("a check that is off", 0, malformed) { $0.webChecks[.tcpHeaderTooSmall].action = .off },
        VerdictCase("a check that alerts", 0, malformed) { $0.findings = ["tcp.data_offset_too_small"] },
        VerdictCase("a check that drops", 0, malformed) {
            $0.webChecks[.tcpHeaderTooSmall].action = .drop
            $0.expected = dropped(.malformed)
            $0.findings = ["tcp.data_offset_too_small"]
        },
        VerdictCase("a check that drops, in shadow mode", 0, malformed) {
            $0.webChecks[.tcpHeaderTooSmall].action = .drop
            $0.web.shadow = true
            $0.expected = shadowed(.malformed)
            $0.findings = ["tcp.data_offset_too_small"]
        },
        VerdictCase("another check drops", 0, malformed) {
            $0.webChecks[.tcpHeaderBeyondPacket].action = .drop
            $0.findings = ["tcp.data_offset_too_small"]
        },
        VerdictCase("a check between strangers", -1, { $0.badTCP(.client, .stranger) }) {
            $0.othersChecks[.tcpHeaderTooSmall].action = .drop
            $0.expected = dropped(.malformed)
            $0.findings = ["tcp.data_offset_too_small"]
        },
        VerdictCase("flags that are only made to get past filters", 0, { $0.tcp(.client, .web, flags: [.syn, .fin]) }) {
            $0.expected = dropped(.evasion)
            $0.findings = ["tcp.syn_fin"]
        },
        VerdictCase("what is dropped for its form is scanned all the same", 1, { $0.udp(.dns, .dns, "KILL") }) {
            $0.expected = dropped(.rule)
            $0.findings = ["ip.land", "sid:2", "sid:3"]
        },
        VerdictCase("land", 0, { $0.tcp(.web, .web) }) {
            $0.expected = dropped(.spoofed)
            $0.findings = ["ip.land"]
        },
        VerdictCase("odd, but to be read: named and scanned", 0, { $0.udp(.client, .web, length: 4, "KILL") }) {
            $0.web.signaturesDrop = false
            $0.findings = ["udp.len_invalid", "sid:2", "sid:3"]
        },
        VerdictCase("the beginning of a stream", 0, { $0.tcp(.client, .web, "GET  / HTTP/1.1\r\n\r\n") }) {
            $0.open = true
            $0.webChecks[.httpRequestLine].action = .drop
            $0.expected = dropped(.malformed)
            $0.findings = ["http.request_line"]
        },
        VerdictCase("the same in the middle of one that was not seen to begin", 0) {
            $0.tcp(.client, .web, "GET  / HTTP/1.1\r\n\r\n")
        },
        VerdictCase("what was dropped at its beginning stays dropped", 0, { $0.tcp(.client, .web, "GET  /\r\n\r\n") }) {
            $0.open = true
            $0.before = 1
            $0.webChecks[.httpRequestLine].action = .drop
            $0.expected = dropped(.rule)
        },
        VerdictCase("no whole IP header", -1, { Array($0.tcp(.client, .web).prefix(19)) }) {
            $0.othersChecks[.ipv4TooShort].action = .drop
            $0.expected = dropped(.malformed)
            $0.families = [.v4]
            $0.findings = ["ipv4.pkt_too_small"]
        },
        VerdictCase("nothing at all", -1, { _ in [] }) {
            $0.families = [.v4]
            $0.findings = ["ipv4.pkt_too_small"]
        },
        VerdictCase(
            "longer than its bytes", 0,
            {
                $0.ip(.client, .web, 17, big16(1) + big16(2) + big16(8) + big16(0), length: 200)
            }
        ) { $0.findings = ["trunc_pkt"] },
        VerdictCase("ARP of odd lengths", -1, { _ in arp(.client, .web, protocolLength: 16) }) {
            $0.link = .arp
            $0.othersChecks[.arpBadLengths].action = .drop
            $0.families = [.v4]
            $0.expected = dropped(.malformed)
            $0.findings = ["arp.invalid_address_size"]
        },
    ]

    static let unknown: [VerdictCase] = [
        VerdictCase("IP protocol 99: pass", 0) { $0.ip(.client, .web, 99, [1, 2, 3]) },
        VerdictCase("IP protocol 99: drop", 0, { $0.ip(.client, .web, 99, [1, 2, 3]) }) {
            $0.web.unknownProtocol = .drop
            $0.expected = dropped(.unknownProtocol)
        },
        VerdictCase("IP protocol 99: drop, in shadow mode", 0, { $0.ip(.client, .web, 99, [1, 2, 3]) }) {
            $0.web.unknownProtocol = .drop
            $0.web.shadow = true
            $0.expected = shadowed(.unknownProtocol)
        },
        VerdictCase("LLDP in a frame: pass", -1, { _ in frame(0x88CC, [2, 7, 4]) }) {
            $0.link = .ethernet
            $0.families = [.v4]
        },
        VerdictCase("LLDP from the queue: drop", -1, { _ in [2, 7, 4] }) {
            $0.link = .other
            $0.hardwareProtocol = 0x88CC
            $0.others.unknownProtocol = .drop
            $0.families = [.v4]
            $0.expected = dropped(.unknownProtocol)
        },
    ]

    static let floods: [VerdictCase] = [
        VerdictCase(
            "a class that is denied, and what it stops is not scanned", 0, { $0.tcp(.client, .web, "EVIL") }
        ) {
            $0.gate = (.tcp, .deny)
            $0.expected = dropped(.floodDeny)
        },
        VerdictCase("denied in shadow mode: passes, and is scanned", 0, { $0.tcp(.client, .web, "EVIL") }) {
            $0.gate = (.tcp, .deny)
            $0.web.shadow = true
            $0.expected = shadowed(.floodDeny)
            $0.findings = ["sid:1"]
        },
        VerdictCase("SYN is a class of its own", 0, { $0.tcp(.client, .web, flags: .syn) }) {
            $0.gate = (.syn, .deny)
            $0.expected = dropped(.floodDeny)
        },
        VerdictCase("SYN-ACK is not", 0, { $0.tcp(.client, .web, flags: [.syn, .ack]) }) {
            $0.gate = (.syn, .deny)
        },
        VerdictCase("UDP is not TCP", 0, { $0.udp(.client, .web) }) { $0.gate = (.tcp, .deny) },
        VerdictCase("fragments", 0, { $0.fragment(.client, .web, offset: 16, more: false) }) {
            $0.gate = (.fragment, .deny)
            $0.expected = dropped(.floodDeny)
        },
        VerdictCase("a fragment of UDP is not UDP", 0, { $0.fragment(.client, .web, offset: 0, more: true) }) {
            $0.gate = (.udp, .deny)
        },
        VerdictCase("ICMP", 0, { $0.ping(.client, .web) }) {
            $0.gate = (.icmp, .deny)
            $0.expected = dropped(.floodDeny)
        },
        VerdictCase("malformed packets flood as well as any", 0, malformed) {
            $0.gate = (.tcp, .deny)
            $0.expected = dropped(.floodDeny)
        },
        VerdictCase("another guest", 1, { $0.udp(.client, .dns) }) { $0.gate = (.udp, .deny) },
        VerdictCase("what a guest sends", 0, { $0.udp(.web, .client) }) { $0.gate = (.udp, .deny) },
        VerdictCase("throttled: the first passes", 0, { $0.udp(.client, .web) }) {
            $0.gate = (.udp, .throttle(10))
        },
        VerdictCase("throttled: the next does not", 0, { $0.udp(.client, .web, "KILL") }) {
            $0.gate = (.udp, .throttle(10))
            $0.before = 1
            $0.expected = dropped(.floodThrottle, .throttle)
        },
        VerdictCase("throttled in shadow mode", 0, { $0.udp(.client, .web) }) {
            $0.gate = (.udp, .throttle(10))
            $0.before = 1
            $0.web.shadow = true
            $0.expected = shadowed(.floodThrottle, .throttle)
        },
        VerdictCase(
            "a tenth of a second's packets at once: the last that passes", 0, { $0.udp(.client, .web) }
        ) {
            $0.gate = (.udp, .throttle(100))
            $0.before = 9
        },
        VerdictCase("and the first that does not", 0, { $0.udp(.client, .web) }) {
            $0.gate = (.udp, .throttle(100))
            $0.before = 10
            $0.expected = dropped(.floodThrottle, .throttle)
        },
    ]
}
