import Evidence
import Sketches
import Wire

/// What is told of findings, and what is done about them.
extension BehaviourWatch {
    /// Tells of what is due by `time`, and of what is over.
    func report(_ time: UInt64) {
        gather()
        for index in open.indices where open[index].due != 0 && open[index].due <= time {
            addSilent(index)
            open[index].due = 0
            raised[Int(open[index].kind.rawValue)] &+= 1
            refuse(open[index], at: open[index].peers)
            events.append(event(open[index], .open, time == .max ? open[index].last : max(time, open[index].last)))
        }
        guard time != .max else { return }
        open.removeAll { finding in
            guard finding.due == 0, time > finding.last, time - finding.last > finding.patience else { return false }
            events.append(event(finding, .close, time))
            release(finding)
            return true
        }
    }

    /// Has new conversations of those refused who do it, where the policy asks for it: of a guest's host all, of
    /// others those with the guests of these addresses.
    func refuse(_ finding: OpenFinding, at addresses: [Address]) {
        let asks = { (guest: Int) in self.guests[guest].settings[finding.kind].action == .drop }
        // Which of several is real nobody knows, and the others may be anybody.
        guard finding.actorCount == 1, let actor = finding.actors.first else { return }
        if finding.isFromGuest {
            if asks(finding.guest) { unsafe memory.refusals.pointee.add(actor, at: -1, time: finding.last) }
            return
        }
        for guest in Set(addresses.compactMap(guest)).sorted() where asks(guest) {
            unsafe memory.refusals.pointee.add(actor, at: Int32(guest), time: finding.last)
        }
    }

    public func event(_ finding: OpenFinding, _ phase: BehaviourEvent.Phase, _ time: UInt64) -> BehaviourEvent {
        let guest = guests[finding.guest]
        let setting = guest.settings[finding.kind]
        var event = BehaviourEvent(
            identifier: finding.identifier, phase: phase, number: UInt32(finding.kind.rawValue) + 1,
            kind: finding.kind.identifier, message: message(finding), actors: finding.actors,
            actorCount: finding.actorCount, target: finding.target, guest: guest.name,
            concern: concern(finding), action: setting.action.rawValue, shadow: guest.shadow,
            first: finding.first, last: finding.last, time: time)
        event.ipProtocol = finding.ipProtocol
        event.shape = finding.shape?.rawValue
        event.isFragmented = finding.fragmented * 2 > finding.attempts
        event.attempts = finding.attempts
        event.peers = finding.peers
        event.services = finding.services.map(\.text)
        event.period = finding.period
        if let sketch = finding.sketch {
            event.hosts = UInt64(sketches.registers(of: 2 * sketch).estimate.rounded())
            event.ports = UInt64(sketches.registers(of: 2 * sketch + 1).estimate.rounded())
        }
        return event
    }

    /// A guest that looks for others is worse than a stranger who does.
    public func concern(_ finding: OpenFinding) -> Concern {
        let concern = guests[finding.guest].settings[finding.kind].concern
        return finding.kind.isScan && finding.isFromGuest ? Concern(rawValue: concern.rawValue + 1) ?? .high : concern
    }

    /// "BEHAVIOUR TCP SYN scan of web"; who does it is told apart.
    public func message(_ finding: OpenFinding) -> String {
        let guest = guests[finding.guest].name
        let kind = finding.kind
        if kind.isScan {
            let what = (finding.fragmented * 2 > finding.attempts ? "fragmented " : "") + kind.text
            let decoys = finding.actorCount > 1 ? ", \(finding.actorCount) sources" : ""
            if finding.isFromGuest { return "BEHAVIOUR \(what) by guest \(guest)\(decoys)" }
            let whom = finding.target == nil ? "several hosts, \(guest) among them" : guest
            return "BEHAVIOUR \(what) of \(whom)\(decoys)"
        }
        if LoginRecord.kinds.contains(kind) { return "BEHAVIOUR \(kind.text) at \(guest)" }
        return "BEHAVIOUR guest \(guest) \(kind.text)"
    }

    /// Relationships, the latest first.
    public func relationships() -> [Relationship] {
        var list: [Relationship] = []
        unsafe peers.sweep { place in
            list.append(Relationship(unsafe place.pointee))
            return true
        }
        return list.sorted { ($1.last, $0.client, $0.server) < ($0.last, $1.client, $1.server) }
    }
}

extension Service {
    /// "443/tcp", "icmp", "protocol 47".
    public var text: String {
        switch ipProtocol {
        case IPProtocol.tcp: "\(port)/tcp"
        case IPProtocol.udp: "\(port)/udp"
        case IPProtocol.icmp: "icmp"
        case IPProtocol.icmp6: "icmp6"
        case IPProtocol.sctp: "sctp"
        default: "protocol \(ipProtocol)"
        }
    }
}
