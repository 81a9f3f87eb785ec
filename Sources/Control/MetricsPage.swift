/// The status as Prometheus reads it (text format 0.0.4). The series of guests are bounded: a name each, and
/// beyond a limit all others are one.
public struct MetricsPage {
    public private(set) var text = ""

    public init(_ status: Status) {
        sensor(status)
        behaviour(status)
        queues(status)
        mirrors(status)
        denials(status.denials)
        verdicts(status)
        guests(status)
        events(status)
        evidence(status)
        sinks(status)
    }

    // MARK: - What is shown

    private mutating func sensor(_ status: Status) {
        family("flinch_info", "gauge", "The sensor.")
        sample(
            "flinch_info",
            [("sensor", status.sensor), ("version", status.version), ("backend", status.backend ?? "none")],
            1)
        family("flinch_uptime_seconds", "gauge", "Time since the start.")
        sample("flinch_uptime_seconds", [], status.uptime)
        family("flinch_shadow_mode", "gauge", "1 while everything passes and verdicts are only recorded.")
        sample("flinch_shadow_mode", [], status.shadow ? 1 : 0)
        family("flinch_memory_bytes", "gauge", "Memory: the bound of tables and queues, and what is resident.")
        sample("flinch_memory_bytes", [("kind", "bound")], Double(status.memoryBound))
        sample("flinch_memory_bytes", [("kind", "resident")], Double(status.memoryResident))
        family("flinch_rules", "gauge", "Rules that were loaded and rejected.")
        sample("flinch_rules", [("state", "loaded")], Double(status.rules.loaded))
        sample("flinch_rules", [("state", "rejected")], Double(status.rules.rejected))
        family("flinch_reload_failed", "gauge", "1 when the last reload was refused.")
        sample("flinch_reload_failed", [], status.rules.lastError == nil ? 0 : 1)
        family("flinch_floods_open", "gauge", "Floods that are open now, by class.")
        for floodClass in ["syn", "tcp", "udp", "icmp", "fragment"] {
            let open = status.floods.count { $0.floodClass == floodClass }
            sample("flinch_floods_open", [("class", floodClass)], Double(open))
        }
    }

    private mutating func behaviour(_ status: Status) {
        family("flinch_behaviour_findings_total", "counter", "Scans, login attempts and the like, by kind.")
        for (kind, count) in status.behaviour.raised.sorted(by: { $0.key < $1.key }) {
            sample("flinch_behaviour_findings_total", [("kind", kind)], Double(count))
        }
        family("flinch_behaviour_open", "gauge", "Those of them that go on now.")
        sample("flinch_behaviour_open", [], Double(status.behaviour.open.count))
        family("flinch_behaviour_lost_total", "counter", "What workers told of conversations and found no room.")
        sample("flinch_behaviour_lost_total", [], Double(status.behaviour.lost))
    }

    private mutating func queues(_ status: Status) {
        let queues = status.queues.map { (labels: [("queue", "\($0.number)")], queue: $0) }
        family("flinch_queue_packets_total", "counter", "Packets received from the kernel.")
        for (labels, queue) in queues { sample("flinch_queue_packets_total", labels, Double(queue.packets)) }
        family("flinch_queue_waiting", "gauge", "Packets that wait for a verdict.")
        for (labels, queue) in queues { sample("flinch_queue_waiting", labels, Double(queue.waiting)) }
        family(
            "flinch_queue_kernel_dropped_packets_total", "counter", "Packets that the kernel dropped before they came.")
        for (labels, queue) in queues {
            sample(
                "flinch_queue_kernel_dropped_packets_total", labels + [("cause", "queue-full")], Double(queue.dropped))
            sample(
                "flinch_queue_kernel_dropped_packets_total", labels + [("cause", "socket-full")],
                Double(queue.undelivered))
        }
        family(
            "flinch_verdict_latency_seconds", "histogram",
            "From the receipt of a packet's batch to its verdict; the wait in the kernel's queue is not in it.")
        for (labels, queue) in queues { histogram("flinch_verdict_latency_seconds", labels, queue.latency) }
        family("flinch_worker_cpu_seconds_total", "counter", "CPU time of the queue's worker.")
        for (labels, queue) in queues {
            sample("flinch_worker_cpu_seconds_total", labels + [("mode", "user")], queue.userTime)
            sample("flinch_worker_cpu_seconds_total", labels + [("mode", "system")], queue.systemTime)
        }
    }

