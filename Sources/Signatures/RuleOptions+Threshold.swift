extension ParsedRule {
    /// How often the rule alerts or acts, and what is written after it. Returns whether the option is one of
    /// these.
    mutating func applyThreshold(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        switch name {
        case "threshold":
            try once("threshold or detection_filter", thresholds.isEmpty)
            thresholds = [try Threshold(rule: try required(name, value))]
        case "detection_filter":
            try once("threshold or detection_filter", thresholds.isEmpty)
            let threshold = try Threshold(detectionFilter: try required(name, value))
            if threshold.uniquePort != .none, !transport.classes.isSubset(of: .withPorts) {
                throw Rejection("detection_filter's unique_on needs protocol tcp or udp")
            }
            thresholds = [threshold]
        case "tag": tags.append(try Tag(try required(name, value)))
        default: return false
        }
        return true
    }
}

/// The words and values of a threshold, separated by commas: `track by_src, count 5, seconds 60`.
struct ThresholdWords {
    private var values: [String: RuleText] = [:]
    private let noun: String

    /// `noun` is the keyword, for the reasons. The value of one of `lists` may have commas of its own.
    init(_ text: RuleText, noun: String, lists: Set<String> = []) throws(Rejection) {
        self.noun = noun
        guard let parts = text.parts(separator: UInt8(ascii: ",")) else {
            throw Rejection("the brackets of \(noun) do not pair")
        }
        var last = ""
        for part in parts.map(\.trimmed) {
            let end = part.firstIndex(where: \.isBlank) ?? part.endIndex
            let name = part[..<end].string.lowercased()
            let value = part[end...].trimmed
            if lists.contains(last), value.isEmpty {
                values[last] = values[last]! + [UInt8(ascii: ",")] + part
                continue
            }
            guard !value.isEmpty else { throw Rejection("\(noun): \(name) has no value") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Rejection("\(noun): \(name) is given twice")
            }
            last = name
        }
    }

    mutating func text(_ name: String) -> RuleText? { values.removeValue(forKey: name) }

    mutating func required(_ name: String) throws(Rejection) -> RuleText {
        guard let value = text(name) else { throw Rejection("\(noun) needs \(name)") }
        return value
    }

    mutating func number(_ name: String, from low: UInt32) throws(Rejection) -> UInt32 {
        guard let number = try required(name).number.flatMap({ UInt32(exactly: $0) }), number >= low else {
            throw Rejection("\(noun): \(name) is not a number of \(low)…4294967295")
        }
        return number
    }

    mutating func choice<Choice>(
        _ name: String, _ choices: KeyValuePairs<String, Choice>
    ) throws(Rejection) -> Choice {
        let word = try required(name).string.lowercased()
        guard let choice = choices.first(where: { $0.key == word })?.value else {
            throw Rejection("\(noun): \(name) is one of \(choices.map(\.key).joined(separator: ", "))")
        }
        return choice
    }

    /// Every word must have been asked for.
    func finish() throws(Rejection) {
        if let name = values.keys.min() { throw Rejection("\(noun) does not know \(name)") }
    }
}

extension Threshold {
    static let tracks: KeyValuePairs<String, Track> = [
        "by_src": .source, "by_dst": .destination, "by_both": .pair, "by_rule": .rule, "by_flow": .flow,
    ]

    /// A rule's own: Suricata's detect-threshold.c.
    init(rule text: RuleText) throws(Rejection) {
        var words = try ThresholdWords(text, noun: "threshold")
        let kind: Kind = try words.choice(
            "type", ["limit": .limit, "threshold": .threshold, "both": .both, "backoff": .backoff])
        self.init(kind: kind, track: try words.choice("track", Threshold.tracks))
        count = try words.number("count", from: 1)
        if kind == .backoff {
            multiplier = try words.number("multiplier", from: 2)
            guard track == .flow else { throw Rejection("threshold: backoff is tracked by_flow alone") }
            guard max(count, multiplier) < 65_536 else {
                throw Rejection("threshold: backoff's count and multiplier are below 65536")
            }
        } else {
            seconds = try words.number("seconds", from: 0)
        }
        try words.finish()
    }

    /// Suricata's rules/thresholding.rst, whose five tracks its parser (detect-detection-filter.c) does not all take;
    /// Snort's are a part of it.
    init(detectionFilter text: RuleText) throws(Rejection) {
        var words = try ThresholdWords(text, noun: "detection_filter")
        self.init(kind: .detectionFilter, track: try words.choice("track", Threshold.tracks))
        count = try words.number("count", from: 1)
        seconds = try words.number("seconds", from: 1)
        if let port = words.text("unique_on") {
            switch port.string.lowercased() {
            case "src_port": uniquePort = .source
            case "dst_port": uniquePort = .destination
            default: throw Rejection("detection_filter: unique_on is one of src_port, dst_port")
            }
        }
        try words.finish()
    }
}
