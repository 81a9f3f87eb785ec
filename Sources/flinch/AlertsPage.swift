import Foundation
import Sinks
import Store

/// Incidents and events in a terminal. What came in packets is made fit to be shown.
struct AlertsPage {
    let style: Style

    private static let concerns = ["", "low", "medium", "high"]

    /// One line for what happened, and its parts below it.
    func text(_ incident: Incident) -> String {
        let concern = AlertsPage.concerns[min(max(incident.concern, 0), 3)]
        let seconds = Double(incident.last - incident.first) / 1e6
        let who = [incident.actor, incident.guests.joined(separator: ", ")].filter { !$0.isEmpty }
        let worst = incident.parts.max { ($0.concern, $1.first) < ($1.concern, $0.first) }
        var head = style.concern(concern, "● \(concern.uppercased().column(6))")
        head += " \(AlertsPage.time(incident.first))  \(Figure.duration(seconds).column(9))  "
        head += PlainText.line(who.joined(separator: " → ")) + "  "
        head += style.bold(PlainText.line(worst?.title ?? ""))
        if incident.parts.count > 1 { head += " and \(incident.parts.count - 1) more" }
        head += style.dim("  \(Figure.whole(UInt64(incident.count))) \(incident.count == 1 ? "event" : "events")")
        guard incident.parts.count > 1 else { return head }
        let parts = incident.parts.map { part in
            "    \(AlertsPage.time(part.first))  \("\(part.count)×".column(8, right: true))  \(PlainText.line(part.title))"
        }
        return ([head] + parts.map { style.dim($0) }).joined(separator: "\n")
    }

    func text(_ notice: Notice) -> String {
        "\(notice.time)  " + style.concern(notice.concern, notice.sentence)
    }

    private static func time(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1e6).formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: false).dateTimeSeparator(.space))
    }
}
