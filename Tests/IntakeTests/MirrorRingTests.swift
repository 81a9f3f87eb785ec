import CLinux
import Evidence
import Glibc
import Testing

@testable import Intake

/// The ring and the real kernel, in network namespaces of the tests' own.
@Suite(.serialized) struct MirrorRingTests {
    /// What was handed out of one frame.
    private struct Seen: Equatable {
        var bytes: [UInt8]
        var arrival: Arrival
        var isCut: Bool
        var wireLength: UInt32

        static func == (one: Seen, other: Seen) -> Bool { one.bytes == other.bytes }
    }

    private func take(_ ring: borrowing MirrorRing) -> Seen {
        let frame = ring.frame
        return Seen(
            bytes: (0..<frame.byteCount).map { unsafe frame.unsafeLoad(fromByteOffset: $0, as: UInt8.self) },
            arrival: ring.arrival, isCut: ring.isCut, wireLength: ring.wireLength)
    }

    /// Frames until `count` were there, or two seconds are over.
    private func read(_ ring: inout MirrorRing, _ count: Int = .max, within: UInt64 = 2_000_000_000) -> [Seen] {
        var seen: [Seen] = []
        let end = flinch_monotonic() + within
        while seen.count < count, flinch_monotonic() < end {
            if ring.next() { seen.append(take(ring)) } else { usleep(1000) }
        }
        return seen
    }

