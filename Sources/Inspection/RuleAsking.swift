import Evidence
import Flows
import Signatures
import Wire

/// How the rules are asked: live, or with what they cost taken down. An inspector is compiled for each, so that a
/// live one knows nothing of the other.
protocol RuleAsking {
    func ask(
        _ matcher: inout Matcher, _ packet: @_addressable Packet, _ bytes: RawSpan,
        _ context: @_addressable MatchContext, _ step: @_addressable FlowStep,
        _ flows: inout FlowTable, into findings: inout Findings
    ) -> MatchOutcome
}

struct AskingRules: RuleAsking {
    @inline(__always)
    func ask(
        _ matcher: inout Matcher, _ packet: @_addressable Packet, _ bytes: RawSpan,
        _ context: @_addressable MatchContext, _ step: @_addressable FlowStep,
        _ flows: inout FlowTable, into findings: inout Findings
    ) -> MatchOutcome {
        matcher.inspect(packet, bytes, context, step, &flows, into: &findings)
    }
}

struct ProfilingRules: RuleAsking {
    let costs: RuleCosts

    func ask(
        _ matcher: inout Matcher, _ packet: @_addressable Packet, _ bytes: RawSpan,
        _ context: @_addressable MatchContext, _ step: @_addressable FlowStep,
        _ flows: inout FlowTable, into findings: inout Findings
    ) -> MatchOutcome {
        matcher.profile(packet, bytes, context, step, &flows, into: &findings, costs)
    }
}
