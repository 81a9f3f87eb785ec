public import Evidence
import Flows
import Topology
import Wire

/// What becomes known of flows beside the verdicts: their ends, and which packets are evidence.
extension Inspector {
    /// A number for the flow of packet `index`, or else for its ends: events about the same conversation have the
    /// same.
    public func flowNumber(of index: Int, tag: UInt16, _ hash: SecretHash) -> UInt64 {
        guard let flow = unsafe packets[index].flow else {
            return packets[index].packet.flowHash(hash, outer: tag & 0xFFF)
        }
        return unsafe flow.pointee.number(hash)
    }

    /// Under which number the last captured packet is to be kept, together with others of its flow; 0 for one that is
    /// not. The first packets of each flow are, and from each on which something was found so many more: what a long
    /// flow carries beside is no evidence. Of what belongs to no flow, fragments and what something was found on, by
    /// its ends.
    @inline(__always)
    public mutating func keepPacket() -> UInt64 {
        let most = unsafe flows.pointee.keeps
        guard most > 0 else { return 0 }
        guard let flow = unsafe packets[0].flow else {
            evidence = findings.count > 0 || packets[0].packet.isFragment ? numberOfEnds : 0
            return evidence
        }
        if findings.count > 0 { unsafe flow.pointee.keeps = most }
        guard unsafe flow.pointee.keeps > 0 else {
            evidence = 0
            return 0
        }
        unsafe flow.pointee.keeps &-= 1
        evidence = unsafe flows.pointee.identity(of: flow)
        return evidence
    }

    /// With its highest bit set, so that it is not 0.
    private var numberOfEnds: UInt64 {
        unsafe flows.pointee.number(ofEnds: packets[0].packet.source, packets[0].packet.destination) | 1 << 63
    }

    /// Whether there is something to take.
    public var hasEndedFlows: Bool { unsafe flows.pointee.hasEnded }

    /// Whether anybody is told of flows that end.
    public var tellsFlows: Bool { unsafe flows.pointee.notesEnds }

    /// Flows that ended and were not taken in time.
    public var lostFlows: UInt64 { unsafe flows.pointee.lostEnds }

    /// Gives the flows that ended since it was last called. `time` is the packets' clock, `hash` as in `flowNumber`.
    public func takeEndedFlows(_ time: UInt64, _ hash: SecretHash, _ body: (borrowing FlowEvent) -> Void) {
        let (hosts, generation) = (hosts, generation)
        unsafe flows.pointee.takeEnded { flow, port in
            var event = FlowEvent(flow, time: time, hash)
            event.port = port
            event.generation = generation
            let server = hosts.slot(of: flow.server)
            event.guest = hosts.guest(of: server >= 0 ? server : hosts.slot(of: flow.client))
            body(event)
        }
    }

    /// Live: ends flows that have been silent for too long, a few at a call.
    public func sweepFlows(_ time: UInt64) { unsafe flows.pointee.sweep(time) }
}

extension FlowEvent {
    init(_ flow: borrowing Flow, time: UInt64, _ hash: SecretHash) {
        self.init()
        client = flow.client
        server = flow.server
        clientPort = flow.clientPort
        serverPort = flow.serverPort
        vlan = flow.vlan
        ipProtocol = flow.ipProtocol
        state = State(rawValue: flow.state.rawValue) ?? .new
        end = End(rawValue: flow.end.rawValue) ?? .timeout
        tcpState = TCPState(rawValue: flow.session.state.rawValue) ?? .none
        application = flow.application
        marksToServer = flow.marksToServer
        marksToClient = flow.marksToClient
        isAlerted = flow.flags.contains(.alerted)
        isDropped = flow.flags.contains(.drop)
        isPassed = flow.flags.contains(.pass)
        packetsToServer = UInt64(flow.packetsToServer)
        packetsToClient = UInt64(flow.packetsToClient)
        bytesToServer = flow.bytesToServer
        bytesToClient = flow.bytesToClient
        start = flow.firstTime
        last = flow.lastTime
        self.time = time
        self.flow = flow.number(hash)
    }
}
