import Signatures
import Testing

/// The syntax of threshold files, and what is said of a line that is wrong.
@Suite struct ThresholdFileTests {
    static func problems(_ text: String, rule: String = "(sid:7;)") throws -> [String] {
        let rules = try RuleSet.compile(
            text: "alert udp any any -> any any " + rule, file: "a.rules", thresholds: text,
            variables: .stock(home: home))
        #expect(rules.problems == [])
        return rules.thresholdProblems.map { "\($0.file):\($0.line): \($0.reason)" }
    }

    @Test func commentsBlankLinesAndContinuations() throws {
        let text = """
            # a comment \\
            \t # another

            event_filter gen_id 1 \\
            , sig_id 7, type limit, track by_src, \\
              count 1, seconds 60
            SUPPRESS gen_id 1,sig_id 7 # and why
            rate_filter gen_id 1,sig_id 0,new_action drop,track by_src,timeout 1,count 1,seconds 1
            suppress   gen_id 1,   sig_id 7,   track by_either,  ip [ 10.0.0.0/8 , 2001:db8::/32 ]
            """
        #expect(try ThresholdFileTests.problems(text) == [])
    }

    static let remedy = ": write addresses, a list in brackets or a variable of rules.variables"

    static let lines: [(line: String, reason: String)] = [
        (
            "supress gen_id 1, sig_id 7",
            "supress is not known here: write threshold, event_filter, rate_filter or suppress"
        ),
        ("suppress sig_id 7", "suppress needs gen_id"),
        ("suppress gen_id 1", "suppress needs sig_id"),
        ("suppress gen_id 1, sig_id x", "suppress: sig_id is not a number of 0…4294967295"),
        ("suppress gen_id 0, sig_id 7", "suppress: sig_id 7 needs its gen_id, mostly 1; 0 is for all rules"),
        ("suppress gen_id 1, sig_id 8", "no rule has gid 1 and sid 8: load it, or remove the line"),
        (
            "suppress gen_id 1, sig_id 7, track by_src",
            "suppress: track needs ip and an address, a list in brackets or a variable"
        ),
        ("suppress gen_id 1, sig_id 7, ip 10.0.0.1", "suppress needs track"),
        (
            "suppress gen_id 1, sig_id 7, track by_both, ip 10.0.0.1",
            "suppress: track is one of by_src, by_dst, by_either"
        ),
        ("suppress gen_id 1, sig_id 7, track by_src, ip $NOBODY", "address variable $NOBODY is not defined" + remedy),
        ("suppress gen_id 1, sig_id 7, track by_src, ip 10.0.0.300", "10.0.0.300 is no address" + remedy),
        ("suppress gen_id 1, sig_id 7, track by_src, ip [10.0.0.1", "the brackets of suppress do not pair"),
        ("suppress gen_id 1, sig_id 7, because 1", "suppress does not know because"),
        ("suppress gen_id 1, sig_id 7, gen_id 1", "suppress: gen_id is given twice"),
        ("suppress gen_id 1, sig_id", "suppress: sig_id has no value"),
        (
            "threshold gen_id 1, sig_id 7, type backoff, track by_src, count 1, seconds 1",
            "threshold: type is one of limit, threshold, both"
        ),
        (
            "threshold gen_id 1, sig_id 7, type limit, track by_either, count 1, seconds 1",
            "threshold: track is one of by_src, by_dst, by_both, by_rule, by_flow"
        ),
        (
            "event_filter gen_id 1, sig_id 7, type limit, track by_src, count 0, seconds 1",
            "event_filter: count is not a number of 1…4294967295"
        ),
        ("threshold gen_id 1, sig_id 7, type limit, track by_src, count 1", "threshold needs seconds"),
        (
            "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 1, new_action accept, timeout 1",
            "rate_filter: new_action is one of alert, drop, pass, reject, log, sdrop"
        ),
        (
            "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 1, new_action drop",
            "rate_filter needs timeout"
        ),
    ]

    @Test(arguments: lines)
    func saysWhatIsWrong(_ line: String, _ reason: String) throws {
        let text = "# first\n\(line)\nsuppress gen_id 1, sig_id 7"
        #expect(try ThresholdFileTests.problems(text) == ["threshold.config:2: \(reason)"])
    }

    /// The lines around one that is wrong count.
    @Test func theOthersCount() throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (sid:7;)", thresholds: "nonsense\nsuppress gen_id 1, sig_id 7\nmore")
        #expect(timeline.rules.thresholdProblems.map(\.line) == [1, 3])
        #expect(timeline.at(0, .udp()).told == [])
    }

    @Test func aRateFilterLeavesTheRulesOwnThreshold() throws {
        let rate = "rate_filter gen_id 1, sig_id 7, track by_src, count 1, seconds 1, new_action drop, timeout 1"
        #expect(
            try ThresholdFileTests.problems(
                rate, rule: "(detection_filter:track by_src, count 1, seconds 1; sid:7;)")
                == [
                    "threshold.config:1: rule 7 has a threshold or detection_filter of its own, which stands: write"
                        + " threshold to replace it, or remove the line"
                ])
    }

    static let options: [(option: String, reason: String)] = [
        ("threshold:type limit, track by_src, count 1;", "threshold needs seconds"),
        (
            "threshold:type rate, track by_src, count 1, seconds 1;",
            "threshold: type is one of limit, threshold, both, backoff"
        ),
        ("threshold:type backoff, track by_src, count 1, multiplier 2;", "threshold: backoff is tracked by_flow alone"),
        (
            "threshold:type backoff, track by_flow, count 1, multiplier 1;",
            "threshold: multiplier is not a number of 2…4294967295"
        ),
        (
            "threshold:type backoff, track by_flow, count 65536, multiplier 2;",
            "threshold: backoff's count and multiplier are below 65536"
        ),
        (
            "threshold:type limit, track by_src, count 1, seconds 1, unique_on src_port;",
            "threshold does not know unique_on"
        ),
        (
            "detection_filter:track by_port, count 1, seconds 1;",
            "detection_filter: track is one of by_src, by_dst, by_both, by_rule, by_flow"
        ),
        (
            "detection_filter:track by_src, count 1, seconds 0;",
            "detection_filter: seconds is not a number of 1…4294967295"
        ),
        (
            "detection_filter:track by_src, count 1, seconds 1, unique_on port;",
            "detection_filter: unique_on is one of src_port, dst_port"
        ),
        (
            "threshold:type limit, track by_src, count 1, seconds 1; detection_filter:track by_src, count 1, seconds 1;",
            "threshold or detection_filter is given twice"
        ),
        ("tag:flow;", "tag is of a session or a host"),
        ("tag:host,5;", "tag takes a number of packets, bytes or seconds, and src or dst"),
        ("tag:session,5,metres;", "tag takes a number of packets, bytes or seconds, and src or dst"),
        ("tag:session,0,packets;", "tag's number is not one of 1…4294967295"),
    ]

    @Test(arguments: options)
    func refusesOptions(_ option: String, _ reason: String) throws {
        let rules = try compile("alert tcp any any -> any any (\(option) sid:1;)")
        #expect(rules.problems.map(\.reason) == [reason])
    }

    @Test func uniquePortsNeedPorts() throws {
        let rules = try compile(
            "alert icmp any any -> any any (detection_filter:track by_src, count 1, seconds 1, unique_on src_port;"
                + " sid:1;)")
        #expect(rules.problems.map(\.reason) == ["detection_filter's unique_on needs protocol tcp or udp"])
    }
}
