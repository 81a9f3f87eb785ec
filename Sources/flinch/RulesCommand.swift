import ArgumentParser

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Check rule files, and find out what they cost.",
        subcommands: [RulesCheckCommand.self, RulesProfileCommand.self, RulesKeywordsCommand.self])
}
