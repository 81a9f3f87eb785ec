import ArgumentParser
import Control
import Wire

struct DenyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny", abstract: "Let nothing of an address pass to the guests for a while, or again.",
        discussion: """
            Guests, and what deny.never or divert.exclude names, are never denied. `flinch status` shows who is, and who \
            asked for it. A restart of the sensor forgets it.
            """)

    @OptionGroup var sensor: SensorOptions
    @Option(name: .customLong("for"), help: "Seconds, at most deny.longest.")
    var seconds = 300
    @Flag(help: "Let it pass again.")
    var lift = false
    @Argument(help: "Of one host.")
    var address: String

    func validate() throws {
        guard seconds > 0 else { throw ValidationError("--for \(seconds) is no time; write seconds from 1") }
        guard Address(address) != nil else {
            throw ValidationError("'\(address)' is no address of a host; write it like 192.0.2.7 or 2001:db8::7")
        }
    }

    func run() throws {
        let request = lift ? "allow \(address)" : "deny \(address) \(seconds) operator"
        let _: [String: String] = try RunningSensor(control: sensor.control).ask(request)
        print(lift ? "\(address) passes again" : "\(address) is denied for \(seconds) s at most")
    }
}
