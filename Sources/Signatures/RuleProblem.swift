/// A line of a rule file that was not loaded, and why.
public struct RuleProblem: Sendable, Equatable {
    public var file: String
    public var line: Int
    public var sid: UInt32?
    public var reason: String
    /// What is of this rule alone; `reason` is what it has in common with others.
    public var detail: String?

    public init(file: String, line: Int, sid: UInt32?, reason: String, detail: String? = nil) {
        self.file = file
        self.line = line
        self.sid = sid
        self.reason = reason
        self.detail = detail
    }
}

extension RuleProblem: CustomStringConvertible {
    public var description: String {
        "\(file):\(line): \(sid.map { "sid \($0): " } ?? "")\(reason)\(detail.map { ": \($0)" } ?? "")"
    }
}

/// Why no rule set came of it at all, as opposed to single rules that did not load.
public enum RuleLoadError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    /// The rules differ by so many ports that more than 65,535 pattern groups would be needed.
    case tooManyGroups
    /// flowbits, flowint, xbits and hostbits of all rule sets since the start use more than 65,535 names.
    case tooManyNames
    /// Hyperscan or PCRE2 refused; its own words.
    case engine(String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
        case .tooManyGroups: "the rules need more than 65,535 different groups of ports: load fewer of them"
        case .tooManyNames: "the rules use more than 65,535 names of flowbits and the like: load fewer, or restart"
        case .engine(let words): "the pattern engine refused: \(words)"
        }
    }
}

/// Why one rule is refused. Reasons carry no detail of the single rule where many rules share them, so
/// that they can be counted.
struct Rejection: Error {
    let reason: String
    let detail: String?

    init(_ reason: String, detail: String? = nil) {
        self.reason = reason
        self.detail = detail
    }
}
