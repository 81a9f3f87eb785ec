/// A file that says how often rules alert or act, in the syntax of Suricata's threshold.config and Snort's
/// threshold.conf:
///
///     threshold gen_id 1, sig_id 2002087, type limit, track by_src, count 1, seconds 60
///     rate_filter gen_id 1, sig_id 888, track by_src, count 10, seconds 60, new_action drop, timeout 300
///     suppress gen_id 1, sig_id 2003614, track by_either, ip [192.0.2.0/24,!192.0.2.7]
///
/// `event_filter` is another word for `threshold`. A `sig_id` of 0 is for all rules of a generator, a `gen_id` of 0
/// with it for all rules there are. Suricata's util-threshold-config.c says which of several lines stands.
struct ThresholdFile {
    struct Line {
        /// Counted from 1.
        var number: Int
        var gid: UInt32
        var sid: UInt32
        /// nil for a suppression of all that the rule says.
        var threshold: Threshold?
    }

    let file: String
    private(set) var lines: [Line] = []
    private(set) var problems: [RuleProblem] = []

    /// A line that is not understood is in `problems`, and the others count.
    init(_ bytes: [UInt8], file: String, variables: RuleVariables) {
        self.file = file
        var addresses = EndpointParser(addresses: variables.addresses)
        for line in RuleLines.split(bytes) {
            // No value has a number sign in it, so it begins a comment wherever it stands.
            let text = line.text.prefix { $0 != UInt8(ascii: "#") }.trimmed
            do throws(Rejection) {
                guard !line.isTooLong else {
                    throw Rejection("a line longer than \(RuleLines.maximumLength) bytes")
                }
                lines.append(try Line(text, number: line.number, &addresses))
            } catch {
                problems.append(RuleProblem(file: file, line: line.number, sid: nil, reason: error.reason))
            }
        }
    }
}

extension ThresholdFile.Line {
    init(_ text: RuleText, number: Int, _ addresses: inout EndpointParser<UInt128>) throws(Rejection) {
        let end = text.firstIndex(where: \.isBlank) ?? text.endIndex
        let verb = text[..<end].string.lowercased()
        guard ["threshold", "event_filter", "rate_filter", "suppress"].contains(verb) else {
            throw Rejection(
                "\(verb) is not known here: write threshold, event_filter, rate_filter or suppress")
        }
        self.number = number
        var words = try ThresholdWords(text[end...], noun: verb, lists: ["ip", "apply_to"])
        gid = try words.number("gen_id", from: 0)
        sid = try words.number("sig_id", from: 0)
        if gid == 0, sid > 0 {
            throw Rejection("\(verb): sig_id \(sid) needs its gen_id, mostly 1; 0 is for all rules")
        }
        switch verb {
        case "rate_filter": threshold = try Threshold(rateFilter: &words, &addresses)
        case "suppress": threshold = try Threshold(suppression: &words, &addresses)
        default: threshold = try Threshold(eventFilter: &words)
        }
        try words.finish()
    }
}

extension Threshold {
    fileprivate init(eventFilter words: inout ThresholdWords) throws(Rejection) {
        self.init(
            kind: try words.choice("type", ["limit": .limit, "threshold": .threshold, "both": .both]),
            track: try words.choice("track", Threshold.tracks))
        count = try words.number("count", from: 1)
        seconds = try words.number("seconds", from: 0)
    }

    fileprivate init(
        rateFilter words: inout ThresholdWords, _ parser: inout EndpointParser<UInt128>
    ) throws(Rejection) {
        self.init(kind: .rateFilter, track: try words.choice("track", Threshold.tracks))
        count = try words.number("count", from: 1)
        seconds = try words.number("seconds", from: 0)
        timeout = try words.number("timeout", from: 0)
        let name = try words.choice(
            "new_action",
            ["alert": "alert", "drop": "drop", "pass": "pass", "reject": "reject", "log": "log", "sdrop": "sdrop"])
        switch name {
        case "drop", "sdrop": action = .drop
        case "pass": action = .pass
        case "reject": action = .reject
        default: action = .alert
        }
        isSilent = name == "sdrop"
        // Snort's.
        if let text = words.text("apply_to") { addresses = try Threshold.addresses(text, &parser) }
    }

