import Foundation
import Offload

/// `flinch divert status`, for people and for programs.
struct DivertPage {
    private let status: DiversionStatus?

    init(_ status: DiversionStatus?) { self.status = status }

    private struct Document: Encodable {
        var installed: Bool
        var backend: String?
        var diverting: Bool?
        var digest: String?
        var firstQueue: UInt16?
        var queueCount: UInt16?
        var whenStopped: String?
        /// Packets since the rules were installed.
        var diverted: UInt64?
        var excluded: UInt64?
        var nonIPDropped: UInt64?
        var floodDropped: UInt64?
        /// Queues that a program has bound now.
        var bound: [UInt16]?
    }

    func render(json: Bool) throws -> String {
        json ? try document() : text
    }

    private func bound(_ status: DiversionStatus) -> [UInt16] {
        let end = UInt32(status.firstQueue) + UInt32(status.queueCount)
        return QueueCounters.read().keys.filter { $0 >= status.firstQueue && UInt32($0) < end }.sorted()
    }

    private func document() throws -> String {
        var document = Document(installed: status != nil)
        if let status {
            document.backend = status.backend.rawValue
            document.diverting = status.diverting
            document.digest = status.digest
            document.firstQueue = status.firstQueue
            document.queueCount = status.queueCount
            document.whenStopped = status.whenStopped.rawValue
            document.diverted = status.counters.diverted.packets
            document.excluded = status.counters.excluded.packets
            document.nonIPDropped = status.counters.nonIPDropped.packets
            document.floodDropped = status.counters.floodDropped.packets
            document.bound = bound(status)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    private var text: String {
        guard let status else { return "not installed: the bridge forwards as if Flinch were not there" }
        let last = UInt32(status.firstQueue) + UInt32(status.queueCount) - 1
        let queues = status.queueCount == 1 ? "queue \(status.firstQueue)" : "queues \(status.firstQueue) to \(last)"
        var lines = [
            "installed: \(status.backend.rawValue) backend, \(queues), when stopped: \(status.whenStopped.rawValue)"
        ]
        if !status.diverting { lines.append("nothing is diverted: the chains were emptied") }
        lines.append(
            "diverted \(Figure.whole(status.counters.diverted.packets)) packets, excluded "
                + "\(Figure.whole(status.counters.excluded.packets)), non-IP dropped "
                + "\(Figure.whole(status.counters.nonIPDropped.packets)), of floods dropped "
                + "\(Figure.whole(status.counters.floodDropped.packets))")
        let bound = bound(status)
        if bound.count < Int(status.queueCount) {
            let fate = status.whenStopped == .pass ? "pass uninspected" : "are dropped"
            lines.append(
                "\(Int(status.queueCount) - bound.count) of \(status.queueCount) queues have no sensor bound: "
                    + "their packets \(fate)")
        }
        for item in status.bridgeNetfilter {
            lines.append("net.bridge.\(item.name) is \(item.on ? 1 : 0), was \(item.wasOn ? 1 : 0)")
        }
        return lines.joined(separator: "\n")
    }
}
