import Testing
import Wire

@testable import Flows

/// A TCP connection of a test: segments as IPv4 packets, and a table that follows them.
struct Conversation: ~Copyable {
    var table: FlowTable
    var time: UInt64 = 1_700_000_000_000_000_000
    private static let client: [UInt8] = [192, 0, 2, 1]
    private static let server: [UInt8] = [198, 51, 100, 7]

    init(
        capacity: Int = 64, midstream: Bool = false, isInline: Bool = true, overlap: SegmentOverlap = .bsd,
        passesExceptions: Bool = false, urgent: UrgentData = .both, endings: Int = 0
    ) {
        table = FlowTable(
            capacity: capacity, variables: 8, streamBytes: 4 << 20,
            mode: FlowMode(
                isInline: isInline, midstream: midstream, passesExceptions: passesExceptions, overlap: overlap,
                urgent: urgent), endings: endings, seed: 7)
    }

    static func segment(
        toServer: Bool, _ sequence: UInt32, _ acknowledgement: UInt32, _ flags: UInt8, _ payload: [UInt8] = [],
        port: UInt16 = 40_000, window: UInt16 = 0xFFFF, options: [UInt8] = []
    ) -> [UInt8] {
        func be16(_ n: UInt16) -> [UInt8] { [UInt8(n >> 8), UInt8(n & 0xFF)] }
        func be32(_ n: UInt32) -> [UInt8] { be16(UInt16(n >> 16)) + be16(UInt16(n & 0xFFFF)) }
        let (from, to) = toServer ? (client, server) : (server, client)
        let (source, destination): (UInt16, UInt16) = toServer ? (port, 80) : (80, port)
        let tcp = be16(source) + be16(destination) + be32(sequence) + be32(acknowledgement)
        let length = UInt8(5 + options.count / 4) << 4
        let body = tcp + [length, flags] + be16(window) + [0, 0, 0, 0] + options + payload
        return [0x45, 0] + be16(UInt16(20 + body.count)) + [0, 1, 0, 0, 64, 6, 0, 0] + from + to + body
    }

    /// What a segment gave to inspect, and what its step said.
    struct Seen {
        var fresh: [UInt8]
        var window: [UInt8]
        /// What follows from urgent bytes: what else there is to inspect, `|` where it was inspected before.
        var readings: [String] = []
        var isAdded: Bool
        var mustDrop: Bool
        var toServer: Bool
        var state: FlowState
        var events: StreamEvents
    }

    mutating func send(
        toServer: Bool = true, _ sequence: UInt32, _ acknowledgement: UInt32 = 5_001, _ flags: UInt8 = 0x18,
        _ payload: String = "", port: UInt16 = 40_000, good: Bool = true, window: UInt16 = 0xFFFF,
        options: [UInt8] = []
    ) -> Seen {
        time += 1_000_000
        let bytes = Conversation.segment(
            toServer: toServer, sequence, acknowledgement, flags, Array(payload.utf8), port: port, window: window,
            options: options)
        let packet = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        var step = FlowStep()
        unsafe table.track(packet, bytes.span.bytes, vlan: 0, time: time, checksumIsGood: good, into: &step)
        let (start, length) = unsafe table.contiguous(step)
        let window = step.window.freshLength == 0 ? [] : (0..<Int(length)).map { unsafe start[$0] }
        let fresh = Array(window.dropFirst(Int(step.window.historyLength)))
        var readings: [String] = []
        while table.mode.isInline, step.hasMore, table.nextWindow(&step) {
            let (start, length) = unsafe table.contiguous(step)
            let text = (0..<Int(length)).map { unsafe start[$0] }
            let before = Int(step.window.historyLength)
            readings.append(String(decoding: text[..<before] + [0x7C] + text[before...], as: UTF8.self))
        }
        return unsafe Seen(
            fresh: fresh, window: window, readings: readings,
            isAdded: step.isAdded, mustDrop: step.mustDrop, toServer: step.toServer,
            state: step.flow!.pointee.state, events: step.events)
    }

