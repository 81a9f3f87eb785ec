import ArgumentParser
import Configuration
import Control
import Foundation

struct ModeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mode", abstract: "Have a guest filtered inline, or only watched in the mirror.",
        discussion: """
            Writes it into the sensor's configuration file and has it taken over: no packet is lost, connections go \
            on. `flinch policy rollback` goes back.
            """)

    @OptionGroup var sensor: SensorOptions
    @OptionGroup var change: ChangeOptions
    @Argument(help: "The guest's name.")
    var guest: String
    @Argument(help: "filtered or watched.", transform: ModeCommand.mode)
    var mode: Settings.GuestMode

    private static func mode(_ text: String) throws -> Settings.GuestMode {
        guard let mode = Settings.GuestMode(rawValue: text) else {
            throw ValidationError("'\(text)' is no mode; write filtered or watched")
        }
        return mode
    }

    func run() throws {
        let sensor = RunningSensor(control: sensor.control)
        let running: ConfigurationChange = try sensor.ask("running")
        let file = ConfigurationFile(running.path)
        let present = try Settings.text(of: file.path)
        guard present == running.text else {
            throw ControlError(
                "\(file.path) was edited and is not what runs; `flinch policy diff` shows how. "
                    + "Apply it first, or write mode: \(mode.rawValue) into it")
        }
        let edited: String
        do throws(ConfigurationErrors) {
            edited = try GuestModeEdit.text(present, guest: guest, mode: mode, file: running.path)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode.failure
        }
        guard edited != present else { return print("\(guest) is \(mode.rawValue) already.") }
        let new = try Settings.parse(text: edited, file: running.path)
        print(try ChangePage(sensor, from: sensor.settings(running), to: new).text)
        guard change.yes || confirms("Apply?") else { throw ExitCode.failure }
        try file.write(Data(edited.utf8))
        let outcome = try sensor.reload(
            "apply", comment: change.comment.isEmpty ? "\(guest) \(mode.rawValue)" : change.comment)
        // A file that is refused must not be what a restart finds.
        if outcome.problem != nil { try file.write(Data(present.utf8)) }
        try finish(outcome)
    }
}
