import ArgumentParser
import Configuration
import Foundation
import Sensor
import Signatures

struct RulesCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say what loads, what does not and why, by file and line.",
        discussion: """
            Without a configuration HOME_NET is what Suricata's stock one has, the private networks, and \
            EXTERNAL_NET all others.
            """)

    @Flag(help: "Exit 1 if any rule was rejected, or a line of the threshold file.")
    var strict = false
    @Flag(help: #"Print {"loaded":n,"rejected":n,"repeated":n,"reasons":{"reason":n,…}}."#)
    var json = false
    @Option(help: "The sensor's configuration: its guests, variables and classes.")
    var config: String?
    @Option(
        help: ArgumentHelp(
            "A threshold file in Suricata's or Snort's syntax; by default the configuration's.", valueName: "file"))
    var thresholds: String?
    @Argument(help: ArgumentHelp("Rule files in Suricata's or Snort's syntax.", valueName: "file"))
    var files: [String]

    func run() throws {
        let settings = try config.map { try Settings.load(path: $0) }
        let rules = try RuleSet.load(
            files: files, thresholds: thresholds ?? settings?.rules.thresholds,
            classification: settings?.rules.classification,
            variables: settings.map(Program.variables) ?? .stock(home: RuleVariables.stockHome))
        Complaint.report(rules.thresholdProblems)
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
        if strict && (report.rejected > 0 || !rules.thresholdProblems.isEmpty) { throw ExitCode.failure }
    }

    private func summary(_ report: RuleReport) -> String {
        let rejected = UInt64(report.rejected)
        var first = "\(Figure.whole(UInt64(report.loaded))) loaded, \(Figure.whole(rejected)) rejected"
        if report.repeated > 0 { first += ", \(Figure.whole(UInt64(report.repeated))) said twice" }
        var lines = [first]
        for (reason, count) in report.ranked {
            lines.append(Figure.whole(UInt64(count)).column(9, right: true) + "  " + reason)
        }
        return lines.joined(separator: "\n")
    }
}
