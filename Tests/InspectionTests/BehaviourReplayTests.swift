import Behaviour
import Configuration
import Foundation
import Inspection
import Sensor
import Testing
import Wire

/// From packets to findings about behaviour: what flows are told of, and what the packets in between are not.
struct BehaviourReplayTests {
    private static func home(_ family: Family) -> [String] {
        ["\(family.address(of: .web))", "\(family.address(of: .dns))"]
    }

    /// What a closed port of `from` says to `to`.
    private static func reset(_ family: Family, _ from: Party, _ to: Party, port: Int) -> [UInt8] {
        family.ip(
            from, to, 6,
            big16(port) + big16(40_000) + big32(0) + big32(1) + [0x50, TCPFlags([.rst, .ack]).rawValue] + big16(0)
                + big32(0))
    }

    /// ICMP's port unreachable about a packet that it had.
    private static func unreachable(_ family: Family, _ from: Party, _ to: Party, about packet: [UInt8]) -> [UInt8] {
        family == .v4
            ? family.ip(from, to, 1, [3, 3, 0, 0] + big32(0) + packet.prefix(28))
            : family.ip(from, to, 58, [1, 4, 0, 0] + big32(0) + packet.prefix(48))
    }

    private static func behaviours(
        _ family: Family, shadow: Bool = false, mode: InspectionMode = .live, _ fill: (inout Capture) -> Void
    ) throws -> [[String: Any]] {
        var capture = Capture()
        fill(&capture)
        return try capture.written { path in
            let replayed = try replay([path], home: home(family), mode: mode)
            return try replayed.events().filter { $0["event_type"] as? String == "alert" }
                .compactMap { ($0["flinch"] as? [String: Any])?["behaviour"] as? [String: Any] }
        }
    }

    /// INITs (RFC 9260 §3.3.2) to ports of one host are as many questions.
    @Test(arguments: Family.allCases) func portsOfSCTP(_ family: Family) throws {
        let found = try Self.behaviours(family) { capture in
            for port in 1...40 {
                capture.add(
                    family.ip(
                        .stranger, .web, 132,
                        big16(40_000) + big16(port) + big32(0) + big32(0) + [1, 0] + big16(20) + big32(7)
                            + big32(65_535) + big16(1) + big16(1) + big32(9)))
                capture.time += 10_000_000
            }
            capture.time += 6_000_000_000
            capture.add(family.ping(.client, .web))
        }
        #expect(found.map { $0["kind"] as? String } == ["scan.sctp"])
        #expect(found.first?["shape"] as? String == "ports")
    }

    static let flags: [(TCPFlags, String)] = [
        (.syn, "scan.syn"), ([], "scan.null"), (.fin, "scan.fin"), ([.fin, .psh, .urg], "scan.xmas"),
        (.ack, "scan.ack"), ([.fin, .ack], "scan.maimon"), ([.syn, .fin], "scan.odd_flags"),
    ]

    @Test(arguments: Family.allCases, flags) func closedPorts(_ family: Family, _ flags: (TCPFlags, String)) throws {
        for refuses in [true, false] {
            let found = try Self.behaviours(family) { capture in
                for port in 1...40 {
                    capture.add(family.tcp(.stranger, .web, port: port, flags: flags.0))
                    if refuses { capture.add(Self.reset(family, .web, .stranger, port: port)) }
                    capture.time += 10_000_000
                }
                // A packet that tells that time goes on.
                capture.time += 6_000_000_000
                capture.add(family.ping(.client, .web))
            }
            #expect(found.map { $0["kind"] as? String } == [flags.1], "refused: \(refuses)")
            #expect(found.first?["shape"] as? String == "ports")
        }
    }

    @Test(arguments: Family.allCases) func closedUDPPorts(_ family: Family) throws {
        let found = try Self.behaviours(family) { capture in
            for port in 1...40 {
                let probe = family.udp(.stranger, .web, port: port, "x")
                capture.add(probe)
                capture.add(Self.unreachable(family, .web, .stranger, about: probe))
                capture.time += 10_000_000
            }
        }
        #expect(found.map { $0["kind"] as? String } == ["scan.udp"])
    }

