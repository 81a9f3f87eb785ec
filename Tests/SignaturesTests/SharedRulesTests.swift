import Evidence
import Foundation
import Intake
import Testing
import Wire

@testable import Signatures

/// Rule sets and captures that nobody here wrote: everything in them loads or is refused with a reason.
@Suite(.enabled(if: Files.shared != nil)) struct SharedRulesTests {
    static let folders = [
        "et-open-composite", "snort29-community-2024", "snort29-gpl-2005", "snort3-community-2026",
        "suricata-rules", "bench-3000",
    ]

    @Test(arguments: folders)
    func everyRuleLoadsOrHasAReason(_ folder: String) throws {
        let files = Files.list(Files.shared! + "/rules/" + folder, endings: [".rules"])
        try #require(!files.isEmpty)
        let rules = try RuleSet.load(files: files, variables: .stock(home: home))
        let report = RuleReport(rules)
        #expect(report.loaded + report.rejected > 400)
        #expect(rules.problems.allSatisfy { !$0.reason.isEmpty && $0.line > 0 })
        print("\(folder): \(report.loaded) loaded, \(report.rejected) rejected")
        for (reason, count) in report.ranked.prefix(5) { print("  \(count) \(reason)") }
        // Whatever loaded can be matched with.
        var matcher = try Matcher(rules)
        #expect(matcher.findings(Sample.tcp(40_000, 80, "GET / HTTP/1.0").bytes).overflow == 0)
    }

    /// Whatever else a rule asks for, how often it does is understood.
    @Test(arguments: folders)
    func everyThresholdIsUnderstood(_ folder: String) throws {
        let option = /\b(?:threshold|detection_filter|tag) ?: ?(?:[a-z]+[ ,][^;"]*|session);/
        var options: Set<Substring> = []
        for file in Files.list(Files.shared! + "/rules/" + folder, endings: [".rules"]) {
            let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
            for match in text.matches(of: option) { options.insert(match.output) }
        }
        print("\(folder): \(options.count) thresholds")
        let rules = try compile(
            options.enumerated().map { "alert tcp any any -> any any (\($1) sid:\($0 + 1);)" }.joined(separator: "\n"))
        #expect(rules.problems == [])
        #expect(rules.rules.count == options.count)
    }

    /// What is refused is refused for an application buffer, for one of the two keywords that never will be there,
    /// or because it is wrong.
    @Test(arguments: folders.prefix(4))
    func nothingElseIsRefused(_ folder: String) throws {
        let files = Files.list(Files.shared! + "/rules/" + folder, endings: [".rules"])
        let rules = try RuleSet.load(files: files, variables: .stock(home: RuleVariables.stockHome))
        let mistakes: Set = ["another rule has its gid, sid and rev"]
        let absent: Set = [
            "replace is not supported: Flinch passes or drops packets and changes none",
            "geoip is not supported: Flinch has no table of countries",
        ]
        for (reason, count) in RuleReport(rules).ranked
        where !reason.hasPrefix("needs the application buffer ") && !mistakes.contains(reason) {
            #expect(absent.contains(reason), "\(count) \(reason)")
        }
    }

    /// docs/rules.md is what `make docs` writes: the figures of each set, and every keyword.
    @Test func thePageIsTrue() throws {
        let page = try #require(Files.text(Files.root + "/docs/rules.md"))
        let rows = page.split(separator: "\n").map(String.init)
        for folder in Self.folders.dropLast() {
            let files = Files.list(Files.shared! + "/rules/" + folder, endings: [".rules"])
            let rules = try RuleSet.load(files: files, variables: .stock(home: RuleVariables.stockHome))
            let report = RuleReport(rules)
            let buffers = report.reasons.filter { $0.key.hasPrefix("needs the application buffer ") }.values.reduce(
                0, +)
            let row = "| \(folder) | \(report.loaded) | \(report.rejected) | \(buffers) |"
            #expect(rows.contains { $0.hasPrefix(row) }, "\(row): run make docs")
        }
        for keyword in Keyword.all {
            #expect(rows.contains { $0.hasPrefix("| `\(keyword.name)` |") }, "\(keyword.name): run make docs")
        }
        for name in ApplicationTests.names { #expect(page.contains("`\(name)`"), "\(name)") }
    }

    @Test func everyRuleOfTheBenchmarkLoads() throws {
        let file = Files.shared! + "/rules/bench-3000/r3000.suricata.rules"
        let rules = try RuleSet.load(files: [file], variables: .stock(home: home))
        #expect(rules.rules.count == 3_000 && rules.problems == [])
    }

    /// The starter rules where every host is at home.
    static let anywhere = Result {
        try RuleSet.load(files: [Files.starter], variables: .stock(home: []))
    }

    /// What the starter rules say of a capture, by sid.
    static func starter(_ path: String) throws -> [UInt32: Int] {
        let rules = try anywhere.get()
        var matcher = try Matcher(rules)
        var counts: [UInt32: Int] = [:]
        guard var capture = try? CaptureFile(path: path) else { return [:] }
        // A capture that is damaged counts as far as it can be read.
        while (try? capture.next()) ?? false {
            let packet = Decoder.decode(
                capture.bytes, as: capture.link, capturedShort: capture.isCutShort)
            var findings = Findings()
            matcher.inspect(packet, capture.bytes, into: &findings)
            for i in 0..<findings.count { counts[rules.rules[Int(findings[i].code)].sid, default: 0] += 1 }
        }
        return counts
    }

    /// Ordinary traffic of some hundred applications. What fires is true of the packet: connections to the
    /// SMB ports and a redirect.
    @Test func starterRulesLeaveOrdinaryTrafficAlone() throws {
        let allowed: Set<UInt32> = [9_000_001, 9_000_002, 9_000_003, 9_000_004, 9_000_073]
        let captures = Files.list(Files.shared! + "/captures/protocols", endings: ["cap", "pcapng"])
        try #require(captures.count > 100)
        for path in captures {
            let found = try SharedRulesTests.starter(path)
            #expect(Set(found.keys).isSubset(of: allowed), "\(path): \(found)")
        }
    }

    @Test func starterRulesNameEternalBlue() throws {
        let folder = Files.shared! + "/captures/exploits/eternalsafety__tests__traces__shadowbrokers__"
        let shadow = try SharedRulesTests.starter(folder + "eternalblue-success-unpatched-win7.pcap")
        #expect(Set([9_000_003, 9_000_011, 9_000_012, 9_000_015]).isSubset(of: shadow.keys))
        let metasploit = try SharedRulesTests.starter(folder + "metasploit-ms017-010-win7x64.pcap")
        #expect(Set([9_000_003, 9_000_015]).isSubset(of: metasploit.keys))
    }
}
