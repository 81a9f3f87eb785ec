import ArgumentParser
import Configuration
import Control
import Foundation

extension PolicyCommand {
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what the configuration file would change in the running sensor.",
            discussion: """
                With a NUMBER of `flinch policy history`: what rolling back to it would change. For guests that leave \
                shadow mode, what would have been dropped. Nothing is changed.
                """)

        @OptionGroup var sensor: SensorOptions
        @Option(help: ArgumentHelp("The file; the running sensor's unless given.", valueName: "file"))
        var config: String?
        @Argument(help: "A configuration that the sensor took over before.")
        var number: Int?

        func run() throws {
            let sensor = RunningSensor(control: sensor.control)
            let running: ConfigurationChange = try sensor.ask("running")
            let new: Settings
            if let number {
                new = try sensor.settings(sensor.ask("history \(number)"))
            } else {
                new = try settings(of: config ?? running.path)
            }
            print(try ChangePage(sensor, from: sensor.settings(running), to: new).text)
        }
    }

    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the running sensor take over its configuration file.",
            discussion: """
                Shows what changes first, and for guests that leave shadow mode what would have been dropped. On a \
                terminal it asks. No packet is lost; who did it and when is kept (`flinch policy history`).
                """)

        @OptionGroup var sensor: SensorOptions
        @OptionGroup var change: ChangeOptions

        func run() throws {
            let sensor = RunningSensor(control: sensor.control)
            let running: ConfigurationChange = try sensor.ask("running")
            let new = try settings(of: running.path)
            print(try ChangePage(sensor, from: sensor.settings(running), to: new).text)
            guard change.yes || confirms("Apply?") else { throw ExitCode.failure }
            try finish(try sensor.reload("apply", comment: change.comment))
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go back to a configuration that the sensor had before.",
            discussion: """
                Without a NUMBER, to the one before. Writes it into the configuration file; if that had been edited \
                since, the edited one is kept beside it as FILE.edited. Then as `flinch policy apply`.
                """)

        @OptionGroup var sensor: SensorOptions
        @OptionGroup var change: ChangeOptions
        @Argument(help: "The number in `flinch policy history`.")
        var number: Int?

        func run() throws {
            let sensor = RunningSensor(control: sensor.control)
            let running: ConfigurationChange = try sensor.ask("running")
            let number = try number ?? previous(sensor, running)
            let former: ConfigurationChange = try sensor.ask("history \(number)")
            let (old, new) = (try sensor.settings(running), try sensor.settings(former))
            print(try ChangePage(sensor, from: old, to: new).text)
            guard change.yes || confirms("Roll back to \(number)?") else { throw ExitCode.failure }
            let file = ConfigurationFile(running.path)
            let present = file.data
            if let present, present != Data((running.text ?? "").utf8) {
                try file.write(present, beside: ".edited")
                print("What stood in \(file.path) was not running; it is in \(file.path).edited.")
            }
            try file.write(Data((former.text ?? "").utf8))
            let outcome = try sensor.reload("rollback \(number)", comment: change.comment)
            // A file that is refused must not be what a restart finds.
            if outcome.problem != nil, let present { try file.write(present) }
            try finish(outcome)
        }

        private func previous(_ sensor: RunningSensor, _ running: ConfigurationChange) throws -> Int {
            let list: [ConfigurationChange] = try sensor.ask("history")
            guard let last = list.last(where: { $0.number < running.number }) else {
                throw ControlError("there is none before the running configuration")
            }
            return last.number
        }
    }

    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the configurations that the sensor took over, with who did it and when.",
            discussion: "With a NUMBER, print that configuration. The newest 64 are kept.")

        @OptionGroup var sensor: SensorOptions
        @Flag(help: "Print it as JSON.")
        var json = false
        @Argument(help: "One of them.")
        var number: Int?

        func run() throws {
            let sensor = RunningSensor(control: sensor.control)
            if let number {
                let change: ConfigurationChange = try sensor.ask("history \(number)")
                return json ? try printJSON(change) : print(change.text ?? "", terminator: "")
            }
            let list: [ConfigurationChange] = try sensor.ask("history")
            if json { return try printJSON(list) }
            let running: ConfigurationChange = try sensor.ask("running")
            for change in list {
                let mark = change.number == running.number ? "●" : " "
                print(
                    "\(mark) \("\(change.number)".column(6))\(ShadowPage.moment(change.time))  "
                        + "\(change.how.column(16))\(change.who.column(20))\(change.comment)")
            }
        }
    }

    struct Shadow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what shadow mode let pass that would have been dropped, by guest and rule.",
            discussion: """
                Since the sensor first ran, or since a guest came into shadow mode; a restart goes on with what was \
                counted. What would have been dropped without \
                a rule, check, relation or flood is in `flinch status`, by reason.
                """)

        @OptionGroup var sensor: SensorOptions
        @Flag(help: "Print it as JSON.")
        var json = false
        @Option(help: "Only of this guest.")
        var guest: String?

        func run() throws {
            let figures: ShadowFigures = try RunningSensor(control: sensor.control).ask("shadow")
            if json { return try printJSON(figures) }
            print(ShadowPage(figures, guests: guest.map { [$0] }).text)
        }
    }
}

/// How a change is made.
struct ChangeOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false
    @Option(
        name: .shortAndLong, help: "Why; kept with the change, at most 160 bytes.",
        transform: { text in
            guard text.utf8.count <= 160, !text.unicodeScalars.contains(where: { $0.value < 32 }) else {
                throw ValidationError("a comment is one line of at most 160 bytes")
            }
            return text
        })
    var comment = ""
}

/// What is wrong with it goes to standard error, by line.
private func settings(of path: String) throws -> Settings {
    do throws(ConfigurationErrors) {
        return try Settings.load(path: path)
    } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        throw ExitCode.failure
    }
}

func finish(_ outcome: ReloadOutcome) throws {
    if let problem = outcome.problem {
        FileHandle.standardError.write(Data("refused, the old configuration stays:\n\(problem)\n".utf8))
        throw ExitCode.failure
    }
    print("Configuration \(outcome.number) is running.")
    if !outcome.needRestart.isEmpty {
        print("Only a restart takes over: \(outcome.needRestart.joined(separator: ", ")).")
    }
}

private func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    FileHandle.standardOutput.write(Data(try encoder.encode(value) + [10]))
}
