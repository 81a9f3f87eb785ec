import Testing

@testable import Flows

/// For each stream event a conversation in which it is said of one segment, and one that differs in little in which
/// it is not.
@Suite struct StreamEventTests {
    /// From the client, whose first number is 1,000, or from the server, whose is 5,000.
    struct Sent: Sendable {
        var toServer: Bool
        var sequence: UInt32
        var acknowledgement: UInt32
        var flags: UInt8
        var payload = ""
        var window: UInt16 = 0xFFFF
        var options: [UInt8] = []
    }

    /// What comes first, what then is odd, and what in its place would not be.
    struct Case: Sendable, CustomTestStringConvertible {
        var event: StreamEvent
        var before: [Sent]
        var odd: Sent
        var ordinary: Sent
        var isInline = true
        var midstream = false

        var testDescription: String { "\(event)" }
    }

    private static let syn: UInt8 = 0x02
    private static let ack: UInt8 = 0x10
    private static let push: UInt8 = 0x18
    private static let fin: UInt8 = 0x11
    private static let rst: UInt8 = 0x04

    private static func c(
        _ sequence: UInt32, _ acknowledgement: UInt32, _ flags: UInt8, _ payload: String = "", window: UInt16 = 0xFFFF,
        options: [UInt8] = []
    ) -> Sent {
        Sent(
            toServer: true, sequence: sequence, acknowledgement: acknowledgement, flags: flags, payload: payload,
            window: window, options: options)
    }

    private static func s(
        _ sequence: UInt32, _ acknowledgement: UInt32, _ flags: UInt8, _ payload: String = "", window: UInt16 = 0xFFFF,
        options: [UInt8] = []
    ) -> Sent {
        Sent(
            toServer: false, sequence: sequence, acknowledgement: acknowledgement, flags: flags, payload: payload,
            window: window, options: options)
    }

    private static let asked = [c(1_000, 0, syn)]
    private static let answered = asked + [s(5_000, 1_001, 0x12)]
    private static let open = answered + [c(1_001, 5_001, ack)]
    /// Ten bytes each way, acknowledged.
    private static let spoken =
        open + [c(1_001, 5_001, push, "0123456789"), s(5_001, 1_011, push, "0123456789"), c(1_011, 5_011, ack)]
    private static let split = asked + [s(5_000, 0, syn)]
    private static let splitAnswered = split + [c(1_000, 5_001, 0x12)]
    private static let closeWait = spoken + [c(1_011, 5_011, fin)]
    private static let lastAck = closeWait + [s(5_011, 1_012, fin)]
    private static let finWait1 = spoken + [s(5_011, 1_011, fin)]
    private static let finWait2 = finWait1 + [c(1_011, 5_012, ack)]
    private static let closing = finWait1 + [c(1_011, 5_011, fin)]
    private static let timeWait = finWait1 + [c(1_011, 5_012, fin)]
    private static let fastOpen: [UInt8] = [34, 2, 1, 1]

