import ArgumentParser
import Configuration
import Conformance
import Evidence
import Floods
import Foundation
import Sensor
import Wire

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "What is done about what is found.",
        subcommands: [
            Explain.self, Diff.self, Apply.self, Rollback.self, History.self, Shadow.self, CheckList.self,
        ])

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say which policy holds for an address, and why; with two, who may begin to talk to whom.")

        @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
        var config = "/etc/flinch/flinch.yaml"
        @Argument(
            help: "An address of a guest, or of anybody.",
            transform: { text in
                guard let address = Address(text) else { throw ValidationError("\(text) is no address") }
                return address
            })
        var address: Address
        @Argument(
            help: "Another address.",
            transform: { text in
                guard let address = Address(text) else { throw ValidationError("\(text) is no address") }
                return address
            })
        var peer: Address?

        func run() throws {
            do throws(ConfigurationErrors) {
                print(PolicyExplanation(try Settings.loadWithGuests(path: config), address, peer).text)
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                throw ExitCode.failure
            }
        }
    }

    struct CheckList: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "checks",
            abstract: "List the checks of a packet's form, with what is done unless the configuration says otherwise.")

        @Option(
            help: ArgumentHelp(
                "Write the tables of this page anew, which must have the marks where they stand.", valueName: "file"))
        var page: String?
        @Option(
            help: ArgumentHelp(
                "With --page: what the captures in this folder's malformed and protocols show.", valueName: "folder"))
        var captures: String?

        func run() throws {
            if let page { return try update(page) }
            for check in Checks.all {
                print(
                    check.identifier.column(30) + "\(check.setting.concern)".column(8)
                        + check.setting.action.rawValue.column(7) + "\(check.text) (\(check.reference))")
            }
        }

        private func update(_ path: String) throws {
            var page = ConformancePage(try String(contentsOfFile: path, encoding: .utf8))
            page.updateChecks()
            for folder in captures == nil ? [] : ConformancePage.folders {
                let root = captures! + "/" + folder
                let names = try FileManager.default.contentsOfDirectory(atPath: root).filter { $0.contains(".pcap") }
                page.update(folder, try ConformanceReview(captures: names.sorted().map { root + "/" + $0 }))
            }
            try page.text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
