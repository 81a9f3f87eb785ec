import Control
import Foundation

/// What the control socket answers.
///
/// `status`; `peers` (`PeersDocument`); `guests` (`GuestsDocument`); `running`, `history` and `history N`: the
/// configurations (`ConfigurationChange`); `shadow` (`ShadowFigures`); `reload HOW` with a comment behind it, and `reloaded` (`ReloadOutcome`); `deny ADDRESS SECONDS WHO` and
/// `allow ADDRESS`. All else is an error.
struct ControlDesk: Sendable {
    let status: @Sendable () -> Status
    let peers: @Sendable () -> [UInt8]
    let guests: @Sendable () -> GuestsDocument
    let history: ConfigurationHistory
    let shadow: ShadowLedger
    let reloads: ReloadDesk
    let denials: DenialDesk

    func answer(_ request: String, _ peer: Peer?) -> [UInt8] {
        let words = request.split(separator: " ", maxSplits: 1).map(String.init)
        switch (words.first, words.count) {
        case ("status", 1): return status().json
        case ("peers", 1): return peers()
        case ("guests", 1): return ControlDesk.json(guests())
        case ("running", 1): return ControlDesk.json(history.running)
        case ("history", 1): return ControlDesk.json(history.list)
        case ("history", 2):
            guard let change = Int(words[1]).flatMap(history.change) else {
                return ControlDesk.error("there is no configuration \(words[1]), or no longer")
            }
            return ControlDesk.json(change)
        case ("shadow", 1): return ControlDesk.json(shadow.figures)
        case ("reload", 2): return reload(words[1], peer)
        case ("deny", 2): return ControlDesk.outcome(denials.order(words[1]))
        case ("allow", 2): return ControlDesk.outcome(denials.allow(words[1]))
        case ("reloaded", 1): return ControlDesk.json(reloads.outcome)
        default: return ControlDesk.error("unknown request")
        }
    }

    /// `apply`, or `rollback N`, and a comment.
    private func reload(_ text: String, _ peer: Peer?) -> [UInt8] {
        var words = text.split(separator: " ", omittingEmptySubsequences: false)
        var how = String(words.removeFirst())
        if how == "rollback", let number = words.first.flatMap({ Int($0) }) {
            how = "rollback to \(number)"
            words.removeFirst()
        } else if how != "apply" {
            return ControlDesk.error("unknown request")
        }
        let comment = words.joined(separator: " ").filter {
            $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        }
        let order = ReloadDesk.Order(who: peer?.name ?? "", how: how, comment: comment)
        guard let finished = reloads.place(order) else {
            return ControlDesk.error("a reload is under way already; try again when it is done")
        }
        return ControlDesk.json(ReloadOutcome(finished: finished))
    }

    private static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map(Array.init) ?? []
    }

    private static func outcome(_ problem: String?) -> [UInt8] { problem.map(error) ?? json([String: String]()) }

    private static func error(_ text: String) -> [UInt8] { json(["error": text]) }
}
