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
        line.key("timestamp")
        line.value(time: flood.time)
        line.key("event_type")
        line.value(opens ? "alert" : "flood")
        line.key("dest_ip")
        line.value(flood.host)
        if let number = EVEEncoder.ipProtocol(of: flood.floodClass, v4: flood.host.isV4) {
            line.key("proto")
            line.value(protocol: number)
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
        line.key("guest")
        line.value(flood.guest)
        line.key("concern")
        line.value(flood.concern.description)
        line.key("reason")
        line.value((flood.action == "defend" ? Reason.floodSource : EVEEncoder.reason(for: intended)).text)
        line.key("verdict")
        line.value(verdict.name)
        line.key("intended")
        line.value(intended.name)
        line.key("shadow")
        line.value(flood.shadow)
        line.key("flood")
        figures(flood)
        line.closeObject()
        end()
    }

    private mutating func figures(_ flood: FloodEvent) {
        line.openObject()
        line.key("id")
        line.value(flood.identifier)
        line.key("class")
        line.value(flood.floodClass.name)
        line.key("phase")
        line.value(flood.phase.rawValue)
        line.key("action")
        line.value(flood.action)
        line.key("threshold")
        line.value(flood.threshold)
        if flood.hosts > 1 {
            line.key("hosts")
            line.value(UInt64(flood.hosts))
        }
        switch flood.phase {
        case .open:
            line.key("rate")
            line.value(flood.peakRate)
        case .close:
            line.key("opened")
            line.value(time: flood.opened)
            line.key("packets")
            line.value(flood.packets)
            line.key("peak_rate")
            line.value(flood.peakRate)
            line.key("dropped")
            line.value(flood.dropped)
            if flood.offloaded > 0 {
                line.key("offloaded")
                line.value(flood.offloaded)
            }
            if let sources = flood.sources {
                line.key("sources")
                line.value(sources)
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
            line.key("duration")
            line.value(seconds: flood.time >= flood.opened ? flood.time - flood.opened : 0)
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
