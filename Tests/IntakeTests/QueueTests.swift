import CLinux
import Evidence
import Glibc
import Testing
import Wire

@testable import Intake

/// The queue and the real kernel, in network namespaces of the tests' own.
@Suite(.serialized) struct QueueTests {
    /// What a worker does with a batch, until `count` packets were decided on; the kernel has two seconds.
    private func decide(
        _ queue: inout Queue, _ count: Int, _ verdict: (Reading) -> Verdict
    ) throws -> [Reading] {
        var verdicts = VerdictBatch()
        var readings: [Reading] = []
        let end = flinch_monotonic() + 2_000_000_000
        while readings.count < count, flinch_monotonic() < end {
            for index in 0..<queue.receive() {
                guard let reading = read(queue, index) else { continue }
                readings.append(reading)
                verdicts.append(reading.identifier, accept: verdict(reading) == .accept)
            }
            let error = queue.commit(&verdicts)
            try #require(error == 0)
        }
        return readings
    }

    /// The packet's bytes are the queue's: only a copy leaves this.
    private func read(_ queue: borrowing Queue, _ index: Int) -> Reading? {
        var arrival = Arrival(time: 0)
        guard let packet = queue.packet(index, into: &arrival) else { return nil }
        return Reading(packet, arrival)
    }

    private func receive(_ socket: borrowing LoopbackSocket) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        while let datagram = socket.receive() { datagrams.append(datagram) }
        return datagrams
    }

    private func divert(_ port: Int, to queue: Int) throws {
        try shell("ip link set lo up")
        try shell("iptables -t mangle -A OUTPUT -o lo -p udp --dport \(port) -j MARK --set-mark 42")
        try shell("iptables -t mangle -A OUTPUT -o lo -p udp --dport \(port) -j NFQUEUE --queue-num \(queue)")
    }

    @Test func bindsAndIsGrantedItsBuffer() throws {
        try inNetworkNamespace {
            let queue = try Queue(QueueSettings(number: 7, receiveBuffer: 8 << 20))
            // The kernel doubles what is asked for (socket(7), SO_RCVBUF).
            #expect(queue.setup.grantedBuffer == 16 << 20)
            #expect(!queue.setup.bufferLimited)
            #expect(queue.setup.portIdentifier != 0)
            #expect(queue.setup.answeredEarly == 0)
        }
    }

    @Test func aQueueThatIsTakenSaysSo() throws {
        try inNetworkNamespace {
            let first = try Queue(QueueSettings(number: 7))
            do throws(IntakeError) {
                _ = try Queue(QueueSettings(number: 7))
                Issue.record("bound twice")
            } catch {
                #expect(
                    error.description
                        == "queue 7 is already bound by another program (netlink port \(first.setup.portIdentifier)): "
                        + "stop it, or set queues.first to queues that are free")
            }
            // One beside it is free.
            let other = try Queue(QueueSettings(number: 8))
            #expect(other.setup.portIdentifier != first.setup.portIdentifier)
        }
    }

    @Test func aClosedQueueIsFreeAgain() throws {
        try inNetworkNamespace {
            for _ in 0..<3 { _ = try Queue(QueueSettings(number: 7)) }
        }
    }

    @Test func nothingComesWithoutTraffic() throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7))
            let count = queue.receive()
            #expect(count == 0)
            var verdicts = VerdictBatch()
            let error = queue.commit(&verdicts)
            #expect(error == 0)
        }
    }

    @Test func verdictsAreCarriedOut() throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7, failOpen: false))
            let socket = try LoopbackSocket()
            try divert(socket.port, to: 7)
            let sent = (0..<100).map { [UInt8($0), 1, 2, 3] }
            for datagram in sent { try socket.send(datagram) }
            #expect(receive(socket) == [], "nothing passes before its verdict")
            let readings = try decide(&queue, sent.count) { $0.payload[28] % 3 == 0 ? .drop : .accept }
            #expect(readings.map(\.identifier) == Array(1...100))
            #expect(readings.map { Array($0.payload.dropFirst(28)) } == sent, "behind the IP and UDP headers")
            #expect(
                readings.allSatisfy {
                    $0.link == .ip && $0.hardwareProtocol == 0x0800 && $0.mark == 42 && !$0.isCut
                })
            #expect(receive(socket) == sent.filter { $0[0] % 3 != 0 })
        }
    }

    /// UDP leaves the checksum of what goes over lo to nobody: the kernel says so, and it must be believed.
    @Test func unfinishedChecksumsAreToldApart() throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7))
            let socket = try LoopbackSocket()
            try divert(socket.port, to: 7)
            try socket.send([1])
            let readings = try decide(&queue, 1) { _ in .accept }
            #expect(readings.map(\.checksum) == [.unfinished])
        }
    }

    /// An attribute's length has 16 bits, so the kernel copies 65,531 bytes of a packet at most. lo's MTU is
    /// 65,536: what is longer comes cut, says so, and passes whole all the same.
    @Test(arguments: [65_531, 65_532, 65_535]) func packetsOf64KiB(_ size: Int) throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7))
            let socket = try LoopbackSocket()
            try divert(socket.port, to: 7)
            let data = (0..<size - 28).map { UInt8(truncatingIfNeeded: $0) }
            try socket.send(data)
            let readings = try decide(&queue, 1) { _ in .accept }
            #expect(readings.map(\.payload.count) == [65_531])
            #expect(readings.map(\.isCut) == [size > 65_531])
            #expect(receive(socket) == [data])
        }
    }

    /// A queue that is full passes or drops what comes, as configured.
    @Test(arguments: [true, false]) func aFullQueueFails(open: Bool) throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7, length: 4, failOpen: open))
            let socket = try LoopbackSocket()
            try divert(socket.port, to: 7)
            for number in 0..<10 { try socket.send([UInt8(number)]) }
            #expect(receive(socket).count == (open ? 6 : 0))
            let readings = try decide(&queue, 4) { _ in .accept }
            #expect(readings.map { $0.payload[28] } == [0, 1, 2, 3])
            #expect(receive(socket).count == 4)
        }
    }

    /// What is of a flood waits: what comes by the other queue is behind one batch of it at most, however many there are;
    /// and gets its own verdicts all the same.
    @Test func whatIsOfAFloodWaits() throws {
        try inNetworkNamespace {
            var queue = try Queue(QueueSettings(number: 7, doubtful: 8, failOpen: true))
            let ordinary = try LoopbackSocket()
            let doubtful = try LoopbackSocket()
            try divert(ordinary.port, to: 7)
            try divert(doubtful.port, to: 8)
            for number in 0..<200 { try doubtful.send([UInt8(number)]) }
            _ = try decide(&queue, 16) { _ in .accept }
            #expect(receive(doubtful).count == 16, "one batch, of the doubtful queue")
            for number in 0..<10 { try ordinary.send([UInt8(200 + number)]) }
            let first = try decide(&queue, 1) { $0.payload[28] % 2 == 0 ? .accept : .drop }
            #expect(first.map { Int($0.payload[28]) } == Array(200..<210))
            #expect(receive(ordinary).map { $0[0] } == [200, 202, 204, 206, 208])
            let rest = try decide(&queue, 184) { $0.payload[28] < 100 ? .accept : .drop }
            #expect(rest.map { Int($0.payload[28]) } == Array(16..<200))
            #expect(receive(doubtful).map { Int($0[0]) } == Array(16..<100))
        }
    }
}
