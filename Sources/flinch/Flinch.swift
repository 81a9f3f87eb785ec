import ArgumentParser
import Control

/// `flinch`: what an operator says to Flinch, and asks it.
@main
struct Flinch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flinch",
        abstract: "Intrusion prevention on the bridge of a VM host: ask the sensor, set it up, try it out.",
        version: Version.text,
        subcommands: [
            StatusCommand.self, TopCommand.self, GuestsCommand.self, AlertsCommand.self, ReplayCommand.self,
            RulesCommand.self,
            PeersCommand.self, ConfigCommand.self, PolicyCommand.self,
            ModeCommand.self, DenyCommand.self, DivertCommand.self, MirrorCommand.self, SetupCommand.self,
            DemoCommand.self,
        ])
}