    /// A handshake that is not finished is a probe; one that is, a conversation.
    @Test(arguments: Family.allCases, [true, false]) func openPorts(_ family: Family, _ finishes: Bool) throws {
        let found = try Self.behaviours(family) { capture in
            for port in 1...40 {
                capture.add(family.tcp(.stranger, .web, port: port, flags: .syn))
                capture.add(family.answer(.web, .stranger, port: port))
                if finishes {
                    capture.add(family.tcp(.stranger, .web, port: port, flags: .ack))
                } else {
                    capture.add(
                        family.ip(
                            .stranger, .web, 6,
                            big16(40_000) + big16(port) + big32(1) + big32(0) + [0x50, TCPFlags.rst.rawValue]
                                + big16(0) + big32(0)))
                }
                capture.time += 10_000_000
            }
            capture.time += 6_000_000_000
            capture.add(family.ping(.client, .web))
        }
        #expect(found.map { $0["kind"] as? String } == (finishes ? [] : ["scan.syn"]))
    }

    @Test func answersOfAServer() throws {
        // A name server whose clients' conversations were forgotten answers late, to many ports.
        let found = try Self.behaviours(.v4) { capture in
            for port in 0..<40 {
                capture.add(
                    Family.v4.ip(
                        .dns, .client, 17, big16(53) + big16(40_000 + port) + big16(9) + big16(0) + [0]))
                capture.time += 100_000_000
            }
            capture.time += 6_000_000_000
            capture.add(Family.v4.ping(.client, .web))
        }
        #expect(found.isEmpty)
    }

    /// Neither end is a guest.
    @Test func whatIsNobodysIsNotWatched() throws {
        let found = try Self.behaviours(.v4) { capture in
            for port in 1...40 { capture.add(Family.v4.tcp(.stranger, .client, port: port, flags: .syn)) }
            capture.time += 6_000_000_000
            capture.add(Family.v4.ping(.client, .web))
        }
        #expect(found.isEmpty)
    }

    /// A replay says the same each time.
    @Test func theSameTwice() throws {
        var capture = Capture()
        for port in 1...200 {
            for party in [Party.stranger, .client] {
                capture.add(Family.v4.tcp(party, .web, port: port, flags: .syn))
                capture.time += 10_000_000
            }
        }
        let lines = try capture.written { path in
            try (0..<2).map { _ in
                try replay(
                    [path], home: Self.home(.v4), mode: InspectionMode(isInline: false, verifiesChecksums: false)
                ).eve
            }
        }
        #expect(lines[0] == lines[1])
        #expect(String(decoding: lines[0], as: UTF8.self).contains("scan.syn"))
    }

    // MARK: - Captures that nobody here made

    /// What each holds, read in it: half a handshake and 66 logins at an SSH server's port 902; echo requests to 14
    /// hosts, most of which answer; 22 calls of one server, three seconds apart, a fifth more or less.
    @Test(
        .enabled(if: Files.shared != nil),
        arguments: [("ssh-bruteforce", "login.ssh"), ("icmp-portscan", "scan.ping"), ("test-cc", "guest.beacon")])
    func sharedScans(_ name: String, _ kind: String) throws {
        let path = try #require(Files.captures("scans").first { $0.contains(name) })
        // One network's hosts are the guests.
        let home = name == "icmp-portscan" ? "192.168.1.0/24" : "147.32.80.0/24"
        let replayed = try replay([path], home: [home], mode: InspectionMode(isInline: false, verifiesChecksums: false))
        let kinds = try replayed.events().filter { $0["event_type"] as? String == "alert" }
            .compactMap { (($0["flinch"] as? [String: Any])?["behaviour"] as? [String: Any])?["kind"] as? String }
        #expect(kinds == [kind])
    }
}
