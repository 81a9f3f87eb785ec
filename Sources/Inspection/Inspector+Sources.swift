import Evidence
import Floods
import Flows
import Policy
import Topology
import Wire

/// Where flows and floods meet: what a flow proves of its source, and which packets of a flood belong to one.
extension Inspector {
    /// Asks the sieve about a packet of a class that is attacked, or only counts its source where sources are
    /// counted.
    @inline(never)
    mutating func sift(
        _ floodClass: FloodClass, _ outcome: GateOutcome, _ bytes: RawSpan, _ arrival: @_addressable Arrival,
        isShadow: Bool
    ) -> FloodAdvice {
        let packet = packets[0].packet
        let isOfFlow = outcome == .sifted && floodClass != .syn && isOfFlow(floodClass, packet, bytes, arrival)
        // Of TCP, what belongs to a connection is no part of a flood.
        let counts = floodClass != .tcp || outcome == .sifted && !isOfFlow
        let sketch = floods.sketch(destination, floodClass)
        if sketch != 0, counts {
            unsafe sieve.pointee.observe(packet.source, destination, floodClass, sketch: sketch, time: arrival.time)
        }
        guard outcome == .sifted else { return FloodAdvice(outcome) }
        siftedInBatch &+= 1
        let known = arrival.destinationMAC != 0 ? arrival.destinationMAC : floods.hardwareAddress(destination)
        let passes = unsafe sieve.pointee.passes(
            packet, bytes, destination, floodClass, isOfFlow: isOfFlow, guestMAC: isShadow ? 0 : known, arrival, floods)
        if passes { return .none }
        floods.countStopped(destination, floodClass)
        return .refuse
    }

    /// A connection request that its gate let through.
    @inline(never)
    mutating func meet(_ bytes: RawSpan, _ arrival: @_addressable Arrival, isShadow: Bool) -> FloodAdvice {
        let packet = packets[0].packet
        guard floods.siftsHandshakes(destination) else {
            unsafe sieve.pointee.observe(request: packet, bytes)
            return .none
        }
        let known = arrival.destinationMAC != 0 ? arrival.destinationMAC : floods.hardwareAddress(destination)
        let passes = unsafe sieve.pointee.introduces(
            packet, bytes, destination, guestMAC: isShadow ? 0 : known, arrival, floods)
        if passes { return .none }
        floods.countStopped(destination, .syn)
        return .refuse
    }

    /// To be called before a batch of packets, all of which are of a flood if it `isDoubtful`. Whether it pays to
    /// `foresee` each of them: these will be sifted, or so many of the last batch were that what is fetched for the others
    /// is made up for.
    public mutating func beginBatch(isDoubtful: Bool = false) -> Bool {
        defer { siftedInBatch = 0 }
        return isDoubtful || siftedInBatch >= Self.foresight
    }

    /// Begins to fetch what will be looked up for a packet of the batch if it is sifted. `bytes` begin as `link` says.
    public func foresee(_ bytes: RawSpan, _ link: LinkLayer) {
        if link == .ip { unsafe sieve.pointee.foresee(bytes) }
    }

    /// Of a batch of at most 64.
    private static var foresight: Int { 8 }

    /// Whether the packet is of a flow that no stranger can have made up: of TCP one in which both sides have
    /// a stream, of others one that the guest began, or one with answers that is older than the attack.
    private mutating func isOfFlow(
        _ floodClass: FloodClass, _ packet: @_addressable Packet, _ bytes: RawSpan, _ arrival: @_addressable Arrival
    ) -> Bool {
        guard
            let flow = unsafe flows.pointee.peek(
                packet, bytes, vlan: packets.tags(around: 0, arrival), time: arrival.time)
        else {
            return false
        }
        if packet.kind == .tcp { return unsafe flow.pointee.isMutual }
        guard unsafe flow.pointee.flags.contains(.answered) else { return false }
        return unsafe flow.pointee.client == packet.destination
            || flow.pointee.firstTime < floods.onset(destination, floodClass)
    }

    /// Whether a reset is the answer to a challenge.
    @inline(never)
    mutating func takesAnswer(_ bytes: RawSpan, _ arrival: @_addressable Arrival) -> Bool {
        unsafe sieve.pointee.takeAnswer(packets[0].packet, bytes, time: arrival.time)
    }

    /// What the packet's flow, as it is now, proves of its ends. Who acknowledged the guest's sequence number,
    /// or answered what the guest asked, receives what is sent to it.
    @inline(__always)
    mutating func learn(_ flow: UnsafeMutablePointer<Flow>, _ time: UInt64) {
        if destination >= 0, packets[0].packet.kind == .tcp, unsafe !flow.pointee.isMutual,
            packets[0].packet.tcpFlags.intersection([.syn, .ack]) != .syn
        {
            floods.count(destination, .strays)
        }
        guard unsafe flow.pointee.state == .established,
            unsafe flow.pointee.flags.isDisjoint(with: [.midstream, .announced])
        else { return }
        unsafe flow.pointee.flags.insert(.announced)
        unsafe announce(flow, time)
    }

    @inline(never)
    private mutating func announce(_ flow: UnsafeMutablePointer<Flow>, _ time: UInt64) {
        let (client, server) = unsafe (hosts.slot(of: flow.pointee.client), hosts.slot(of: flow.pointee.server))
        let isTCP = unsafe flow.pointee.ipProtocol == IPProtocol.tcp
        if server >= 0, isTCP {
            floods.count(server, .handshakes)
            if unsafe sieve.pointee.isTrusted(flow.pointee.client) { floods.count(server, .trustedHandshakes) }
            unsafe sieve.pointee.vouch(for: flow.pointee.client, time: time)
        }
        if client >= 0 { unsafe sieve.pointee.vouch(for: flow.pointee.server, time: time) }
    }

    // MARK: - Challenges

    public var hasChallenges: Bool { unsafe sieve.pointee.challenges.count > 0 }

    /// Gives each frame that is to be sent and the index of the port that it is to leave by, and forgets it.
    /// `body` must not keep the bytes.
    public mutating func takeChallenges(_ body: (UnsafeRawBufferPointer, UInt32) -> Void) {
        let count = unsafe sieve.pointee.challenges.count
        for index in 0..<count {
            let port = unsafe sieve.pointee.challenges[index].port
            unsafe sieve.pointee.challenges.withFrame(index) { unsafe body($0, port) }
        }
        unsafe sieve.pointee.challenges.removeAll()
    }
}