    private mutating func mirrors(_ status: Status) {
        guard !status.mirrors.isEmpty else { return }
        let rows = status.mirrors.map { (labels: [("interface", $0.interface)], mirror: $0) }
        for (name, help, value) in [
            ("flinch_mirror_packets_total", "Frames listened to, of each interface.", \Status.Mirror.packets),
            ("flinch_mirror_bytes_total", "Their bytes.", \.bytes),
            ("flinch_mirror_kernel_dropped_packets_total", "Frames that found the kernel's ring full.", \.dropped),
            ("flinch_mirror_left_packets_total", "Frames left to the workers of queues, which inspect them.", \.left),
            ("flinch_mirror_interruptions_total", "Times that an interface went down or away.", \.errors),
        ] {
            family(name, "counter", help)
            for (labels, mirror) in rows { sample(name, labels, Double(mirror[keyPath: value])) }
        }
        family("flinch_mirror_missing_seconds_total", "counter", "Seconds for which nothing was listened to there.")
        for (labels, mirror) in rows { sample("flinch_mirror_missing_seconds_total", labels, mirror.missing) }
    }

    private mutating func denials(_ denials: Status.Denials) {
        family("flinch_denied_sources", "gauge", "Sources none of whose packets passes to a guest now.")
        sample("flinch_denied_sources", [], Double(denials.active))
        family("flinch_denials_total", "counter", "Sources that were denied.")
        sample("flinch_denials_total", [], Double(denials.made))
        family("flinch_denials_unheard_total", "counter", "Sources that were to be denied, and were not, by why.")
        sample("flinch_denials_unheard_total", [("why", "refused")], Double(denials.refused))
        sample("flinch_denials_unheard_total", [("why", "rate")], Double(denials.withheld &+ denials.lost))
        let undelivered = denials.sensors.reduce(0) { $0 &+ $1.undelivered }
        sample("flinch_denials_unheard_total", [("why", "undelivered")], Double(undelivered))
    }

    private mutating func verdicts(_ status: Status) {
        family("flinch_packets_accepted_total", "counter", "Packets that were let through.")
        sample("flinch_packets_accepted_total", [], Double(status.verdicts.accepted))
        family("flinch_packets_dropped_total", "counter", "Packets that were not, by reason.")
        for (reason, count) in sorted(status.verdicts.byReason) {
            sample("flinch_packets_dropped_total", [("reason", reason)], Double(count))
        }
        family("flinch_packets_would_drop_total", "counter", "Packets that shadow mode let through, by reason.")
        for (reason, count) in sorted(status.verdicts.wouldDrop) {
            sample("flinch_packets_would_drop_total", [("reason", reason)], Double(count))
        }
        family("flinch_packets_uninspected_total", "counter", "Packets that were diverted and not inspected, by fate.")
        let lost = status.uninspected
        for (fate, count) in [
            ("dropped-queue-full", lost.droppedQueueFull), ("dropped-socket-full", lost.droppedSocketFull),
            ("passed-overload", lost.passedOverload), ("passed-no-sensor", lost.passedUnbound),
            ("dropped-no-sensor", lost.droppedUnbound), ("unreadable", lost.unreadable),
        ] { sample("flinch_packets_uninspected_total", [("fate", fate)], Double(count)) }
    }

