import Foundation
import Synchronization
import Testing
import Wire

@testable import Flows

/// A worker looks into another's flows while they change.
@Suite struct FlowReaderTests {
    private static func address(_ number: UInt8) -> Address {
        Address("2001:db8:\(String(number, radix: 16))::\(String(number, radix: 16))")!
    }

    private static func segment(_ from: Address, _ to: Address) -> Packet {
        var packet = Packet()
        packet.kind = .tcp
        packet.ipVersion = 6
        packet.ipProtocol = 6
        (packet.source, packet.destination) = (from, to)
        (packet.sourcePort, packet.destinationPort) = (4000, 80)
        packet.tcpFlags = .syn
        return packet
    }

    private static func follow(_ packet: Packet, in table: inout FlowTable, time: UInt64) {
        var step = FlowStep()
        table.track(packet, RawSpan(), vlan: 0, time: time, checksumIsGood: true, into: &step)
    }

    private static func key(_ from: Address, _ to: Address) -> FlowKey {
        FlowKey(source: from, destination: to, sourcePort: 4000, destinationPort: 80, vlan: 0, ipProtocol: 6)
    }

    private static func table(isInline: Bool = true) -> FlowTable {
        FlowTable(
            capacity: 1, variables: 1, streamBytes: 1 << 16, mode: FlowMode(isInline: isInline, midstream: true),
            endings: 8)
    }

    /// What the threads share.
    private final class Shared: Sendable {
        let isOver = Atomic<Bool>(false)
        let answers = Mutex<[String: Int]?>(nil)
    }

    /// A record is one flow and another in turn. A segment from the client of the first to the server of the second is
    /// never of a flow, and a number between those of the two never under way, unless a record is read that is half
    /// the one and half the other.
    @Test func nothingIsReadThatNeverWas() async throws {
        let shared = Shared()
        var table = Self.table()
        let reader = table.reader
        let (a, b, c, d) = (Self.address(1), Self.address(2), Self.address(3), Self.address(4))
        Self.follow(Self.segment(a, b), in: &table, time: 1)
        unsafe table.flows[1].session.state = .established
        unsafe table.flows[1].session.client.flags = .isOpen
        let thread = Thread {
            var counts: [String: Int] = [:]
            func count(_ what: String, _ key: FlowKey, _ number: UInt32?) {
                counts["\(what): \(reader.read(key, number).map { "\($0)" } ?? "again")", default: 0] += 1
            }
            while !shared.isOver.load(ordering: .relaxed) {
                count("mixed", Self.key(a, d), nil)
                count("mixed", Self.key(c, b), nil)
                count("between", Self.key(a, b), 2_000_000_000)
                count("real", Self.key(a, b), nil)
            }
            shared.answers.withLock { $0 = counts }
        }
        thread.start()
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            for round in 0..<20_000 {
                let isFirst = round & 1 == 0
                table.changes.begin()
                unsafe table.flows[1].session.client.next = isFirst ? 1_000_000 : 3_000_000_000
                unsafe table.flows[1].client = isFirst ? a : c
                unsafe table.flows[1].server = isFirst ? b : d
                unsafe table.flows[1].session.client.acknowledged = isFirst ? 1_000_000 : 3_000_000_000
                table.changes.end()
            }
        }
        shared.isOver.store(true, ordering: .relaxed)
        var answers: [String: Int]?
        while answers == nil {
            try await Task.sleep(for: .milliseconds(1))
            answers = shared.answers.withLock { $0 }
        }
        let said = try #require(answers)
        #expect(
            Set(said.keys).isSubset(of: [
                "mixed: unknown", "mixed: again", "between: isOutside", "between: unknown", "between: again",
                "real: mayBe", "real: unknown", "real: again",
            ]), "\(said)")
        // It was read while it changed, and between two changes.
        #expect(said["real: again"] != nil && said["real: mayBe"] != nil && said["real: unknown"] != nil, "\(said)")
        withExtendedLifetime(table) {}
    }

    /// Whatever changes records or how they are found says so, and says when it is over.
    @Test func everyChangeIsCounted() throws {
        var table = Self.table()
        var last = try #require(table.changes.standing)
        func expectChange(_ what: String) {
            let now = table.changes.standing
            #expect(now.map { $0 > last } == true, "\(what)")
            last = now ?? last
        }
        let (a, b, c) = (Self.address(1), Self.address(2), Self.address(3))
        Self.follow(Self.segment(a, b), in: &table, time: 1)
        expectChange("a new flow")
        Self.follow(Self.segment(a, b), in: &table, time: 2)
        expectChange("a packet of one")
        Self.follow(Self.segment(c, b), in: &table, time: 3)
        expectChange("another in its place")
        _ = unsafe table.peek(Self.segment(c, b), RawSpan(), vlan: 0, time: 3)
        #expect(table.changes.standing == last)
        table.sweep(4)
        table.sweep(700_000_000_000)
        #expect(table.count == 0)
        expectChange("one that was silent")
        Self.follow(Self.segment(a, b), in: &table, time: 800_000_000_000)
        last = table.changes.standing ?? last
        table.endFlows()
        #expect(table.count == 0)
        expectChange("all end")
    }

    /// A change that is under way is waited for, whatever it is about.
    @Test func nothingIsReadMeanwhile() {
        var table = Self.table()
        let (a, b) = (Self.address(1), Self.address(2))
        Self.follow(Self.segment(a, b), in: &table, time: 1)
        let reader = table.reader
        #expect(
            reader.read(Self.key(a, b), nil) == .mayBe && reader.read(Self.key(b, Self.address(3)), nil) == .unknown)
        table.changes.begin()
        #expect(reader.read(Self.key(b, Self.address(3)), nil) == nil)
        table.changes.end()
        #expect(reader.read(Self.key(b, Self.address(3)), nil) == .unknown)
    }
}
