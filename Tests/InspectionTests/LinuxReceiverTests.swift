import Evidence
import Flows
import Inspection
import Policy
import Testing
import Wire

/// What a real Linux guest reads of streams with urgent bytes, against the model of the other tests and against what
/// was found. Needs root.
@Suite struct LinuxReceiverTests {
    private static let text = Array("GET /EVIL/RUN ".utf8)
    private static let pattern = Array("EVIL/RUN".utf8)

    private struct Outcome: Sendable {
        var read: [UInt8] = []
        var model: [UInt8] = []
        var isFound = false
    }

    /// Plays an evasion to the guest; with a sensor before it, only what that lets by.
    private static func play(
        _ evasion: Evasion, cut: Int, _ guest: inout LinuxGuest, behind sensor: InspectionMode?
    ) throws -> Outcome {
        var rig = try Rig(
            rules: "alert tcp any any -> any any (content:\"EVIL/RUN\"; sid:1;)", mode: sensor ?? .live)
        var talk = Talk(clientStart: evasion.clientStart)
        var model = TCPGuest(reader: evasion.reader)
        var outcome = Outcome()

        /// Returns false if the sensor keeps it.
        func pass(_ packet: [UInt8]) -> Bool {
            guard sensor != nil else { return true }
            rig.time += 1_000_000
            let decision = rig.inspect(packet)
            if rig.findings.contains("sid:1") { outcome.isFound = true }
            return decision.verdict == .accept
        }
        func send(_ segment: TestSegment, _ guest: borrowing LinuxGuest) -> [[UInt8]] {
            talk.clock += 1
            let packet = segment.bytes(.v4, talk)
            guard pass(packet), !segment.isLost else { return [] }
            _ = model.receive(segment, talk)
            let answers = guest.receive(packet)
            for answer in answers { _ = pass(answer) }
            return answers
        }

        guard let answer = send(TestSegment(place: 0, flags: .syn), guest).first, answer.count >= 40 else {
            throw LinuxGuest.Failure(what: "no answer to a SYN")
        }
        talk.guestStart = answer[24..<28].reduce(0) { $0 << 8 | UInt32($1) }
        _ = send(TestSegment(place: 0, flags: .ack), guest)
        try guest.accept(readsUrgentInline: evasion.reader == .inline)
        defer { guest.hangUp() }
        for segment in evasion.segments(text, cut) {
            _ = send(segment, guest)
            if evasion.reader == .prompt { outcome.read += guest.read() }
        }
        outcome.read += guest.read()
        outcome.model = model.read
        return outcome
    }

    /// Each with the pattern cut everywhere.
    private static func playAll(behind sensor: InspectionMode?) throws -> [(name: String, Evasion, Outcome)] {
        try LinuxGuest.with { guest in
            var outcomes: [(String, Evasion, Outcome)] = []
            for evasion in Evasion.urgent {
                for cut in 6..<13 {
                    outcomes.append(
                        ("\(evasion.name), \(cut)", evasion, try play(evasion, cut: cut, &guest, behind: sensor)))
                }
            }
            return outcomes
        }
    }

    @Test func theModelReadsWhatLinuxReads() throws {
        let outcomes = try Self.playAll(behind: nil)
        for (name, evasion, outcome) in outcomes {
            #expect(outcome.read == outcome.model, "\(name)")
            #expect(outcome.read.contains(Self.pattern) == evasion.reaches, "\(name)")
        }
    }

    /// With the default, whatever the application does.
    @Test func whatLinuxReadsIsFound() throws {
        for (name, _, outcome) in try Self.playAll(behind: .live) {
            #expect(outcome.read == outcome.model, "\(name)")
            #expect(outcome.isFound || !outcome.read.contains(Self.pattern), "\(name)")
        }
    }

    /// The controls: who inspects one reading only misses what is read otherwise.
    @Test(arguments: [UrgentData.inline, .oob]) func oneReadingIsNotEnough(_ urgent: UrgentData) throws {
        var mode = InspectionMode.live
        mode.urgent = urgent
        let outcomes = try Self.playAll(behind: mode)
        #expect(outcomes.contains { !$0.2.isFound && $0.2.read.contains(Self.pattern) })
        #expect(outcomes.contains { $0.2.isFound && $0.2.read.contains(Self.pattern) })
    }
}
