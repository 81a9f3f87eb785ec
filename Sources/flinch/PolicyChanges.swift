import ArgumentParser
import Configuration
import Control
import Foundation

/// What the running sensor says of its configurations.
struct RunningSensor {
    let control: String

    private struct Refusal: Decodable { var error: String }

    func ask<Answer: Decodable>(_ request: String, _: Answer.Type = Answer.self) throws -> Answer {
        let document = Data(try ControlClient.request(path: control, request))
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: document) { throw ControlError(refusal.error) }
        return try JSONDecoder().decode(Answer.self, from: document)
    }

    /// Settings of one that it took over. Its paths are relative to where it was read from.
    func settings(_ change: ConfigurationChange) throws -> Settings {
        try Settings.parse(text: change.text ?? "", file: change.path)
    }

    /// Has the file taken over, and waits until it is or is not.
    func reload(_ how: String, comment: String) throws -> ReloadOutcome {
        let before: ReloadOutcome = try ask("reload \(how)\(comment.isEmpty ? "" : " \(comment)")")
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let outcome: ReloadOutcome = try ask("reloaded")
            if outcome.finished > before.finished { return outcome }
            usleep(50_000)
        }
        throw ControlError("the sensor has not finished in two minutes; its log will say how it ended")
    }
}

/// What changes, and what the figures of shadow mode say of those who leave it.
struct ChangePage {
    let diff: SettingsDiff
    let figures: ShadowFigures

    init(_ sensor: RunningSensor, from old: Settings, to new: Settings) throws {
        diff = SettingsDiff(from: old, to: new)
        figures = try sensor.ask("shadow")
    }

    var text: String {
        var lines = diff.changes.isEmpty ? ["Nothing changes."] : diff.changes.map(\.description)
        if !diff.promoted.isEmpty {
            lines.append("")
            lines.append("Out of shadow mode: \(diff.promoted.sorted().joined(separator: ", ")).")
            lines.append(ShadowPage(figures, guests: diff.promoted).text)
        }
        return lines.joined(separator: "\n")
    }
}

/// What shadow mode let pass, for people.
struct ShadowPage {
    let figures: ShadowFigures
    /// nil for all.
    let guests: Set<String>?

    init(_ figures: ShadowFigures, guests: Set<String>? = nil) {
        self.figures = figures
        self.guests = guests
    }

    var text: String {
        let entries = figures.entries.filter { guests?.contains($0.guest) ?? true }
        let since = ShadowPage.moment(figures.since)
        var lines = [
            entries.isEmpty
                ? "Since \(since) nothing would have been dropped." : "Would have been dropped since \(since):"
        ]
        for entry in entries {
            lines.append(
                "  \(entry.guest.column(16))\(Figure.whole(entry.count).column(12))"
                    + [entry.source, entry.message].filter { !$0.isEmpty }.joined(separator: "  "))
            for example in entry.examples {
                lines.append(
                    "      \(ShadowPage.moment(example.time))  \(example.proto) \(example.from) → \(example.to)")
            }
        }
        if figures.others > 0 { lines.append("  and \(Figure.whole(figures.others)) of other kinds") }
        return lines.joined(separator: "\n")
    }

    static func moment(_ seconds: Double) -> String {
        var time = time_t(seconds)
        var parts = tm()
        unsafe localtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Whether a person at the terminal wants it; yes where there is none.
func confirms(_ question: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else { return true }
    // Not by `print`, which keeps a line that has no end yet.
    FileHandle.standardOutput.write(Data("\(question) [y/N] ".utf8))
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
}
