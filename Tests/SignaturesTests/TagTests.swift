import Signatures
import Testing

/// Which packets are written after one that a rule tagged (Suricata's detect-engine-tag.c).
@Suite struct TagTests {
    /// From A to B, from B to A, from A to C and from D to B; A to B in another flow.
    static let packets: [Character: Sample] = [
        ">": .udp(1_000, 2_000, "x").from("198.51.100.1", to: "192.0.2.1"),
        "<": .udp(2_000, 1_000, "x").from("192.0.2.1", to: "198.51.100.1"),
        "C": .udp(1_000, 2_000, "x").from("198.51.100.1", to: "192.0.2.3"),
        "D": .udp(1_000, 2_000, "x").from("198.51.100.4", to: "192.0.2.1"),
        "n": .udp(1_001, 2_000, "x").from("198.51.100.1", to: "192.0.2.1"),
        "!": .udp(1_000, 2_000, "go").from("198.51.100.1", to: "192.0.2.1"),
    ]

    /// The packets, and under each whether it is written. The rule matches `!`. A packet a second, of 29 bytes
    /// on the wire, the one that matches of 30.
    static let cases: [(tag: String, packets: String, written: String)] = [
        ("session", "><!><CDn>", "...xx...x"),
        ("session,3,packets", "!><><", ".xx.."),
        ("session,packets 3", "!><><", ".xx.."),
        ("session,88,bytes", "!><><", ".xx.."),
        ("session,2,seconds", "!><><", ".xx.."),
        ("session, seconds 9, packets 2", "!><><", ".x..."),
        ("session,10,packets,exclusive", "!>", ".x"),
        // The destination is B, and every packet of B is written, whoever it is with.
        ("host", "!><CDn", ".xx.xx"),
        ("host,100,packets,dst", "!><CDn", ".xx.xx"),
        ("host,100,packets,src", "!><CDn", ".xxx.x"),
        ("host_src, packets 100", "!><CDn", ".xxx.x"),
        ("host,3,packets,dst", "!CDCD>", "..x.x."),
        // One that matches again begins anew, and is written itself.
        ("session,2,packets", "!>>!>>", ".x..x."),
        ("session,3,packets", "!>!>>>", ".xxxx."),
    ]

    @Test(arguments: cases)
    func writesWhatFollows(_ tag: String, _ packets: String, _ written: String) throws {
        var timeline = try Timeline("alert udp any any -> any any (content:\"go\"; tag:\(tag); sid:7;)")
        var seen = ""
        for (index, packet) in packets.enumerated() {
            seen.append(timeline.at(Double(index), TagTests.packets[packet]!).isTagged ? "x" : ".")
        }
        #expect(seen == written)
    }

    /// More than 256 packets are not written, whatever the rule says.
    @Test func packetsAreBounded() throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (content:\"go\"; tag:session,1000,packets; sid:7;)")
        _ = timeline.at(0, TagTests.packets["!"]!)
        let written = (1...1_000).count { timeline.at(Double($0) / 1_000, TagTests.packets[">"]!).isTagged }
        #expect(written == 255)
    }

    /// A rule that matches again and again does not have a flow written for ever.
    @Test func renewalsAreBounded() throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (content:\"go\"; tag:session,3,packets; sid:7;)")
        var written = 0
        for index in 0..<100 where timeline.at(Double(index) / 100, TagTests.packets["!"]!).isTagged { written += 1 }
        // Ten times three and what the last has left; then a new tag, which begins with a packet that is not.
        #expect(written < 100 && written > 50)
    }

    @Test func aHostThatIsSilentIsForgotten() throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (content:\"go\"; tag:host,100,packets,src; sid:7;)")
        _ = timeline.at(0, TagTests.packets["!"]!)
        let before = timeline.at(600, TagTests.packets["C"]!).isTagged
        let after = timeline.at(1_201, TagTests.packets["C"]!).isTagged
        #expect(before && !after)
    }

    /// What a threshold makes nothing of tags nothing; what it keeps silent does.
    @Test(arguments: [
        ("threshold:type threshold, track by_src, count 2, seconds 60;", false),
        ("threshold:type limit, track by_src, count 1, seconds 60;", true),
        ("noalert;", true),
    ])
    func thresholdsDecide(_ option: String, _ isTagged: Bool) throws {
        var timeline = try Timeline(
            "alert udp any any -> any any (content:\"go\"; \(option) tag:session; sid:7;)")
        _ = timeline.at(0, TagTests.packets["!"]!)
        #expect(timeline.at(1, TagTests.packets[">"]!).isTagged == isTagged)
    }
}
