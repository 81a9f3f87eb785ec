import Evidence
import Flows
import Policy
import Signatures
import Topology
import Wire

/// What there is to know of a flow, and what is left of one that is over.
extension Inspector {
    /// The flow of packet `index`, that packet counted.
    public func course(of index: Int) -> FlowCourse {
        var course = FlowCourse()
        guard let flow = unsafe packets[index].flow else { return course }
        course.direction = packets[index].toServer ? .toServer : .toClient
        course.packetsToServer = unsafe UInt64(flow.pointee.packetsToServer)
        course.packetsToClient = unsafe UInt64(flow.pointee.packetsToClient)
        course.bytesToServer = unsafe flow.pointee.bytesToServer
        course.bytesToClient = unsafe flow.pointee.bytesToClient
        course.start = unsafe flow.pointee.firstTime
        return course
    }

    /// Whether one of the ends is inspected inline, whatever the other is; what is of no guest goes by what is said of
    /// nobody's. So of a sensor that filters and watches, each packet is inspected once.
    @inline(never)
    mutating func leavesToOthers() -> Bool {
        let ends = (hosts.guest(of: destination), hosts.guest(of: source))
        isElsewhere =
            ends == (-1, -1)
            ? policies[-1].isElsewhere
            : ends.0 >= 0 && policies[ends.0].isElsewhere || ends.1 >= 0 && policies[ends.1].isElsewhere
        return isElsewhere
    }

    public var flowFigures: FlowFigures { unsafe FlowFigures(flows.pointee) }

    /// The number of the flow that began last, and of the one that `inspectEnding` was last about.
    public var lastFlow: UInt64 { unsafe flows.pointee.lastIdentifier }
    public var endingFlow: UInt64 { unsafe packets[0].flow?.pointee.identifier ?? 0 }

    /// Ends all flows (where they are told of, some of them), or those that have been silent for too long.
    public func endFlows(before time: UInt64 = .max) { unsafe flows.pointee.endFlows(before: time) }

    /// Listening only, after each captured packet until it gives nil: what is left of a flow that is over is
    /// inspected as a packet of its own, by the clock of `arrival`. The next for which there are findings.
    public mutating func inspectEnding(_ arrival: @_addressable Arrival) -> Decision? {
        while var step = unsafe flows.pointee.nextEnding(), let flow = unsafe step.flow {
            findings.removeAll()
            unsafe packets.begin(endOf: flow, toServer: step.toServer)
            destination = hosts.slot(of: packets[0].packet.destination)
            source = hosts.slot(of: packets[0].packet.source)
            guest = hosts.guest(of: destination >= 0 ? destination : source)
            var asked = Asked()
            if unsafe flow.pointee.flags.isDisjoint(with: [.drop, .pass]) {
                let bytes = packets.bytes(of: 0, in: RawSpan())
                let context = MatchContext(time: arrival.time, handlings: handlings[guest])
                matchRest(0, bytes, context, &step, 0, &asked)
            }
            // Whoever passes the rest passes all of it.
            while unsafe flows.pointee.nextWindow(&step) {}
            guard findings.count > 0 else { continue }
            unsafe note(0, 0, flow)
            countFindings(destination, source)
            isDropAsked = asked.drops && !policies[guest].shadow
            return policies[guest].decide(
                flood: .none, ruleDrops: asked.drops, streamRefuses: false, sort: .ordinary)
        }
        return nil
    }

    /// What is kept of the stream that packet `index` is of, where bytes are missing with a word on it; empty
    /// for none. Not for the packet path.
    public func keptStream(of index: Int) -> [UInt8] {
        guard let flow = unsafe packets[index].flow else { return [] }
        let kept = unsafe flows.pointee.kept(flow, toServer: packets[index].toServer)
        var bytes = unsafe Array(kept.first)
        // In Suricata's words (AlertJsonStreamDataCallback).
        if unsafe kept.missing > 0 { bytes += Array("[\(unsafe kept.missing) bytes missing]".utf8) }
        return unsafe bytes + Array(kept.second)
    }
}
