import Evidence
import Flows
import Signatures
import Wire

/// A rule file. What of it loads is then matched against packets that carry the file itself, so that its own
/// contents are found in them and confirmed. The same text is its threshold file.
@c(LLVMFuzzerTestOneInput)
public func fuzzRules(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = Input(start, count).text
    guard
        let rules = try? RuleSet.compile(text: text, file: "fuzz.rules", thresholds: text, variables: .stock(home: []))
    else {
        return 0
    }
    for problem in rules.problems + rules.thresholdProblems {
        precondition(!problem.reason.isEmpty && problem.line > 0)
    }
    guard !rules.rules.isEmpty, var matcher = try? Matcher(rules) else { return 0 }
    let data = Array(text.utf8.prefix(1024))
    var flows = FlowTable(
        capacity: 8, variables: 16, streamBytes: 1 << 16, mode: FlowMode(isInline: true, midstream: true), seed: 1)
    for packet in [
        datagram(6, tcp(445) + data), datagram(6, tcp(80) + data), datagram(17, udp(53, data)),
        datagram(1, [8, 0, 0, 0, 0, 0, 0, 0] + data), datagram(6, tcp(445)),
    ] {
        var findings = Findings()
        let span = packet.span.bytes
        let packet = Decoder.decode(span, as: .ip)
        var step = FlowStep()
        flows.track(packet, span, vlan: 0, time: 1, checksumIsGood: true, into: &step)
        _ = matcher.inspect(packet, span, MatchContext(time: 1), step, &flows, into: &findings)
        for index in 0..<findings.count { precondition(Int(findings[index].code) < rules.rules.count) }
    }
    precondition(matcher.failedScans == 0)
    return 0
}

private func big16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
}

private func datagram(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x45, 0] + big16(20 + payload.count) + [0, 0, 0, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + payload
}

private func tcp(_ port: Int) -> [UInt8] {
    big16(40_000) + big16(port) + [0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x02, 0, 0, 0, 0, 0, 0]
}

private func udp(_ port: Int, _ data: [UInt8]) -> [UInt8] {
    big16(40_000) + big16(port) + big16(8 + data.count) + [0, 0] + data
}
