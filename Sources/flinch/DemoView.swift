import Control
import Foundation
import Lab
import Synchronization

/// What the demo shows a person: a table that grows a row a scenario, 98 columns wide, and below the rows
/// what is being played now.
final class DemoView: Sendable {
    private let style: Style
    private let terminal: Bool
    /// What is being done; nil when there is nothing to show.
    private let work = Mutex<String?>(nil)

    private static let width = 98
    private static let columns = (
        name: 16, sent: 8, delivered: 11, dropped: 9, throttled: 11, alert: 9, success: 9, p50: 11, p99: 12
    )

    init(style: Style) {
        self.style = style
        terminal = isatty(STDOUT_FILENO) == 1
        if terminal { animate() }
    }

    // MARK: The parts, from top to bottom

    func open() {
        say(style.bold("Flinch") + " stands on the bridge of a VM host, looks at every packet, and flinches.")
        say("")
        say("  guests    web (nginx), dns (dnsmasq), smb, quiet; watch, for which Flinch only alerts; and shop")
        say("            (nginx), whose clients it tells apart from the flood")
        say("  client    pages, names, ping and a bulk transfer throughout: wrk, dig, ping, iperf3")
        say("  attacks   nmap, hping3, trafgen, from outside and from one guest to another")
        say("")
    }

    func built(_ status: Status, seconds: Double) {
        let parts = [
            "flinchd \(status.version)", "\(status.queues.count) workers",
            "\(status.backend ?? "own") backend", "\(status.rules.loaded) rules",
            "at most \(Figure.bytes(status.memoryBound))",
        ]
        say(style.dim("  Built in \(Figure.duration(seconds)): " + parts.joined(separator: ", ") + "."))
        say("")
        let c = Self.columns
        say(
            style.dim(
                "".column(2 + c.name)
                    + "ATTACK, packets".column(c.sent + c.delivered + c.dropped + c.throttled + c.alert)
                    + "     ORDINARY, before → now"))
        say(
            style.dim(
                "  " + "SCENARIO".column(c.name)
                    + line([
                        "sent", "delivered", "dropped", "throttled", "alert", "success", "p50 ms", "p99 ms",
                    ])))
    }

    func row(_ outcome: Outcome) {
        let attacked = outcome.program != nil
        func count(_ number: Int) -> String {
            !attacked ? "" : number == 0 ? "–" : Figure.whole(UInt64(max(0, number)))
        }
        let first = outcome.scenario == "ordinary"
        func change(_ before: Double, _ now: Double) -> String {
            first ? Self.brief(now) : "\(Self.brief(before)) → \(Self.brief(now))"
        }
        let alert =
            outcome.alertMilliseconds.map { $0 < 1 ? "< 1 ms" : "\(Int($0.rounded())) ms" }
            ?? (attacked ? "none" : "")
        let cells = [
            count(outcome.sent), count(outcome.delivered), count(outcome.dropped), count(outcome.throttled),
            alert,
            Self.percent(outcome.success), change(outcome.before.http.p50, outcome.ordinary.http.p50),
            change(outcome.before.http.p99, outcome.ordinary.http.p99),
        ]
        say(mark(outcome) + " " + style.bold(outcome.scenario.column(Self.columns.name)) + line(cells))
        for text in remarks(outcome) { say("  " + style.dim(text)) }
        for alert in outcome.alerts.prefix(8) {
            let guests = alert.guests.joined(separator: ", ")
            say("  " + style.concern(alert.concern, "▸ \(alert.signature)") + style.dim("  at \(guests)"))
        }
        if outcome.alerts.count > 8 { say(style.dim("  … and \(outcome.alerts.count - 8) more signatures")) }
        for problem in outcome.problems { say("  " + style.concern("high", "✗ \(problem)")) }
        for problem in outcome.excused {
            let share = "\(Int(outcome.stolen)) % of the processors stolen"
            say("  " + style.concern("low", "not judged, \(share): \(problem)"))
        }
    }

    func close(_ outcomes: [Outcome], seconds: Double) {
        clear()
        let failed = outcomes.filter { !$0.ok }
        let sent = outcomes.reduce(0) { $0 + $1.sent }
        let stopped = outcomes.reduce(0) { $0 + $1.dropped + $1.throttled }
        let (asked, answered) = outcomes.reduce((0, 0)) {
            ($0.0 + $1.ordinary.http.asked, $0.1 + $1.ordinary.http.answered)
        }
        say("")
        if failed.isEmpty {
            say(style.good("✓ All \(outcomes.count) rows are as they must be."))
        } else {
            let names = failed.map(\.scenario).joined(separator: ", ")
            say(
                style.concern(
                    "high", "✗ \(failed.count) of \(outcomes.count) rows are not as they must be: \(names)."))
        }
        say(
            "  \(Figure.whole(UInt64(sent))) packets of attack, \(Figure.whole(UInt64(max(0, stopped)))) of them stopped; "
                + "\(Figure.whole(UInt64(answered))) of \(Figure.whole(UInt64(asked))) web requests answered meanwhile."
        )
        say(style.dim("  \(Figure.duration(seconds)) in all. The lab is taken down; nothing of it is left."))
        say("")
        say("  Your own bridge next: write a configuration, \(style.bold("flinch config check FILE")),")
        say("  then \(style.bold("flinchd --config FILE")), and watch it with \(style.bold("flinch top")).")
    }

