import Testing

@testable import Intake

@Suite struct QueueTurnTests {
    /// Which queue each of `count` batches is of, `o` or `d`, while the ordinary one never runs dry.
    private func batches(_ count: Int, _ turn: inout QueueTurn, doubtfulWaits: Bool) -> String {
        var letters = ""
        while letters.count < count {
            if turn.isDoubtfuls {
                turn.passDoubtful(wasEmpty: !doubtfulWaits)
                if doubtfulWaits { letters += "d" }
            } else {
                turn.passOrdinary()
                letters += "o"
            }
        }
        return letters
    }

    @Test func whatIsOfAFloodHasItsTurn() {
        var turn = QueueTurn()
        #expect(!turn.isFlooded)
        let seen = batches(32, &turn, doubtfulWaits: true)
        #expect(seen == String(repeating: "o", count: 16) + "doooodoooodooood")
        #expect(turn.isFlooded)
    }

    @Test func aFloodThatIsOverCostsNothing() {
        var turn = QueueTurn()
        turn.passDoubtful(wasEmpty: false)
        _ = batches(4000, &turn, doubtfulWaits: false)
        #expect(turn.isFlooded)
        _ = batches(200, &turn, doubtfulWaits: false)
        #expect(!turn.isFlooded)
    }
}
