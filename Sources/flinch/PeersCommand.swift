import ArgumentParser
import Control
import Foundation

struct PeersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers", abstract: "Say who talks to whom, as the running sensor has learned it.",
        discussion: """
            A line is a relationship: who is a client of whom, for what. Only conversations that were answered count, \
            and at least one side is a guest.
            """)

    @OptionGroup var sensor: SensorOptions
    @Option(help: "Only relationships of this guest, or of this address.")
    var of: String?
    @Option(help: "Lines, the latest conversations first; 0 for all.")
    var limit = 50
    @Flag(help: "Print all of it as JSON.")
    var json = false

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit takes a number of lines, or 0") }
    }

    func run() throws {
        let answer = try ControlClient.request(path: sensor.control, "peers")
        var document = try JSONDecoder().decode(PeersDocument.self, from: Data(answer))
        if let of {
            document.relationships.removeAll { ![$0.client, $0.server, $0.clientGuest, $0.serverGuest].contains(of) }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(document) + [10])
        } else {
            print(PeersPage(document, style: .ofStandardOutput).text(limit: limit == 0 ? .max : limit))
        }
    }
}

/// Relationships as a table.
struct PeersPage {
    let document: PeersDocument
    let style: Style

    init(_ document: PeersDocument, style: Style) {
        self.document = document
        self.style = style
    }

    func text(limit: Int) -> String {
        let rows = document.relationships.prefix(limit)
        let names = rows.flatMap { [name($0.client, $0.clientGuest), name($0.server, $0.serverGuest)] }
        let width = max(6, names.map(\.count).max() ?? 0) + 2
        var lines = [
            style.dim(
                "CLIENT".column(width) + "SERVER".column(width) + "SERVICE".column(13)
                    + "TIMES".column(9, right: true) + "TO SERVER".column(11, right: true)
                    + "TO CLIENT".column(11, right: true) + "  SINCE                LAST")
        ]
        for row in rows {
            lines.append(
                name(row.client, row.clientGuest).column(width) + name(row.server, row.serverGuest).column(width)
                    + row.service.column(13) + Figure.whole(row.connections).column(9, right: true)
                    + Figure.bytes(row.bytesToServer).column(11, right: true)
                    + Figure.bytes(row.bytesToClient).column(11, right: true) + "  " + time(row.first) + "  "
                    + time(row.last))
        }
        let hidden = document.relationships.count - rows.count
        if hidden > 0 { lines.append(style.dim("… and \(hidden) more: --limit 0")) }
        if document.relationships.isEmpty { lines.append("None so far.") }
        if document.forgotten > 0 {
            lines.append(style.dim("\(Figure.whole(document.forgotten)) were forgotten for want of room"))
        }
        return lines.joined(separator: "\n")
    }

    private func name(_ address: String, _ guest: String?) -> String { guest.map { "\($0) (\(address))" } ?? address }

    private func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds).formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: false)
                .dateTimeSeparator(.space))
    }
}
