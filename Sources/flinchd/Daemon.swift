import ArgumentParser
import Configuration
import Control
import Foundation
import Logging
import Sensor

/// `flinchd`: the sensor, in the foreground; systemd, or whoever started it, looks after the rest.
@main
struct Daemon: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flinchd",
        abstract: "Inspect what passes the bridge of this VM host, and answer accept, drop or throttle.",
        discussion: """
            Logs to standard error. SIGTERM and SIGINT: every packet that waits gets its verdict, the kernel \
            rules are removed, exit 0. SIGHUP: configuration and rules are read again without losing a packet; \
            with an error the old ones stay. SIGUSR1: the EVE file is opened anew.
            """,
        version: Version.text)

    @Option(help: ArgumentHelp("The configuration.", valueName: "file"))
    var config = "/etc/flinch/flinch.yaml"

    func run() throws {
        LoggingSystem.bootstrap { _ in ErrorLog() }
        let log = Logger(label: "flinchd")
        do {
            try Sensor.run(path: config, log: log)
        } catch {
            // What keeps the sensor from starting may be many lines; each names its place itself.
            for line in "\(error)".split(separator: "\n") { log.critical("\(line)") }
            throw ExitCode.failure
        }
    }
}
