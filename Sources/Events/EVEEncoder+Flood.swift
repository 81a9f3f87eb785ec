import Evidence
import Wire

/// A flood that opens or ends.
extension EVEEncoder {
    /// A flood that opens is an alert; one that closes is an event of type "flood" with the same id.
    ///
    /// There is no `src_ip`: a flood has as many sources as it likes to claim.
    public mutating func encode(_ flood: FloodEvent) {
        let opens = flood.phase == .open
        line.openObject()
        line.field("timestamp", time: flood.time)
        line.field("event_type", opens ? "alert" : "flood")
        line.field("dest_ip", flood.host)
        if let number = EVEEncoder.ipProtocol(of: flood.floodClass, v4: flood.host.isV4) {
            line.field("proto", protocol: number)
        }
        let intended: Verdict =
            switch flood.action {
            case "deny": .drop
            case "throttle", "defend": .throttle
            default: .accept
            }
        let verdict = flood.shadow ? .accept : intended
        if opens {
            let rule = EVENames.Rule(
                gid: EVEEncoder.floodGenerator, sid: UInt32(flood.floodClass.rawValue) + 1, rev: 1,
                message: "FLOOD \(flood.floodClass.name) flood to \(flood.guest)",
                category: "Attempted Denial of Service", severity: flood.concern.severity)
            alert(rule, blocked: verdict != .accept)
        }
        line.key("flinch")
        line.openObject()
        line.field("guest", flood.guest)
        line.field("concern", flood.concern.description)
        line.field("reason", (flood.action == "defend" ? Reason.floodSource : EVEEncoder.reason(for: intended)).text)
        line.field("verdict", verdict.name)
        line.field("intended", intended.name)
        line.field("shadow", flood.shadow)
        line.key("flood")
        figures(flood)
        line.closeObject()
        end()
    }

    private mutating func figures(_ flood: FloodEvent) {
        line.openObject()
        line.field("id", flood.identifier)
        line.field("class", flood.floodClass.name)
        line.field("phase", flood.phase.rawValue)
        line.field("action", flood.action)
        line.field("threshold", flood.threshold)
        if flood.hosts > 1 {
            line.field("hosts", UInt64(flood.hosts))
        }
        switch flood.phase {
        case .open:
            line.field("rate", flood.peakRate)
        case .close:
            line.field("opened", time: flood.opened)
            line.field("packets", flood.packets)
            line.field("peak_rate", flood.peakRate)
            line.field("dropped", flood.dropped)
            if flood.offloaded > 0 {
                line.field("offloaded", flood.offloaded)
            }
            if let sources = flood.sources {
                line.field("sources", sources)
            }
            if let sieve = flood.sieve {
                line.key("sieve")
                line.openObject()
                for (name, packets) in sieve.named {
                    line.key(text: name)
                    line.value(packets)
                }
                line.closeObject()
            }
            line.field("duration", seconds: flood.time >= flood.opened ? flood.time - flood.opened : 0)
        }
        line.closeObject()
    }

    private static func ipProtocol(of floodClass: FloodClass, v4: Bool) -> UInt8? {
        switch floodClass {
        case .syn, .tcp: 6
        case .udp: 17
        case .icmp: v4 ? 1 : 58
        case .fragment: nil
        }
    }

    private static func reason(for verdict: Verdict) -> Reason {
        switch verdict {
        case .accept: .none
        case .drop: .floodDeny
        case .throttle: .floodThrottle
        }
    }
}
