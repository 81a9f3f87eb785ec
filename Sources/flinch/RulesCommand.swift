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

        @Flag(help: "Exit 1 if any rule was rejected.")
        var strict = false
        @Flag(help: #"Print {"loaded":n,"rejected":n,"reasons":{"reason":n,…}}."#)
        var json = false
        @Argument(help: ArgumentHelp("Rule files in Suricata's or Snort's syntax.", valueName: "file"))
        var files: [String]

        func run() throws {
            let rules = try RuleSet.load(files: files, variables: .stock(home: RuleVariables.stockHome))
            let report = RuleReport(rules)
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                let data = try encoder.encode(report)
                FileHandle.standardOutput.write(data + [10])
            } else {
                for problem in rules.problems { print(problem) }
                print(summary(report))
            }
            if strict && report.rejected > 0 { throw ExitCode.failure }
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