    /// SYN, SYN with ACK, ACK: the client's data begins at 1001, the server's at 5001.
    mutating func shakeHands() {
        _ = send(1_000, 0, 0x02)
        _ = send(toServer: false, 5_000, 1_001, 0x12)
        _ = send(1_001, 5_001, 0x10)
    }
}

@Suite struct FlowTableTests {
    @Test func theThirdPacketEstablishes() {
        var talk = Conversation()
        #expect(talk.send(1_000, 0, 0x02).state == .new)
        let answer = talk.send(toServer: false, 5_000, 1_001, 0x12)
        #expect(answer.state == .new)
        #expect(!answer.toServer)
        #expect(talk.send(1_001, 5_001, 0x10).state == .established)
        #expect(talk.table.count == 1)
    }

    @Test func aWrongAnswerDoesNotEstablish() {
        var talk = Conversation()
        _ = talk.send(1_000, 0, 0x02)
        let answer = talk.send(toServer: false, 5_000, 7_777, 0x12)
        #expect(answer.events.contains(.threeWaySynackWithWrongAck))
        #expect(talk.send(1_001, 5_001, 0x10).state == .new)
    }

    @Test func segmentsInOrderContinueTheStream() {
        var talk = Conversation()
        talk.shakeHands()
        let first = talk.send(1_001, 5_001, 0x18, "GET /ev")
        #expect(first.fresh == Array("GET /ev".utf8))
        let second = talk.send(1_008, 5_001, 0x18, "il HTTP")
        #expect(second.fresh == Array("il HTTP".utf8))
        #expect(second.window == Array("GET /evil HTTP".utf8))
    }

    /// What waits is looked at when it comes, since its receiver will have it; and again with what it continues.
    @Test func aGapIsHeldAndGivenWhenItCloses() {
        var talk = Conversation()
        talk.shakeHands()
        let late = talk.send(1_004, 5_001, 0x18, "def")
        #expect(late.fresh == Array("def".utf8))
        #expect(late.isAdded)
        #expect(!late.mustDrop)
        let closing = talk.send(1_001, 5_001, 0x18, "abc")
        #expect(closing.fresh == Array("abcdef".utf8))
    }

