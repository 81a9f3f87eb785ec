import Conformance
import Evidence
import Floods
import Foundation
import Inspection
import Intake
import Policy
import Signatures
import Topology
import Wire

/// What fails which check in a folder of captures.
public struct ConformanceReview: Sendable {
    public struct Row: Sendable, Equatable {
        public var packets = 0
        public var captures = 0
    }

    /// By the checks' numbers.
    public private(set) var rows = [Row](repeating: Row(), count: Check.allCases.count)
    public private(set) var packets = 0
    public private(set) var captures = 0
    /// Files that are no captures, or could not be read to their end.
    public private(set) var unreadable: [String] = []
    /// Packets with a finding, and with one of high concern.
    public private(set) var found = 0
    public private(set) var high = 0

    /// Replays each capture by itself, with the defaults of all checks and nobody to protect.
    public init(captures paths: [String]) throws {
        let rules = try RuleSet.compile(text: "", file: "", variables: .stock(home: []))
        for path in paths { try replay(path, rules) }
    }

    private mutating func replay(_ path: String, _ rules: RuleSet) throws {
        let hosts = HostTable([], seed: Replay.hostSeed)
        let mode = InspectionMode(isInline: false, verifiesChecksums: true)
        var inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts, floods: FloodTable(slotCount: hosts.slotCount, workerCount: 1),
            rules: rules, policies: PolicyTable(guests: [], others: GuestPolicy()), tally: Tally(workerCount: 1),
            memory: FlowMemory(
                workers: 1, flows: 4096, streamBytes: 4 << 20, datagrams: 256, fragmentBytes: 1 << 20, hostBits: 64,
                thresholds: 64, tags: 64, mode: mode),
            mode: mode)
        captures += 1
        do throws(CaptureError) {
            if try !read(path, &inspector) { unreadable.append(path) }
        } catch {
            unreadable.append(path)
        }
    }

    /// Returns whether the file ended where it should.
    private mutating func read(_ path: String, _ inspector: inout Inspector) throws(CaptureError) -> Bool {
        var capture = try CaptureFile(path: path)
        var seen = Set<UInt32>()
        while try capture.next() {
            packets += 1
            _ = inspector.inspect(
                capture.bytes, capture.link, Arrival(time: capture.time), capturedShort: capture.isCutShort)
            count(inspector, &seen)
        }
        // What streams still held is looked at, too.
        inspector.endFlows()
        while inspector.inspectEnding(Arrival(time: capture.time)) != nil { count(inspector, &seen) }
        return capture.ending == .whole
    }

    /// `seen` are the checks that packets of the same capture failed before.
    private mutating func count(_ inspector: borrowing Inspector, _ seen: inout Set<UInt32>) {
        var worst: Concern?
        var counted = Set<UInt32>()
        for index in 0..<inspector.findings.count {
            let finding = inspector.findings[index]
            guard finding.source == .conformance else { continue }
            worst = max(worst ?? finding.concern, finding.concern)
            if counted.insert(finding.code).inserted { rows[Int(finding.code)].packets += 1 }
            if seen.insert(finding.code).inserted { rows[Int(finding.code)].captures += 1 }
        }
        if worst != nil { found += 1 }
        if worst == .high { high += 1 }
    }
}

/// The page of all checks, `docs/conformance.md`: what is between its marks is made from the table of checks and
/// from captures; the last column of what captures showed is a person's, and is kept.
public struct ConformancePage {
    public static let unexplained = "not reviewed"
    /// Folders of captures that the page is about.
    public static let folders = ["malformed", "protocols"]

    public private(set) var text: String

    public init(_ text: String) { self.text = text }

    /// Writes the reference of all checks.
    public mutating func updateChecks() {
        var lines: [String] = []
        var heading = ""
        for check in Checks.all.sorted(by: { ConformancePage.order($0) < ConformancePage.order($1) }) {
            if heading != check.protocolName {
                heading = String(check.protocolName)
                lines += ["", "### \(heading)", ""]
                lines += ["| check | what is wrong | by | concern | action | Suricata's decoder events |"]
                lines += ["|---|---|---|---|---|---|"]
            }
            let events = check.events.map { "`\($0.name)`" }.joined(separator: " ")
            lines.append(
                "| `\(check.identifier)` | \(check.text) | \(check.reference) | \(check.setting.concern) |"
                    + " \(check.setting.action.rawValue) | \(events) |")
        }
        replace("checks", with: lines.dropFirst().joined(separator: "\n"))
    }

    /// Protocols stand in the order of their first checks in the tables.
    private static func order(_ check: ConformanceCheck) -> Int {
        let first = protocols.firstIndex(of: String(check.protocolName)) ?? 0
        return first << 8 | Int(check.check.rawValue)
    }

    private static let protocols: [String] = Checks.tables.joined().reduce(into: []) { names, check in
        if !names.contains(String(check.protocolName)) { names.append(String(check.protocolName)) }
    }

    /// Writes what the captures of a folder showed. Explanations are those that the page has.
    public mutating func update(_ folder: String, _ review: ConformanceReview) {
        let notes = self.notes(folder)
        var lines = [
            "\(review.captures) captures, \(review.packets) packets; \(review.found) with a finding, \(review.high)"
                + " (\(ConformancePage.share(review.high, of: review.packets))) with one of high concern.", "",
            "| check | concern | packets | captures | what they are |", "|---|---|---|---|---|",
        ]
        for (check, row) in zip(Checks.all, review.rows) where row.packets > 0 {
            lines.append(
                "| `\(check.identifier)` | \(check.setting.concern) | \(row.packets) | \(row.captures) |"
                    + " \(notes[check.identifier] ?? ConformancePage.unexplained) |")
        }
        replace(folder, with: lines.joined(separator: "\n"))
    }

    private static func share(_ part: Int, of whole: Int) -> String {
        String(format: "%.3f %%", whole == 0 ? 0 : Double(part) * 100 / Double(whole))
    }

    /// The last column by the first.
    private func notes(_ folder: String) -> [String: String] {
        var notes: [String: String] = [:]
        for line in section(folder).split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.count == 5 { notes[cells[0].trimmingCharacters(in: ["`"])] = cells[4] }
        }
        return notes
    }

    private static func marks(_ name: String) -> (begin: String, end: String) {
        ("<!-- \(name): written by `flinch policy checks --page` -->\n", "\n<!-- end of \(name) -->")
    }

    private func range(_ name: String) -> Range<String.Index>? {
        let marks = ConformancePage.marks(name)
        guard let begin = text.range(of: marks.begin),
            let end = text.range(of: marks.end, range: begin.upperBound..<text.endIndex)
        else { return nil }
        return begin.upperBound..<end.lowerBound
    }

    private func section(_ name: String) -> Substring { range(name).map { text[$0] } ?? "" }

    private mutating func replace(_ name: String, with body: String) {
        if let range = range(name) { text.replaceSubrange(range, with: body) }
    }
}
