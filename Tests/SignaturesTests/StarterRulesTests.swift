import Evidence
import Signatures
import Testing
import Wire

/// The rules that are shipped: each fires on what it is for, and not on the nearest thing that it is not for.
@Suite struct StarterRulesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var sample: Sample
        var sids: [UInt32]
        var testDescription: String { "\(sample.testDescription): \(sids)" }
    }

    /// An SMB1 message behind its NetBIOS header; `at` overwrites bytes at places counted from the start.
    static func smb1(
        _ command: UInt8, _ rest: [UInt8], length: Int = 36, at: [Int: [UInt8]] = [:]
    ) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0, 0xFF] + Array("SMB".utf8) + [command]
        bytes += Array(repeating: 0, count: length - bytes.count) + rest
        for (place, part) in at { bytes.replaceSubrange(place..<place + part.count, with: part) }
        return bytes
    }

    static func smb2(command: UInt16, _ rest: [UInt8] = []) -> [UInt8] {
        [0, 0, 0, 0, 0xFE] + Array("SMB".utf8) + [64, 0, 0, 0, 0, 0, 0, 0, UInt8(command), 0]
            + Array(repeating: 0, count: 50) + rest
    }

    static func smb(_ bytes: [UInt8], port: UInt16 = 445) -> Sample { .tcp(40_000, port, bytes: bytes) }

    static let modern = Array("\u{2}NT LM 0.12\u{0}\u{2}SMB 2.002\u{0}".utf8)
    static let nmap = Array("\u{2}NT LM 0.12\u{0}\u{2}\u{0}".utf8)
    static let session = Array(repeating: 0, count: 60) as [UInt8]

    static let dnsVersion = Array("\u{7}version\u{4}bind".utf8) + [0, 0, 16, 0, 3]
    static let question: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]

    static let cases: [Case] = [
        // SMB.
        Case(sample: .tcp(1_025, 445, flags: 0x02), sids: [9_000_001]),
        Case(sample: .tcp(1_025, 445, flags: 0xC2), sids: [9_000_001]),
        Case(sample: .tcp(1_025, 445, flags: 0x12), sids: []),
        Case(sample: .tcp(1_025, 139, flags: 0x02), sids: [9_000_002]),
        Case(sample: .tcp(1_025, 446, flags: 0x02), sids: []),
        Case(sample: smb(smb1(0x72, modern)), sids: [9_000_003]),
        Case(sample: smb(smb1(0x73, modern)), sids: []),
        Case(sample: smb(smb1(0x72, modern), port: 80), sids: []),
        Case(sample: smb(smb1(0x72, nmap)), sids: [9_000_005, 9_000_003]),
        Case(sample: smb(smb2(command: 0)), sids: [9_000_004]),
        Case(sample: smb(smb2(command: 1)), sids: []),
        Case(sample: smb(smb2(command: 0, Array("1234567890123456".utf8))), sids: [9_000_006, 9_000_004]),
        Case(
            sample: smb(smb1(0x72, Array("\u{2}LM1.2X002\u{0}\u{2}Samba\u{0}".utf8))),
            sids: [9_000_007, 9_000_003]),
        Case(
            sample: smb(smb1(0x72, Array("\u{2}LM1.2X002\u{0}\u{2}DOS LANMAN2.1\u{0}".utf8))),
            sids: [9_000_003]),
        Case(
            sample: smb(
                [0x81, 0, 0, 0x44, 0x20] + Array("CKFDENECFDEFFCFGEFFCCACACACACACA".utf8) + [0], port: 139),
            sids: [9_000_008]),
        Case(
            sample: smb(
                [0x81, 0, 0, 0x44, 0x20] + Array("CKFDENECFDEFFCFGEFFCCACACACACACA".utf8) + [0], port: 445),
            sids: []),
        Case(
            sample: smb(smb1(0x75, [0x5C, 0, 0x49, 0, 0x50, 0, 0x43, 0, 0x24, 0, 0, 0])),
            sids: [9_000_009]),
        Case(
            sample: smb(smb1(0x75, [0x5C, 0, 0x43, 0, 0x24, 0, 0, 0, 0, 0, 0, 0])), sids: []),
        Case(sample: smb(smb1(0x25, session, at: [63: [2, 0, 0x23, 0, 0, 0]])), sids: [9_000_010]),
        Case(sample: smb(smb1(0x25, session, at: [63: [2, 0, 0x26, 0, 0, 0]])), sids: []),
        Case(sample: smb(smb1(0x32, session, at: [63: [1, 0, 0x0E, 0]])), sids: [9_000_011]),
        Case(sample: smb(smb1(0x32, session, at: [63: [1, 0, 0x05, 0]])), sids: []),
        Case(
            sample: smb(smb1(0x32, session, at: [63: [1, 0, 0x0E, 0], 34: [0x41, 0]])),
            sids: [9_000_011, 9_000_012]),
        Case(
            sample: .tcp(445, 40_000, bytes: smb1(0x32, [], at: [9: [2, 0, 0, 0xC0], 34: [0x51, 0]]))
                .from("192.0.2.10", to: "198.51.100.7"), sids: [9_000_013]),
        Case(
            sample: .tcp(445, 40_000, bytes: smb1(0x32, [], at: [9: [2, 0, 0, 0xC0], 34: [0x41, 0]]))
                .from("192.0.2.10", to: "198.51.100.7"), sids: []),
        Case(sample: smb(smb1(0xA0, session, at: [44: [0xD0, 3, 1, 0]])), sids: [9_000_015]),
        Case(sample: smb(smb1(0xA0, session, at: [44: [0xD0, 3, 0, 0]])), sids: []),
        Case(
            sample: .udp(
                137, 137,
                bytes: question + [0x20] + Array("CK".utf8) + Array(repeating: 65, count: 30)
                    + [0, 0, 0x21, 0, 1]), sids: [9_000_014]),
        Case(
            sample: .udp(
                137, 137,
                bytes: question + [0x20] + Array("FH".utf8) + Array(repeating: 65, count: 30)
                    + [0, 0, 0x20, 0, 1]), sids: []),
        // Flags.
        Case(sample: .tcp(1, 80, flags: 0), sids: [9_000_020]),
        Case(sample: .tcp(1, 80, flags: 0x01), sids: [9_000_021]),
        Case(sample: .tcp(1, 80, flags: 0x11), sids: []),
        Case(sample: .tcp(1, 80, flags: 0x29), sids: [9_000_022]),
        Case(sample: .tcp(1, 80, flags: 0x39), sids: []),
        Case(sample: .tcp(1, 80, flags: 0x03), sids: [9_000_023]),
        Case(sample: .tcp(1, 80, flags: 0x06), sids: [9_000_024]),
        Case(sample: .tcp(1, 80, flags: 0x2B), sids: [9_000_023, 9_000_025]),
        Case(sample: .tcp(1, 80, flags: 0x02), sids: []),
        Case(sample: .tcp(1, 80, flags: 0x04), sids: []),
        // ICMP.
        Case(sample: .icmp(8), sids: [9_000_030]),
        Case(sample: .icmp(8, 0, "abcdefgh"), sids: []),
        Case(sample: .icmp(8, 9, "abcdefgh"), sids: [9_000_031]),
        Case(sample: .icmp(13), sids: [9_000_032]),
        Case(sample: .icmp(14), sids: []),
        Case(sample: .icmp(17), sids: [9_000_033]),
        Case(sample: .icmp(5, 1), sids: [9_000_073]),
        Case(sample: .icmp(4), sids: [9_000_075]),
        Case(sample: .icmp(3, 3), sids: []),
        Case(
            sample: Sample(
                source: "2001:db8:9::1", destination: "2001:db8:1::1", upper: .icmp6(type: 137, code: 0)),
            sids: [9_000_074]),
        Case(
            sample: Sample(
                source: "2001:db8:9::1", destination: "2001:db8:1::1", upper: .icmp6(type: 135, code: 0)),
            sids: []),
        // Other scanners.
        Case(sample: .udp(1_025, 40_125), sids: [9_000_034]),
        Case(sample: .udp(1_025, 40_125, "x"), sids: []),
        Case(sample: .tcp(1_025, 22, "SSH-2.0-Nmap-SSH2-Hostkey\r\n"), sids: [9_000_035]),
        Case(sample: .tcp(1_025, 22, "SSH-2.0-OpenSSH_9.2p1\r\n"), sids: []),
        Case(sample: .tcp(1_025, 3_389, "\u{3}\u{0}Cookie: mstshash=nmap\r\n"), sids: [9_000_036]),
        Case(sample: .tcp(1_025, 3_389, "\u{3}\u{0}Cookie: mstshash=hello\r\n"), sids: [9_000_037]),
        Case(sample: .tcp(1_025, 3_389, "\u{3}\u{0}Cookie: mstshash=alice\r\n"), sids: []),
        // DNS.
        Case(sample: .udp(1_025, 53, bytes: question + dnsVersion), sids: [9_000_040]),
        Case(
            sample: .udp(
                1_025, 53, bytes: question + Array("\u{7}VERSION\u{4}BIND".utf8) + [0, 0, 16, 0, 3]),
            sids: [9_000_040]),
        Case(sample: .udp(1_025, 53, bytes: question + dnsVersion.dropLast() + [1]), sids: []),
        Case(sample: .tcp(1_025, 53, bytes: [0, 30] + question + dnsVersion), sids: [9_000_041]),
        Case(
            sample: .tcp(
                1_025, 53, bytes: [0, 29] + question + Array("\u{3}lab\u{4}test".utf8) + [0, 0, 252, 0, 1]),
            sids: [9_000_042]),
        Case(
            sample: .tcp(
                1_025, 53, bytes: [0, 29] + question + Array("\u{3}lab\u{4}test".utf8) + [0, 0, 1, 0, 1]),
            sids: []),
        // Reflection.
        Case(sample: .udp(1_025, 123, bytes: [0x17, 0, 3, 0x2A, 0, 0, 0, 0]), sids: [9_000_050]),
        Case(sample: .udp(123, 123, bytes: [0x23, 0, 6, 0x2A, 0, 0, 0, 0]), sids: []),
        Case(
            sample: .udp(1_025, 11_211, bytes: [0, 0, 0, 0, 0, 1, 0, 0] + Array("stats\r\n".utf8)),
            sids: [9_000_051]),
        Case(
            sample: .udp(1_025, 11_211, bytes: [0, 0, 0, 0, 0, 1, 0, 0] + Array("get a\r\n".utf8)), sids: []),
        Case(
            sample: .udp(
                1_025, 111,
                bytes: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xA0, 0, 0, 0, 2, 0, 0, 0, 4]),
            sids: [9_000_052]),
        Case(
            sample: .udp(
                1_025, 111,
                bytes: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xA0, 0, 0, 0, 2, 0, 0, 0, 3]),
            sids: []),
        Case(
            sample: .tcp(
                1_025, 111,
                bytes: [
                    0x80, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xA0, 0, 0, 0, 2, 0, 0, 0,
                    4,
                ]),
            sids: [9_000_053]),
        // Attacks.
        Case(
            sample: .udp(1_025, 1_434, bytes: [4] + Array(repeating: 1, count: 375)), sids: [9_000_060]),
        Case(sample: .udp(1_025, 1_434, bytes: [4] + Array(repeating: 1, count: 90)), sids: []),
        Case(sample: .tcp(1_025, 2_323, "sh\r\n/bin/busybox MIRAI\r\n"), sids: [9_000_061]),
        Case(sample: .tcp(1_025, 23, "/bin/busybox ls\r\n"), sids: []),
        Case(sample: .tcp(1_025, 6_379, "CONFIG SET dir /root/.ssh\r\n"), sids: [9_000_062]),
        Case(
            sample: .tcp(1_025, 6_379, "*4\r\n$6\r\nconfig\r\n$3\r\nset\r\n$3\r\ndir\r\n$5\r\n/root\r\n"),
            sids: [9_000_062]),
        Case(sample: .tcp(1_025, 6_379, "CONFIG GET dir\r\n"), sids: []),
        Case(sample: .tcp(1_025, 2_375, "POST /v1.24/containers/create HTTP/1.1\r\n"), sids: [9_000_063]),
        Case(sample: .tcp(1_025, 2_375, "GET /v1.24/containers/json HTTP/1.1\r\n"), sids: []),
        // Oddities.
        Case(sample: .tcp(1_025, 0, flags: 0x02), sids: [9_000_070]),
        Case(sample: .tcp(0, 80, flags: 0x02), sids: [9_000_071]),
        Case(sample: .udp(1_025, 0), sids: [9_000_072]),
        // Ordinary traffic.
        Case(sample: .tcp(40_000, 80, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), sids: []),
        Case(
            sample: .udp(40_000, 53, bytes: question + Array("\u{3}www\u{4}test".utf8) + [0, 0, 1, 0, 1]),
            sids: []),
    ]

    static let rules = Result {
        try RuleSet.load(files: [Files.starter], variables: .stock(home: home))
    }

    @Test(arguments: cases)
    func fires(_ entry: Case) throws {
        #expect(try StarterRulesTests.rules.get().alerts(entry.sample) == entry.sids)
    }

    @Test func allLoadAndEachIsTried() throws {
        let rules = try StarterRulesTests.rules.get()
        #expect(rules.problems == [])
        #expect(rules.rules.map(\.sid) == Set(rules.rules.map(\.sid)).sorted())
        #expect(rules.rules.allSatisfy { (9_000_001...9_000_999).contains($0.sid) && $0.rev == 1 })
        #expect(Set(rules.rules.map(\.sid)) == Set(StarterRulesTests.cases.flatMap(\.sids)))
    }

    @Test func theOtherWayIsNotAnAttackOnTheGuest() throws {
        let answer = Sample.tcp(445, 40_000, flags: 0x12).from("192.0.2.10", to: "198.51.100.7")
        #expect(try StarterRulesTests.rules.get().alerts(answer) == [])
    }
}
