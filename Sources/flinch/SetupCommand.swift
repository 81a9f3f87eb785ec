import ArgumentParser
import Configuration
import Control
import Foundation
import Inventory
import Offload

struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Find bridges, platform and guests, and set the sensor up in shadow mode.",
        discussion: """
            Says what was found, what it proposes and what it will do, and does it after a yes. A file that is there and \
            says something else is kept beside the new one. Run again, it changes nothing that is as proposed.
            """)

    @Option(help: "Where the configuration goes.")
    var config = "/etc/flinch/flinch.yaml"
    @Flag(help: "Do it without asking.")
    var yes = false
    @Flag(name: .customLong("dry-run"), help: "Only say what would be done.")
    var dryRun = false
    @Flag(name: .customLong("no-start"), help: "Write the files, and leave the sensor as it is.")
    var noStart = false
    @Option(help: ArgumentHelp("Look for the platforms' and systemd's files below this folder.", visibility: .hidden))
    var root = ""

    func run() throws {
        let survey = try HostSurvey.take(root: root)
        let folder = (config as NSString).deletingLastPathComponent
        let rules = ["rules/starter.rules"].filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
        let proposal = Proposal(survey, rules: rules)
        // What is proposed must be right before it is shown.
        let settings = try Settings.parse(text: proposal.text, file: config)
        var steps = [SetupStep.file(config, proposal.text)]
        if let list = proposal.guestList { steps.append(.file("\(folder)/\(Proposal.listName)", list)) }
        steps.removeAll(where: \.isDone)
        if !noStart, let step = SetupStep.service(isStale: !steps.isEmpty, root: root) { steps.append(step) }

        print(SetupPage(survey, proposal, settings, steps, config: config, style: .ofStandardOutput).text)
        guard !steps.isEmpty, !dryRun else { return }
        guard yes || asks() else {
            Complaint.say("nothing was done")
            throw ExitCode.failure
        }
        for step in steps { print(try step.perform()) }
        if !steps.contains(where: \.isOfService) { print("Start the sensor by: flinchd --config \(config)") }
    }

    private func asks() -> Bool {
        guard isatty(0) == 1 else {
            Complaint.say("there is nobody to ask; --yes does it, --dry-run only says it")
            return false
        }
        FileHandle.standardOutput.write(Data("Do it? [y/N] ".utf8))
        return ["y", "yes"].contains(readLine()?.lowercased())
    }
}

/// One thing that `flinch setup` does.
enum SetupStep {
    case file(String, String)
    /// Enables the unit and starts it, or has it read its configuration.
    case unit(isRunning: Bool)

    var isOfService: Bool { if case .unit = self { true } else { false } }

    var isDone: Bool {
        guard case .file(let path, let text) = self else { return false }
        return (try? String(contentsOfFile: path, encoding: .utf8)) == text
    }

    /// nil where systemd does not run, or does not know the sensor, or all is as it should be.
    static func service(isStale: Bool, root: String) -> SetupStep? {
        let files = FileManager.default
        guard files.fileExists(atPath: "\(root)/run/systemd/system"),
            ["/lib", "/usr/lib", "/etc"].contains(where: {
                files.fileExists(atPath: "\(root)\($0)/systemd/system/flinchd.service")
            })
        else { return nil }
        let isRunning = (try? SetupStep.run("systemctl", "is-active", "--quiet", "flinchd")) != nil
        return isRunning && !isStale ? nil : .unit(isRunning: isRunning)
    }

    /// What will be done.
    var intent: String {
        switch self {
        case .file(let path, _):
            FileManager.default.fileExists(atPath: path)
                ? "write \(path) anew; what it is now is kept as \(SetupStep.backup(path))" : "write \(path)"
        case .unit(let isRunning):
            isRunning
                ? "systemctl reload flinchd" : "systemctl enable --now flinchd: it adds tables named flinch to nftables"
        }
    }

    /// Does it, and says what was done.
    func perform() throws -> String {
        switch self {
        case .file(let path, let text):
            let files = FileManager.default
            try files.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            var said = "wrote \(path)"
            if files.fileExists(atPath: path) {
                let backup = SetupStep.backup(path)
                try files.copyItem(atPath: path, toPath: backup)
                said += "; what was there is in \(backup)"
            }
            // As a whole or not at all.
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            return said
        case .unit(let isRunning):
            if isRunning {
                try SetupStep.run("systemctl", "reload", "flinchd")
                return "flinchd has read its configuration"
            }
            try SetupStep.run("systemctl", "enable", "--now", "flinchd")
            return "flinchd runs, in shadow mode: flinch status"
        }
    }

    /// The first name that is free.
    private static func backup(_ path: String) -> String {
        var number = 1
        while FileManager.default.fileExists(atPath: "\(path).before-setup-\(number)") { number += 1 }
        return "\(path).before-setup-\(number)"
    }

    private static func run(_ words: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ValidationError("\(words.joined(separator: " ")) failed; journalctl -u flinchd says why")
        }
    }
}
