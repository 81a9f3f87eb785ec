import Evidence
import Testing
import Wire

@testable import Behaviour

/// Who asks for much that is not there, and who only seems to.
struct ScanTests {
    private static let probes: [(Probe, UInt8, String)] = [
        (.rawSYN, IPProtocol.tcp, "scan.syn"), (.syn, IPProtocol.tcp, "scan.connect"),
        (.fin, IPProtocol.tcp, "scan.fin"), (.xmas, IPProtocol.tcp, "scan.xmas"),
        (.null, IPProtocol.tcp, "scan.null"), (.ack, IPProtocol.tcp, "scan.ack"),
        (.maimon, IPProtocol.tcp, "scan.maimon"), (.oddFlags, IPProtocol.tcp, "scan.odd_flags"),
        (.udp, IPProtocol.udp, "scan.udp"),
    ]

    /// Refused, or met with silence: the same.
    @Test(arguments: probes, [Contact.Change.refused, nil])
    func portsOfOneHost(_ probe: (Probe, UInt8, String), _ answer: Contact.Change?) throws {
        let stage = Stage()
        for port in 1...100 {
            stage.ask(Stage.outside, Stage.web, port, proto: probe.1, probe: probe.0, answer)
            stage.wait(0.05)
        }
        stage.wait(80)
        #expect(stage.raised == [probe.2], "one line for a scan")
        let event = try #require(stage.closed.first)
        #expect(event.actors == [Stage.outside] && event.target == Stage.web && event.guest == "guest10")
        #expect(event.shape == "ports" && event.ipProtocol == probe.1)
        #expect(event.attempts == 100 && event.hosts == 1)
        // Sketches err by 1.6 %.
        #expect((95...105).contains(event.ports))
        #expect(event.concern == .medium && event.action == "alert")
        #expect(event.last - event.first >= 4_000_000_000 && event.last - event.first < 10_000_000_000)
    }

    @Test func protocolsOfOneHost() {
        let stage = Stage()
        for number in 100..<UInt8(120) {
            stage.ask(Stage.outside, Stage.web, 0, proto: number, probe: .ipProtocol, .refused)
        }
        stage.wait(5)
        #expect(stage.raised == ["scan.ip_protocols"])
    }

    @Test(arguments: [Probe.rawSYN, .ping])
    func onePortOfManyHosts(_ probe: Probe) throws {
        let stage = Stage()
        let proto = probe == .ping ? IPProtocol.icmp : IPProtocol.tcp
        for host in 20..<40 { stage.ask(Stage.outside, Stage.guest(host), 0, proto: proto, probe: probe, nil) }
        stage.wait(80)
        #expect(stage.raised == [probe == .ping ? "scan.ping" : "scan.syn"])
        let event = try #require(stage.closed.first)
        #expect(event.shape == "hosts" && event.target == nil && event.hosts == 20)
        #expect(event.peers.count == 8)
    }

    /// Most of those that a sweep finds answer. A monitoring system knows whom it asks.
    @Test(arguments: [(5, 9, true), (3, 7, true), (2, 20, false), (3, 14, false), (1, 40, false)])
    func pings(_ silent: Int, _ answering: Int, _ isSweep: Bool) {
        let stage = Stage()
        for host in 0..<answering {
            stage.ask(Stage.outside, Stage.guest(20 + host), 0, proto: IPProtocol.icmp, probe: .ping, .established)
        }
        for host in 0..<silent {
            stage.ask(Stage.outside, Stage.guest(100 + host), 0, proto: IPProtocol.icmp, probe: .ping, nil)
        }
        stage.wait(6)
        #expect(stage.raised == (isSweep ? ["scan.ping"] : []))
    }

    /// A few ports of each of a few hosts, none enough by itself.
    @Test func portsOfSeveralHosts() {
        let stage = Stage()
        for port in 1...10 {
            for host in 20..<24 { stage.ask(Stage.outside, Stage.guest(host), port, probe: .rawSYN, .refused) }
        }
        stage.wait(3)
        #expect(stage.raised == ["scan.syn"])
        stage.finish()
        #expect(stage.closed.first?.shape == "hosts_and_ports")
    }

