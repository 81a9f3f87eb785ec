import Control
import Events

extension Status {
    /// For a `stats` event, by the names of Suricata's counters where there are such.
    var counters: [String: UInt64] {
        let received = queues.reduce(0) { $0 &+ $1.packets }
        let drops = uninspected.droppedQueueFull &+ uninspected.droppedSocketFull
        var counters: [String: UInt64] = [
            "capture.kernel_packets": received &+ drops, "capture.kernel_drops": drops, "decoder.pkts": received,
            "ips.accepted": verdicts.accepted, "ips.blocked": verdicts.dropped,
            "detect.rules_loaded": UInt64(rules.loaded), "flow.floods_open": UInt64(floods.count),
            "memory.bound": memoryBound, "memory.resident": memoryResident,
            "uninspected.passed": uninspected.passedOverload &+ uninspected.passedUnbound,
            "uninspected.dropped": drops &+ uninspected.droppedUnbound,
            "uninspected.unreadable": uninspected.unreadable,
            "events.held_back": events.withheld, "events.lost": events.lostRing &+ events.lostWrite,
        ]
        for mirror in mirrors {
            counters["mirror.\(mirror.interface).kernel_packets"] = mirror.came
            counters["mirror.\(mirror.interface).kernel_drops"] = mirror.dropped
            counters["mirror.\(mirror.interface).packets"] = mirror.packets
            counters["mirror.\(mirror.interface).bytes"] = mirror.bytes
            counters["mirror.\(mirror.interface).left"] = mirror.left
            counters["mirror.\(mirror.interface).interruptions"] = mirror.errors
        }
        if let evidence {
            counters["evidence.files"] = UInt64(evidence.files)
            counters["evidence.missed"] = evidence.missed
        }
        for (reason, count) in verdicts.byReason { counters["ips.drop_reason.\(reason)"] = count }
        for sink in sinks {
            counters["sinks.\(sink.name).delivered"] = sink.delivered
            counters["sinks.\(sink.name).dropped"] = sink.dropped
            counters["sinks.\(sink.name).queued"] = sink.queued
        }
        return counters
    }

    var guestRates: [GuestRate] {
        GuestTraffic.all(self).map {
            GuestRate(
                name: $0.name, packetsIn: $0.packetsIn, bitsIn: $0.bitsIn, packetsOut: $0.packetsOut,
                bitsOut: $0.bitsOut)
        }
    }
}
