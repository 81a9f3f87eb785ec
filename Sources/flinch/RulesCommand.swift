import ArgumentParser
import Configuration
import Foundation
import Signatures
import Wire

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Check rule files.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what loads, what does not and why, by file and line.")

        @Flag(help: "Exit 1 if any rule was rejected, or a line of the threshold file.")
        var strict = false
        @Flag(help: #"Print {"loaded":n,"rejected":n,"reasons":{"reason":n,…}}."#)
        var json = false
        @Option(help: ArgumentHelp("A threshold file in Suricata's or Snort's syntax.", valueName: "file"))
        var thresholds: String?
        @Argument(help: ArgumentHelp("Rule files in Suricata's or Snort's syntax.", valueName: "file"))
        var files: [String]

        func run() throws {
            let rules = try RuleSet.load(files: files, thresholds: thresholds, variables: .stock(home: []))
            let report = RuleReport(rules)
            Complaint.report(rules.thresholdProblems)
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                let data = try encoder.encode(report)
                FileHandle.standardOutput.write(data + [10])
            } else {
                for problem in rules.problems { print("\(problem.file):\(problem.line): \(problem.reason)") }
                print(summary(report))
            }
            if strict && (report.rejected > 0 || !rules.thresholdProblems.isEmpty) { throw ExitCode.failure }
        }

        private func summary(_ report: RuleReport) -> String {
            let rejected = UInt64(report.rejected)
            var lines = ["\(Figure.whole(UInt64(report.loaded))) loaded, \(Figure.whole(rejected)) rejected"]
            for (reason, count) in report.ranked {
                lines.append(Figure.whole(UInt64(count)).column(9, right: true) + "  " + reason)
            }
            return lines.joined(separator: "\n")
        }
    }
}
