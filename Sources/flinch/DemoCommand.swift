import ArgumentParser
import Foundation
import Lab

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "See it work: guests on a real bridge, real attacks, real figures.",
        discussion: """
            Builds a lab of network namespaces, runs the real flinchd in it, and plays ordinary traffic and \
            attacks with real programs. Nothing leaves the machine and everything is removed at the end. \
            Needs root. The exit status is 1 when a row is not as it must be.

            Scenarios: \(Scenario.all.map(\.name).joined(separator: ", ")); \(Scenario.alertOnly) for all \
            that end in -alert. `ordinary` is always played, because the others are measured against it.
            """)

    @Argument(help: "Which scenarios to play; all of them when none is named.")
    var scenarios: [String] = []
    @Flag(help: "Print one JSON object a scenario.")
    var json = false
    @Flag(help: "Play the table of floods instead: classes, sources and rates, without and with Flinch.")
    var table = false
    @Flag(help: "With --table: four of its cells.")
    var quick = false
    @Option(help: "With --table: one cell of it by its number, from 1.")
    var cell: Int?

    func validate() throws {
        if let cell, !table || !SiegeCell.Plan.table(quick: quick).indices.contains(cell - 1) {
            throw ValidationError("--cell is of --table, from 1 to \(SiegeCell.Plan.table(quick: quick).count)")
        }
        if quick, !table { throw ValidationError("--quick is of --table: write both") }
        if table, !scenarios.isEmpty, scenarios != ["ddos"] {
            throw ValidationError("--table plays floods alone: name no scenario, or ddos")
        }
    }

    func run() throws {
        do {
            guard try table ? DemoTable(json: json, quick: quick, cell: cell).play() : play() else {
                throw ExitCode.failure
            }
        } catch let error as LabError {
            Shutdown.yieldToSignal()
            Complaint.say("\(error)")
            throw ExitCode.failure
        }
    }

    /// True when all rows are as they must be.
    private func play() throws -> Bool {
        let scenarios = try Scenario.named(scenarios)
        let clock = ContinuousClock()
        let start = clock.now
        let view = json ? nil : DemoView(style: .ofStandardOutput)
        Shutdown.onSignals { view?.interrupted() }
        defer { view?.clear() }
        view?.open()
        view?.working("building the lab")
        let stage = try Stage.build(binaries: try Binaries.find())
        defer { stage.strike() }
        view?.built(try stage.sensor.status(), seconds: (clock.now - start) / .seconds(1))

        var outcomes: [Outcome] = []
        for scenario in scenarios {
            view?.working("\(scenario.name): \(scenario.story)")
            let outcome = try stage.play(scenario, before: outcomes.first?.ordinary)
            outcomes.append(outcome)
            if let view { view.row(outcome) } else { try Self.printLine(outcome) }
        }
        view?.working("taking everything down")
        stage.strike()
        view?.close(outcomes, seconds: (clock.now - start) / .seconds(1))
        return outcomes.allSatisfy(\.ok)
    }

    private static func printLine(_ outcome: Outcome) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        FileHandle.standardOutput.write(try encoder.encode(outcome) + [10])
    }
}
