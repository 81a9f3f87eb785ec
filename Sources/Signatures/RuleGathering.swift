import Evidence

/// The rules of a set while its files are read: which of those that have the same gid and sid counts, and what
/// did not load.
struct RuleGathering {
    private(set) var loaded: [(parsed: ParsedRule, rule: Rule)] = []
    private(set) var problems: [RuleProblem] = []
    /// Rules that stand there more than once, word for word.
    private(set) var repeated = 0

    private struct Place {
        var index: Int
        var text: [UInt8]
    }

    /// By gid and sid.
    private var places: [UInt64: Place] = [:]

    /// Reads the rules of a file, with the classes that they may name.
    mutating func read(_ bytes: [UInt8], _ file: String, _ classes: Classification, _ parser: inout RuleParser) {
        for line in RuleLines.rules(bytes) {
            do throws(Rejection) {
                guard !line.isTooLong else {
                    throw Rejection("a rule longer than \(RuleLines.maximumLength) bytes")
                }
                // To other dialects a comment of one line; so it is said and not only done.
                guard !line.isDisabled else {
                    throw Rejection("it stands between #begin and #end, a comment to Snort 3: take those lines away")
                }
                let parsed = try parser.parse(line.text[...])
                try RuleGathering.checkExpressions(parsed)
                try add(parsed, Rule(parsed, classes, file: file, line: line.number), text: line.text)
            } catch {
                refuse(error, file: file, line: line.number, sid: RuleParser.sid(of: line.text[...]))
            }
        }
    }

    /// A rule whose expression PCRE2 refuses is one that does not load; the others do.
    private static func checkExpressions(_ parsed: ParsedRule) throws(Rejection) {
        for part in parsed.parts {
            for case .expression(let expression) in part.tests {
                if let problem = ExpressionTable.problem(expression) { throw Rejection("pcre: \(problem)") }
            }
        }
    }

    /// A higher revision takes the place of a lower one, wherever it stands (Suricata's
    /// DetectEngineSignatureIsDuplicate). The same rule again, as when a file is named twice, is no problem.
    private mutating func add(_ parsed: ParsedRule, _ rule: Rule, text: [UInt8]) throws(Rejection) {
        let key = UInt64(rule.gid) << 32 | UInt64(rule.sid)
        guard let place = places[key] else {
            places[key] = Place(index: loaded.count, text: text)
            loaded.append((parsed, rule))
            return
        }
        let other = loaded[place.index].rule
        if place.text == text {
            repeated += 1
        } else if rule.rev > other.rev {
            refuse(RuleGathering.isOld(rule), file: other.file, line: other.line, sid: other.sid)
            loaded[place.index] = (parsed, rule)
            places[key] = Place(index: place.index, text: text)
        } else if rule.rev < other.rev {
            throw RuleGathering.isOld(other)
        } else {
            throw Rejection("another rule has its gid, sid and rev", detail: RuleGathering.place(other))
        }
    }

    mutating func refuse(_ rejection: Rejection, file: String, line: Int, sid: UInt32?) {
        problems.append(
            RuleProblem(file: file, line: line, sid: sid, reason: rejection.reason, detail: rejection.detail))
    }

    private static func isOld(_ newer: Rule) -> Rejection {
        Rejection("a newer revision of it is loaded", detail: place(newer))
    }

    private static func place(_ rule: Rule) -> String { "\(rule.file):\(rule.line)" }
}

extension Rule {
    fileprivate init(_ parsed: ParsedRule, _ classes: Classification, file: String, line: Int) {
        let known = classes.classes[parsed.classtype]
        gid = parsed.gid
        sid = parsed.sid
        rev = parsed.rev
        message = parsed.message
        classtype = parsed.classtype
        // A class that is not defined is named as it is written.
        category = known?.text ?? parsed.classtype
        priority = parsed.priority ?? known?.priority ?? Classification.defaultPriority
        action = parsed.action
        concern = Concern(priority: priority)
        metadataText = parsed.metadata
        target = parsed.target
        self.file = file
        self.line = line
    }
}