    /// nil for one that names no addresses.
    fileprivate init?(
        suppression words: inout ThresholdWords, _ parser: inout EndpointParser<UInt128>
    ) throws(Rejection) {
        guard let text = words.text("ip") else {
            guard words.text("track") == nil else {
                throw Rejection("suppress: track needs ip and an address, a list in brackets or a variable")
            }
            return nil
        }
        self.init(
            kind: .suppress,
            track: try words.choice(
                "track", ["by_src": .source, "by_dst": .destination, "by_either": .either]))
        addresses = try Threshold.addresses(text, &parser)
    }

    private static func addresses(
        _ text: RuleText, _ parser: inout EndpointParser<UInt128>
    ) throws(Rejection) -> AddressSet {
        do {
            return try parser.parse(text)
        } catch {
            throw Rejection("\(error.reason): write addresses, a list in brackets or a variable of rules.variables")
        }
    }
}

extension ThresholdFile {
    /// Gives the rules what the lines say of them. What a line is about that is not there is a problem of its
    /// own.
    mutating func apply(to rules: inout [(parsed: ParsedRule, rule: Rule)]) {
        var places: [UInt64: Int] = [:]
        for index in rules.indices { places[rules[index].parsed.number] = index }
        /// By gid and sid, 0 for all.
        var suppressions: [UInt64: [Threshold]] = [:]
        for line in lines {
            let number = UInt64(line.gid) << 32 | UInt64(line.sid)
            if line.sid != 0, places[number] == nil {
                report(line, "no rule has gid \(line.gid) and sid \(line.sid): load it, or remove the line")
            } else if let threshold = line.threshold, threshold.kind == .suppress {
                suppressions[number, default: []].append(threshold)
            } else if let index = places[number] {
                if !rules[index].parsed.take(line.threshold, isOwn: true) {
                    report(
                        line,
                        "rule \(line.sid) has a threshold or detection_filter of its own, which stands: write"
                            + " threshold to replace it, or remove the line")
                }
            } else {
                // Those that have one of their own keep it.
                for index in rules.indices where line.gid == 0 || rules[index].parsed.gid == line.gid {
                    _ = rules[index].parsed.take(line.threshold, isOwn: false)
                }
            }
        }
        if !suppressions.isEmpty { ThresholdFile.suppress(suppressions, &rules) }
    }

    /// Many lines are about all rules, and many rules are about none of their own: what they have in common is put
    /// together once for each gid.
    private static func suppress(
        _ suppressions: [UInt64: [Threshold]], _ rules: inout [(parsed: ParsedRule, rule: Rule)]
    ) {
        var common: [UInt32: [Threshold]] = [:]
        for index in rules.indices {
            let gid = rules[index].parsed.gid
            let general =
                common[gid] ?? united((suppressions[0] ?? []) + (gid == 0 ? [] : suppressions[UInt64(gid) << 32] ?? []))
            common[gid] = general
            let own = suppressions[rules[index].parsed.number]
            rules[index].parsed.suppressions = own.map { united(general + $0) } ?? general
        }
    }

    /// One for each way of tracking, of all their addresses.
    private static func united(_ list: [Threshold]) -> [Threshold] {
        [Threshold.Track.source, .destination, .either].compactMap { track in
            let same = list.filter { $0.track == track }
            guard var one = same.first else { return nil }
            one.addresses = AddressSet(union: same.map(\.addresses))
            return one
        }
    }

    private mutating func report(_ line: Line, _ reason: String) {
        problems.append(RuleProblem(file: file, line: line.number, sid: line.sid, reason: reason))
    }
}

extension ParsedRule {
    /// Takes over what a line says, nil for never to be told of; `isOwn` if it names this rule. Returns whether it
    /// does.
    fileprivate mutating func take(_ threshold: Threshold?, isOwn: Bool) -> Bool {
        guard let threshold else {
            isSilent = true
            isLoud = false
            return true
        }
        guard thresholds.isEmpty || (isOwn && threshold.kind != .rateFilter) else { return false }
        thresholds = [threshold]
        return true
    }
}
