import Configuration
import Control
import Flows
import Foundation
import Glibc
import Offload

extension Status {
    /// What is known before the first packet.
    init(starting settings: Settings, backend: String?, memoryBound: UInt64) {
        self.init(
            sensor: settings.sensor.name, version: Version.text, pid: getpid(), uptime: 0, backend: backend,
            shadow: settings.shadow, whenStopped: settings.divert.whenStopped.rawValue,
            whenOverloaded: settings.divert.whenOverloaded.rawValue, queues: [], guests: [], floods: [],
            verdicts: Verdicts(accepted: 0, dropped: 0, byReason: [:], wouldDrop: [:]),
            uninspected: Uninspected(
                droppedQueueFull: 0, droppedSocketFull: 0, passedOverload: 0, passedUnbound: 0,
                droppedUnbound: 0, unreadable: 0, passedFragments: 0),
            rules: Rules(loaded: 0, rejected: 0, generation: 0, lastError: nil),
            events: Events(written: 0, withheld: 0, lostRing: 0, lostWrite: 0, lastError: nil),
            memoryBound: memoryBound,
            memoryResident: 0)
    }

    /// As `flinch status --json` prints it.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}

extension Status.Fragments {
    init(_ counters: FragmentCounters) {
        self.init(
            received: counters.ipv4Fragments + counters.ipv6Fragments,
            reassembled: counters.ipv4Reassembled + counters.ipv6Reassembled, expired: counters.expired,
            evicted: counters.evicted, contradictions: counters.contradictions, impossible: counters.impossible,
            withoutRoom: counters.noRoom)
    }
}
