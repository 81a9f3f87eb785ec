import ArgumentParser
import Foundation
import Lab

@main
struct FlinchBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flinch-bench",
        abstract: "Compares Flinch with the least that an NFQUEUE filter can cost.",
        discussion: """
            Prints one JSON object a line. Figures on the bridge need root; their baseline is the bare C \
            loop (flinch-floor). Figures in process are named decode, floods, inspection and allocations.
            """)

    @Option(help: "Starts of each contender on the bridge; its figures are medians over them.")
    var starts = 5

    @Flag(help: "One start of each: to see that all works, not how fast it is.")
    var quick = false

    @Option(parsing: .upToNextOption, help: "Only figures whose names begin with one of these.")
    var only: [String] = []

    @Option(
        help: ArgumentHelp(
            "The sensor's rules on the bridge in place of the starter rules. Its figures then end in -rules.",
            valueName: "file"))
    var rules: String?

    @Flag(help: "Say which bars were met, and end with 1 if one was missed.")
    var check = false

    @Flag(help: "Put the C loop in Flinch's place as well: how far from 1 the ratios are by chance.")
    var control = false

    func validate() throws {
        guard (1...100).contains(starts) else { throw ValidationError("--starts: 1 to 100") }
        if let rules, !FileManager.default.isReadableFile(atPath: rules) {
            throw ValidationError("--rules: \(rules) cannot be read")
        }
    }

    func run() throws {
        Shutdown.onSignals { note("ended by a signal") }
        let binaries = try Binaries.find()
        var rows: [Row] = []
        var complaints: [String] = []
        let starter = try binaries.rules
        let inProcess =
            if let rules {
                try InProcess.inspectionRows(wanted, rules: rules)
            } else {
                try InProcess.rows(wanted, rules: starter)
            }
        for var row in inProcess {
            if rules != nil { row.name += "-rules" }
            print(row.json)
            rows.append(row)
        }
        let measurements = Measurement.all.filter { $0.figures.contains { wanted($0.rawValue) } }
        if !measurements.isEmpty {
            let able = measurements.reduce(into: Set<Contender>()) { $0.formUnion($1.contenders) }
            let others: [Contender] = [.none, .floor, control ? .control : .flinch, .mute, .sinks, .ring, .mirror]
            let bridge = BridgeRun(
                contenders: others.filter(able.contains), starts: quick ? 1 : starts,
                measurements: measurements, tools: binaries,
                rules: rules.map { URL(fileURLWithPath: $0).path } ?? starter)
            let found = try bridge.run()
            note(bridge.table(found.samples))
            for var row in bridge.rows(found) where wanted(row.name) {
                if rules != nil { row.name += "-rules" }
                print(row.json)
                rows.append(row)
            }
            complaints = found.wrongAnswers
        }
        for complaint in complaints { note("wrong answer: \(complaint)") }
        guard !rows.isEmpty || !complaints.isEmpty else {
            throw ValidationError("--only: no figure has such a name")
        }
        let good = !check || report(rows)
        if !good || !complaints.isEmpty { throw ExitCode(1) }
    }

    private func wanted(_ name: String) -> Bool { only.isEmpty || only.contains { name.hasPrefix($0) } }

    /// Whether all bars of what was measured are met.
    private func report(_ rows: [Row]) -> Bool {
        var good = true
        let bars = rules == nil ? Bar.all : Bar.withRules
        for bar in bars where wanted(bar.name) && (RuleFigures.canMeasure || !bar.name.contains("rules-")) {
            let row = rows.first { $0.name == bar.name }
            let met = row.map(bar.isMet) ?? false
            good = good && met
            let found =
                row.map { "value \($0.value.short), ratio \($0.ratio?.short ?? "none")" } ?? "not measured"
            note("\(met ? "met   " : "MISSED")  \(bar.name): \(bar.requirement); \(found)")
        }
        return good
    }
}
