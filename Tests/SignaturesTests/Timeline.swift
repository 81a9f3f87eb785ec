import Evidence
import Flows
import Signatures
import Testing
import Wire

/// Packets that come one after the other, each at its time, to one matcher and what it remembers.
struct Timeline: ~Copyable {
    let rules: RuleSet
    let table: ThresholdTable
    private var matcher: Matcher
    private var flows: FlowTable
    private var findings: Findings

    init(_ text: String, thresholds: String = "", table: ThresholdTable = ThresholdTable(capacity: 1 << 10)) throws {
        let rules = try RuleSet.compile(
            text: text, file: "test.rules", thresholds: thresholds, variables: .stock(home: home))
        try #require(rules.problems == [])
        matcher = try Matcher(rules, thresholds: table)
        flows = FlowTable(
            capacity: 64, variables: 64, streamBytes: 1 << 16, mode: FlowMode(isInline: true, midstream: false))
        findings = Findings()
        self.rules = rules
        self.table = table
    }

    /// What one packet comes to.
    struct Seen: Equatable {
        var told: [UInt32] = []
        var outcome = MatchOutcome()
        /// One of the findings asks to drop it.
        var asksDrop = false
        /// It is written because of a tag.
        var isTagged = false

        /// `D` told and dropped, `d` dropped, `a` told, `p` passed, `.` nothing.
        var letter: Character {
            if outcome.drops { return told.isEmpty ? "d" : "D" }
            return outcome.passes ? "p" : told.isEmpty ? "." : "a"
        }

        static func == (a: Seen, b: Seen) -> Bool { a.told == b.told && a.letter == b.letter }
    }

    /// `seconds` from the beginning.
    mutating func at(_ seconds: Double, _ sample: Sample) -> Seen {
        let bytes = sample.bytes
        let time = 1_700_000_000_000_000_000 + UInt64((seconds * 1_000_000).rounded()) * 1_000
        findings.removeAll()
        return unsafe see(bytes.span.bytes, time)
    }

    private mutating func see(_ bytes: RawSpan, _ time: UInt64) -> Seen {
        let packet = Decoder.decode(bytes, as: .ip)
        var step = FlowStep()
        flows.track(packet, bytes, vlan: 0, time: time, checksumIsGood: true, into: &step)
        var seen = Seen()
        seen.outcome = matcher.inspect(packet, bytes, MatchContext(time: time), step, &flows, into: &findings)
        seen.isTagged = matcher.isTagged(packet, bytes: bytes.byteCount, step, &flows, time: time)
        seen.told = (0..<findings.count).map { rules.rules[Int(findings[$0].code)].sid }
        seen.asksDrop = findings.anyAskDrop
        return seen
    }
}
