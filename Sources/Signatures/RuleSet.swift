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
    /// What did not load.
    public let problems: [RuleProblem]
    /// Lines of the threshold file that do nothing, in their order.
    public let thresholdProblems: [RuleProblem]
    /// Rules that stand in the files more than once, word for word.
    public let repeated: Int
    let compiled: CompiledRules

    /// No rule at all.
    public static let empty: RuleSet = {
        // With no pattern to compile there is nothing that can fail.
        do { return try RuleSet.compile(text: "", file: "", variables: .stock(home: [])) } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Reads rule files. A rule that does not load is in `problems`; only a file that cannot be read, or an
    /// engine that refuses, is an error.
    ///
    /// `thresholds` is a file that says how often they alert or act (`ThresholdFile`). The classes of rules are
    /// the stock ones, over them those of a `classification.config` in the folder of the rule file, and over these
    /// those of the file `classification`. `precedence` says which of several matching rules is acted on first; a
    /// rule that passes is the last that is asked. `cache` spares compiling what was compiled before.
    public static func load(
        files: [String], thresholds: String? = nil, classification: String? = nil, variables: RuleVariables,
        precedence: [RuleAction] = RuleAction.allCases, cache: PatternCache? = nil
    ) throws(RuleLoadError) -> RuleSet {
        var gathering = RuleGathering()
        var chosen: [UInt8]? = nil
        if let classification { chosen = try contents(of: classification) }
        var parser = RuleParser(variables: variables)
        var byFolder: [String: Classification] = [:]
        for file in files {
            let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
            if byFolder[folder] == nil {
                var classes = Classification.stock
                let beside = folder + "classification.config"
                if let bytes = try? contents(of: beside) { classes.read(bytes, beside, &gathering) }
                if let chosen { classes.read(chosen, classification ?? "", &gathering) }
                byFolder[folder] = classes
            }
            gathering.read(try contents(of: file), file, byFolder[folder] ?? .stock, &parser)
        }
        var limits: ThresholdFile? = nil
        if let thresholds {
            limits = ThresholdFile(try contents(of: thresholds), file: thresholds, variables: variables)
        }
        return try RuleSet(gathering, limits, precedence, cache: cache)
    }

    /// Why the compiled patterns could not be kept for the next start; nil when they were, or there is no cache.
    public var cacheProblem: String? { compiled.cacheProblem }

    /// Compiles the text of one rule file; `file` is what `problems` call it. `thresholds` is the text of a
    /// threshold file.
    public static func compile(
        text: String, file: String, thresholds: String = "", variables: RuleVariables,
        precedence: [RuleAction] = RuleAction.allCases
    ) throws(RuleLoadError) -> RuleSet {
        var gathering = RuleGathering()
        var parser = RuleParser(variables: variables)
        gathering.read(Array(text.utf8), file, .stock, &parser)
        let limits = ThresholdFile(Array(thresholds.utf8), file: "threshold.config", variables: variables)
        return try RuleSet(gathering, limits, precedence)
    }

    /// What Hyperscan looks for on behalf of the rules that load, each literal once: what benchmarks compare
    /// the whole with.
    public static func literals(files: [String], variables: RuleVariables) throws(RuleLoadError) -> [RuleLiteral] {
        var parser = RuleParser(variables: variables)
        var gathering = RuleGathering()
        for file in files { gathering.read(try contents(of: file), file, .stock, &parser) }
        let prompts = Set(try FlatForm(gathering.loaded).sketches.compactMap(\.prompt).filter { $0.expression == nil })
        return prompts.map { RuleLiteral(bytes: $0.bytes, ignoresCase: $0.ignoresCase) }
    }

    /// Bytes of the compiled tables and pattern databases, in use as long as the set is.
    public var memoryBytes: Int { compiled.memoryBytes }

    private init(
        _ gathering: RuleGathering, _ thresholds: ThresholdFile?, _ precedence: [RuleAction],
        cache: PatternCache? = nil
    ) throws(RuleLoadError) {
        var loaded = gathering.loaded
        var thresholds = thresholds
        thresholds?.apply(to: &loaded)
        thresholdProblems = (thresholds?.problems ?? []).sorted { $0.line < $1.line }
        rules = loaded.map(\.rule)
        repeated = gathering.repeated
        problems = gathering.problems
        compiled = try CompiledRules(FlatForm(loaded, precedence: precedence), cache: cache)
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