    @Test func otherBytesAtTheSamePlaceAreRefused() {
        var talk = Conversation()
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "GOOD")
        let evil = talk.send(1_001, 5_001, 0x18, "EVIL")
        #expect(evil.mustDrop)
        #expect(evil.events.contains(.reassemblyOverlapDifferentData))
        let same = talk.send(1_001, 5_001, 0x18, "GOOD")
        #expect(!same.mustDrop)
        #expect(same.fresh == Array("GOOD".utf8))
        _ = talk.send(1_008, 5_001, 0x18, "late")
        #expect(talk.send(1_008, 5_001, 0x18, "LATE").mustDrop)
        // The gap's own bytes are new, those behind it are not what waits there.
        #expect(talk.send(1_005, 5_001, 0x18, "abcX").mustDrop)
        #expect(talk.send(1_005, 5_001, 0x18, "abcl").fresh == Array("abclate".utf8))
    }

    @Test func aFakeResetDoesNotMakeUsLookAway() {
        var talk = Conversation()
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "abc")
        let fake = talk.send(99_000, 5_001, 0x04)
        #expect(fake.state == .established)
        #expect(talk.send(1_004, 5_001, 0x18, "def").window == Array("abcdef".utf8))
    }

    @Test func aBadChecksumChangesNothing() {
        var talk = Conversation()
        talk.shakeHands()
        #expect(talk.send(1_001, 5_001, 0x18, "EVIL", good: false).fresh == [])
        #expect(talk.send(1_001, 5_001, 0x18, "GOOD").fresh == Array("GOOD".utf8))
    }

    @Test func sequenceNumbersGoRound() {
        var talk = Conversation()
        _ = talk.send(0xFFFF_FFFD, 0, 0x02)
        _ = talk.send(toServer: false, 5_000, 0xFFFF_FFFE, 0x12)
        _ = talk.send(0xFFFF_FFFE, 5_001, 0x10)
        #expect(talk.send(0xFFFF_FFFE, 5_001, 0x18, "abcd").fresh == Array("abcd".utf8))
        #expect(talk.send(2, 5_001, 0x18, "ef").window == Array("abcdef".utf8))
    }

    /// Long streams: what is kept is the end, and every byte is given once.
    @Test(arguments: [1, 700, 1_448, 5_000, 9_000, 65_000])
    func everyByteIsGivenOnce(_ size: Int) {
        var talk = Conversation()
        talk.shakeHands()
        var sequence: UInt32 = 1_001
        var total: [UInt8] = []
        for round in 0..<12 {
            let part = String(repeating: "\(Character(UnicodeScalar(UInt8(97 + round))))", count: min(size, 1_400 * 40))
            let seen = talk.send(sequence, 5_001, 0x18, part)
            #expect(seen.fresh == Array(part.utf8))
            total += Array(part.utf8)
            #expect(seen.window == Array(total.suffix(min(total.count, part.utf8.count + StreamWindow.historyLimit))))
            sequence &+= UInt32(part.utf8.count)
        }
    }

    @Test func theOldestGoesWhenItIsFull() {
        var talk = Conversation(capacity: 4)
        for port in 1...6 { _ = talk.send(1_000, 0, 0x02, port: UInt16(port)) }
        #expect(talk.table.count == 4)
        #expect(talk.table.counters.evicted == 2)
        // The first is gone: its SYN makes a flow again.
        let made = talk.table.counters.made
        _ = talk.send(1_000, 0, 0x02, port: 1)
        #expect(talk.table.counters.made == made + 1)
        _ = talk.send(1_000, 0, 0x02, port: 6)
        #expect(talk.table.counters.made == made + 1)
    }

    @Test func variablesAreBoundedAndGivenBack() {
        var talk = Conversation(capacity: 2)
        let bytes = Conversation.segment(toServer: true, 1, 0, 0x02)
        let packet = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        var step = FlowStep()
        unsafe talk.table.track(packet, bytes.span.bytes, vlan: 0, time: 1, checksumIsGood: true, into: &step)
        let flow = unsafe step.flow!
        for name in 1...8 { unsafe talk.table.set(UInt16(name), UInt32(name) * 10, flow) }
        #expect(unsafe talk.table.integer(3, flow) == 30)
        unsafe talk.table.set(9, 1, flow)
        #expect(talk.table.counters.variablesLost == 1)
        unsafe talk.table.unset(3, flow)
        #expect(unsafe !talk.table.isSet(3, flow))
        unsafe talk.table.set(9, 1, flow)
        #expect(unsafe talk.table.isSet(9, flow))
    }

    /// A flood of SYNs evicts its own.
    @Test func whatIsEstablishedStaysWhenItIsFull() {
        var talk = Conversation(capacity: 16)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "GET /ev")
        for port in 1...100 { _ = talk.send(1_000, 0, 0x02, port: UInt16(port)) }
        #expect(talk.table.counters.evicted == 85)
        #expect(talk.send(1_008, 5_001, 0x18, "il HTTP").window == Array("GET /evil HTTP".utf8))
        // But those that begin have some room, whatever is established.
        var full = Conversation(capacity: 16)
        for port in 1...16 {
            let port = UInt16(port)
            _ = full.send(1_000, 0, 0x02, port: port)
            _ = full.send(toServer: false, 5_000, 1_001, 0x12, port: port)
            _ = full.send(1_001, 5_001, 0x10, port: port)
            _ = full.send(1_001, 5_001, 0x18, "a", port: port)
        }
        for port in 101...110 { _ = full.send(1_000, 0, 0x02, port: UInt16(port)) }
        #expect(full.send(1_000, 0, 0x02, port: 110).state == .new)
        #expect(full.table.counters.evicted == 10)
    }

    /// The records, the buckets by which they are found, and a variable for each; streams have a pool of their
    /// own, of the size that the operator gives it.
    @Test func aMillionFlowsFitInto256MiB() {
        let mode = FlowMode(isInline: true, midstream: true)
        let table = FlowTable(capacity: 1_000_000, variables: 1_000_000, streamBytes: 32 << 20, mode: mode)
        #expect(table.recordBytes <= 256 << 20)
        #expect(table.streamBytes <= 34 << 20)
        #expect(table.memoryBytes == table.recordBytes + table.streamBytes)
    }
}
