import Control

/// The sensor's status as a page that is read at a glance: how it is, guests and what comes at them, the
/// floods of this moment, verdicts, and what was not inspected.
struct StatusPage {
    private let status: Status
    private let style: Style

    init(_ status: Status, style: Style) {
        self.status = status
        self.style = style
    }

    /// `guests` is how many guests fit.
    func text(width: Int, guests: Int = .max) -> String {
        ([head] + [""] + table(width, guests) + [""] + floods + behaviour + verdicts + queues + mirrors + denials + [
            uninspected, flows,
        ]
            + fragments + [rules] + evidence + sinks)
            .joined(separator: "\n")
    }

    // MARK: - Lines

    private var head: String {
        let rate = status.queues.reduce(0) { $0 + $1.rate } + status.mirrors.reduce(0) { $0 + $1.rate }
        let mode = status.shadow ? style.concern("low", "SHADOW: everything passes") : "inline"
        let intake = status.queues.isEmpty ? "listening only" : "\(mode) (\(status.backend ?? "own rules"))"
        let parts = [
            style.bold("flinch \(status.version) · \(status.sensor)"), "up \(Figure.duration(status.uptime))",
            intake, "\(Figure.whole(rate)) packets/s",
            "\(Figure.bytes(status.memoryResident)) resident",
        ]
        return parts.joined(separator: style.dim("  ·  "))
    }

    private func table(_ width: Int, _ room: Int) -> [String] {
        let name = 12
        let address = max(15, min(39, width - 78))
        var lines = [
            style.dim(
                "GUEST".column(name) + " " + "ADDRESS".column(address) + "IN pkt/s".column(11, right: true)
                    + "bit/s".column(9, right: true) + "OUT pkt/s".column(11, right: true)
                    + "bit/s".column(9, right: true) + "STOPPED".column(12, right: true) + "  FLOODS")
        ]
        for guest in status.guests.prefix(room) {
            let stopped = guest.dropped.values.reduce(0, &+)
            let floods = status.floods.filter { $0.guest == guest.name && $0.address == guest.address }
            let marks = floods.map { style.concern($0.concern, "● \($0.floodClass)") }.joined(separator: " ")
            lines.append(
                guest.name.column(name) + " " + guest.address.column(address)
                    + Figure.whole(guest.packetsIn).column(11, right: true)
                    + Figure.bits(guest.bitsIn).column(9, right: true)
                    + Figure.whole(guest.packetsOut).column(11, right: true)
                    + Figure.bits(guest.bitsOut).column(9, right: true)
                    + Figure.whole(stopped).column(12, right: true) + "  "
                    + (floods.isEmpty ? style.dim(quiet(guest)) : marks))
        }
        let hidden = status.guests.count - min(room, status.guests.count)
        if hidden > 0 { lines.append(style.dim("… and \(hidden) more: flinch status --json")) }
        return lines
    }

    /// How a guest without floods is looked at.
    private func quiet(_ guest: Status.Guest) -> String {
        let words = (guest.mode == "watched" ? ["watched"] : []) + (guest.shadow ? ["shadow"] : [])
        return words.isEmpty ? "–" : words.joined(separator: ", ")
    }

    /// How many packets were stopped, and how many of them by the kernel.
    private func stopped(_ flood: Status.Flood) -> String {
        let kernel = flood.offloaded > 0 ? " (\(Figure.whole(flood.offloaded)) by the kernel)" : ""
        return "\(Figure.whole(flood.dropped)) stopped\(kernel)"
    }

    /// How many sources it has, and how many SYNs were answered with a challenge.
    private func origin(_ flood: Status.Flood) -> String {
        let sources = flood.sources.map { ", about \(Figure.whole($0)) sources" } ?? ""
        let challenged = flood.sieve?["challenged"] ?? 0
        return sources + (challenged > 0 ? ", \(Figure.whole(challenged)) challenged" : "")
    }

    private var floods: [String] {
        guard !status.floods.isEmpty else { return [style.good("No floods.")] }
        return status.floods.map { flood in
            let act =
                switch flood.action {
                case "alert": "watched"
                case "throttle": "throttled, \(stopped(flood))"
                case "defend": "defended, \(stopped(flood))\(origin(flood))"
                default: "denied, \(stopped(flood))"
                }
            return style.concern(
                flood.concern,
                "● \(flood.concern.uppercased().column(6)) \(flood.floodClass) flood to \(flood.guest) (\(flood.address))"
            )
                + "  \(Figure.whole(flood.rate)) packets/s, peak \(Figure.whole(flood.peakRate)), "
                + "for \(Figure.duration(flood.seconds)): \(flood.shadow ? "would be \(act)" : act)"
        }
    }

