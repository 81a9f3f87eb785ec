import Evidence
import Floods
import Inspection
import Testing
import Wire

/// What can be proved of sources whose protocol has no handshake.
@Suite("A server under a flood of datagrams")
struct DatagramSiegeTests {
    @Test(
        "Of UDP, ICMP and fragments the unknown get their share, and trusted sources and flows go first",
        arguments: [FloodClass.udp, .icmp, .fragment])
    func datagrams(_ floodClass: FloodClass) throws {
        var siege = try Siege(pass: 200)
        siege.meetClients()
        // The guest asked a name server.
        let asked = siege.inspect(Siege.udp(Siege.server, 0x0808_0808, (30_000, 53)))
        let answered = siege.inspect(Siege.udp(0x0808_0808, Siege.server, (53, 30_000)))
        #expect(asked && answered)
        func packet(_ source: UInt32) -> [UInt8] {
            switch floodClass {
            case .udp: Siege.udp(source, Siege.server, (9_000, 53))
            case .icmp: Siege.ip(source, Siege.server, 1, [8, 0, 0, 0, 0, 1, 0, 1])
            default: Siege.ip(source, Siege.server, 17, Array(repeating: 7, count: 16), fragment: 100)
            }
        }
        func attack(_ number: Int) -> [UInt8] { packet(0x2000_0000 + UInt32(number &* 7919 % (1 << 20))) }
        siege.flood(rate: 10_000, seconds: 1, attack)
        let before = siege.arrived
        siege.flood(rate: 10_000, seconds: 3, attack)
        #expect((590...650).contains(siege.arrived - before), "\(siege.arrived - before)")
        let trusted = [1, 2, 3, 0x0808_0808].map { siege.inspect(packet($0)) }
        #expect(trusted == [true, true, true, true])
        let ofFlow = siege.inspect(Siege.udp(0x0808_0808, Siege.server, (53, 30_000)))
        #expect(ofFlow)
    }

    @Test("Resolvers are sent to TCP and trusted when they come; a flood gets fewer bytes back than it sends")
    func resolvers() throws {
        var siege = try Siege(classes: [.udp], pass: 10, truncatesDNS: true)
        siege.flood(rate: 10_000, seconds: 1) { Siege.udp(Siege.source($0, of: 1 << 20), Siege.server, (9_000, 53)) }
        #expect(siege.events.map(\.phase) == [.open])
        #expect(siege.challengeBytes == 0, "what is no query is not answered")
        // What the budget still had.
        for _ in 0..<5 { _ = siege.inspect(Siege.udp(0x2000_0001, Siege.server, (9_000, 53))) }
        let resolver: UInt32 = 0x0B00_0001
        let first = siege.inspect(Siege.query(resolver))
        #expect(!first)
        let answer = try #require(siege.challenged[resolver]?.first)
        // Behind Ethernet, IP and UDP.
        #expect(answer.bytes[44] == 0x83 && answer.bytes.count - 14 <= Siege.query(resolver).count)
        let connects = siege.ask(resolver, port: 50_000, sequence: 7)
        let second = siege.inspect(Siege.query(resolver))
        #expect(connects && second)

        (siege.sent, siege.arrived, siege.challengeBytes) = (0, 0, 0)
        siege.flood(rate: 20_000, seconds: 2) { Siege.query(Siege.source($0, of: 1 << 20), $0) }
        let each = Siege.query(0).count - 11
        // 10,000 a second, and a tenth of it at once.
        #expect((18_000 * each...21_500 * each).contains(siege.challengeBytes), "\(siege.challengeBytes / each)")
        #expect(siege.challengeBytes < siege.sent * Siege.query(0).count)
        #expect(siege.arrived <= 30, "\(siege.arrived)")
    }

    @Test("Nobody is sent to TCP where it is not wanted")
    func unasked() throws {
        var siege = try Siege(classes: [.udp], pass: 10)
        siege.flood(rate: 10_000, seconds: 1) { Siege.query(Siege.source($0, of: 1 << 20), $0) }
        #expect(siege.events.map(\.phase) == [.open])
        #expect(siege.challengeBytes == 0)
    }

    @Test("A single heavy source is refused while it lasts; a name server whose address is spoofed is not")
    func heavy() throws {
        var siege = try Siege(pass: 5_000)
        _ = siege.inspect(Siege.udp(Siege.server, 0x0808_0808, (30_000, 53)))
        _ = siege.inspect(Siege.udp(0x0808_0808, Siege.server, (53, 30_000)))
        siege.flood(rate: 8_000, seconds: 2) { _ in Siege.udp(0x2000_0001, Siege.server, (9_000, 53)) }
        let before = siege.arrived
        siege.flood(rate: 8_000, seconds: 2) { _ in Siege.udp(0x2000_0001, Siege.server, (9_000, 53)) }
        #expect(siege.arrived == before)
        let other = siege.inspect(Siege.udp(0x2000_0002, Siege.server, (9_000, 53)))
        #expect(other)
        siege.flood(rate: 8_000, seconds: 3) { _ in Siege.udp(0x0808_0808, Siege.server, (9_000, 53)) }
        let passes = siege.inspect(Siege.udp(0x0808_0808, Siege.server, (53, 30_000)))
        #expect(passes)
    }
}
