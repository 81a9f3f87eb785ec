import Evidence
import Flows
import Topology
import Wire

/// Who may begin to talk to whom: where relations meet flows, which alone know who began.
extension Inspector {
    /// The relations have been asked about the packet's flow, and had nothing to say.
    @inline(__always)
    mutating func isUnrelated(_ layer: Int, _ step: @_addressable FlowStep) -> Bool {
        guard let flow = unsafe step.flow else { return false }
        return unsafe flow.pointee.flags.contains(.isUnrelated) && flow.pointee.identifier > lastUnasked
            && !packets[layer].packet.isConnectionRequest
    }

    /// Who began the conversation that the packet is of, and whether he may. Without knowing that, the kinder of the
    /// two directions holds; but who asks for a TCP connection begins one, whatever was said before. Returns whether he
    /// may not.
    @inline(never)
    mutating func relate(_ layer: Int, _ step: @_addressable FlowStep) -> Bool {
        guard packets[layer].packet.isIP else { return false }
        let (source, destination) = (packets[layer].packet.source, packets[layer].packet.destination)
        if lastUnasked == .max { lastUnasked = unsafe flows.pointee.lastIdentifier }
        let isRequest = packets[layer].packet.isConnectionRequest
        var relation = relations.relation(from: source, to: destination)
        if !isRequest {
            let isKnown = unsafe step.flow.map { unsafe !$0.pointee.flags.contains(.midstream) } ?? false
            if !isKnown {
                relation = relations.kinder(relation, relations.relation(from: destination, to: source))
            } else if !step.toServer {
                relation = relations.relation(from: destination, to: source)
            }
        }
        guard let finding = relations.finding(of: relation) else {
            if !isRequest || step.toServer { unsafe step.flow?.pointee.flags.insert(.isUnrelated) }
            return false
        }
        findings.append(finding)
        if layer > 0 { findings.place(from: findings.count - 1, layer: UInt8(layer)) }
        return finding.asks == .drop
    }
}

extension Packet {
    /// A SYN without ACK.
    fileprivate var isConnectionRequest: Bool { kind == .tcp && tcpFlags.intersection([.syn, .ack]) == .syn }
}
