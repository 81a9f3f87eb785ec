import Evidence
import Flows
import Inspection
import Policy
import Testing
import Wire

/// Each evasion with the pattern cut at every place: what reaches the guest was found.
@Suite struct EvasionTests {
    private static let text = Array("GET /EVIL/RUN ".utf8)
    private static let pattern = Array("EVIL/RUN".utf8)

    /// What came of a connection.
    private struct Outcome {
        var isFound = false
        var isDelivered = false
        var dropped = 0
    }

    /// Plays an evasion to a guest behind an inspector; at the end the client sends all of it again, as a stack
    /// does until it is answered.
    private static func play(
        _ evasion: Evasion, cut: Int, _ family: Family, action: String, mode: InspectionMode
    ) throws -> Outcome {
        var rig = try Rig(rules: "\(action) tcp any any -> any any (content:\"EVIL/RUN\"; sid:1;)", mode: mode)
        var talk = Talk(clientStart: evasion.clientStart)
        var guest = TCPGuest(reader: evasion.reader)
        var outcome = Outcome()

        func pass(_ segment: TestSegment) -> Bool {
            talk.clock += 1
            rig.time += 1_000_000
            let decision = rig.inspect(segment.bytes(family, talk))
            if rig.findings.contains("sid:1") { outcome.isFound = true }
            if decision.verdict == .drop { outcome.dropped += 1 }
            return decision.verdict == .accept
        }
        func send(_ segment: TestSegment) {
            guard pass(segment), guest.receive(segment, talk) else { return }
            talk.received = guest.delivered.count
            _ = pass(TestSegment(place: 0, flags: .ack, fromGuest: true))
        }

        // A handshake, in which both say that they use timestamps.
        _ = pass(TestSegment(place: 0, text: evasion.early, flags: .syn))
        _ = pass(TestSegment(place: 0, flags: [.syn, .ack], fromGuest: true))
        _ = pass(TestSegment(place: 0, flags: .ack))
        let segments = evasion.segments(text, cut)
        for segment in segments { send(segment) }
        for segment in segments where segment.isGenuine { send(segment) }

        let arrival = Arrival(time: rig.time)
        rig.inspector.endFlows()
        while rig.inspector.inspectEnding(arrival) != nil {
            if rig.findings.contains("sid:1") { outcome.isFound = true }
        }
        outcome.isDelivered = guest.read.contains(pattern)
        return outcome
    }

    /// Everywhere in the pattern.
    private static let cuts = Array(6..<13)

    /// The control: it does reach a guest that nobody protects.
    @Test(arguments: Evasion.all) func whatReachesTheGuestDoesSo(_ evasion: Evasion) throws {
        for cut in Self.cuts {
            var talk = Talk(clientStart: evasion.clientStart)
            var guest = TCPGuest(reader: evasion.reader)
            for segment in evasion.segments(Self.text, cut) {
                talk.clock += 1
                _ = guest.receive(segment, talk)
                talk.received = guest.delivered.count
            }
            #expect(guest.read.contains(Self.pattern) == evasion.reaches, "cut at \(cut)")
        }
    }

    @Test(arguments: Evasion.all, Family.allCases)
    func inlineItNeverReachesTheGuest(_ evasion: Evasion, _ family: Family) throws {
        for cut in Self.cuts {
            let outcome = try Self.play(evasion, cut: cut, family, action: "drop", mode: .live)
            #expect(!outcome.isDelivered, "cut at \(cut)")
            #expect(outcome.dropped > 0 || !evasion.reaches, "cut at \(cut)")
        }
    }

    /// Alert only: nothing that the guest would have read is kept from it, but where the stream contradicts itself.
    @Test(arguments: Evasion.all) func inlineWhatIsDeliveredIsFound(_ evasion: Evasion) throws {
        for cut in Self.cuts {
            let outcome = try Self.play(evasion, cut: cut, .v4, action: "alert", mode: .live)
            #expect(outcome.isFound || !outcome.isDelivered, "cut at \(cut)")
        }
    }

    /// What nobody expects to be urgent may not come at all.
    @Test(arguments: Evasion.urgent) func inlineUrgentDataCanBeRefused(_ evasion: Evasion) throws {
        var mode = InspectionMode.live
        mode.urgent = .drop
        for cut in Self.cuts {
            let outcome = try Self.play(evasion, cut: cut, .v4, action: "alert", mode: mode)
            #expect(outcome.dropped > 0 && (outcome.isFound || !outcome.isDelivered), "cut at \(cut)")
        }
    }

    /// Nobody can stop what was captured: what the guest read is found, at the latest when the flow ends.
    @Test(arguments: Evasion.all, Family.allCases)
    func listeningItIsFound(_ evasion: Evasion, _ family: Family) throws {
        var mode = InspectionMode(isInline: false, verifiesChecksums: true, midstream: false)
        mode.segmentOverlap = .first
        for cut in Self.cuts {
            let outcome = try Self.play(evasion, cut: cut, family, action: "alert", mode: mode)
            #expect(outcome.isDelivered == evasion.reaches, "cut at \(cut)")
            #expect(outcome.isFound || !outcome.isDelivered, "cut at \(cut)")
        }
    }
}

extension TestSegment {
    /// What a stack sends again: its data, as it is.
    fileprivate var isGenuine: Bool {
        !isDamaged && ticks == 0 && acknowledges == 0 && flags.contains(.ack) && !text.contains(UInt8(ascii: "#"))
            && !text.contains(0)
    }
}

/// What is said of a segment that contradicts its stream: it is refused, and what rules see is the stream.
@Suite struct ContradictionTests {
    @Test(arguments: Family.allCases) func rulesSeeWhatCameFirst(_ family: Family) throws {
        var rig = try Rig(
            rules: """
                alert tcp-pkt any any -> any any (content:"EVIL"; sid:1;)
                alert tcp-stream any any -> any any (content:"GOOD"; sid:2;)
                alert tcp any any -> any any (stream-event:reassembly_overlap_different_data; sid:3;)
                """)
        let talk = Talk(clientStart: 1_000)
        _ = rig.inspect(TestSegment(place: 0, flags: .syn).bytes(family, talk))
        _ = rig.inspect(TestSegment(place: 0, flags: [.syn, .ack], fromGuest: true).bytes(family, talk))
        _ = rig.inspect(TestSegment(place: 0, flags: .ack).bytes(family, talk))
        let first = TestSegment(place: 0, text: Array("GOOD".utf8)).bytes(family, talk)
        #expect(rig.inspect(first).verdict == .accept)
        #expect(rig.findings == ["sid:2"])
        let other = TestSegment(place: 0, text: Array("EVIL".utf8)).bytes(family, talk)
        let decision = rig.inspect(other)
        #expect(decision.verdict == .drop && decision.reason == .stream)
        #expect(rig.findings.sorted() == ["sid:2", "sid:3"])
        // As it was sent the first time, checksum and all.
        #expect(rig.bytes(of: 0, in: other) == first)
    }
}