    /// UDP between two hosts, with a number in the payload; `tag` for one behind 802.1Q.
    private func frame(
        _ number: UInt32, from: UInt16, to: UInt16, back: Bool = false, tag: UInt16? = nil, size: Int = 4
    )
        -> [UInt8]
    {
        let (a, b): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
        let (source, destination) = back ? (b, a) : (a, b)
        let (sourcePort, destinationPort) = back ? (to, from) : (from, to)
        let payload =
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
            + [UInt8](repeating: 0, count: size - 4)
        func be(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
        let udp = be(Int(sourcePort)) + be(Int(destinationPort)) + be(8 + payload.count) + [0, 0] + payload
        var ip: [UInt8] = [0x45, 0] + be(20 + udp.count) + [0, 0, 0, 0, 64, 17, 0, 0] + source + destination
        var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + Int(ip[$1]) << 8 + Int(ip[$1 + 1]) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        ip.replaceSubrange(10..<12, with: be(~sum & 0xFFFF))
        let macs: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
        return macs + (tag.map { [0x81, 0] + be(Int($0)) } ?? []) + [8, 0] + ip + udp
    }

    private func came(_ count: UInt64) -> MirrorSocket.Figures {
        var figures = MirrorSocket.Figures()
        figures.came = count
        return figures
    }

    private func inLink(_ body: (borrowing FrameSender, UInt32) throws -> Void) throws {
        try inNetworkNamespace {
            // Without addresses of its own nothing is sent that is not ours.
            try shell("ip link add out0 type veth peer name in0")
            for link in ["out0", "in0"] { try shell("ip link set \(link) addrgenmode none mtu 1500 up") }
            try body(FrameSender(), unsafe if_nametoindex("out0"))
        }
    }

    private func send(_ frame: [UInt8], _ sender: borrowing FrameSender, _ port: UInt32) throws {
        let isSent = unsafe frame.withUnsafeBytes { unsafe sender.send($0, by: port) }
        try #require(isSent)
    }

    @Test func framesComeWholeWithTheKernelsTimeAndTag() throws {
        try inLink { sender, port in
            var ring = try MirrorRing(interface: "in0", memory: 1 << 20)
            // Before the start: not seen.
            try send(frame(0, from: 1, to: 2), sender, port)
            try ring.start()
            let before = flinch_now()
            let frames = [
                frame(1, from: 1, to: 2), frame(2, from: 3, to: 4, tag: 100), frame(3, from: 5, to: 6, size: 1400),
            ]
            for frame in frames { try send(frame, sender, port) }
            let seen = read(&ring, 3)
            #expect(seen.count == 3)
            #expect(seen.first?.bytes == frames[0] && seen.last?.bytes == frames[2])
            #expect(seen.allSatisfy { before <= $0.arrival.time && $0.arrival.time <= flinch_now() && !$0.isCut })
            // The tag is beside the frame, which is as if it had none.
            #expect(seen[1].bytes == frame(2, from: 3, to: 4) && seen[1].arrival.hasTag && seen[1].arrival.tag == 100)
            #expect(!seen[0].arrival.hasTag)
            let socket = ring.socket
            #expect(socket.figures == came(3))
        }
    }

    @Test(arguments: [("udp port 9", [1, 3]), ("vlan 7 and udp port 9", [3]), ("not udp", [])])
    func theFilterIsTheKernels(_ filter: String, _ expected: [UInt8]) throws {
        try inLink { sender, port in
            var ring = try MirrorRing(interface: "in0", memory: 1 << 20, filter: filter)
            try ring.start()
            try send(frame(1, from: 9, to: 4), sender, port)
            try send(frame(2, from: 8, to: 4), sender, port)
            try send(frame(3, from: 9, to: 4, tag: 7), sender, port)
            let seen = read(&ring, expected.count, within: expected.isEmpty ? 50_000_000 : 2_000_000_000)
            // Without a tag in its words libpcap's filter looks at the frame that the kernel left, which has none.
            #expect(seen.map { $0.bytes[45] } == expected)
            let socket = ring.socket
            #expect(socket.figures == came(UInt64(expected.count)))
        }
    }

    @Test func whatFindsNoRoomIsCountedToTheFrame() throws {
        try inLink { sender, port in
            var ring = try MirrorRing(interface: "in0", memory: MirrorRing.leastMemory)
            try ring.start()
            // More than 1 MiB, while nobody reads.
            let sent = 3000
            for number in 0..<sent { try send(frame(UInt32(number), from: 1, to: 2, size: 1000), sender, port) }
            // On a busy machine reading takes its time: until there is nothing more.
            var first: [Seen] = []
            while case let more = read(&ring, within: 300_000_000), !more.isEmpty { first += more }
            #expect(!first.isEmpty && first.count < sent)
            // There is room again, and the counters go on where they were.
            for number in 0..<100 { try send(frame(UInt32(number), from: 1, to: 2), sender, port) }
            let rest = read(&ring, 100)
            let socket = ring.socket
            let figures = socket.figures
            #expect(rest.count == 100)
            #expect(figures.came == UInt64(sent + 100) && figures.full > 0)
            #expect(UInt64(first.count + rest.count) + figures.dropped == figures.came)
            #expect(socket.figures == figures, "reading takes nothing away")
        }
    }

    @Test func bothDirectionsOfAFlowComeToTheSameOfAGroup() throws {
        try inLink { sender, port in
            var one = try MirrorRing(interface: "in0", memory: 1 << 20)
            var other = try MirrorRing(interface: "in0", memory: 1 << 20)
            try one.join(group: 7)
            try other.join(group: 7)
            try one.start()
            try other.start()
            for flow in 0..<UInt16(200) {
                for back in [false, true] {
                    try send(frame(UInt32(flow), from: 1000 + flow, to: 53, back: back), sender, port)
                }
            }
            let (left, right) = (read(&one, within: 200_000_000), read(&other, within: 200_000_000))
            #expect(left.count + right.count == 400)
            #expect(left.count > 50 && right.count > 50, "both take part")
            let numbers = { (seen: [Seen]) in Set(seen.map { $0.bytes[45] }) }
            #expect(numbers(left).isDisjoint(with: numbers(right)))
        }
    }

    @Test func saysWhatIsWrong() throws {
        try inNetworkNamespace {
            let missing = #expect(throws: IntakeError.self) { _ = try MirrorRing(interface: "none0", memory: 1 << 20) }
            #expect("\(missing!)".contains("there is no interface none0"))
            try shell("ip link set lo up")
            let filter = #expect(throws: IntakeError.self) {
                _ = try MirrorRing(interface: "lo", memory: 1 << 20, filter: "port http or")
            }
            #expect("\(filter!)".contains("syntax error"))
        }
        #expect(FrameFilter.problem("tcp port 80 and host 192.0.2.1") == nil)
        #expect(FrameFilter.problem("tcp prot 80")?.isEmpty == false)
    }
}
