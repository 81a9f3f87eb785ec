import Configuration
import Foundation
import Inspection
import Testing

/// What the public rule sets say of captures that nobody here made. docs/captures.md has it whole.
@Suite(.enabled(if: Files.shared != nil), .serialized) struct PublicRulesTests {
    static let sets = [
        "et-open-composite", "snort29-community-2024/community-rules", "snort29-gpl-2005", "snort3-community-2026",
    ]
    /// As docs/captures.md has it: cards filled the checksums in.
    static let mode = InspectionMode(isInline: false, verifiesChecksums: false, midstream: false)

    /// The rule files of the sets, in the order of their paths.
    static var ruleFiles: [String] {
        sets.flatMap { name -> [String] in
            let folder = Files.shared! + "/rules/" + name
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { $0.hasSuffix(".rules") }.sorted().map { folder + "/" + $0 }
        }
    }

    /// The sids that fire, by the capture's name. What is left of a flow when another capture is read has no packet
    /// and does not count.
    static func sids(_ captures: [String], rules: [String], home: [String] = []) throws -> [String: Set<Int>] {
        let replayed = try replay(captures, home: home, mode: mode) { $0.rules.files = rules }
        var sids: [String: Set<Int>] = [:]
        for event in try replayed.events() {
            guard let alert = event["alert"] as? [String: Any], let sid = alert["signature_id"] as? Int,
                event["pcap_cnt"] != nil, let path = event["pcap_filename"] as? String
            else { continue }
            sids[URL(fileURLWithPath: path).lastPathComponent, default: []].insert(sid)
        }
        return sids
    }

    /// By the end of a capture's name: what must name the attack in it.
    static let attacks: [(capture: String, sids: Set<Int>)] = [
        // EternalBlue from the probe to the shellcode, then DoublePulsar's answer and injection.
        (
            "eternalblue-success-unpatched-win7.pcap",
            [41_978, 42_340, 42_944, 2_024_217, 2_024_218, 2_024_297, 42_331, 2_024_216]
        ),
        ("metasploit-ms017-010-win7x64.pcap", [41_978, 42_944, 2_024_297]),
        // Of EsteemAudit: the empty cookie (CVE-2017-0176), and the session without encryption.
        ("esteemedaudit-failed-XPSP2.pcap", [42_255, 2_418]),
        // Log4Shell as it is, and encoded in a form; then the LDAP answer, and the shell's first words.
        (
            "spcap-CEXKLs3NQWdEM2CoMj-1639421287179170294-1.pcap",
            [2_034_647, 2_034_649, 2_034_661, 2_034_700, 2_034_759, 2_034_783, 2_034_800]
        ),
        (
            "log4j-webapp.pcap",
            [2_034_704, 2_034_705, 2_034_722, 2_019_284, 1882]
        ),
    ]

    @Test func attacksAreNamed() throws {
        let found = try Self.sids(Files.captures("exploits"), rules: Self.ruleFiles)
        for (capture, sids) in Self.attacks {
            let fired = found.first { $0.key.hasSuffix(capture) }?.value ?? []
            #expect(sids.isSubset(of: fired), "\(capture): not \(sids.subtracting(fired).sorted())")
        }
    }

    /// A file with the sets' rules for eDonkey, those too that are switched off, for as long as the body runs.
    private static func withEDonkeyRules<T>(_ body: (String) throws -> T) throws -> T {
        let path = NSTemporaryDirectory() + "flinch-edonkey-\(UUID().uuidString).rules"
        var rules: [Substring] = []
        for file in ruleFiles {
            for line in String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
                .split(separator: "\n")
            where line.contains(/msg: ?"[^"]*(edonkey|emule|overnet)/.ignoresCase()) {
                rules.append(line.drop { $0 == "#" || $0 == " " })
            }
        }
        try #require(rules.count > 30)
        try rules.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func nothingElseIsCalledEDonkey() throws {
        let captures = ["protocols", "exploits", "scans", "evasion", "floods"].flatMap(Files.captures)
        try #require(captures.count > 300)
        let found = try Self.withEDonkeyRules { try Self.sids(captures, rules: [$0]) }
        #expect(found == [:])
    }

    /// Datagrams of eDonkey and of eMule's Kademlia, between a guest and a stranger: the rule, where to, and the
    /// bytes, filled up with zeros to a length (what the rules quote of the protocol).
    static let datagrams: [(sid: Int, outwards: Bool, port: Int, bytes: [UInt8], length: Int)] = [
        (2_003_312, true, 4_672, [0xE3, 0x0A], 25),  // connect
        (2_003_311, false, 4_672, [0xE3, 0x0D], 6),  // acknowledged publication
        (2_003_319, true, 4_672, [0xE3, 0x98, 0x01], 20),  // search by name
        (2_001_298, true, 4_665, [0xE3, 0x96], 6),  // status of a server
        (2_009_967, true, 4_672, [0xE4, 0x21], 35),  // Kademlia: connect
        (2_009_968, true, 4_672, [0xE4, 0x20], 35),
        (2_009_969, true, 4_672, [0xE4, 0x50], 35),  // am I behind a firewall?
        (2_009_972, true, 4_672, [0x8C, 0x97], 44),  // status of a server
    ]

    @Test func eDonkeyIsCalledEDonkey() throws {
        try Self.withEDonkeyRules { rules in
            for row in Self.datagrams {
                var capture = Capture()
                let data = row.bytes + [UInt8](repeating: 0, count: row.length - row.bytes.count)
                let (from, to): (Party, Party) = row.outwards ? (.web, .stranger) : (.stranger, .web)
                capture.add(
                    Family.v4.ip(
                        from, to, 17, big16(40_000) + big16(row.port) + big16(8 + data.count) + big16(0) + data))
                let found = try capture.written { try Self.sids([$0], rules: [rules], home: ["10.0.0.2"]) }
                #expect(found.values.first?.contains(row.sid) == true, "\(row.sid): \(found)")
            }
        }
    }
}
