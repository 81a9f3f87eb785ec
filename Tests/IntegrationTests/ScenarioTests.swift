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

    /// The table of floods, its quick form: what does not depend on how busy the machine is.
    @Test(.timeLimit(.minutes(6)))
    func theTableOfFloods() throws {
        let binaries = try Binaries.find()
        for plan in SiegeCell.Plan.table(quick: true) {
            let cell = try SiegeCell.play(plan, binaries: binaries)
            let name = "\(plan.barrier) \(plan.floodClass) \(plan.sources) \(plan.rate)"
            #expect(cell.offered > 0.8 * Double(plan.rate), "\(name): \(cell)")
            if plan.barrier == .none {
                // What would show nothing without Flinch says nothing about it.
                #expect(cell.passing > 0.8 * cell.offered, "\(name): \(cell)")
                #expect(cell.known.success < 95 || cell.known.p50 > 900, "\(name): \(cell)")
            }
            let unjudged = ["innocent guest p99", "known clients p99", "detected", "mitigated"]
            for figure in cell.figures where !unjudged.contains(figure.name) {
                #expect(figure.passed, "\(name): \(figure)")
            }
        }
    }
}
