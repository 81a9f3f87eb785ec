import Evidence
import Inspection
import Intake
import Policy
import Signatures
import Wire

/// What the rules of a program cost on captured packets.
public struct RuleProfile: ~Copyable {
    /// One rule that was looked at.
    public struct Row: Sendable {
        public let rule: Rule
        public let cost: RuleCosts.Cost
    }

    public private(set) var packets: UInt64 = 0
    private let program: Program
    private let costs: RuleCosts
    private var inspector: Inspector

    /// `program` must have been made for one worker.
    public init(_ program: Program) throws {
        self.program = program
        costs = RuleCosts(program.rules)
        inspector = try program.inspector(for: 0, tally: Tally(workerCount: 1))
        inspector.ruleCosts = costs
    }

    /// Reads one capture to its end. Throws `CaptureError` for what is none.
    public mutating func run(_ path: String) throws -> CaptureEnding {
        var capture = try CaptureFile(path: path)
        while try capture.next() {
            _ = inspector.inspect(
                capture.bytes, capture.link, Arrival(time: capture.time), capturedShort: capture.isCutShort)
            packets += 1
        }
        return capture.ending
    }

    /// The rules that were looked at, the dearest first.
    public var rows: [Row] {
        zip(program.rules.rules, costs.costs).filter { $0.1.checks > 0 }
            .map { Row(rule: $0.0, cost: $0.1) }
            .sorted { ($1.cost.nanoseconds, $0.rule.sid) < ($0.cost.nanoseconds, $1.rule.sid) }
    }
}
