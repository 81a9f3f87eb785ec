import ArgumentParser
import Configuration
import Foundation
import Sinks
import Store

struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Say what happened: incidents, and the alerts in them.",
        discussion: """
            Reads the store that a sink of type store writes. One line for each incident, and what it is made of \
            below it; with --follow the events, one by one as they come.
            """)

    private enum Level: String, ExpressibleByArgument, CaseIterable { case low, medium, high }

    @Option(help: ArgumentHelp("How far back: 90m, 24h, 7d, or a time like 2026-11-26T10:00:00Z.", valueName: "time"))
    var since = "24h"
    @Option(help: "Only of this guest.")
    var guest: String?
    @Option(help: "Only from this concern on: low, medium or high.")
    private var concern = Level.low
    @Flag(help: "Go on, and show each event when it comes.")
    var follow = false
    @Flag(help: "JSON, an object a line: incidents, or with --follow the EVE lines.")
    var json = false
    @Option(help: ArgumentHelp("The database.", valueName: "file"))
    var store = Settings.standardState + "/flinch.sqlite"

    func run() throws {
        guard FileManager.default.fileExists(atPath: store) else {
            Complaint.say("there is no store at \(store): does the configuration have a sink of type store?")
            throw ExitCode.failure
        }
        let reader = try StoreReader(path: store)
        var question = StoreReader.Question()
        question.since = try moment()
        question.guest = guest
        question.concern = Level.allCases.firstIndex(of: concern).map { $0 + 1 } ?? 1
        if follow { try follow(reader, question) }
        let incidents = try reader.incidents(question)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for incident in incidents { print(String(decoding: try encoder.encode(incident), as: UTF8.self)) }
        } else {
            let page = AlertsPage(style: .ofStandardOutput)
            for incident in incidents { print(page.text(incident)) }
            if incidents.isEmpty { print("Nothing.") }
        }
    }

    private func follow(_ reader: StoreReader, _ question: StoreReader.Question) throws -> Never {
        let page = AlertsPage(style: .ofStandardOutput)
        var last = try reader.lastEvent()
        while true {
            let (lines, seen) = try reader.events(after: last, question)
            for line in lines {
                let shown = json ? line : Notice(line: line.utf8).map { page.text($0) }
                // Not by `print`: a line is out at once, also into a pipe.
                if let shown { FileHandle.standardOutput.write(Data((shown + "\n").utf8)) }
            }
            if seen == last { usleep(300_000) }
            last = seen
        }
    }

    /// Microseconds since the Unix epoch.
    private func moment() throws -> Int64 {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let unit = since.last.flatMap({ units[$0] }), let number = Double(since.dropLast()), number >= 0 {
            return Int64((Date().timeIntervalSince1970 - number * unit) * 1e6)
        }
        for style in [Date.ISO8601FormatStyle.iso8601, .iso8601.year().month().day()] {
            if let date = try? Date(since, strategy: style) { return Int64(date.timeIntervalSince1970 * 1e6) }
        }
        throw ValidationError("'\(since)' is no time; write 90m, 24h, 7d, 2026-11-26 or 2026-11-26T10:00:00Z")
    }
}
