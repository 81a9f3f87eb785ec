import Behaviour
import Evidence
import Flows
import Wire

/// Where flows and the watch over hosts' behaviour meet: a flow that begins, is answered or ends is told of. Nothing
/// is told of the packets in between.
extension Inspector {
    /// What the packet of inspected packet `layer` made of its flow.
    @inline(never)
    mutating func tell(_ step: @_addressable FlowStep, _ layer: Int, _ arrival: @_addressable Arrival) {
        guard destination >= 0 || source >= 0, let flow = unsafe step.flow else { return }
        let packet = packets[layer].packet
        let isTCP = packet.kind == .tcp
        if step.changes.contains(.began) {
            // Who answers, or resets, what was not seen asks for nothing.
            guard step.toServer, !isTCP || !packet.tcpFlags.contains(.rst) else { return }
            var contact = unsafe Contact(.began, flow, arrival.time)
            contact.probe = Probe(packet)
            contact.isFragmented = packets[layer].source == .defragmented
            unsafe contacts.pointee.append(contact)
            return
        }
        let isMidstream = unsafe flow.pointee.flags.contains(.midstream)
        if step.changes.contains(.answered), isTCP, packet.tcpFlags.contains(.rst) {
            unsafe contacts.pointee.append(Contact(.refused, flow, arrival.time))
        } else if step.changes.contains(.established) || step.changes.contains(.answered) && isMidstream {
            unsafe contacts.pointee.append(Contact(.established, flow, arrival.time))
        } else if step.changes.contains(.answered) {
            unsafe contacts.pointee.append(Contact(.answered, flow, arrival.time))
        }
        if step.changes.contains(.closed) {
            if step.isEstablished {
                unsafe contacts.pointee.append(Contact(.ended, flow, arrival.time))
            } else if step.toServer {
                unsafe contacts.pointee.append(Contact(.abandoned, flow, arrival.time))
            }
        }
        if step.changes.contains(.pouring) {
            unsafe contacts.pointee.append(Contact(.pouring, flow, arrival.time))
        }
    }

    /// What the first words of a stream say of it.
    @inline(never)
    mutating func tell(_ login: Login, _ flow: UnsafeMutablePointer<Flow>, _ time: UInt64) {
        guard destination >= 0 || source >= 0 else { return }
        var contact = unsafe Contact(.spoke, flow, time)
        contact.login = login
        unsafe contacts.pointee.append(contact)
    }

    /// An ICMP message that says that there is nobody at a port, or no such protocol or host.
    @inline(never)
    mutating func tellUnreachable(_ bytes: RawSpan, _ arrival: @_addressable Arrival) {
        let packet = packets[0].packet
        let start = Int(packet.transportOffset)
        guard destination >= 0 || source >= 0, start >= 0, start < bytes.byteCount,
            let quoted = QuotedPacket(bytes.extracting(start..<bytes.byteCount)), quoted.source == packet.destination
        else { return }
        unsafe contacts.pointee.append(
            Contact(
                .refused, client: quoted.source, server: quoted.destination, clientPort: quoted.sourcePort,
                serverPort: quoted.destinationPort, ipProtocol: quoted.ipProtocol, time: arrival.time,
                started: arrival.time))
    }
}

extension Contact {
    init(_ change: Change, _ flow: UnsafeMutablePointer<Flow>, _ time: UInt64) {
        let ipProtocol = unsafe flow.pointee.ipProtocol
        let hasPorts = [IPProtocol.tcp, IPProtocol.udp, IPProtocol.sctp].contains(ipProtocol)
        unsafe self.init(
            change, client: flow.pointee.client, server: flow.pointee.server,
            clientPort: hasPorts ? flow.pointee.clientPort : 0, serverPort: hasPorts ? flow.pointee.serverPort : 0,
            ipProtocol: ipProtocol, time: time, started: flow.pointee.firstTime)
        bytesToServer = unsafe flow.pointee.bytesToServer
        bytesToClient = unsafe flow.pointee.bytesToClient
        packetsToServer = unsafe flow.pointee.packetsToServer
    }
}

extension Packet {
    /// Destination unreachable (RFC 792, RFC 4443 §3.1), but for "fragmentation needed".
    @inline(__always)
    var isUnreachable: Bool {
        kind == .icmp && icmpType == 3 && icmpCode != 4 || kind == .icmp6 && icmpType == 1
    }
}
