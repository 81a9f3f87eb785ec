import ArgumentParser
import Configuration
import Foundation
import Inspection
import Intake
import Sensor
import Signatures
import Topology
import Wire

struct RulesProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "List the most expensive rules on captured packets.",
        discussion: """
            A rule is checked when its pattern is found in a packet or a stream, or on each packet if it has \
            none. What it costs is the time spent on that.
            """)

    @Option(help: ArgumentHelp("A rule file; may be given several times.", valueName: "file"))
    var rules: [String] = []
    @Option(help: "The sensor's configuration: guests, rules.")
    var config: String?
    @Option(help: ArgumentHelp("How many rules to list; 0 for all.", valueName: "n"))
    var top = 20
    @Flag(help: "Print one JSON object.")
    var json = false
    @Argument(help: ArgumentHelp("pcap or pcapng files; - is standard input.", valueName: "capture"))
    var captures: [String]

    func run() throws {
        var settings = Settings()
        if let config { settings = try Settings.load(path: config) }
        settings.rules.files += rules
        if settings.guests.isEmpty, settings.rules.variables.addresses["HOME_NET"] == nil {
            settings.rules.variables.addresses["HOME_NET"] =
                "[" + RuleVariables.stockHome.map { "\($0)" }.joined(separator: ",") + "]"
            settings.rules.variables.addresses["EXTERNAL_NET"] = "!$HOME_NET"
        }
        // Connections are followed from where the capture begins, so that all of it is asked about.
        let mode = InspectionMode(isInline: false, verifiesChecksums: false, midstream: true)
        let program = try Program(settings, workers: 1, hostSeed: Replay.hostSeed, mode: mode)
        Complaint.report(program.rules.problems)
        var profile = try RuleProfile(program)
        var whole = true
        for path in captures {
            do {
                let ending = try profile.run(path)
                if case .truncated(let why) = ending {
                    Complaint.say("\(path): \(why); what came before was read")
                    whole = false
                }
            } catch {
                Complaint.say("\(error)")
                whole = false
            }
        }
        let page = RuleProfilePage(profile.rows, packets: profile.packets, top: top)
        if json { FileHandle.standardOutput.write(try page.json() + [10]) } else { print(page.text) }
        if !whole { throw ExitCode.failure }
    }
}

/// A profile as people and programs read it.
struct RuleProfilePage: Encodable {
    struct Line: Encodable {
        var gid: UInt32
        var sid: UInt32
        var rev: UInt32
        var msg: String
        var file: String
        var line: Int
        var checks: UInt64
        var matches: UInt64
        var nanoseconds: UInt64
        /// Of what all rules took, 0…1.
        var share: Double
    }

    var packets: UInt64
    var checks: UInt64
    var nanoseconds: UInt64
    var rules: [Line]

    init(_ rows: [RuleProfile.Row], packets: UInt64, top: Int) {
        self.packets = packets
        checks = rows.reduce(0) { $0 + $1.cost.checks }
        let total = rows.reduce(0) { $0 + $1.cost.nanoseconds }
        nanoseconds = total
        rules = rows.prefix(top > 0 ? top : rows.count).map { row in
            Line(
                gid: row.rule.gid, sid: row.rule.sid, rev: row.rule.rev, msg: row.rule.message, file: row.rule.file,
                line: row.rule.line, checks: row.cost.checks, matches: row.cost.matches,
                nanoseconds: row.cost.nanoseconds,
                share: total == 0 ? 0 : Double(row.cost.nanoseconds) / Double(total))
        }
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    var text: String {
        var lines = ["   share      checks     matches    ns a check         sid  rule"]
        for rule in rules {
            let each = rule.checks == 0 ? 0 : rule.nanoseconds / rule.checks
            lines.append(
                String(format: "%6.1f %%", rule.share * 100) + Figure.whole(rule.checks).column(12, right: true)
                    + Figure.whole(rule.matches).column(12, right: true) + Figure.whole(each).column(14, right: true)
                    + "\(rule.sid)".column(12, right: true) + "  " + rule.msg)
        }
        let each = packets == 0 ? 0 : nanoseconds / packets
        lines.append(
            "\(Figure.whole(packets)) packets, \(Figure.whole(checks)) checks; \(Figure.whole(each)) ns a packet on them"
        )
        return lines.joined(separator: "\n")
    }
}
