import Evidence
import Flows
import Signatures
import Testing
import Wire

/// A packet for a test: an IP packet without Ethernet header, built field by field. Checksums are left
/// zero: the decoder does not look at them.
struct Sample: Sendable, CustomTestStringConvertible {
    enum Upper: Sendable {
        case tcp(source: UInt16, destination: UInt16, flags: UInt8)
        case udp(source: UInt16, destination: UInt16)
        case icmp(type: UInt8, code: UInt8)
        case icmp6(type: UInt8, code: UInt8)
        case other(ipProtocol: UInt8)
    }

    var source = "198.51.100.7"
    var destination = "192.0.2.10"
    var upper: Upper
    var payload: [UInt8] = []
    /// In bytes, a multiple of 8.
    var fragmentOffset = 0
    var testDescription: String { "\(upper) \(payload.count) bytes" }

    static func tcp(
        _ source: UInt16 = 40_000, _ destination: UInt16 = 80, flags: UInt8 = 0x18, _ payload: String = "",
        bytes: [UInt8]? = nil
    ) -> Sample {
        Sample(
            upper: .tcp(source: source, destination: destination, flags: flags),
            payload: bytes ?? Array(payload.utf8))
    }

    static func udp(
        _ source: UInt16 = 40_000, _ destination: UInt16 = 53, _ payload: String = "", bytes: [UInt8]? = nil
    ) -> Sample {
        Sample(
            upper: .udp(source: source, destination: destination), payload: bytes ?? Array(payload.utf8))
    }

    static func icmp(_ type: UInt8, _ code: UInt8 = 0, _ payload: String = "") -> Sample {
        Sample(upper: .icmp(type: type, code: code), payload: Array(payload.utf8))
    }

    func from(_ source: String, to destination: String) -> Sample {
        var other = self
        other.source = source
        other.destination = destination
        return other
    }

    func fragment(at offset: Int) -> Sample {
        var other = self
        other.fragmentOffset = offset
        return other
    }

    var bytes: [UInt8] {
        var body: [UInt8]
        let number: UInt8
        switch upper {
        case .tcp(let source, let destination, let flags):
            number = 6
            body =
                be(source) + be(destination) + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]
        case .udp(let source, let destination):
            number = 17
            body = be(source) + be(destination) + be(UInt16(8 + payload.count)) + [0, 0]
        case .icmp(let type, let code):
            number = 1
            body = [type, code, 0, 0, 0, 1, 0, 1]
        case .icmp6(let type, let code):
            number = 58
            body = [type, code, 0, 0, 0, 1, 0, 1]
        case .other(let ipProtocol):
            number = ipProtocol
            body = []
        }
        body += payload
        let (from, to) = (Address(source)!, Address(destination)!)
        if from.isV4 {
            let header: [UInt8] = [0x45, 0] + be(UInt16(20 + body.count)) + [0, 1]
            return header + be(UInt16(fragmentOffset / 8)) + [64, number, 0, 0]
                + be(UInt32(truncatingIfNeeded: from.low)) + be(UInt32(truncatingIfNeeded: to.low)) + body
        }
        return [0x60, 0, 0, 0] + be(UInt16(body.count)) + [number, 64] + be(from.high) + be(from.low)
            + be(to.high) + be(to.low) + body
    }

    private func be(_ number: some FixedWidthInteger) -> [UInt8] {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe Array($0) }
    }
}

/// HOME_NET of the tests; EXTERNAL_NET is everybody else.
let home = [Prefix("192.0.2.0/24")!, Prefix("2001:db8:1::/48")!]

func compile(_ text: String, variables: RuleVariables = .stock(home: home)) throws -> RuleSet {
    try RuleSet.compile(text: text, file: "test.rules", variables: variables)
}

extension RuleSet {
    /// What the rules find in one packet.
    func findings(_ sample: Sample) throws -> Findings {
        var matcher = try Matcher(self)
        return matcher.findings(sample.bytes)
    }

    /// The sids that match, in the order of the findings.
    func alerts(_ sample: Sample) throws -> [UInt32] {
        let findings = try findings(sample)
        return (0..<findings.count).map { rules[Int(findings[$0].code)].sid }
    }
}

extension Matcher {
    mutating func findings(_ bytes: [UInt8], as link: LinkLayer = .ip) -> Findings {
        var findings = Findings()
        unsafe inspect(Decoder.decode(bytes.span.bytes, as: link), bytes.span.bytes, into: &findings)
        return findings
    }

    /// A packet that nothing came before: its flow has a table of its own.
    mutating func inspect(_ packet: Packet, _ bytes: RawSpan, into findings: inout Findings) {
        var flows = FlowTable(
            capacity: 4, variables: 16, streamBytes: 1 << 16, mode: FlowMode(isInline: true, midstream: false))
        var step = FlowStep()
        flows.track(packet, bytes, vlan: 0, time: 1, checksumIsGood: true, into: &step)
        _ = inspect(packet, bytes, MatchContext(time: 1), step, &flows, into: &findings)
    }
}

/// The same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
