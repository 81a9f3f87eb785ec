import Lab
import Testing

extension Integration {
    /// What the demo shows: every row as it must be.
    @Test(.timeLimit(.minutes(4)))
    func theDemosScenarios() throws {
        let stage = try Stage.build(binaries: try Binaries.find())
        defer { stage.strike() }
        var before: OrdinaryReport?
        for scenario in Scenario.all {
            var outcome = try stage.play(scenario, before: before)
            // The bars are about time, and a machine may be busy with something else for a moment: once more
            // for a row that failed. What is really wrong fails twice.
            if !outcome.ok { outcome = try stage.play(scenario, before: before) }
            #expect(outcome.ok, "\(scenario.name): \(outcome.problems.joined(separator: "; "))")
            before = before ?? outcome.ordinary
        }
        #expect(stage.sensor.terminate() == .exited(0), "\(stage.sensor.program.complained)")
    }
}