    /// For Ctrl-C: says why nothing seems to happen for a moment.
    func interrupted() {
        clear()
        say("Taking everything down …")
    }

    // MARK: Details of a row

    private func remarks(_ outcome: Outcome) -> [String] {
        guard let program = outcome.program else { return [outcome.story] }
        var text = "\(program): \(outcome.story)"
        if let flood = outcome.flood, outcome.alertMilliseconds != nil {
            let passing = Figure.whole(UInt64(max(0, (outcome.passing ?? 0).rounded())))
            switch flood.action {
            case "deny": text += "; denied, \(passing) a second arrive"
            case "throttle":
                text += "; held to \(Figure.whole(UInt64(outcome.allowed ?? 0))) a second, \(passing) arrive"
            case "defend": text += "; sources told apart, \(passing) a second arrive"
            default: text += "; alert only, all of it arrives"
            }
        }
        if outcome.offloaded > 0, outcome.sent > 0 {
            text += "; \(100 * outcome.offloaded / outcome.sent) % stopped by the kernel"
        }
        if let siege = outcome.siege { return [text] + remarks(siege) }
        guard let shared = outcome.shared else { return [text] }
        let probe = outcome.ordinary.probe(shared)
        return [
            text,
            "the client's \(shared.rawValue) questions share the throttle: \(Self.percent(probe.success)) answered meanwhile",
        ]
    }

    private func remarks(_ siege: Outcome.Siege) -> [String] {
        func count(_ name: String) -> String { Figure.whole(siege.sieve[name] ?? 0) }
        let recovery = siege.recovery.map { "; all restrictions lifted \(Int($0.rounded())) s after its end" } ?? ""
        return [
            "known customers: \(Self.percent(siege.known.success)) served, connected in "
                + "\(Self.brief(siege.known.p50)) ms (p99 \(Self.brief(siege.known.p99)))",
            "new customers: \(Self.percent(siege.new.success)) served, connected in "
                + "\(Self.brief(siege.new.p50)) ms (p95 \(Self.brief(siege.newSlow)))",
            "about \(Figure.whole(siege.sources)) sources; \(count("challenged")) challenged, \(count("answered")) "
                + "answered, \(count("repeated")) asked again\(recovery)",
        ]
    }

    /// The concern of the worst alert; green for a row in which nothing was to be seen.
    private func mark(_ outcome: Outcome) -> String {
        guard outcome.ok else { return style.concern("high", "✗") }
        let concerns = outcome.alerts.map(\.concern) + [outcome.flood?.concern].compactMap { $0 }
        guard let worst = ["high", "medium", "low"].first(where: concerns.contains) else {
            return style.good("●")
        }
        return style.concern(worst, "●")
    }

    private func line(_ cells: [String]) -> String {
        let c = Self.columns
        let widths = [c.sent, c.delivered, c.dropped, c.throttled, c.alert, c.success, c.p50 + 1, c.p99 + 1]
        return zip(cells, widths).map { $0.column($1, right: true) }.joined()
    }

    private static func brief(_ milliseconds: Double) -> String {
        milliseconds < 10 ? String(format: "%.1f", milliseconds) : "\(Int(milliseconds.rounded()))"
    }

    private static func percent(_ value: Double) -> String {
        value == 100 ? "100 %" : String(format: "%.1f %%", min(value, 99.9))
    }

    // MARK: The line of what is being done

    func working(_ text: String) { work.withLock { $0 = text } }

    func clear() {
        work.withLock { work in
            work = nil
            if terminal { put("\r\u{1B}[K\u{1B}[?25h") }
        }
    }

    private func say(_ text: String) {
        work.withLock { _ in put((terminal ? "\r\u{1B}[K" : "") + text + "\n") }
    }

    private func put(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    private func animate() {
        let frames = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
        let start = ContinuousClock.now
        let thread = Foundation.Thread { [weak self] in
            for step in 0... {
                guard let self else { return }
                work.withLock { work in
                    guard let text = work else { return }
                    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
                    let line =
                        "\(frames[step % frames.count]) \(text)".column(Self.width - 8) + " \(seconds) s"
                    put("\r\u{1B}[?25l\u{1B}[K" + style.dim(line))
                }
                rest(.milliseconds(120))
            }
        }
        thread.start()
    }
}

extension Outcome {
    /// The worst success of all ordinary traffic that does not share the flooded class, in percent.
    fileprivate var success: Double {
        OrdinaryReport.Kind.allCases.filter { $0 != shared }.map { ordinary.probe($0).success }.min() ?? 0
    }
}
