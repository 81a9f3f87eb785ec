import ArgumentParser
import Configuration
import Foundation

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check a configuration.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say everything that is wrong with a configuration file; exit 1 if anything is.")

        @Argument(help: ArgumentHelp("The configuration file.", valueName: "file"))
        var file: String

        func run() throws {
            do throws(ConfigurationErrors) {
                let settings = try Settings.load(path: file)
                let count = settings.guests.count
                let others = settings.discovery.isOn ? ", and those that are found" : ""
                print("\(file): no errors; \(count) \(count == 1 ? "guest" : "guests")\(others)")
            } catch {
                // The lines name the file themselves.
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                throw ExitCode.failure
            }
        }
    }
}
