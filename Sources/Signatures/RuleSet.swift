import Evidence
import Glibc

/// Bytes that a rule's packets must contain.
public struct RuleLiteral: Sendable {
    public var bytes: [UInt8]
    public var ignoresCase: Bool
}

/// The rules of a sensor, compiled. Never changes: a reload makes another one beside it.
public final class RuleSet: Sendable {
    /// What loaded, in the order of the files. A finding's `code` is an index into this.
    public let rules: [Rule]
    /// What did not load, in the order of the files.
    public let problems: [RuleProblem]
    /// Lines of the threshold file that do nothing, in their order.
    public let thresholdProblems: [RuleProblem]
    let compiled: CompiledRules

    /// No rule at all.
    public static let empty: RuleSet = {
        // With no pattern to compile there is nothing that can fail.
        do { return try RuleSet.compile(text: "", file: "", variables: .stock(home: [])) } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Reads rule files. A rule that does not load is in `problems`; only a file that cannot be read, or an
    /// engine that refuses, is an error. `thresholds` is a file that says how often they alert or act
    /// (`ThresholdFile`). `precedence` says which of several matching rules is acted on first; a rule that passes
    /// is the last that is asked. `cache` spares compiling what was compiled before.
    public static func load(
        files: [String], thresholds: String? = nil, variables: RuleVariables,
        precedence: [RuleAction] = RuleAction.allCases, cache: PatternCache? = nil
    ) throws(RuleLoadError) -> RuleSet {
        var sources: [(file: String, bytes: [UInt8])] = []
        for file in files { sources.append((file, try contents(of: file))) }
        var limits: ThresholdFile? = nil
        if let thresholds {
            limits = ThresholdFile(try contents(of: thresholds), file: thresholds, variables: variables)
        }
        return try RuleSet(sources, variables, thresholds: limits, precedence: precedence, cache: cache)
    }

    /// Why the compiled patterns could not be kept for the next start; nil when they were, or there is no cache.
    public var cacheProblem: String? { compiled.cacheProblem }

    /// Compiles the text of one rule file; `file` is what `problems` call it. `thresholds` is the text of a
    /// threshold file.
    public static func compile(
        text: String, file: String, thresholds: String = "", variables: RuleVariables,
        precedence: [RuleAction] = RuleAction.allCases
    ) throws(RuleLoadError) -> RuleSet {
        try RuleSet(
            [(file, Array(text.utf8))], variables,
            thresholds: ThresholdFile(Array(thresholds.utf8), file: "threshold.config", variables: variables),
            precedence: precedence)
    }

    /// What Hyperscan looks for on behalf of the rules that load, each literal once: what benchmarks compare
    /// the whole with.
    public static func literals(files: [String], variables: RuleVariables) throws(RuleLoadError) -> [RuleLiteral] {
        var parser = RuleParser(variables: variables)
        var parsed: [(parsed: ParsedRule, rule: Rule)] = []
        for file in files {
            for line in RuleLines.split(try contents(of: file)) where !line.isTooLong {
                guard let rule = try? parser.parse(line.text[...]) else { continue }
                parsed.append((rule, Rule(rule, file: file, line: line.number)))
            }
        }
        let prompts = Set(try FlatForm(parsed).sketches.compactMap(\.prompt).filter { $0.expression == nil })
        return prompts.map { RuleLiteral(bytes: $0.bytes, ignoresCase: $0.ignoresCase) }
    }

    /// Bytes of the compiled tables and pattern databases, in use as long as the set is.
    public var memoryBytes: Int { compiled.memoryBytes }

    init(
        _ sources: [(file: String, bytes: [UInt8])], _ variables: RuleVariables, thresholds: ThresholdFile? = nil,
        precedence: [RuleAction] = RuleAction.allCases, cache: PatternCache? = nil
    ) throws(RuleLoadError) {
        var parser = RuleParser(variables: variables)
        var loaded: [(parsed: ParsedRule, rule: Rule)] = []
        var problems: [RuleProblem] = []
        /// Where each gid and sid was first seen.
        var places: [UInt64: String] = [:]
        for (file, bytes) in sources {
            for line in RuleLines.split(bytes) {
                do throws(Rejection) {
                    guard !line.isTooLong else {
                        throw Rejection("a rule longer than \(RuleLines.maximumLength) bytes")
                    }
                    let parsed = try parser.parse(line.text[...])
                    try RuleSet.checkExpressions(parsed)
                    let place = UInt64(parsed.gid) << 32 | UInt64(parsed.sid)
                    if let first = places[place] {
                        throw Rejection("sid \(parsed.sid) of gid \(parsed.gid) stands in \(first) already")
                    }
                    places[place] = "\(file):\(line.number)"
                    loaded.append((parsed, Rule(parsed, file: file, line: line.number)))
                } catch {
                    problems.append(
                        RuleProblem(
                            file: file, line: line.number, sid: RuleParser.sid(of: line.text[...]),
                            reason: error.reason))
                }
            }
        }
        var thresholds = thresholds
        thresholds?.apply(to: &loaded)
        thresholdProblems = (thresholds?.problems ?? []).sorted { $0.line < $1.line }
        rules = loaded.map(\.rule)
        self.problems = problems
        compiled = try CompiledRules(FlatForm(loaded, precedence: precedence), cache: cache)
    }

    /// A rule whose expression PCRE2 refuses is one that does not load; the others do.
    private static func checkExpressions(_ parsed: ParsedRule) throws(Rejection) {
        for part in parsed.parts {
            for case .expression(let expression) in part.tests {
                if let problem = ExpressionTable.problem(expression) { throw Rejection("pcre: \(problem)") }
            }
        }
    }

    /// Files larger than this are not taken for rule files.
    private static let largestFile = 512 << 20

    private static func contents(of file: String) throws(RuleLoadError) -> [UInt8] {
        func refuse(_ code: Int32) -> RuleLoadError {
            .unreadable(file: file, reason: unsafe String(cString: strerror(code)))
        }
        guard let handle = unsafe fopen(file, "re") else { throw refuse(errno) }
        defer { unsafe _ = fclose(handle) }
        var bytes: [UInt8] = []
        let step = 1 << 16
        while true {
            var count = 0
            let part = unsafe [UInt8](unsafeUninitializedCapacity: step) { buffer, used in
                unsafe used = fread(buffer.baseAddress, 1, step, handle)
                count = used
            }
            bytes += part
            if count < step { break }
            guard bytes.count <= largestFile else {
                throw .unreadable(file: file, reason: "larger than \(largestFile >> 20) MiB")
            }
        }
        guard unsafe ferror(handle) == 0 else { throw refuse(errno) }
        return bytes
    }
}

extension Rule {
    fileprivate init(_ parsed: ParsedRule, file: String, line: Int) {
        let known = Classification.classes[parsed.classtype]
        gid = parsed.gid
        sid = parsed.sid
        rev = parsed.rev
        message = parsed.message
        classtype = parsed.classtype
        // A class of the user's own is named as it is written.
        category = known?.text ?? parsed.classtype
        priority = parsed.priority ?? known?.priority ?? Classification.defaultPriority
        action = parsed.action
        concern = Concern(priority: priority)
        self.file = file
        self.line = line
    }
}
