import ArgumentParser
import Control
import Foundation

/// Where to find the running sensor; the same for all commands that ask it.
struct SensorOptions: ParsableArguments {
    @Option(help: "The sensor's control socket.")
    var control = "/run/flinch/flinchd.sock"

    func status() throws -> (status: Status, document: [UInt8]) {
        let document = try ControlClient.request(path: control, "status")
        return (try JSONDecoder().decode(Status.self, from: Data(document)), document)
    }
}

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say what the running sensor does.")

    @OptionGroup var sensor: SensorOptions
    @Flag(help: "Print the sensor's status document as JSON.")
    var json = false

    func run() throws {
        do {
            let (status, document) = try sensor.status()
            if json {
                FileHandle.standardOutput.write(Data(document + [10]))
            } else {
                print(StatusPage(status, style: Style.ofStandardOutput).text(width: Terminal.width))
            }
        } catch let error as ControlError {
            throw CleanExit.failure(error)
        }
    }
}
