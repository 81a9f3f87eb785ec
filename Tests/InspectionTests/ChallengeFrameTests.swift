import Evidence
import Floods
import Inspection
import Policy
import Testing
import Wire

@Suite("Challenges, as they are sent")
struct ChallengeFrameTests {
    @Test(
        "From the guest to the client, with right checksums, and no longer than the SYN", arguments: Family.allCases,
        [nil, UInt16(0x6064)])
    func frame(_ family: Family, _ tag: UInt16?) throws {
        var rig = try Rig()
        let slot = rig.slot(of: .web, family)
        rig.floods.setGate(slot, .syn, .sift(0))
        let syn = family.tcp(.client, .web, flags: .syn)
        var arrival = Arrival(time: rig.time)
        arrival.port = 7
        arrival.sourceMAC = 0x0200_0000_0064
        arrival.destinationMAC = 0x0200_0000_0002
        if let tag { (arrival.tag, arrival.hasTag) = (tag, true) }
        let decision = unsafe rig.inspector.inspect(syn.span.bytes, .ip, arrival)
        #expect(decision == dropped(.floodSource))
        var frames: [[UInt8]] = []
        unsafe rig.inspector.takeChallenges { bytes, port in
            #expect(port == 7)
            frames.append(unsafe Array(bytes))
        }
        #expect(frames.count == 1)
        let hasMore = rig.inspector.hasChallenges
        #expect(!hasMore)
        let frame = try #require(frames.first)
        let packet = unsafe Decoder.decode(frame.span.bytes, as: .ethernet)
        #expect(packet.kind == .tcp && packet.tcpFlags == [.syn, .ack])
        #expect(packet.source == family.address(of: .web) && packet.destination == family.address(of: .client))
        #expect(packet.sourcePort == 80 && packet.destinationPort == 40_000)
        #expect(packet.statedLength == Int32(syn.count))
        #expect(packet.tag(0) == tag)
        let isGood = unsafe packet.hasValidTransportChecksum(in: frame.span.bytes)
        #expect(isGood == true)
        if family == .v4 {
            let header = unsafe frame.span.bytes.extracting(packet.networkHeader)
            #expect(IPv4Header(header)?.hasValidChecksum == true)
        }
        #expect(Array(frame[0..<12]) == [2, 0, 0, 0, 0, 0x64, 2, 0, 0, 0, 0, 2])
        // The client's next number is 1.
        let transport = Int(packet.transportOffset)
        #expect(Array(frame[transport + 8..<transport + 12]) != [0, 0, 0, 1])

        // The answer is kept and goes no further, and then the same SYN passes, another does not.
        var reset = family.tcp(.client, .web, flags: .rst)
        for byte in 0..<4 { reset[family.headerSize + 4 + byte] = frame[transport + 8 + byte] }
        let answer = rig.inspect(reset)
        var other = syn
        other[family.headerSize + 7] = 9
        let second = rig.inspect(other)
        let first = rig.inspect(syn)
        #expect(answer == dropped(.floodSource))
        #expect(second == dropped(.floodSource))
        #expect(first == .accept)
    }

    @Test("Without the frame's header the guest's own packets say whom to answer for")
    func learnedAddress() throws {
        var rig = try Rig()
        rig.floods.setGate(rig.slot(of: .web, .v4), .syn, .sift(0))
        var arrival = Arrival(time: rig.time)
        arrival.port = 7
        arrival.sourceMAC = 0x0200_0000_0064
        let syn = Family.v4.tcp(.client, .web, flags: .syn)
        _ = unsafe rig.inspector.inspect(syn.span.bytes, .ip, arrival)
        let before = rig.inspector.hasChallenges
        #expect(!before)
        arrival.sourceMAC = 0x0200_0000_0002
        let own = Family.v4.udp(.web, .stranger)
        _ = unsafe rig.inspector.inspect(own.span.bytes, .ip, arrival)
        arrival.sourceMAC = 0x0200_0000_0064
        var other = syn
        other[20 + 7] = 9
        _ = unsafe rig.inspector.inspect(other.span.bytes, .ip, arrival)
        var source: [UInt8] = []
        unsafe rig.inspector.takeChallenges { bytes, _ in source = unsafe Array(bytes[6..<12]) }
        #expect(source == [2, 0, 0, 0, 0, 2])
    }
}
