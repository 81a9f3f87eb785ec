import ArgumentParser
import Signatures

struct RulesKeywordsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keywords", abstract: "List the keywords that rules may use.")

    @Flag(help: "As tables in Markdown: docs/rules.md is made of them.")
    var markdown = false

    func run() {
        for family in Keyword.Family.allCases {
            print(markdown ? "### \(family.rawValue)\n" : "\n\(family.rawValue)")
            if markdown { print("| keyword | written | means | of |\n|---|---|---|---|") }
            for keyword in Keyword.all where keyword.family == family {
                if markdown {
                    let syntax = keyword.syntax.split(separator: "|", omittingEmptySubsequences: false)
                        .joined(separator: "\\|")
                    print("| `\(keyword.name)` | `\(syntax)` | \(keyword.meaning) | \(keyword.source.rawValue) |")
                } else {
                    print("  \(keyword.name.column(20))  \(keyword.meaning)\n  \("".column(20))  \(keyword.syntax)")
                }
            }
            if markdown { print("") }
        }
    }
}
