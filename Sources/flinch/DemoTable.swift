import Foundation
import Lab

/// `flinch demo ddos --table`: what floods do to a guest's customers and to another guest, with nothing between, with
/// a queue that accepts everything, and with Flinch.
struct DemoTable {
    let json: Bool
    let quick: Bool
    /// The number of the only one to play, from 1; nil for all.
    let cell: Int?

    /// A column: what stands above it, the bar that is for Flinch, and the figure that is held to it.
    private struct Column: Sendable {
        var name: String
        var bar = ""
        var figure: String?
        var width = 8
        var text: @Sendable (SiegeCell) -> String
    }

    private static let columns = [
        Column(name: "SENT/s") { number($0.offered) },
        Column(name: "ARRIVE/s") { number($0.passing) },
        Column(name: "KNOWN %", bar: "≥ 99", figure: "known clients served") { number($0.known.success, 1) },
        Column(name: "NEW %", bar: "≥ 98", figure: "new clients connected") { number($0.new.success, 1) },
        Column(name: "p95 ms", bar: "≤ 1200", figure: "new clients p95") { number($0.newSlow) },
        Column(name: "OTHER %", bar: "≥ 99.9", figure: "innocent guest's requests") {
            number($0.innocent.success, 1)
        },
        Column(name: "p99 ms", bar: "≤ 1.5 ×", figure: "innocent guest p99", width: 12) {
            times($0.innocent.p99, $0.innocentBefore.p99)
        },
        Column(name: "KNOWN p99", bar: "≤ 2 ×", figure: "known clients p99", width: 12) {
            times($0.known.p99, $0.knownBefore.p99)
        },
        Column(name: "ALARM ms", bar: "≤ 300", figure: "detected") { number($0.detected) },
        Column(name: "MITIG ms", bar: "≤ 1000", figure: "mitigated") { number($0.mitigated) },
        Column(name: "KERNEL %", bar: "≥ 95", figure: "dropped before user space") { number($0.beforeUserSpace, 1) },
        Column(name: "FREE s", bar: "≤ 15", figure: "back to no restriction") { number($0.recovered, 1) },
        Column(name: "MiB") { number($0.resident.map { Double($0) / 1_048_576 }) },
    ]

    /// True when all of Flinch's figures are on the right side of their bars.
    func play() throws -> Bool {
        // What is missing is missing in every cell.
        try Requirements.root()
        try Requirements.programs()
        let binaries = try Binaries.find()
        let style = Style.ofStandardOutput
        Shutdown.onSignals {}
        let plans = SiegeCell.Plan.table(quick: quick).enumerated().filter { cell == nil || cell == $0.offset + 1 }
        if !json { head(plans.map(\.element), style) }
        var cells: [SiegeCell] = []
        var failed = 0
        for (index, plan) in plans {
            guard let cell = try Self.cell(plan, index + 1, binaries) else {
                failed += 1
                continue
            }
            cells.append(cell)
            if json { try Self.printLine(cell) } else { row(cell, style) }
        }
        let missed = cells.flatMap(\.figures).count { !$0.passed }
        if !json { total(cells, failed: failed, style) }
        return missed == 0 && failed == 0
    }

    /// A cell whose lab failed is played once more; nil if that fails as well.
    private static func cell(_ plan: SiegeCell.Plan, _ number: Int, _ binaries: Binaries) throws -> SiegeCell? {
        for attempt in 1...2 {
            do {
                return try SiegeCell.play(plan, binaries: binaries)
            } catch let error as LabError {
                Shutdown.yieldToSignal()
                Complaint.say("cell \(number)\(attempt == 1 ? ", played again" : ", given up"): \(error)")
            }
        }
        return nil
    }

    // MARK: - For people

    private func head(_ plans: [SiegeCell.Plan], _ style: Style) {
        let seconds = plans.reduce(0) { $0 + $1.duration }
        let cores = SiegeCell.Plan.barrierCores.map(String.init).joined(separator: ", ")
        print(
            """
            Floods on shop by flinch-load from core \(SiegeCell.Plan.generatorCore), what stands between on core \(cores); \
            known and new customers with curl, another guest with wrk.
            \(plans.count) cells, about \(max(1, (seconds + 30) / 60)) min. In brackets: times the figure before the \
            flood. BARRIER port: the flood is dropped where it comes in, by one rule, which is what it costs this
            machine by itself. MITIG is read in steps of about 150 ms. ✗: Flinch is on the wrong side of the bar above.
            """)
        print(style.dim("BARRIER CLASS      SOURCES   " + Self.line { $0.name }))
        print(style.dim("  the bar for Flinch         " + Self.line { $0.bar }))
    }

