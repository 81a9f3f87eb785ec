import Testing
import Wire

@testable import Flows

/// What is told of flows that are over.
@Suite struct EndedFlowsTests {
    private static let second: UInt64 = 1_000_000_000

    private func conversation(capacity: Int = 64, endings: Int = 8, isInline: Bool = true) -> Conversation {
        Conversation(capacity: capacity, isInline: isInline, endings: endings)
    }

    private func taken(_ talk: inout Conversation) -> [(port: UInt16, end: FlowEnd)] {
        var all: [(port: UInt16, end: FlowEnd)] = []
        talk.table.takeEnded { flow, _ in all.append((port: flow.clientPort, end: flow.end)) }
        return all
    }

    @Test func aSilentOneAndOneThatBeginsAnew() {
        var talk = conversation()
        talk.shakeHands()
        talk.time += 601 * Self.second
        _ = talk.send(1_000, 0, 0x02)
        var ends = taken(&talk)
        #expect(ends.map(\.end) == [.timeout])
        // A reset closes it, and a SYN begins another one between the same ports.
        _ = talk.send(toServer: false, 5_000, 1_001, 0x12)
        _ = talk.send(1_001, 5_001, 0x10)
        _ = talk.send(1_001, 5_001, 0x14)
        _ = talk.send(9_000, 0, 0x02)
        ends = taken(&talk)
        #expect(ends.map(\.end) == [.reuse])
        #expect(taken(&talk).isEmpty)
    }

    @Test func whatItWasAtItsEnd() {
        var talk = conversation()
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "hello")
        _ = talk.send(toServer: false, 5_001, 1_006, 0x19, "bye")
        talk.table.endFlows()
        var flows: [Flow] = []
        talk.table.takeEnded { flow, _ in flows.append(copy flow) }
        #expect(flows.count == 1)
        guard let flow = flows.first else { return }
        #expect(flow.end == .shutdown)
        #expect(flow.packetsToServer == 3 && flow.packetsToClient == 2)
        #expect(flow.bytesToServer == 125 && flow.bytesToClient == 83)
        #expect(flow.marksToServer == 0x1A && flow.marksToClient == 0x1B)
        #expect(flow.lastTime - flow.firstTime == 4_000_000)
        #expect(flow.state == .established && flow.session.state == .closing)
        #expect(talk.table.count == 0)
    }

    /// The oldest of those that begin has to go when there is no room.
    @Test func oneThatMakesRoom() {
        var talk = conversation(capacity: 16)
        for port in 0..<20 { _ = talk.send(1_000, 0, 0x02, port: 40_000 + UInt16(port)) }
        #expect(taken(&talk).map(\.port) == [40_000, 40_001, 40_002, 40_003])
        #expect(talk.table.lostEnds == 0)
    }

    /// Nobody takes them: what finds no room is counted, and none where none are wanted.
    @Test func noRoomToTellOfThem() {
        for (endings, told, lost) in [(8, 8, 92), (0, 0, 0)] {
            var talk = conversation(capacity: 16, endings: endings)
            for port in 0..<116 { _ = talk.send(1_000, 0, 0x02, port: 40_000 + UInt16(port)) }
            #expect(talk.table.lostEnds == UInt64(lost))
            #expect(taken(&talk).count == told)
        }
    }

    /// The sweep comes by all of them in its time, and takes away those whose time is over, and no other.
    @Test func theSweep() {
        var talk = conversation(capacity: 4096, endings: 4096)
        for port in 0..<3000 { _ = talk.send(1_000, 0, 0x02, port: 20_000 + UInt16(port)) }
        talk.time += 50 * Self.second
        // These go on.
        for port in stride(from: 0, to: 3000, by: 3) { _ = talk.send(1_000, 0, 0x02, port: 20_000 + UInt16(port)) }
        talk.time += 20 * Self.second
        talk.table.sweep(talk.time)
        let start = talk.time
        var ends: [(port: UInt16, end: FlowEnd)] = []
        var calls = 0
        while talk.time < start + 11 * Self.second {
            talk.time += 50_000_000
            talk.table.sweep(talk.time)
            calls += 1
            ends += taken(&talk)
        }
        #expect(Set(ends.map(\.port)).count == ends.count && ends.count == 2000)
        #expect(ends.allSatisfy { $0.end == .timeout && ($0.port - 20_000) % 3 != 0 })
        #expect(talk.table.count == 1000)
        // Records that were given back are used again.
        for port in 0..<2500 { _ = talk.send(1_000, 0, 0x02, port: 50_000 + UInt16(port)) }
        #expect(talk.table.count == 3500)
    }

    /// Listening, a flow whose stream is still to be looked at is told of afterwards.
    @Test func afterWhatItHeldWasLookedAt() {
        var talk = conversation(isInline: false)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "hello")
        talk.table.endFlows()
        #expect(taken(&talk).isEmpty)
        while var step = talk.table.nextEnding() { while talk.table.nextWindow(&step) {} }
        #expect(taken(&talk).map(\.end) == [.shutdown])
    }
}
