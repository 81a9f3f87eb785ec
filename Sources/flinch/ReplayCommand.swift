import ArgumentParser
import Configuration
import Control
import Events
import Foundation
import Inspection
import Intake
import Sensor
import Signatures
import Sinks
import Topology
import Wire

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Inspect captured packets as if they came by now.",
        discussion: """
            The same inspection as inline, over pcap and pcapng files, with the capture's time as the clock. \
            Prints EVE JSON lines, the last a `stats` event. Exit 0 when every capture was read to its end.
            """)

    @Option(help: "The sensor's configuration: guests, floods, rules, policy.")
    var config: String?
    @Option(help: ArgumentHelp("A rule file; may be given several times.", valueName: "file"))
    var rules: [String] = []
    @Option(
        help: ArgumentHelp(
            "Addresses to protect, which $HOME_NET stands for; may be given several times.", valueName: "cidr"),
        transform: ReplayCommand.prefix)
    var home: [Prefix] = []
    @Option(help: ArgumentHelp("Where the events go; - is standard output.", valueName: "file"))
    var eve = "-"
    @Flag(
        help: """
            As on a live bridge: drop rules drop, and what they dropped is gone for what follows. Without it \
            they only alert, since nobody can stop what was captured.
            """)
    var inline = false
    @Flag(help: "Take packets with wrong checksums for good ones: the sender's card may have filled them in.")
    var noChecksums = false
    @Flag(
        help: """
            Take up TCP connections whose beginning the capture does not have. Without it their packets are \
            looked at one by one.
            """)
    var midstream = false
    @Flag(help: "An event of type flow for each conversation that is over, whatever the configuration says.")
    var flows = false
    @Option(
        help: ArgumentHelp("Thresholds and suppressions, in the syntax of Suricata's.", valueName: "file"))
    var thresholds: String?
    @Argument(help: ArgumentHelp("pcap or pcapng files; - is standard input.", valueName: "capture"))
    var captures: [String]

    private static func prefix(_ text: String) throws -> Prefix {
        guard let prefix = Prefix(text) else {
            throw ValidationError("'\(text)' is no address or prefix; write it like 192.0.2.0/24 or 2001:db8::/64")
        }
        return prefix
    }

    func run() throws {
        let settings = try settings()
        var mode = InspectionMode(isInline: inline, verifiesChecksums: !noChecksums, midstream: midstream)
        mode.verifiesHeaders = !noChecksums
        let program = try Program(settings, workers: 1, hostSeed: Replay.hostSeed, mode: mode)
        Complaint.report(program.rules.problems + program.rules.thresholdProblems)
        let output = try EVEFile(path: eve)
        var encoder = EVEEncoder(names: program.names, communityID: program.settings.events.communityID)
        var replay = try Replay(program)
        var whole = true
        for path in captures {
            do {
                let ending = try replay.run(path, into: &encoder) { try output.write(&$0) }
                if case .truncated(let why) = ending {
                    Complaint.say("\(path): \(why); what came before was read")
                    whole = false
                }
            } catch {
                Complaint.say("\(error)")
                whole = false
            }
        }
        replay.finish(into: &encoder)
        try output.write(&encoder)
        if !whole { throw ExitCode.failure }
    }

    private func settings() throws -> Settings {
        var settings = Settings()
        if let config { settings = try Settings.load(path: config) }
        if !home.isEmpty {
            settings.guests.append(
                settings.protected(Guest(name: "home", addresses: home)))
        }
        settings.rules.files += rules
        if flows { settings.events.flows = true }
        if let thresholds { settings.rules.thresholds = thresholds }
        return settings
    }
}
