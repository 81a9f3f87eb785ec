import Evidence
import Policy
import Testing

@Suite("From findings to a verdict")
struct DecisionTests {
    struct Case: Sendable {
        var text: String
        var policy = GuestPolicy()
        var flood = FloodAdvice.none
        var ruleDrops = false
        var form = Reason.none
        var sort = PacketSort.ordinary
        var expected: Decision

        init(
            _ text: String, policy: GuestPolicy = GuestPolicy(), flood: FloodAdvice = .none,
            ruleDrops: Bool = false, form: Reason = .none, sort: PacketSort = .ordinary, _ verdict: Verdict,
            _ intended: Verdict,
            _ reason: Reason
        ) {
            self.text = text
            self.policy = policy
            self.flood = flood
            self.ruleDrops = ruleDrops
            self.form = form
            self.sort = sort
            expected = Decision(verdict: verdict, intended: intended, reason: reason)
        }
    }

    static let shadow = GuestPolicy(shadow: true, unknownProtocol: .drop)

    static let cases: [Case] = [
        Case("nothing found", .accept, .accept, .none),
        Case("flood denied", flood: .deny, .drop, .drop, .floodDeny),
        Case("flood beyond its rate", flood: .throttle, .drop, .throttle, .floodThrottle),
        Case("a rule drops", ruleDrops: true, .drop, .drop, .rule),
        Case(
            "a rule would drop, but signatures only alert", policy: GuestPolicy(signaturesDrop: false),
            ruleDrops: true, .accept, .accept, .none),
        Case("flood before rule", flood: .deny, ruleDrops: true, .drop, .drop, .floodDeny),
        Case("a check of its form drops", form: .evasion, .drop, .drop, .evasion),
        Case("rule before form", ruleDrops: true, form: .malformed, .drop, .drop, .rule),
        Case(
            "form before protocol", policy: GuestPolicy(unknownProtocol: .drop), form: .spoofed, sort: .unknownProtocol,
            .drop, .drop, .spoofed),
        Case("unknown protocol, passed", sort: .unknownProtocol, .accept, .accept, .none),
        Case(
            "unknown protocol, dropped", policy: GuestPolicy(unknownProtocol: .drop), sort: .unknownProtocol,
            .drop, .drop, .unknownProtocol),
        Case("shadow: flood denied", policy: shadow, flood: .deny, .accept, .drop, .floodDeny),
        Case("shadow: throttled", policy: shadow, flood: .throttle, .accept, .throttle, .floodThrottle),
        Case("shadow: rule", policy: shadow, ruleDrops: true, .accept, .drop, .rule),
        Case("shadow: malformed", policy: shadow, form: .malformed, .accept, .drop, .malformed),
        Case("shadow: unknown", policy: shadow, sort: .unknownProtocol, .accept, .drop, .unknownProtocol),
        Case("shadow: nothing found", policy: shadow, .accept, .accept, .none),
    ]

    @Test("Decisions", arguments: cases)
    func decide(_ test: Case) {
        let decision = test.policy.decide(
            flood: test.flood, ruleDrops: test.ruleDrops, form: test.form, sort: test.sort)
        #expect(decision == test.expected, "\(test.text)")
    }

    @Test("Every guest has its policy, and what is nobody's has one too")
    func table() {
        let table = PolicyTable(
            guests: [GuestPolicy(shadow: true), GuestPolicy(signaturesDrop: false)],
            others: GuestPolicy(unknownProtocol: .drop))
        #expect(table.view[-1] == GuestPolicy(unknownProtocol: .drop))
        #expect(table.view[0] == GuestPolicy(shadow: true))
        #expect(table.view[1] == GuestPolicy(signaturesDrop: false))
    }

    @Test("Every reason but acceptance has words for a person")
    func words() {
        let texts = Reason.allCases.map(\.text)
        #expect(Set(texts).count == texts.count)
        #expect(texts.allSatisfy { !$0.isEmpty })
    }
}