    static let cases: [Case] = [
        // The handshake.
        Case(
            event: .threeWayAckInWrongDir, before: answered, odd: s(5_001, 1_001, ack), ordinary: c(1_001, 5_001, ack)),
        Case(
            event: .threeWayAckDataInject, before: answered, odd: s(5_001, 1_001, push, "EVIL"),
            ordinary: c(1_001, 5_001, push, "GOOD")),
        Case(
            event: .threeWayAckInWrongDir, before: answered + [c(1_001, 6_000, ack)], odd: s(5_001, 1_001, ack),
            ordinary: c(1_001, 5_001, ack)),
        Case(
            event: .threeWayRightSeqWrongAckEvasion, before: answered, odd: c(1_001, 7_777, ack),
            ordinary: c(1_001, 5_001, ack)),
        Case(
            event: .threeWayWrongSeqWrongAck, before: answered, odd: c(900, 7_777, ack),
            ordinary: c(1_001, 5_001, ack)),
        Case(
            event: .threeWayWrongSeqWrongAck, before: answered, odd: s(4_000, 1_001, ack),
            ordinary: s(5_001, 1_001, ack), isInline: false),
        Case(
            event: .threeWaySynackInWrongDirection, before: asked, odd: c(1_000, 5_001, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .threeWaySynackWithWrongAck, before: asked, odd: s(5_000, 1_000, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .threeWaySynackResendWithDiffAck, before: answered, odd: s(5_000, 1_010, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .threeWaySynackResendWithDiffSeq, before: answered, odd: s(6_000, 1_001, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .threeWaySynackToserverOnSynRecv, before: answered, odd: c(1_000, 5_001, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .threeWaySynackFlood, before: answered + (1...5).map { s(5_000 + $0 * 100, 1_001, 0x12) },
            odd: s(9_000, 1_001, 0x12), ordinary: s(5_500, 1_001, 0x12)),
        Case(
            event: .threeWaySynFlood, before: asked + (1...10).map { c(1_000 + $0 * 100, 0, syn) },
            odd: c(9_000, 0, syn), ordinary: c(2_000, 0, syn)),
        Case(
            event: .threeWaySynResendDiffSeqOnSynRecv, before: answered, odd: c(2_000, 0, syn),
            ordinary: c(1_000, 0, syn)),
        Case(
            event: .threeWaySynResendDiffSeqOnSynRecv, before: answered, odd: c(2_000, 0, syn),
            ordinary: c(1_000, 0, syn), isInline: false),
        Case(
            event: .threeWaySynToclientOnSynRecv, before: answered, odd: s(5_000, 0, syn),
            ordinary: c(1_000, 0, syn)),
        Case(
            event: .threeWaySynackTfoDataIgnored, before: [c(1_000, 0, syn, "GET", options: fastOpen)],
            odd: s(5_000, 1_001, 0x12), ordinary: s(5_000, 1_004, 0x12)),
        Case(
            event: .fourWaySynackWithWrongAck, before: split, odd: c(1_000, 5_005, 0x12),
            ordinary: c(1_000, 5_001, 0x12)),
        Case(
            event: .fourWaySynackWithWrongSyn, before: split, odd: c(1_005, 5_001, 0x12),
            ordinary: c(1_000, 5_001, 0x12)),
        Case(
            event: .fourWayWrongSeq, before: splitAnswered, odd: s(5_100, 1_001, ack), ordinary: s(5_001, 1_001, ack)),
        Case(
            event: .fourWayInvalidAck, before: splitAnswered, odd: s(5_001, 7_777, ack),
            ordinary: s(5_001, 1_001, ack)),
        Case(event: .finSyn, before: answered, odd: c(1_000, 0, 0x03), ordinary: c(1_000, 0, syn)),

        // Established.
        Case(
            event: .estPacketOutOfWindow, before: spoken, odd: c(1_011 + 70_000, 5_011, push, "far"),
            ordinary: c(1_011 + 60_000, 5_011, push, "far")),
        Case(
            event: .estPacketOutOfWindow, before: spoken + [s(5_011, 1_011, ack, window: 4)],
            odd: c(1_011 + 65_530, 5_011, push, "too far"), ordinary: c(1_011, 5_011, push, "what was allowed once")),
        Case(
            event: .estPktBeforeLastAck, before: spoken, odd: c(1_003, 5_011, push, "234"),
            ordinary: c(1_004, 5_011, push, "3456789")),
        Case(
            event: .pktSpuriousRetransmission, before: spoken, odd: c(1_004, 5_011, push, "3456789"),
            ordinary: c(1_011, 5_011, push, "new")),
        Case(
            event: .estSynackResend, before: spoken, odd: s(5_000, 1_001, 0x12), ordinary: s(5_011, 1_011, ack)),
        Case(
            event: .estSynackResendWithDiffAck, before: open, odd: s(5_000, 1_011, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .estSynackResendWithDiffSeq, before: open, odd: s(6_000, 1_001, 0x12),
            ordinary: s(5_000, 1_001, 0x12)),
        Case(
            event: .estSynackToserver, before: spoken, odd: c(1_000, 5_001, 0x12), ordinary: c(1_011, 5_011, ack)),
        Case(event: .estSynResend, before: spoken, odd: c(1_000, 0, syn), ordinary: c(1_011, 5_011, ack)),
        Case(event: .estSynResendDiffSeq, before: spoken, odd: c(2_000, 0, syn), ordinary: c(1_000, 0, syn)),
        Case(event: .estSynToclient, before: spoken, odd: s(5_000, 0, syn), ordinary: c(1_000, 0, syn)),
        Case(
            event: .estInvalidAck, before: spoken, odd: c(1_011, 6_000, ack), ordinary: c(1_011, 5_011, ack)),
        Case(
            event: .estInvalidAck, before: spoken, odd: c(1_011, 0x8000_0000, push, "old"),
            ordinary: c(1_011, 5_001, push, "old")),
        Case(
            event: .pktInvalidAck, before: spoken, odd: s(5_011, 1_012, ack), ordinary: s(5_011, 1_011, ack)),
        Case(
            event: .estAckZwpData, before: spoken + [s(5_011, 1_011, ack, window: 0), c(1_011, 5_011, push, "?")],
            odd: s(5_011, 1_012, ack, window: 0), ordinary: s(5_011, 1_011, ack, window: 0)),
        Case(event: .finInvalidAck, before: spoken, odd: c(1_011, 6_000, fin), ordinary: c(1_011, 5_011, fin)),
        Case(event: .finOutOfWindow, before: spoken, odd: c(1_005, 5_011, fin), ordinary: c(1_011, 5_011, fin)),
        Case(
            event: .finOutOfWindow, before: spoken, odd: c(91_011, 5_011, fin), ordinary: c(1_011, 5_011, fin)),
        Case(event: .finSyn, before: spoken, odd: c(1_011, 5_011, 0x13), ordinary: c(1_011, 5_011, fin)),
        Case(
            event: .pktBadWindowUpdate, before: spoken, odd: s(5_050, 1_050, ack, window: 10),
            ordinary: s(5_011, 1_011, ack, window: 10)),
        Case(
            event: .pktBrokenAck, before: spoken, odd: c(1_011, 5_011, 0x08, "x"), ordinary: c(1_011, 0, 0x08, "x")),
        Case(event: .rstWithData, before: spoken, odd: c(1_011, 0, rst, "bye"), ordinary: c(1_011, 0, rst)),
        Case(event: .rstInvalidAck, before: spoken, odd: c(1_011, 9_000, 0x14), ordinary: c(1_011, 5_011, 0x14)),
        Case(
            event: .suspectedRstInject, before: spoken + [c(1_011, 0, rst)], odd: c(1_011, 5_011, push, "still here"),
            ordinary: s(5_011, 1_011, push, "not heard yet")),

        // The client finishes first.
        Case(
            event: .closewaitFinOutOfWindow, before: closeWait, odd: s(5_005, 1_012, fin),
            ordinary: s(5_011, 1_012, fin)),
        Case(
            event: .closewaitFinOutOfWindow, before: closeWait, odd: s(95_011, 1_012, fin),
            ordinary: s(5_011, 1_012, fin)),
        Case(
            event: .closewaitAckOutOfWindow, before: closeWait, odd: s(95_011, 1_012, push, "far"),
            ordinary: s(5_011, 1_012, push, "near")),
        Case(
            event: .closewaitPktBeforeLastAck, before: closeWait, odd: s(5_001, 1_012, push, "0123456789"),
            ordinary: s(5_011, 1_012, push, "more")),
        Case(
            event: .closewaitInvalidAck, before: closeWait, odd: s(5_011, 1_100, ack), ordinary: s(5_011, 1_012, ack)),
        Case(
            event: .pktRetransmission, before: closeWait, odd: s(5_001, 1_012, push, "0123456789"),
            ordinary: s(5_011, 1_012, push, "more")),
        Case(
            event: .lastackAckWrongSeq, before: lastAck, odd: c(1_100, 5_012, ack), ordinary: c(1_012, 5_012, ack)),
        Case(
            event: .lastackInvalidAck, before: lastAck, odd: c(1_012, 5_100, ack), ordinary: c(1_012, 5_012, ack)),
        Case(
            event: .shutdownSynResend, before: closeWait, odd: c(1_000, 0, syn), ordinary: c(1_012, 5_011, ack)),

        // The server does.
        Case(
            event: .fin1FinWrongSeq, before: finWait1, odd: c(91_011, 5_011, fin), ordinary: c(1_011, 5_011, fin)),
        Case(
            event: .fin1AckWrongSeq, before: finWait1, odd: c(91_011, 5_012, ack), ordinary: c(1_011, 5_012, ack)),
        Case(
            event: .fin1InvalidAck, before: finWait1, odd: c(1_011, 5_013, ack), ordinary: c(1_011, 5_012, ack)),
        Case(
            event: .fin1InvalidAck, before: finWait1, odd: c(1_011, 5_013, fin), ordinary: c(1_011, 5_012, fin)),
        Case(
            event: .fin2FinWrongSeq, before: finWait2, odd: c(91_011, 5_012, fin), ordinary: c(1_011, 5_012, fin)),
        Case(
            event: .fin2AckWrongSeq, before: finWait2, odd: c(91_011, 5_012, ack), ordinary: c(1_011, 5_012, ack)),
        Case(
            event: .fin2InvalidAck, before: finWait2, odd: c(1_011, 5_013, ack), ordinary: c(1_011, 5_012, ack)),
        Case(
            event: .closingAckWrongSeq, before: closing, odd: c(1_020, 5_012, ack), ordinary: c(1_012, 5_012, ack)),
        Case(
            event: .closingInvalidAck, before: closing, odd: c(1_012, 5_100, ack), ordinary: c(1_012, 5_012, ack)),
        Case(
            event: .timewaitAckWrongSeq, before: timeWait, odd: s(5_020, 1_012, ack), ordinary: s(5_012, 1_012, ack)),
        Case(
            event: .timewaitInvalidAck, before: timeWait, odd: s(5_012, 1_100, ack), ordinary: s(5_012, 1_012, ack)),

        // No connection.
        Case(event: .rstButNoSession, before: [], odd: c(1_011, 0, rst), ordinary: c(1_000, 0, syn)),
        Case(event: .finButNoSession, before: [], odd: c(1_011, 5_011, fin), ordinary: c(1_000, 0, syn)),
        Case(
            event: .finButNoSession, before: [], odd: c(1_011, 5_011, fin), ordinary: c(1_011, 5_011, fin, "bye"),
            midstream: true),
    ]

    @Test(arguments: cases) func isSaidOfTheOddOnly(_ example: Case) {
        for (sent, isOdd) in [(example.odd, true), (example.ordinary, false)] {
            var talk = Conversation(midstream: example.midstream, isInline: example.isInline)
            for each in example.before { #expect(!play(each, &talk).contains(example.event)) }
            #expect(play(sent, &talk).contains(example.event) == isOdd)
        }
    }

    private func play(_ sent: Sent, _ talk: inout Conversation) -> StreamEvents {
        talk.send(
            toServer: sent.toServer, sent.sequence, sent.acknowledgement, sent.flags, sent.payload,
            window: sent.window, options: sent.options
        ).events
    }

    /// Of an ordinary conversation, closed by either side or both, nothing is said.
    @Test(arguments: [true, false]) func nothingIsSaidOfTheOrdinary(_ isInline: Bool) {
        let endings: [[Sent]] = [
            Self.lastAck + [Self.c(1_012, 5_012, Self.ack)],
            Self.timeWait + [Self.s(5_012, 1_012, Self.ack)],
            Self.closing + [Self.s(5_012, 1_012, Self.ack), Self.c(1_012, 5_012, Self.ack)],
            Self.finWait2 + [Self.c(1_011, 5_012, Self.push, "more"), Self.s(5_012, 1_015, Self.ack)],
            // Keep-alive, and its answer; what an acknowledgement overtook; the first packets again.
            Self.spoken + [Self.c(1_010, 5_011, Self.ack), Self.s(5_011, 1_011, Self.ack)],
            Self.spoken + [Self.c(1_011, 5_001, Self.ack)],
            Self.asked + Self.answered + [Self.s(5_000, 1_001, 0x12), Self.c(1_001, 5_001, Self.ack)],
            Self.open + [Self.s(5_000, 1_001, 0x12)],
            Self.splitAnswered + [Self.s(5_001, 1_001, Self.ack)],
        ]
        for ending in endings {
            var talk = Conversation(isInline: isInline)
            for each in ending {
                let events = play(each, &talk)
                #expect(events == StreamEvents(), "\(each): \(StreamEvent.allCases.filter { events.contains($0) })")
            }
        }
    }

    @Test func everyEventHasATestOrIsNeverSaid() {
        // Said in `whatFindsNoRoom`, `ListeningTests` and `EvasionTests`, and in `UrgentTests`.
        let elsewhere: Set<StreamEvent> = [
            .reassemblyNoSegment, .reassemblyInsertMemcap, .reassemblyInsertLimit, .reassemblySeqGap,
            .reassemblyOverlapDifferentData, .pktInvalidTimestamp,
            .reassemblyUrgentOobLimitReached,
        ]
        let known = Set(Self.cases.map(\.event)).union(elsewhere)
        #expect(StreamEvent.allCases.filter { !known.contains($0) } == StreamEvent.allCases.filter(\.isNeverSaid))
    }

    @Test func whatFindsNoRoom() {
        var talk = Conversation()
        for each in Self.open { _ = play(each, &talk) }
        // Too far for one stream, though its receiver has room.
        let scale: [UInt8] = [3, 3, 14, 1]
        var wide = Conversation()
        for each in [
            Self.c(1_000, 0, Self.syn, options: scale), Self.s(5_000, 1_001, 0x12, options: scale),
            Self.c(1_001, 5_001, Self.ack), Self.s(5_001, 1_001, Self.ack),
        ] {
            _ = play(each, &wide)
        }
        #expect(play(Self.c(201_001, 5_001, Self.push, "near"), &wide) == StreamEvents())
        let far = play(Self.c(301_001, 5_001, Self.push, "far"), &wide)
        #expect(far.contains(.reassemblyInsertLimit) && !far.contains(.reassemblyNoSegment))
        // The pool of all streams: connections that each hold single bytes behind gaps until none is left.
        var full = StreamEvents()
        var port: UInt16 = 0
        while full == StreamEvents(), port < 50 {
            port += 1
            for each in Self.open {
                _ = talk.send(
                    toServer: each.toServer, each.sequence, each.acknowledgement, each.flags, port: port)
            }
            for place in 0..<1_000 where full == StreamEvents() {
                full = talk.send(UInt32(1_003 + place * 2), 5_001, Self.push, "x", port: port).events
            }
        }
        #expect(full.contains(.reassemblyNoSegment) && full.contains(.reassemblyInsertMemcap))
    }

    /// Whom the server answered, and which of its answers the client took, decides what is followed.
    @Test func theOthersOfAHandshakeAreFollowed() {
        var talk = Conversation()
        for each in [
            Self.c(1_000, 0, Self.syn), Self.c(2_000, 0, Self.syn), Self.s(5_000, 1_001, 0x12),
            Self.s(6_000, 1_001, 0x12),
        ] {
            _ = play(each, &talk)
        }
        #expect(talk.send(1_001, 6_001, Self.ack).state == .established)
        #expect(talk.send(1_001, 6_001, Self.push, "GET").fresh == Array("GET".utf8))
        #expect(talk.send(toServer: false, 6_001, 1_004, Self.push, "200").fresh == Array("200".utf8))
    }

    /// What a packet says of the window is not believed if its receiver throws it away.
    @Test func aBadWindowUpdateChangesNothing() {
        var talk = Conversation()
        for each in Self.spoken + [Self.s(5_050, 1_050, Self.ack, window: 0)] { _ = play(each, &talk) }
        let text = String(repeating: "a", count: 1_400)
        #expect(talk.send(1_011, 5_011, Self.push, text).events == StreamEvents())
    }
}
