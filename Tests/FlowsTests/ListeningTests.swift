import Testing
import Wire

@testable import Flows

/// A listener's streams: what was acknowledged, as its receiver has it.
@Suite struct ListeningTests {
    private func given(_ talk: inout Conversation) -> [String] {
        talk.table.endFlows()
        var parts: [String] = []
        while var step = talk.table.nextEnding() {
            while talk.table.nextWindow(&step) {
                let (start, length) = unsafe talk.table.contiguous(step)
                let bytes = (0..<Int(length)).map { unsafe start[$0] }
                parts.append(String(decoding: bytes.dropFirst(Int(step.window.historyLength)), as: UTF8.self))
            }
        }
        return parts
    }

    @Test func whatIsShortIsGivenAtTheEnd() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        #expect(talk.send(1_001, 5_001, 0x18, "GET ").fresh == [])
        #expect(talk.send(1_005, 5_001, 0x18, "/evil").fresh == [])
        #expect(given(&talk) == ["GET /evil"])
        #expect(talk.table.count == 0)
    }

    @Test func aChunkIsGivenWhenItIsAcknowledged() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        let text = String(repeating: "a", count: 1_400)
        _ = talk.send(1_001, 5_001, 0x18, text)
        _ = talk.send(2_401, 5_001, 0x18, text)
        // Nothing of it is known to have arrived.
        #expect(talk.send(3_801, 5_001, 0x10).fresh == [])
        _ = talk.send(toServer: false, 5_001, 3_701, 0x10)
        #expect(talk.send(3_801, 5_001, 0x10).fresh.count == 2_700)
        #expect(given(&talk) == [String(repeating: "a", count: 100)])
    }

    @Test func theCloseGivesWhatWasAcknowledged() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "GET /evil")
        _ = talk.send(toServer: false, 5_001, 1_010, 0x10)
        #expect(talk.send(1_010, 5_001, 0x11).fresh == Array("GET /evil".utf8))
        #expect(given(&talk) == [])
    }

    @Test func whatIsMissingDividesTheStream() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        _ = talk.send(1_001, 5_001, 0x18, "VERY")
        _ = talk.send(1_009, 5_001, 0x18, "DATA")
        talk.table.endFlows()
        let step = talk.table.nextEnding()!
        var first = step
        let hasFirst = talk.table.nextWindow(&first)
        let hasSecond = talk.table.nextWindow(&first)
        #expect(hasFirst && hasSecond)
        #expect(first.window.historyLength == 0 && first.window.offset == 8)
        let kept = unsafe talk.table.kept(step.flow!, toServer: true)
        #expect(unsafe Array(kept.first) == Array("VERY".utf8))
        #expect(unsafe kept.missing == 4)
        #expect(unsafe Array(kept.second) == Array("DATA".utf8))
    }

    /// "GOOD" is at 0…4; another segment says something else before anything is acknowledged.
    @Test(arguments: [
        // The same place; the same and more; from before; from before and beyond; its end; its end and beyond.
        (SegmentOverlap.first, 0, "EVIL", "GOOD"), (.first, -2, "EVIL", "EVGOOD"), (.first, 2, "EVIL", "GOODIL"),
        (.last, 0, "EVIL", "EVIL"), (.last, -2, "EVIL", "EVILOD"), (.last, 2, "EVIL", "GOEVIL"),
        (.bsd, 0, "EVIL", "GOOD"), (.bsd, 0, "EVILS", "GOODS"), (.bsd, -2, "EVIL", "EVILOD"),
        (.bsd, 2, "EVIL", "GOODIL"),
        (.linux, 0, "EVIL", "GOOD"), (.linux, 0, "EVILS", "EVILS"), (.linux, -2, "EVIL", "EVILOD"),
        (.oldLinux, 0, "EVIL", "EVIL"), (.oldLinux, 0, "EVI", "GOOD"), (.oldLinux, 2, "EVIL", "GOODIL"),
        (.solaris, 0, "EVIL", "EVIL"), (.solaris, -2, "EVIL", "EVGOOD"), (.solaris, -2, "EVILSS", "EVILSS"),
        (.solaris, 2, "EVIL", "GOEVIL"),
    ])
    func overlapsAreResolvedAsTheReceiverDoes(_ policy: SegmentOverlap, _ place: Int, _ other: String, _ result: String)
    {
        var talk = Conversation(isInline: false, overlap: policy)
        talk.shakeHands()
        // Two bytes stay missing, so that nothing of it is the stream's beginning.
        let base: UInt32 = 1_011
        _ = talk.send(base, 5_001, 0x18, "GOOD")
        let seen = talk.send(base &+ UInt32(bitPattern: Int32(place)), 5_001, 0x18, other)
        #expect(seen.events.contains(.reassemblyOverlapDifferentData))
        #expect(!seen.mustDrop)
        #expect(given(&talk) == [result])
    }

    /// Nobody acknowledges: it is given in time all the same.
    @Test func halfAConversationIsNotLost() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        var count = 0
        var sequence: UInt32 = 1_001
        for _ in 0..<50 {
            // The window is 65,535 bytes, and nobody opens it: what lies beyond is not the receiver's.
            let seen = talk.send(sequence, 5_001, 0x18, String(repeating: "a", count: 1_300))
            count += seen.fresh.count
            sequence &+= 1_300
        }
        count += given(&talk).reduce(0) { $0 + $1.utf8.count }
        #expect(count == 65_000)
    }

    @Test func whatTheReceiverThrowsAwayIsNoPartOfIt() {
        var talk = Conversation(isInline: false)
        talk.shakeHands()
        #expect(!talk.send(1_001, 0, 0x08, "JUNK").isAdded)
        #expect(!talk.send(1_001, 99_999_999, 0x18, "JUNK").isAdded)
        #expect(talk.send(1_001 + 70_000, 5_001, 0x18, "JUNK").events.contains(.estPacketOutOfWindow))
        _ = talk.send(1_001, 5_001, 0x18, "GOOD")
        #expect(given(&talk) == ["GOOD"])
    }
}
