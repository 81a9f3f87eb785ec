import Evidence
import Floods
import Foundation
import Intake
import Policy
import Testing
import Wire

/// Captures that are not part of the repository: what others have used to break programs like this one.
@Suite struct SharedCaptureTests {
    static let malformed = Files.captures("malformed")

    /// Files that are no captures, or of which a record is damaged.
    static let refused: Set = [
        "libpcap-tests__tests__pcap-invalid-version-1.pcap", "libpcap-tests__tests__pcap-invalid-version-2.pcap",
        "libpcap-tests__tests__shb-option-too-long.pcapng",
    ]
    /// Files that end within a record.
    static let truncated: Set<String> = []

    @Test(.enabled(if: !malformed.isEmpty)) func malformedCapturesAreReplayed() throws {
        let result = try replay(SharedCaptureTests.malformed, home: ["10.0.0.0/8", "2001:db8::/32"])
        #expect(result.endings.count == SharedCaptureTests.malformed.count)
        var refused: Set<String> = []
        var truncated: Set<String> = []
        for (path, ending) in result.endings {
            let name = URL(fileURLWithPath: path).lastPathComponent
            switch ending {
            case .none: refused.insert(name)
            case .truncated: truncated.insert(name)
            default: break
            }
        }
        #expect(refused == SharedCaptureTests.refused)
        #expect(truncated == SharedCaptureTests.truncated)
    }

    struct Flood: Sendable, CustomTestStringConvertible {
        var file: String
        var floodClass: FloodClass
        var entry: UInt32
        /// It went on after the alarm, so that some of it was stopped.
        var goesOn = true
        var testDescription: String { "\(floodClass) \(file)" }
    }

    static let floods = [
        Flood(file: "stopddos__pkt.TCP.synflood.spoofed.pcap", floodClass: .syn, entry: 500),
        Flood(file: "stopddos__amp.UDP.isakmp.pcap", floodClass: .udp, entry: 1000),
        Flood(file: "stopddos__amp.UDP.snmp.src161.pcapng", floodClass: .udp, entry: 1000, goesOn: false),
        Flood(file: "stopddos__amp.dns.RRSIG.fragmented.pcap", floodClass: .fragment, entry: 200),
    ]

    /// Floods that were seen in the world: the alarm is for the victim, for that class, and for no other.
    @Test(.enabled(if: !Files.captures("floods").isEmpty), arguments: floods)
    func floodsAreSeen(_ row: Flood) throws {
        let path = try #require(Files.captures("floods").first { $0.hasSuffix(row.file) })
        var limits = FloodLimits(.low)
        limits[row.floodClass] = FloodLimit(entry: row.entry, action: .deny)
        let events = try replay([path], home: ["10.10.10.10"], floods: limits).events()
        let opened = events.filter { $0["alert"] != nil }
        #expect(!opened.isEmpty)
        for alert in opened {
            let flood = (alert["flinch"] as? [String: Any])?["flood"] as? [String: Any]
            #expect(alert["dest_ip"] as? String == "10.10.10.10")
            #expect(flood?["class"] as? String == row.floodClass.name)
        }
        let closed = events.compactMap { ($0["flinch"] as? [String: Any])?["flood"] as? [String: Any] }
            .filter { $0["phase"] as? String == "close" }
        #expect(closed.count == opened.count)
        #expect(closed.allSatisfy { ($0["dropped"] as? Int ?? 0 > 0) == row.goesOn })
    }

    struct Defence: Sendable, CustomTestStringConvertible {
        var file: String
        var floodClass: FloodClass
        /// Addresses in the capture, counted with tcpdump; nil where it is over before they are counted.
        var sources: Double?
        /// Of what came after the alarm, at most this share passes.
        var passing: Double
        /// Packets a second that are a flood, and that pass of the unknown.
        var entry: UInt32 = 1_000
        var pass: UInt32 = 500
        var waves = 1
        var testDescription: String { "\(floodClass) \(file)" }
    }

    static let defences = [
        // 24 s of 1,600 SYNs a second, each from another address.
        Defence(file: "stopddos__pkt.TCP.synflood.spoofed.pcap", floodClass: .syn, sources: 37_623, passing: 0.02),
        // Less than half a second: the alarm is late, and then nobody is over the share of the unknown.
        Defence(file: "stopddos__amp.UDP.isakmp.pcap", floodClass: .udp, sources: 2_767, passing: 0.25),
        // 4,373 packets in 24 ms: it is over at the first step, told of all the same, and nothing was there to drop.
        Defence(file: "stopddos__amp.UDP.snmp.src161.pcapng", floodClass: .udp, passing: 1),
        // Fragments of 31 sources in two waves, 20 s apart; 20 a second are within what passes of the unknown. The first
        // wave has nearly all of the sources.
        Defence(
            file: "stopddos__amp.dns.RRSIG.fragmented.pcap", floodClass: .fragment, sources: 31, passing: 0.25,
            entry: 100, pass: 20, waves: 2),
    ]

    /// The same under the action that tells sources apart: none of these has proved anything.
    @Test(.enabled(if: !Files.captures("floods").isEmpty), arguments: defences)
    func floodsAreSifted(_ row: Defence) throws {
        let path = try #require(Files.captures("floods").first { $0.hasSuffix(row.file) })
        var limits = FloodLimits(.low)
        limits[row.floodClass] = FloodLimit(
            entry: row.entry, exit: row.entry / 2, action: .defend, pass: row.pass)
        let events = try replay([path], home: ["10.10.10.10"], floods: limits).events()
        let floods = events.compactMap { ($0["flinch"] as? [String: Any])?["flood"] as? [String: Any] }
        let phases = floods.compactMap { $0["phase"] as? String }
        #expect(phases == (0..<row.waves).flatMap { _ in ["open", "close"] })
        let ends = floods.filter { $0["phase"] as? String == "close" }
        let packets = ends.compactMap { $0["packets"] as? Double }.reduce(0, +)
        let dropped = ends.compactMap { $0["dropped"] as? Double }.reduce(0, +)
        #expect(packets > 0 && dropped >= (1 - row.passing) * packets, "\(dropped) of \(packets)")
        guard let truth = row.sources else { return }
        // Counted from the alarm on; three standard deviations of 1.6 %, and what came before.
        let sources = try #require(ends.first?["sources"] as? Double)
        #expect(sources <= truth * 1.05 && sources >= truth * 0.6, "\(sources)")
    }

    /// 896 SYNs and SYN-ACKs that others' spoofing led to, in 14 minutes, nine in the busiest tenth of a second: too
    /// few to be a flood of anything, so none is told of, and all of the SYNs pass.
    @Test(.enabled(if: !Files.captures("floods").isEmpty))
    func backscatterIsNoFlood() throws {
        let path = try #require(Files.captures("floods").first { $0.contains("amp.TCP.syn") })
        let events = try replay([path], home: ["10.10.10.10"], floods: FloodLimits(.high, action: .defend)).events()
        #expect(events.allSatisfy { ($0["flinch"] as? [String: Any])?["flood"] == nil })
        let stats = try #require(events.last?["stats"] as? [String: Any])
        #expect((stats["ips"] as? [String: Int])?["accepted"] == 896)
    }
}