    /// A port a minute, for an hour.
    @Test func slowly() throws {
        let stage = Stage()
        for port in 1...60 {
            stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, nil)
            stage.wait(60)
        }
        stage.finish()
        #expect(stage.raised == ["scan.syn"])
        let event = try #require(stage.closed.first)
        #expect(event.shape == "slow_ports" && event.attempts == 60)
    }

    /// A host every two minutes: it goes on, and is one. The same again after an hour is another.
    @Test func hostsSlowly() {
        let stage = Stage()
        for _ in 0..<2 {
            for host in 20..<40 {
                stage.ask(Stage.outside, Stage.guest(host), 22, probe: .rawSYN, nil)
                stage.wait(120)
            }
            stage.wait(3_600)
        }
        #expect(stage.raised == ["scan.syn", "scan.syn"])
        #expect(stage.closed.map(\.attempts) == [20, 20])
    }

    /// One every five minutes is below what is told from chance.
    @Test func tooSlowly() {
        let stage = Stage()
        for port in 1...24 {
            stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, nil)
            stage.wait(300)
        }
        #expect(stage.raised == [])
    }

    /// Open ports do not hide closed ones.
    @Test func openPortsAmongClosedOnes() {
        let stage = Stage()
        for port in 1...100 {
            stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, port % 10 == 0 ? .abandoned : .refused)
        }
        stage.wait(3)
        #expect(stage.raised == ["scan.syn"])
    }

    /// Checks of forty servers of one host, of which a third are down, and that reset those that answer before they
    /// acknowledge; over and over. A scanner that does the same asks as no operating system does.
    @Test(arguments: [Probe.syn, .rawSYN]) func aLoadBalancer(_ probe: Probe) {
        let stage = Stage()
        for _ in 0..<5 {
            for port in 1...40 {
                stage.ask(Stage.outside, Stage.web, port, probe: probe, port % 3 == 0 ? .refused : .abandoned)
            }
            stage.wait(2)
        }
        #expect(stage.raised == (probe == .rawSYN ? ["scan.syn"] : []))
    }

    /// A crawler that asks a hundred hosts for HTTPS first, which two in three do not have; and one that asks those that
    /// have nothing else either.
    @Test(arguments: [true, false]) func aCrawler(_ findsOtherwise: Bool) {
        let stage = Stage()
        for host in 1...100 {
            stage.ask(Stage.web, Stage.stranger(host), 443, host % 3 == 0 ? .established : .refused)
            if findsOtherwise { stage.ask(Stage.web, Stage.stranger(host), 80, .established) }
        }
        stage.wait(3)
        #expect(stage.raised.contains("scan.connect") != findsOtherwise)
    }

    /// Each probe once from each of five addresses, of which four are made up.
    @Test func decoys() throws {
        let stage = Stage()
        for port in 1...60 {
            for source in 1...5 { stage.ask(Stage.stranger(source), Stage.web, port, probe: .rawSYN, .refused) }
            stage.wait(0.02)
        }
        stage.wait(80)
        #expect(stage.raised == ["scan.syn"], "one finding")
        let event = try #require(stage.events.first)
        #expect(event.actorCount == 5 && event.actors.count == 5)
        #expect(event.message == "BEHAVIOUR TCP SYN scan of guest10, 5 sources")
    }

    /// The same where what is answered to a made-up address gets nowhere.
    @Test(arguments: [2.4, 3.2, 20]) func silentDecoys(_ pause: Double) throws {
        let stage = Stage()
        for port in 1...60 {
            for source in 1...5 {
                stage.ask(Stage.stranger(source), Stage.web, port, probe: .rawSYN, source == 3 ? .refused : nil)
            }
            stage.wait(0.02)
        }
        stage.wait(pause)
        #expect(stage.raised == ["scan.syn"])
        #expect(stage.events.first?.actorCount == 5)
        // Who comes later is another.
        for port in 1...60 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, .refused) }
        stage.wait(6)
        #expect(stage.raised == ["scan.syn", "scan.syn"])
        #expect(stage.events.last { $0.phase == .open }?.actors == [Stage.outside])
    }

    /// Two that scan by themselves are two.
    @Test func twoScanners() {
        let stage = Stage()
        for port in 1...60 {
            for source in 1...2 { stage.ask(Stage.stranger(source), Stage.web, port, probe: .rawSYN, .refused) }
        }
        stage.wait(3)
        #expect(stage.raised == ["scan.syn", "scan.syn"])
    }

    @Test func fragments() {
        let stage = Stage()
        for port in 1...40 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, fragmented: true, .refused) }
        stage.wait(3)
        #expect(stage.events.first?.isFragmented == true)
        #expect(stage.events.first?.message == "BEHAVIOUR fragmented TCP SYN scan of guest10")
    }

    /// What one worker sees of it is too little.
    @Test func spreadOverWorkers() {
        let stage = Stage(workers: 4)
        for port in 1...20 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, nil) }
        stage.wait(6)
        #expect(stage.raised == ["scan.syn"])
    }

    @Test func aGuestThatScansItsNeighboursIsWorse() throws {
        let stage = Stage()
        for host in 20..<30 { stage.ask(Stage.web, Stage.guest(host), 445, probe: .syn, .refused) }
        stage.wait(3)
        let event = try #require(stage.events.first)
        #expect(event.kind == "scan.connect" && event.concern == .high && event.guest == "guest10")
        #expect(event.message == "BEHAVIOUR TCP connect scan by guest guest10")
    }

    // MARK: - Who only seems to

    /// Open ports 443 of many hosts; one in ten does not answer.
    @Test func aBrowser() {
        let stage = Stage()
        for host in 0..<400 {
            stage.ask(Stage.web, Stage.stranger(host), 443, host % 10 == 0 ? nil : .established)
            if host % 20 == 0 { stage.wait(1) }
        }
        stage.wait(10)
        #expect(!stage.raised.contains { $0.hasPrefix("scan") }, "\(stage.raised)")
    }

    /// Fifty ports of four hosts every minute, ten of them closed; then one of the hosts is down for an hour.
    @Test func aMonitoringSystem() {
        let stage = Stage()
        for minute in 0..<90 {
            for host in 20..<24 {
                for port in 1...50 {
                    let isDown = host == 20 && minute >= 30
                    stage.ask(
                        Stage.outside, Stage.guest(host), port, isDown ? nil : port > 40 ? .refused : .established)
                }
            }
            stage.wait(60)
        }
        #expect(stage.raised == [])
    }

    /// A crowd of peers that are gone, each with a port of its own.
    @Test func aSwarm() {
        let stage = Stage()
        for host in 0..<200 {
            stage.ask(
                Stage.web, Stage.stranger(host), 1_024 + host * 37, proto: IPProtocol.udp, probe: .udp,
                host % 3 == 0 ? .established : nil)
        }
        stage.wait(10)
        #expect(!stage.raised.contains { $0.hasPrefix("scan") }, "\(stage.raised)")
    }

    /// The way out is down: nobody answers anything.
    @Test func noUplink() {
        let stage = Stage()
        for host in 0..<200 { stage.ask(Stage.web, Stage.stranger(host), 443, nil) }
        stage.wait(10)
        #expect(stage.raised == [])
    }

    /// The same while others get answers.
    @Test func aSweepOfTheInternet() {
        let stage = Stage()
        stage.ask(Stage.dns, Stage.stranger(999), 443, .established)
        for host in 0..<200 { stage.ask(Stage.web, Stage.stranger(host), 443, nil) }
        stage.wait(10)
        #expect(stage.raised == ["scan.connect"])
    }

    /// One port, again and again; and a few that were mistyped.
    @Test func aClientThatTriesAgain() {
        let stage = Stage()
        for _ in 0..<500 { stage.ask(Stage.outside, Stage.web, 80, .refused) }
        for port in 1...13 { stage.ask(Stage.outside, Stage.web, port, .refused) }
        stage.wait(5)
        #expect(stage.raised == [])
        stage.ask(Stage.outside, Stage.web, 14, .refused)
        stage.wait(5)
        #expect(stage.raised == ["scan.connect"])
    }

    @Test func answersThatComeLate() {
        let stage = Stage()
        for port in 1...40 {
            stage.ask(Stage.outside, Stage.web, port, nil)
            stage.wait(5)
            stage.tell(.established, Stage.outside, Stage.web, port)
        }
        stage.wait(5)
        #expect(stage.raised == [])
    }

    /// A million addresses that ask once take nothing from the one who asks often.
    @Test func madeUpAddresses() {
        let stage = Stage()
        for port in 1...14 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, .refused) }
        stage.watch.collect()
        for number in 0..<60_000 {
            stage.tell(
                .began, Address(v4: 0xC633_0000 &+ UInt32(number)), Stage.web, 80, probe: .rawSYN)
            if number % 4_000 == 3_999 { stage.wait(0.1) }
        }
        stage.wait(5)
        for port in 15...16 { stage.ask(Stage.outside, Stage.web, port, probe: .rawSYN, .refused) }
        stage.wait(5)
        #expect(stage.raised == ["scan.syn"])
        #expect(stage.watch.figures.lost == 0)
    }

    @Test func whatARingLosesIsCounted() {
        let stage = Stage()
        for port in 0..<10_000 { stage.tell(.began, Stage.outside, Stage.web, port) }
        stage.wait(0.1)
        #expect(stage.watch.figures.lost == 10_000 - UInt64(BehaviourMemory.ringCapacity))
        #expect(stage.watch.figures.contacts == UInt64(BehaviourMemory.ringCapacity))
    }
}
