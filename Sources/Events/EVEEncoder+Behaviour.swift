import Evidence
import Wire

/// What a host was seen to do.
extension EVEEncoder {
    /// gid of the alerts about behaviour, after that of floods.
    public static let behaviourGenerator: UInt32 = 3501

    /// What begins, or is a moment, is an alert; what ends is an event of type "behaviour" with the same id.
    ///
    /// There is no `src_ip` where several do it: which of them is real is not known.
    public mutating func encode(_ behaviour: BehaviourEvent) {
        line.openObject()
        line.field("timestamp", time: behaviour.time)
        line.field("event_type", behaviour.phase == .close ? "behaviour" : "alert")
        if behaviour.actorCount == 1, let actor = behaviour.actors.first {
            line.field("src_ip", actor)
        }
        if let target = behaviour.target {
            line.field("dest_ip", target)
        }
        if let ipProtocol = behaviour.ipProtocol {
            line.field("proto", protocol: ipProtocol)
        }
        let intended: Verdict = behaviour.action == "drop" ? .drop : .accept
        let verdict = behaviour.shadow ? .accept : intended
        if behaviour.phase != .close {
            let rule = EVENames.Rule(
                gid: EVEEncoder.behaviourGenerator, sid: behaviour.number, rev: 1, message: behaviour.message,
                category: EVEEncoder.category(of: behaviour.kind), severity: behaviour.concern.severity)
            alert(rule, blocked: verdict == .drop)
        }
        line.key("flinch")
        line.openObject()
        line.field("guest", behaviour.guest)
        line.field("concern", behaviour.concern.description)
        line.field("reason", (intended == .drop ? Reason.behaviour : .none).text)
        line.field("verdict", verdict.name)
        line.field("intended", intended.name)
        line.field("shadow", behaviour.shadow)
        line.key("behaviour")
        figures(behaviour)
        line.closeObject()
        end()
    }

    private mutating func figures(_ behaviour: BehaviourEvent) {
        line.openObject()
        line.field("id", behaviour.identifier)
        line.field("kind", behaviour.kind)
        line.field("phase", behaviour.phase.rawValue)
        if let shape = behaviour.shape {
            line.field("shape", shape)
            line.field("fragmented", behaviour.isFragmented)
        }
        line.field("since", time: behaviour.first)
        line.field("last", time: behaviour.last)
        let counts: [(StaticString, UInt64)] = [
            ("attempts", behaviour.attempts), ("hosts", behaviour.hosts), ("ports", behaviour.ports),
        ]
        for (name, count) in counts where count > 0 {
            line.field(name, count)
        }
        if behaviour.actorCount > 1 {
            line.field("source_count", UInt64(behaviour.actorCount))
            list("sources", behaviour.actors)
        }
        if !behaviour.peers.isEmpty { list("peers", behaviour.peers) }
        if !behaviour.services.isEmpty {
            line.key("services")
            line.openArray()
            for service in behaviour.services { line.value(service) }
            line.closeArray()
        }
        if behaviour.period > 0 {
            line.field("period", seconds: behaviour.period)
        }
        line.closeObject()
    }

    private mutating func list(_ name: StaticString, _ addresses: [Address]) {
        line.key(name)
        line.openArray()
        for address in addresses { line.value(address) }
        line.closeArray()
    }

    /// In the words of Suricata's classification.config.
    private static func category(of kind: String) -> String {
        switch kind.prefix(while: { $0 != "." }) {
        case "scan": "Detection of a Network Scan"
        case "login": "Attempted Administrator Privilege Gain"
        default: "Misc activity"
        }
    }
}