    private func row(_ cell: SiegeCell, _ style: Style) {
        let missed = Set(cell.figures.filter { !$0.passed }.map(\.name))
        let line = Self.columns.map { column in
            let isMissed = column.figure.map(missed.contains) ?? false
            let text = ((isMissed ? "✗" : "") + column.text(cell)).column(column.width, right: true)
            return isMissed ? style.concern("high", text) : text
        }
        print(
            cell.plan.barrier.rawValue.column(8) + cell.plan.floodClass.column(11) + "\(cell.plan.sources)".column(10)
                + line.joined(separator: " "))
        if missed.contains("attack packets sent") { print(style.concern("high", "  ✗ no attack packet was sent")) }
        if cell.stolen >= 2 { print(style.dim("  \(Int(cell.stolen)) % of the processors stolen meanwhile")) }
        if let lost = cell.uninspected, lost > 0 {
            print(style.dim("  \(Figure.whole(lost)) queued packets found a queue full and were not inspected"))
        }
        // When it was played, into a pipe as well.
        fflush(nil)
    }

    /// Each bar with the cells that kept it, and the worst.
    private func total(_ cells: [SiegeCell], failed: Int, _ style: Style) {
        let missed = cells.flatMap(\.figures).count { !$0.passed }
        let own = cells.filter { !$0.figures.isEmpty }
        if own.count > 1 { print(style.dim("  BAR                         KEPT      WORST")) }
        for column in Self.columns {
            guard own.count > 1, let name = column.figure else { continue }
            let all = own.compactMap { cell in cell.figures.first { $0.name == name }.map { (cell, $0) } }
            guard let worst = all.min(by: { $0.1.margin < $1.1.margin }) else { continue }
            let kept = all.count { $0.1.passed }
            let value = worst.1.value < 1e9 ? "\(Self.number(worst.1.value, 1)) \(worst.1.unit)" : "never"
            let plan = worst.0.plan
            let rate = plan.rate == 0 ? "full speed" : "\(plan.rate)/s"
            let text =
                name.column(28) + " \(kept) of \(all.count)".column(10)
                + "\(value), bar \(Self.number(worst.1.bar, 1)) (\(plan.floodClass), \(plan.sources) sources, \(rate))"
            print(kept == all.count ? style.good("✓ ") + text : style.concern("high", "✗ ") + text)
        }
        memory(own, style)
        if failed > 0 { print(style.concern("high", "✗ \(failed) cells could not be played")) }
        print(
            missed == 0 && failed == 0
                ? style.good("✓ Flinch misses no bar in \(own.count) of its cells.")
                : style.concern(
                    "high", "✗ \(missed) figures of \(own.count) cells are on the wrong side of their bars."))
    }

    /// Of the SYN floods from the fewest and the most sources.
    private func memory(_ cells: [SiegeCell], _ style: Style) {
        let sized = cells.filter { $0.plan.floodClass == "syn" && $0.resident != nil }
            .sorted { $0.plan.sources < $1.plan.sources }
        guard let few = sized.first, let many = sized.last, few.plan.sources < many.plan.sources else { return }
        let text = [few, many].map { "\(Figure.bytes($0.resident ?? 0)) with \($0.plan.sources) sources" }
        print("  resident memory: " + text.joined(separator: ", "))
    }

    private static func number(_ value: Double?, _ digits: Int = 0) -> String {
        value.map { String(format: "%.\(digits)f", $0) } ?? "–"
    }

    private static func times(_ value: Double, _ before: Double) -> String {
        guard before > 0 else { return number(value, 1) }
        let ratio = value / before
        return "\(number(value, 1)) (\(ratio > 99 ? ">99" : number(ratio, 1)))"
    }

    private static func line(_ text: (Column) -> String) -> String {
        columns.map { text($0).column($0.width, right: true) }.joined(separator: " ")
    }

    // MARK: - For programs

    private static func printLine(_ cell: SiegeCell) throws {
        /// The measured, and Flinch's figures beside their bars.
        struct Line: Encodable {
            var cell: SiegeCell
            var figures: [SiegeCell.Figure]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(cell: cell, figures: cell.figures)
        FileHandle.standardOutput.write(try encoder.encode(line) + [10])
    }
}