    private mutating func guests(_ status: Status) {
        let guests = GuestTraffic.all(status).map { (labels: [("guest", $0.name)], sum: $0) }
        family("flinch_guest_packets_per_second", "gauge", "Over the last second.")
        for (labels, sum) in guests {
            sample("flinch_guest_packets_per_second", labels + [("direction", "in")], Double(sum.packetsIn))
            sample("flinch_guest_packets_per_second", labels + [("direction", "out")], Double(sum.packetsOut))
        }
        family("flinch_guest_bytes_per_second", "gauge", "Over the last second.")
        for (labels, sum) in guests {
            sample("flinch_guest_bytes_per_second", labels + [("direction", "in")], Double(sum.bitsIn / 8))
            sample("flinch_guest_bytes_per_second", labels + [("direction", "out")], Double(sum.bitsOut / 8))
        }
        family("flinch_guest_received_packets_total", "counter", "Packets to the guest, by flood class.")
        for (labels, sum) in guests {
            for (floodClass, count) in sorted(sum.received) {
                sample("flinch_guest_received_packets_total", labels + [("class", floodClass)], Double(count))
            }
        }
        family("flinch_guest_dropped_packets_total", "counter", "Those that were not let through, by flood class.")
        for (labels, sum) in guests {
            for (floodClass, count) in sorted(sum.dropped) {
                sample("flinch_guest_dropped_packets_total", labels + [("class", floodClass)], Double(count))
            }
        }
        family("flinch_guest_findings_total", "counter", "Findings on packets of the guest.")
        for (labels, sum) in guests { sample("flinch_guest_findings_total", labels, Double(sum.findings)) }
    }

    private mutating func events(_ status: Status) {
        family("flinch_events_total", "counter", "Events: written to the EVE file, held back, lost.")
        let events = status.events
        for (fate, count) in [
            ("written", events.written), ("held-back", events.withheld), ("lost-ring", events.lostRing),
            ("lost-write", events.lostWrite),
        ] { sample("flinch_events_total", [("fate", fate)], Double(count)) }
    }

    private mutating func evidence(_ status: Status) {
        guard let evidence = status.evidence else { return }
        family("flinch_evidence_files", "gauge", "Captures of flows in which something of high concern was found.")
        sample("flinch_evidence_files", [], Double(evidence.files))
        family("flinch_evidence_bytes", "gauge", "What they take on disk.")
        sample("flinch_evidence_bytes", [], Double(evidence.bytes))
        family("flinch_evidence_missed_total", "counter", "Events that should have a capture and have none.")
        sample("flinch_evidence_missed_total", [], Double(evidence.missed))
    }

    private mutating func sinks(_ status: Status) {
        let sinks = status.sinks.map { (labels: [("sink", $0.name), ("channel", $0.channel)], sink: $0) }
        family("flinch_sink_up", "gauge", "0 while the sink's last try has failed.")
        for (labels, sink) in sinks { sample("flinch_sink_up", labels, sink.state == "failing" ? 0 : 1) }
        family("flinch_sink_queued", "gauge", "Events that wait.")
        for (labels, sink) in sinks { sample("flinch_sink_queued", labels, Double(sink.queued)) }
        family("flinch_sink_delivered_total", "counter", "Events that the receiver has.")
        for (labels, sink) in sinks { sample("flinch_sink_delivered_total", labels, Double(sink.delivered)) }
        family("flinch_sink_dropped_total", "counter", "Events that it will never have.")
        for (labels, sink) in sinks { sample("flinch_sink_dropped_total", labels, Double(sink.dropped)) }
        family("flinch_sink_failures_total", "counter", "Tries that failed.")
        for (labels, sink) in sinks { sample("flinch_sink_failures_total", labels, Double(sink.failures)) }
    }

    // MARK: - The format

    private mutating func histogram(_ name: String, _ labels: [(String, String)], _ latency: Latency) {
        var sum: UInt64 = 0
        for (bucket, count) in latency.counts.enumerated() {
            sum &+= count
            let bound = bucket < Latency.buckets ? "\(Double(Latency.bound(bucket)) / 1e9)" : "+Inf"
            sample("\(name)_bucket", labels + [("le", bound)], Double(sum))
        }
        sample("\(name)_sum", labels, Double(latency.sum) / 1e9)
        sample("\(name)_count", labels, Double(sum))
    }

    private func sorted(_ counts: [String: UInt64]) -> [(String, UInt64)] {
        counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{\(labels.map { "\($0.0)=\"\(MetricsPage.escaped($0.1))\"" }.joined(separator: ","))}"
        }
        let isWhole = value == value.rounded() && abs(value) < 9e15
        text += isWhole ? " \(Int64(value))\n" : " \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
