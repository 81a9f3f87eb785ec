import Evidence
import Testing
import Wire

@testable import Behaviour

/// What guests do, and what they never did; logins; what is refused.
struct HostTests {
    // MARK: - Logins

    @Test(arguments: [(22, "login.ssh"), (3389, "login.rdp"), (445, "login.smb")])
    func loginsThatFail(_ port: Int, _ kind: String) throws {
        let stage = Stage()
        for _ in 0..<30 {
            stage.login(Stage.outside, Stage.web, port)
            stage.wait(3)
        }
        stage.wait(320)
        #expect(stage.raised == [kind])
        let event = try #require(stage.closed.first)
        #expect(event.attempts == 30 && event.actors == [Stage.outside] && event.target == Stage.web)
        #expect(event.concern == .high && event.services == ["\(port)/tcp"])
    }

    /// At a port of its own, by what the server says first.
    @Test func loginsElsewhere() {
        let stage = Stage()
        for _ in 0..<12 {
            stage.ask(Stage.outside, Stage.web, 902, .established)
            stage.tell(.spoke, Stage.outside, Stage.web, 902, login: .ssh)
            stage.tell(.ended, Stage.outside, Stage.web, 902, bytes: (2_500, 3_000), lasted: 2)
            stage.wait(3)
        }
        #expect(stage.raised == ["login.ssh"])
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH_9.2\r\n", Login.ssh), ("SSH", .none), ("HTTP/1.1 200 OK", .none), ("", .none),
        ("\u{3}\0\0\u{2B}\u{26}\u{60}\0\0", .none),
    ]) func firstWords(_ text: String, _ login: Login) {
        let bytes = Array(text.utf8)
        #expect(unsafe Login(bytes.span.bytes) == login)
    }

    @Test func firstBytes() {
        let rdp: [UInt8] = [3, 0, 0, 19, 14, 0xE0, 0, 0, 0, 0, 0]
        let smb: [UInt8] = [0, 0, 0, 108, 0xFE, 0x53, 0x4D, 0x42, 64]
        #expect(unsafe Login(rdp.span.bytes) == .rdp && Login(smb.span.bytes) == .smb)
    }

    /// Three a minute, for longer.
    @Test func slowLogins() {
        let stage = Stage()
        for _ in 0..<31 {
            stage.login(Stage.outside, Stage.web, 22)
            stage.wait(19)
        }
        #expect(stage.raised == ["login.ssh"])
    }

    /// A look at the banner, work that takes its time or carries much, nine in a minute.
    @Test func loginsThatDoNot() {
        let stage = Stage()
        for _ in 0..<60 {
            stage.login(Stage.outside, Stage.web, 22, bytes: (300, 400))
            stage.login(Stage.stranger(1), Stage.web, 22, bytes: (4_000, 400_000))
            stage.login(Stage.stranger(2), Stage.web, 80)
            stage.wait(2)
        }
        for _ in 0..<9 { stage.login(Stage.stranger(3), Stage.web, 22) }
        stage.wait(5)
        #expect(stage.raised == [])
    }

    // MARK: - Acquaintances

    @Test func manyNewPeers() throws {
        let stage = Stage(learning: 3_600)
        for host in 0..<5 { stage.ask(Stage.web, Stage.stranger(host), 443, .established) }
        stage.wait(3_700)
        for host in 10..<29 { stage.ask(Stage.web, Stage.stranger(host), 443, .established) }
        stage.wait(1)
        #expect(stage.raised == [])
        for host in 29..<60 { stage.ask(Stage.web, Stage.stranger(host), 443, .established) }
        stage.wait(1)
        #expect(stage.raised == ["guest.new_peers"])
        let event = try #require(stage.events.first)
        #expect(event.peers.count == 8 && event.attempts == 20 && event.phase == .once)
    }

    /// Who meets many every day, as a browser does, does nothing new.
    @Test func manyNewPeersAsUsual() {
        let stage = Stage(learning: 3_600)
        for round in 0..<20 {
            for host in 0..<40 { stage.ask(Stage.web, Stage.stranger(round * 40 + host), 443, .established) }
            stage.wait(610)
        }
        #expect(stage.raised == [])
    }

    @Test func manyNewServices() {
        let stage = Stage(learning: 60)
        for _ in 0..<5 { stage.ask(Stage.web, Stage.stranger(1), 443, .established) }
        stage.wait(700)
        for port in 8_000..<8_010 { stage.ask(Stage.web, Stage.stranger(1), port, .established) }
        stage.wait(1)
        #expect(stage.raised == ["guest.new_services"])
    }

    /// A server that calls out; the same while it is learned from, and one that always did.
    @Test func aServerThatCalls() throws {
        let stage = Stage(learning: 600)
        for client in 0..<5 { stage.ask(Stage.stranger(client), Stage.web, 80, .established) }
        stage.ask(Stage.stranger(1), Stage.dns, 80, .established)
        stage.ask(Stage.dns, Stage.stranger(1), 443, .established)
        // Names and time are asked for by everybody.
        stage.ask(Stage.web, Stage.stranger(1), 53, proto: IPProtocol.udp, probe: .udp, .established)
        stage.wait(700)
        stage.ask(Stage.dns, Stage.stranger(2), 443, .established)
        stage.wait(1)
        #expect(stage.raised == [])
        stage.ask(Stage.web, Stage.outside, 4_444, .established)
        stage.ask(Stage.web, Stage.outside, 4_444, .established)
        stage.wait(1)
        #expect(stage.raised == ["guest.role_change"])
        #expect(stage.events.first?.actors == [Stage.web] && stage.events.first?.target == Stage.outside)
    }

    @Test func guestsThatNeverTalked() throws {
        let stage = Stage(learning: 600)
        stage.ask(Stage.web, Stage.dns, 53, proto: IPProtocol.udp, probe: .udp, .established)
        stage.wait(700)
        // Another service of a known one, and the other way round.
        stage.ask(Stage.web, Stage.dns, 80, .established)
        stage.wait(1)
        #expect(stage.raised == [])
        stage.ask(Stage.web, Stage.quiet, 22, .established)
        stage.ask(Stage.web, Stage.quiet, 80, .established)
        stage.wait(1)
        #expect(stage.raised == ["guest.new_pair"])
        #expect(stage.events.first?.target == Stage.quiet && stage.events.first?.services == ["22/tcp"])
    }

    // MARK: - Beacons and floods

    @Test(arguments: [(60.0, true), (600, true), (3, true), (1.5, false), (0.1, false)])
    func aFixedPeriod(_ period: Double, _ isBeacon: Bool) throws {
        let stage = Stage()
        for call in 0..<(period < 1 ? 600 : 20) {
            stage.ask(Stage.web, Stage.outside, 443, .established)
            // A fifth more or less.
            stage.wait(period * (call % 2 == 0 ? 0.8 : 1.2))
        }
        #expect(stage.raised == (isBeacon ? ["guest.beacon"] : []))
        if isBeacon {
            let event = try #require(stage.events.first)
            #expect(abs(Double(event.period) / 1e9 - period) < period / 5)
        }
    }

    /// As people call; clocks; and calls between guests, as monitoring does.
    @Test func noFixedPeriod() {
        let stage = Stage(learning: 1_000_000)
        for call in 0..<60 {
            stage.ask(Stage.web, Stage.outside, 443, .established)
            stage.ask(Stage.web, Stage.outside, 123, proto: IPProtocol.udp, probe: .udp, .established)
            stage.ask(Stage.web, Stage.dns, 9_100, .established)
            stage.wait(call % 3 == 0 ? 20 : call % 3 == 1 ? 45 : 95)
        }
        for _ in 0..<20 {
            stage.ask(Stage.web, Stage.outside, 123, proto: IPProtocol.udp, probe: .udp, .established)
            stage.ask(Stage.web, Stage.dns, 9_100, .established)
            stage.wait(60)
        }
        #expect(stage.raised == [])
    }

    @Test func aFloodOutward() throws {
        let stage = Stage()
        stage.tell(.pouring, Stage.web, Stage.outside, 9, packets: 1 << 13, lasted: 1)
        stage.tell(.pouring, Stage.web, Stage.outside, 9, packets: 1 << 14, lasted: 2)
        stage.wait(15)
        #expect(stage.raised == ["guest.flood"])
        #expect(stage.closed.first?.attempts == 1 << 14)
    }

    /// Video, and who is only shouted at.
    @Test func noFloodOutward() {
        let stage = Stage()
        stage.tell(.pouring, Stage.web, Stage.outside, 9, packets: 1 << 20, lasted: 600)
        stage.tell(.pouring, Stage.outside, Stage.web, 9, packets: 1 << 20, lasted: 10)
        stage.wait(15)
        #expect(stage.raised == [])
    }

    @Test func manyQuestionsWithoutAnAnswer() {
        let stage = Stage()
        for second in 0..<5 {
            for part in 0..<10 {
                for number in 0..<150 {
                    let server = Address(v4: 0xCB00_0000 + UInt32(second * 2_000 + part * 150 + number))
                    stage.tell(.began, Stage.web, server, 80, probe: .rawSYN)
                }
                stage.wait(0.1)
            }
        }
        #expect(stage.raised == ["guest.flood"])
    }

    // MARK: - What is done

    @Test func whoScansIsRefusedWhereThePolicySaysSo() {
        var settings = BehaviourSettings()
        settings[.scanSYN].action = .drop
        let stage = Stage(settings: settings)
        func isRefused(_ source: Address, at guest: Int32) -> Bool {
            unsafe stage.memory.refusals.pointee.isActive(stage.time)
                && stage.memory.refusals.pointee.refuse(source, at: guest, time: stage.time)
        }
        for port in 1...20 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, .refused) }
        stage.wait(3)
        #expect(isRefused(Stage.outside, at: 10))
        #expect(!isRefused(Stage.outside, at: 11) && !isRefused(Stage.stranger(1), at: 10))
        stage.wait(70)
        #expect(!isRefused(Stage.outside, at: 10), "it comes to an end")
        // A guest is refused everywhere; who scans in another way is not.
        for host in 20..<30 { stage.ask(Stage.dns, Stage.guest(host), 445, probe: .rawSYN, .refused) }
        for port in 1...20 { stage.ask(Stage.stranger(5), Stage.web, port, probe: .fin, .refused) }
        stage.wait(3)
        #expect(isRefused(Stage.dns, at: 10) && isRefused(Stage.dns, at: -1))
        #expect(!isRefused(Stage.stranger(5), at: 10))
    }

    /// Anybody can be made to seem one of several.
    @Test func decoysAreNotRefused() {
        var settings = BehaviourSettings()
        settings[.scanSYN].action = .drop
        let stage = Stage(settings: settings)
        for port in 1...60 {
            for source in 1...5 { stage.ask(Stage.stranger(source), Stage.web, port, probe: .rawSYN, .refused) }
        }
        stage.wait(3)
        #expect(unsafe !stage.memory.refusals.pointee.isActive(stage.time))
    }

    @Test func offIsSilent() {
        var settings = BehaviourSettings()
        for kind in BehaviourKind.allCases { settings[kind].action = .off }
        let stage = Stage(settings: settings)
        for port in 1...100 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, .refused) }
        for _ in 0..<30 { stage.login(Stage.outside, Stage.web, 22) }
        stage.wait(5)
        #expect(stage.events.isEmpty)
    }

    // MARK: - The map

    @Test func whoTalksToWhom() throws {
        let stage = Stage()
        for _ in 0..<3 { stage.ask(Stage.outside, Stage.web, 443, .established) }
        stage.tell(.ended, Stage.outside, Stage.web, 443, bytes: (1_000, 20_000))
        stage.wait(1)
        stage.ask(Stage.web, Stage.dns, 53, proto: IPProtocol.udp, probe: .udp, .established)
        // No answer, nobody's, and half a handshake: no relationship.
        stage.ask(Stage.web, Stage.quiet, 80, nil)
        stage.ask(Stage.outside, Stage.stranger(1), 80, .established)
        stage.ask(Stage.outside, Stage.quiet, 80, .abandoned)
        stage.wait(1)
        let map = stage.watch.relationships()
        #expect(map.count == 2)
        #expect(map[0].client == Stage.web && map[0].server == Stage.dns && map[0].service.text == "53/udp")
        #expect(map[1].connections == 3 && map[1].bytesToServer == 1_000 && map[1].bytesToClient == 20_000)
    }

    /// What was learned outlives the sensor, but for what cannot be true.
    @Test func whatWasLearnedIsKept() throws {
        let stage = Stage(learning: 600)
        stage.ask(Stage.web, Stage.dns, 53, proto: IPProtocol.udp, probe: .udp, .established)
        stage.ask(Stage.outside, Stage.web, 443, .established)
        stage.wait(700)
        let learned = stage.watch.learned
        let next = Stage(learning: 600)
        next.time = stage.time
        #expect(next.watch.recall(learned, time: next.time) == 2)
        #expect(next.watch.learned == learned)
        // What it knew it knows, and what is new is told at once.
        next.ask(Stage.web, Stage.dns, 80, .established)
        next.wait(1)
        #expect(next.raised == ["guest.role_change"])
        next.ask(Stage.web, Stage.quiet, 22, .established)
        next.wait(1)
        #expect(next.raised == ["guest.role_change", "guest.new_pair"])

        let early = Stage()
        #expect(early.watch.recall(learned, time: early.time - 1_000_000_000_000) == 0)
        #expect(early.watch.learned == Learned())
        var other = learned
        other.version = 2
        #expect(early.watch.recall(other, time: stage.time) == nil)
    }

    @Test func theMapIsBounded() {
        let stage = Stage()
        for host in 0..<100 { stage.ask(Stage.web, Stage.guest(host + 100), 80, .established) }
        stage.wait(1)
        for number in 0..<60_000 {
            stage.tell(.established, Address(v4: 0xCB00_0000 + UInt32(number)), Stage.web, 80)
            if number % 4_000 == 3_999 { stage.wait(0.1) }
        }
        let map = stage.watch.relationships()
        #expect(map.count <= 1 << 14)
        #expect(map.filter { $0.client == Stage.web }.count == 100, "guests' own stay")
        #expect(stage.watch.figures.peersForgotten > 40_000)
    }
}
