import Testing

@testable import Flows

/// What there is to inspect of streams with urgent bytes (RFC 6093). The pointer of these segments is 0: the first byte
/// of each that has the flag is urgent.
@Suite struct UrgentTests {
    private static let urgent: UInt8 = 0x38

    @Test func withAndWithoutIt() {
        var talk = Conversation()
        talk.shakeHands()
        #expect(talk.send(1_001, 5_001, 0x18, "ab").readings == [])
        let second = talk.send(1_003, 5_001, Self.urgent, "XYc")
        #expect(second.window == Array("abXYc".utf8))
        #expect(second.readings == ["ab|Yc"])
        // As long as it is in what is kept.
        #expect(talk.send(1_006, 5_001, 0x18, "d").readings == ["abYc|d"])
        // Each with and without.
        let third = talk.send(1_007, 5_001, Self.urgent, "Ze")
        #expect(third.readings == ["abYcd|Ze", "abXYcd|e", "abYcd|e"])
    }

    @Test func itIsForgottenWithWhatIsKept() {
        var talk = Conversation()
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, Self.urgent, "X")
        let filler = String(repeating: ".", count: StreamWindow.historyLimit)
        #expect(talk.send(1_002, 5_001, 0x18, filler).readings == ["|" + filler])
        #expect(talk.send(1_002 + UInt32(filler.utf8.count), 5_001, 0x18, "a").readings == [])
    }

    @Test func whatWaitsHasReadingsToo() {
        var talk = Conversation()
        talk.shakeHands()
        #expect(talk.send(1_004, 5_001, Self.urgent, "XYc").readings == ["|Yc"])
        #expect(talk.send(1_001, 5_001, 0x18, "ab.").readings == ["|ab.Yc"])
    }

    /// Sent again, as the receiver may not have it yet.
    @Test func whatIsCalledUrgentLaterIsReadAgain() {
        var talk = Conversation()
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "abX")
        _ = talk.send(1_004, 5_001, 0x18, "cd")
        #expect(talk.send(1_003, 5_001, Self.urgent, "X").readings == ["ab|cd"])
        // What was acknowledged is not urgent any more.
        _ = talk.send(toServer: false, 5_001, 1_006, 0x10)
        #expect(talk.send(1_002, 5_001, Self.urgent, "b").readings == [])
    }

    @Test func moreThanCanBeToldApart() {
        for passes in [false, true] {
            var talk = Conversation(passesExceptions: passes)
            talk.shakeHands()
            for i in 0..<4 as Range<UInt32> {
                let seen = talk.send(1_001 + 2 * i, 5_001, Self.urgent, "Xa")
                #expect(!seen.mustDrop && seen.events == StreamEvents())
            }
            let fifth = talk.send(1_009, 5_001, Self.urgent, "Xa")
            #expect(fifth.events.contains(.reassemblyUrgentOobLimitReached))
            #expect(fifth.mustDrop == !passes && fifth.isAdded == passes)
            // Sixteen sets of four, of which one is what the wire has: the first of five is left where it is.
            #expect(fifth.readings.count == (passes ? 15 : 0))
            #expect(fifth.readings.allSatisfy { $0.hasPrefix("X") })
            #expect(talk.table.counters.refused == (passes ? 0 : 1))
            // The same again is no new one.
            #expect(!talk.send(1_007, 5_001, Self.urgent, "Xa").mustDrop)
        }
    }

    @Test(arguments: [
        (UrgentData.both, "abXYc", ["ab|Yc"]), (.oob, "abYc", []), (.inline, "abXYc", []), (.drop, "", []),
    ]) func itIsWhatTheOperatorSays(_ urgent: UrgentData, _ window: String, _ readings: [String]) {
        var talk = Conversation(urgent: urgent)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "ab")
        let seen = talk.send(1_003, 5_001, Self.urgent, "XYc")
        #expect(seen.window == Array(window.utf8) && seen.readings == readings)
        #expect(seen.mustDrop == (urgent == .drop))
    }

    /// Without the byte there is nothing new.
    @Test func aSegmentOfTheByteAlone() {
        var talk = Conversation(urgent: .oob)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "ab")
        #expect(talk.send(1_003, 5_001, Self.urgent, "X").window == [])
        #expect(talk.send(1_004, 5_001, 0x18, "c").window == Array("abc".utf8))
    }
}
