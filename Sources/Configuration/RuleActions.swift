import Evidence
import Signatures

/// What a policy does about rules, in place of what they ask for.
///
/// Each layer was written over those before it: a policy's over that which it is based on, a guest's over its policy's.
/// Of one layer what is narrower counts: a rule's number, its class, its file, its concern, all.
public struct RuleActions: Sendable, Equatable {
    public enum Selector: Sendable, Hashable, CustomStringConvertible {
        case rule(Settings.RuleNumber)
        case classtype(String)
        /// A file's name, or the end of its path.
        case file(String)
        case concern(Concern)
        case all

        public var description: String {
            switch self {
            case .rule(let number): "\(number.gid):\(number.sid)"
            case .classtype(let name): "classtype:\(name)"
            case .file(let name): "file:\(name)"
            case .concern(let concern): "concern:\(concern)"
            case .all: "all"
            }
        }

        func covers(_ rule: Rule) -> Bool {
            switch self {
            case .rule(let number): number == Settings.RuleNumber(gid: rule.gid, sid: rule.sid)
            case .classtype(let name): rule.classtype == name
            case .file(let name): rule.file == name || rule.file.hasSuffix("/\(name)")
            case .concern(let concern): rule.concern == concern
            case .all: true
            }
        }
    }

    /// The widest first.
    private(set) var layers: [[Selector: RuleHandling]] = []

    public init() {}

    mutating func add(_ layer: [Selector: RuleHandling]) {
        // What says nothing new is not kept.
        if layer.isEmpty || layers.isEmpty && layer == [.all: .asWritten] { return }
        layers.append(layer)
    }

    /// What holds for rules of which nothing narrower is said.
    public var standard: RuleHandling { layers.last { $0[.all] != nil }?[.all] ?? .asWritten }

    /// What is said of single rules and sorts of them, what counts first at the top.
    public var statements: [(name: String, handling: RuleHandling)] {
        var seen: Set<Selector> = []
        var statements: [(name: String, handling: RuleHandling)] = []
        for layer in layers.reversed() {
            statements += layer.filter { $0.key != .all && seen.insert($0.key).inserted }
                .map { (name: $0.key.description, handling: $0.value) }.sorted { $0.name < $1.name }
            // What stands below it is not asked.
            if layer[.all] != nil { break }
        }
        return statements
    }

    public func handling(of rule: Rule) -> RuleHandling {
        for layer in layers.reversed() {
            let files = layer.keys.filter { if case .file = $0 { $0.covers(rule) } else { false } }
            let candidates: [Selector] =
                [.rule(.init(gid: rule.gid, sid: rule.sid)), .classtype(rule.classtype)]
                + files.sorted { $0.description.utf8.count > $1.description.utf8.count }
                + [.concern(rule.concern), .all]
            for candidate in candidates {
                if let handling = layer[candidate] { return handling }
            }
        }
        return .asWritten
    }

    /// By the rules' indices; empty where all are as written.
    public func handlings(of rules: [Rule]) -> [RuleHandling] { layers.isEmpty ? [] : rules.map(handling) }
}

extension Settings {
    /// What policies say of rules that are not there, a line each.
    public func unmatchedRuleNames(among rules: [Rule]) -> [String] {
        let all = ([policy.rules] + guests.map(\.rules)).flatMap(\.layers).flatMap(\.keys)
        return Set(all).filter { selector in !rules.contains(where: selector.covers) && selector != .all }
            .map { "a policy speaks of \($0), which no loaded rule is" }.sorted()
    }
}
