import Foundation
import Lab

/// `flinch demo ddos --table`: what floods do to a guest's customers and to another guest, with nothing between, with
/// a queue that accepts everything, and with Flinch.
struct DemoTable {
    let json: Bool
    let quick: Bool
    /// The number of the only one to play, from 1; nil for all.
    let cell: Int?

    private static let columns = [9, 9, 9, 9, 9, 9, 8, 9, 9, 9]

    /// True when all of Flinch's figures are on the right side of their bars.
    func play() throws -> Bool {
        let binaries = try Binaries.find()
        let style = Style.ofStandardOutput
        Shutdown.onSignals {}
        if !json { head(style) }
        var missed = 0
        for (index, plan) in SiegeCell.Plan.table(quick: quick).enumerated() where cell == nil || cell == index + 1 {
            let cell = try SiegeCell.play(plan, binaries: binaries)
            missed += cell.figures.count { !$0.passed }
            if json { try Self.printLine(cell) } else { row(cell, style) }
        }
        if !json {
            print(
                missed == 0 ? style.good("✓ No bar is missed.") : style.concern("high", "✗ \(missed) bars are missed."))
        }
        return missed == 0
    }

    private func head(_ style: Style) {
        print("Floods on shop by flinch-load from one core; known and new customers with curl, another guest with wrk.")
        let names = [
            "SENT/s", "ARRIVE/s", "KNOWN", "NEW", "p95 ms", "INNOCENT", "p99 ms", "ALARM ms", "KERNEL", "FREE s",
        ]
        print(style.dim("BARRIER CLASS    SOURCES   " + Self.line(names)))
    }

    private func row(_ cell: SiegeCell, _ style: Style) {
        func number(_ value: Double?, _ digits: Int = 0) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? "–"
        }
        let cells = [
            number(cell.offered), number(cell.passing), number(cell.known.success, 1) + " %",
            number(cell.new.success, 1) + " %", number(cell.newSlow), number(cell.innocent.success, 1) + " %",
            number(cell.innocent.p99, 1), number(cell.detected),
            cell.beforeUserSpace.map { number($0, 1) + " %" } ?? "–",
            number(cell.recovered, 1),
        ]
        print(
            cell.plan.barrier.rawValue.column(8) + cell.plan.floodClass.column(9) + "\(cell.plan.sources)".column(10)
                + Self.line(cells))
        for figure in cell.figures where !figure.passed {
            let side = figure.atLeast ? "at least" : "at most"
            let value = figure.value < 1e9 ? number(figure.value, 1) : "never"
            print(
                style.concern("high", "  ✗ \(figure.name): \(value) \(figure.unit), \(side) \(number(figure.bar, 1))"))
        }
        if cell.stolen >= 2 { print(style.dim("  \(Int(cell.stolen)) % of the processors stolen meanwhile")) }
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, columns).map { $0.column($1, right: true) }.joined(separator: " ")
    }

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