    /// Only what goes on, and what was lost.
    private var behaviour: [String] {
        let seen = status.behaviour
        var lines = seen.open.prefix(StatusPage.behaviourLines).map { finding in
            let message = finding.message.replacing("BEHAVIOUR ", with: "", maxReplacements: 1)
            let whose = finding.sourceCount == 1 ? ", from \(finding.sources.first ?? "")" : ""
            let counts = [("attempts", finding.attempts), ("hosts", finding.hosts), ("ports", finding.ports)]
                .filter { $0.1 > 0 }.map { "\(Figure.whole($0.1)) \($0.0)" }.joined(separator: ", ")
            return style.concern(finding.concern, "● \(finding.concern.uppercased().column(6)) \(message)\(whose)")
                + "  \(counts), for \(Figure.duration(finding.seconds))"
                + (finding.action == "drop" ? finding.shadow ? ": would be refused" : ": refused" : "")
        }
        let hidden = seen.open.count - lines.count
        if hidden > 0 { lines.append(style.dim("… and \(hidden) more: flinch status --json")) }
        let lost = [("events of conversations lost", seen.lost), ("findings without room", seen.unreported)]
            .filter { $0.1 > 0 }.map { "\(Figure.whole($0.1)) \($0.0)" }.joined(separator: ", ")
        if !lost.isEmpty { lines.append("Behaviour    " + style.concern("medium", lost)) }
        return lines
    }

    private static let behaviourLines = 8

    private var verdicts: [String] {
        let verdicts = status.verdicts
        var text =
            "Verdicts     \(Figure.whole(verdicts.accepted)) accepted, \(Figure.whole(verdicts.dropped)) dropped"
        if !verdicts.byReason.isEmpty { text += ": " + StatusPage.list(verdicts.byReason) }
        if verdicts.rejectsSent > 0 { text += "; \(Figure.whole(verdicts.rejectsSent)) senders told" }
        if verdicts.rejectsWithheld > 0 {
            text += style.concern("low", "; \(Figure.whole(verdicts.rejectsWithheld)) not told")
        }
        guard !verdicts.wouldDrop.isEmpty else { return [text] }
        return [text, "Shadow       would have dropped: " + StatusPage.list(verdicts.wouldDrop)]
    }

    private var queues: [String] {
        guard !status.queues.isEmpty else { return [] }
        return [
            "Queues       "
                + status.queues.map {
                    "\($0.number) on core \($0.core): \(Figure.whole($0.rate)) packets/s, \($0.waiting) waiting"
                }.joined(separator: "; ") + latency
        ]
    }

    /// What is listened to, and what the kernel had to drop of it.
    private var mirrors: [String] {
        status.mirrors.map { mirror in
            var text = "Mirror       \(mirror.interface): \(Figure.whole(mirror.packets)) frames"
            if mirror.left > 0 { text += ", \(Figure.whole(mirror.left)) of them left to the queues" }
            if mirror.dropped > 0 {
                text += style.concern("medium", ", \(Figure.whole(mirror.dropped)) lost by the kernel (ring full)")
            }
            if mirror.errors > 0 || mirror.missing > 0 {
                let seconds = Figure.whole(UInt64(mirror.missing.rounded(.up)))
                text += style.concern("low", ", went down \(mirror.errors) times, \(seconds) s not seen")
            }
            if mirror.condition != "listening" { text += style.concern("medium", ", \(mirror.condition)") }
            return text
        }
    }

    /// Who is kept out, and what other sensors were told of.
    private var denials: [String] {
        let denials = status.denials
        guard denials.made + denials.refused + denials.withheld + denials.lost > 0 || !denials.sensors.isEmpty else {
            return []
        }
        var text =
            "Denied       \(Figure.whole(UInt64(denials.active))) sources now, \(Figure.whole(denials.made)) in all"
        if denials.refused > 0 { text += ", \(Figure.whole(denials.refused)) refused" }
        let unheard = denials.withheld + denials.lost
        if unheard > 0 { text += style.concern("low", ", \(Figure.whole(unheard)) beyond the rate") }
        return [text]
            + denials.entries.prefix(5).map {
                "             \($0.source), \(Int($0.seconds.rounded(.up))) s left: \($0.by)"
            }
            + denials.sensors.map { sensor in
                var text = "             \(sensor.path): \(Figure.whole(sensor.delivered)) delivered"
                if sensor.waiting > 0 { text += ", \(sensor.waiting) waiting" }
                if sensor.undelivered > 0 {
                    text += style.concern("medium", ", \(Figure.whole(sensor.undelivered)) not delivered")
                }
                return text + (sensor.problem.map { " (\($0))" } ?? "")
            }
    }

