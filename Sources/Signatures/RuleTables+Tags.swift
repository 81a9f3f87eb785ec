import Flows
import Wire

extension RuleTables {
    /// What is to be written after a match.
    func tag(_ run: Run, _ scene: Scene, _ flows: inout FlowTable, _ table: TagTable) {
        for i in run.lower..<run.upper {
            let tag = unsafe tags[i]
            let owner: HostKey
            switch tag.tag.owner {
            case .session:
                guard let flow = unsafe scene.step.flow else { continue }
                owner = unsafe table.key(ofFlow: flows.identity(of: flow))
            case .source: owner = unsafe table.key(ofHost: scene.packet.pointee.source)
            case .destination: owner = unsafe table.key(ofHost: scene.packet.pointee.destination)
            }
            unsafe table.add(tag, owner, time: scene.time)
        }
    }
}

extension Matcher {
    /// Whether a packet that was inspected is to be written, because of what matched before in its flow or at one
    /// of its hosts. `bytes` is how long it is.
    @inline(__always)
    public mutating func isTagged(
        _ packet: @_addressable Packet, bytes: Int, _ step: @_addressable FlowStep, _ flows: inout FlowTable,
        time: UInt64
    ) -> Bool {
        tags.isInUse(time) && packet.isIP && hasTag(packet, bytes: bytes, step, &flows, time: time)
    }

    @inline(never)
    private mutating func hasTag(
        _ packet: @_addressable Packet, bytes: Int, _ step: @_addressable FlowStep, _ flows: inout FlowTable,
        time: UInt64
    ) -> Bool {
        let size = UInt64(bytes)
        var isTagged = false
        if let flow = unsafe step.flow {
            isTagged = unsafe tags.account(tags.key(ofFlow: flows.identity(of: flow)), bytes: size, time: time)
        }
        // Each counts for itself.
        if tags.account(tags.key(ofHost: packet.source), bytes: size, time: time) { isTagged = true }
        if packet.destination != packet.source,
            tags.account(tags.key(ofHost: packet.destination), bytes: size, time: time)
        {
            isTagged = true
        }
        return isTagged
    }
}