    /// Of all queues since the start.
    private var latency: String {
        let latency = status.queues.map(\.latency).reduce(Latency(), +)
        guard latency.total > 0 else { return "" }
        let parts = [("half", 0.5), ("99 %", 0.99)].map { name, share in
            let bound = latency.quantile(share).map { "≤ \(Figure.latency($0))" }
            return "\(name) \(bound ?? "> \(Figure.latency(Latency.bound(Latency.buckets - 1)))")"
        }
        return "; verdicts: \(parts.joined(separator: ", "))"
    }

    private var uninspected: String {
        let counts = status.uninspected
        let parts = [
            ("dropped, queue full", counts.droppedQueueFull), ("dropped, socket full", counts.droppedSocketFull),
            ("passed, overload", counts.passedOverload), ("passed, no sensor", counts.passedUnbound),
            ("unreadable", counts.unreadable), ("fragments passed, no room", counts.passedFragments),
        ].filter { $0.1 > 0 }
        guard !parts.isEmpty else { return "Uninspected  " + style.good("none") }
        let text = parts.map { "\(Figure.whole($0.1)) \($0.0)" }.joined(separator: ", ")
        return "Uninspected  " + style.concern("medium", text)
    }

    private var flows: String {
        let flows = status.flows
        let parts = [
            ("made room for others", flows.evicted), ("segments without room", flows.refused),
            ("contradicted their stream", flows.contradictions), ("looked at by themselves", flows.unverified),
            ("gaps", flows.gaps),
        ].filter { $0.1 > 0 }
        let text = parts.map { ", \(Figure.whole($0.1)) \($0.0)" }.joined()
        return "Flows        \(Figure.whole(flows.count)) now" + text
    }

    /// Only where there are any.
    private var fragments: [String] {
        let counts = status.fragments
        guard counts.received > 0 else { return [] }
        let rest = [
            ("not whole in time", counts.expired), ("given up for others", counts.evicted),
            ("contradictory", counts.contradictions), ("impossible", counts.impossible),
            ("without room", counts.withoutRoom),
        ].filter { $0.1 > 0 }.map { "; \(Figure.whole($0.1)) \($0.0)" }.joined()
        return [
            "Fragments    \(Figure.whole(counts.received)), put together to \(Figure.whole(counts.reassembled)) packets"
                + rest
        ]
    }

    private var rules: String {
        var text = "Rules        \(Figure.whole(UInt64(status.rules.loaded))) loaded"
        if status.rules.rejected > 0 { text += ", \(status.rules.rejected) rejected" }
        text += "; \(Figure.whole(status.events.written)) events written"
        if status.events.withheld > 0 { text += ", \(Figure.whole(status.events.withheld)) of the same held back" }
        let lost = status.events.lostRing + status.events.lostWrite
        if lost > 0 { text += style.concern("medium", ", \(Figure.whole(lost)) lost") }
        if status.rules.forgotten > 0 { text += ", \(Figure.whole(status.rules.forgotten)) counts forgotten early" }
        if let error = status.events.lastError { text += style.concern("medium", " (\(error))") }
        if let error = status.rules.lastError {
            text += "\n" + style.concern("medium", "Last reload refused: \(error)")
        }
        return text
    }

    private var evidence: [String] {
        guard let evidence = status.evidence, evidence.files > 0 || evidence.missed > 0 else { return [] }
        var text = "Evidence     \(evidence.files) captures, \(Figure.whole(evidence.bytes >> 10)) KiB"
        if evidence.missed > 0 {
            text += style.concern("medium", ", \(Figure.whole(evidence.missed)) events without")
            if let error = evidence.lastError { text += style.concern("medium", " (\(error))") }
        }
        return [text]
    }

    /// The EVE file's troubles are in the line before; the others are shown where there are any.
    private var sinks: [String] {
        let width = status.sinks.map(\.name.count).max() ?? 0
        return status.sinks.dropFirst().enumerated().map { index, sink in
            var text = (index == 0 ? "Sinks        " : "             ") + sink.name.column(width) + "  "
            text += "\(Figure.whole(sink.delivered)) delivered"
            if sink.queued > 0 { text += ", \(Figure.whole(sink.queued)) waiting" }
            if sink.dropped > 0 { text += style.concern("medium", ", \(Figure.whole(sink.dropped)) lost") }
            if sink.state == "failing" || sink.dropped > 0, let error = sink.lastError {
                text += style.concern("medium", "  \(error)")
            }
            return text
        }
    }

    private static func list(_ counts: [String: UInt64]) -> String {
        counts.sorted { $0.value > $1.value }.map { "\(Figure.whole($0.value)) \($0.key)" }.joined(separator: ", ")
    }
}
