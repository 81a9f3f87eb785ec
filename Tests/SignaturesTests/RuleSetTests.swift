import Evidence
import Glibc
import Signatures
import Testing
import Wire

/// Rule files and sets of rules: lines, order, actions, errors, the report.
@Suite struct RuleSetTests {
    @Test func linesCommentsAndContinuations() throws {
        let rules = try compile(
            "\u{FEFF}# comment \\\nalert tcp any any -> any any \\\r\n  (msg:\"one\"; \\\n sid:1;)\r\n\r\n"
                + "   \t\n#alert tcp any any -> any any (sid:2;)\n  # alert tcp\n"
                + "  alert tcp any any -> any any (sid:3;)\nalert bad\nalert tcp any any -> any any (sid:4;) \\"
        )
        #expect(rules.rules.map(\.sid) == [1, 3, 4])
        #expect(rules.rules.map(\.line) == [2, 9, 11])
        #expect(rules.rules[0].message == "one")
        #expect(rules.problems.map(\.line) == [10])
    }

    @Test func aRuleThatIsTooLongIsRefused() throws {
        let rules = try compile(
            "alert tcp any any -> any any (msg:\"\(String(repeating: "x", count: 70_000))\"; sid:1;)")
        #expect(rules.problems.map(\.reason) == ["a rule longer than 65536 bytes"])
    }

    @Test func findingsComeByActionThenPriorityThenOrder() throws {
        let rules = try compile(
            """
            alert tcp any any -> any any (priority:3; sid:1;)
            alert tcp any any -> any 80 (content:"x"; priority:1; sid:2;)
            drop tcp any any -> any any (content:"x"; priority:3; sid:3;)
            alert tcp any 40000 -> any any (priority:1; sid:4;)
            drop tcp any any -> any 80 (priority:2; sid:5;)
            """)
        let findings = try rules.findings(.tcp(40_000, 80, "x"))
        #expect((0..<findings.count).map { rules.rules[Int(findings[$0].code)].sid } == [5, 3, 2, 4, 1])
        #expect((0..<findings.count).map { findings[$0].asks } == [.drop, .drop, .accept, .accept, .accept])
        #expect(
            (0..<findings.count).map { findings[$0].source == .signature } == Array(repeating: true, count: 5)
        )
    }

    @Test func passEndsThePacket() throws {
        let rules = try compile(
            """
            drop tcp any any -> any any (content:"x"; sid:1;)
            pass tcp 198.51.100.7 any -> any any (content:"friend"; sid:2;)
            """)
        #expect(try rules.alerts(.tcp(1, 2, "x")) == [1])
        #expect(try rules.alerts(.tcp(1, 2, "x friend")) == [])
        #expect(try rules.alerts(.tcp(1, 2, "x friend").from("198.51.100.8", to: "192.0.2.1")) == [1])
        // What a pass rule left behind must not show on the next packet.
        var matcher = try Matcher(rules)
        #expect(matcher.findings(Sample.tcp(1, 2, "x friend").bytes).count == 0)
        #expect(matcher.findings(Sample.tcp(1, 2, "y").bytes).count == 0)
    }

    @Test func moreFindingsThanFitAreCountedAndDropsComeFirst() throws {
        let lines = (1...80).map { "alert tcp any any -> any any (content:\"x\"; sid:\($0);)" }
        let rules = try compile((lines + ["drop tcp any any -> any any (sid:99;)"]).joined(separator: "\n"))
        let findings = try rules.findings(.tcp(1, 2, "x"))
        #expect(findings.count == Matcher.alertLimit)
        #expect(findings.overflow == 81 - Matcher.alertLimit)
        #expect(findings[0].asks == .drop)
    }

    /// Suricata's `action-order`: what stands first is acted on first, and a pass ends it.
    @Test(arguments: [
        ([RuleAction.pass, .drop, .reject, .alert], [UInt32]()),
        ([.drop, .pass, .reject, .alert], [2]),
        ([.drop, .alert, .reject, .pass], [2, 1, 3]),
        ([.alert, .pass, .drop, .reject], [1]),
    ])
    func actionsInTheOrderThatWasChosen(_ precedence: [RuleAction], _ expected: [UInt32]) throws {
        let rules = try RuleSet.compile(
            text: """
                alert tcp any any -> any any (content:"x"; sid:1;)
                drop tcp any any -> any any (content:"x"; sid:2;)
                reject tcp any any -> any any (content:"x"; sid:3;)
                pass tcp any any -> any any (content:"x"; sid:4;)
                """, file: "test.rules", variables: .stock(home: home), precedence: precedence)
        #expect(try rules.alerts(.tcp(1, 2, "x")) == expected)
    }

    @Test func manyRulesAreToldApart() throws {
        // Several thousand entries in one group: the candidate set spans many words.
        let lines = (1...5_000).map { "alert tcp any any -> any any (content:\"<\($0)>\"; sid:\($0);)" }
        let rules = try compile(lines.joined(separator: "\n"))
        #expect(try rules.alerts(.tcp(1, 2, "<4999><1> <64><2500>")) == [1, 64, 2500, 4999])
    }

    @Test func noRules() throws {
        #expect(RuleSet.empty.rules.isEmpty && RuleSet.empty.problems.isEmpty)
        #expect(try RuleSet.empty.alerts(.tcp(1, 2, "x")) == [])
    }

    @Test func emptyHomeIsEverybody() throws {
        let rules = try compile(
            "alert tcp $EXTERNAL_NET any -> $HOME_NET any (sid:1;)", variables: .stock(home: []))
        #expect(try rules.alerts(.tcp()) == [1])
    }

    @Test func filesThatCannotBeReadAreNamed() throws {
        #expect(
            throws: RuleLoadError.unreadable(
                file: "/nonexistent/x.rules", reason: "No such file or directory")
        ) {
            try RuleSet.load(files: ["/nonexistent/x.rules"], variables: .stock(home: []))
        }
        #expect(throws: RuleLoadError.unreadable(file: "/", reason: "Is a directory")) {
            try RuleSet.load(files: ["/"], variables: .stock(home: []))
        }
    }

    @Test func filesAreReadInOrder() throws {
        var files: [String] = []
        defer { for file in files { unsafe unlink(file) } }
        for sid in 1...2 {
            let file = "/tmp/flinch-signatures-\(getpid())-\(sid).rules"
            let handle = unsafe try #require(fopen(file, "w"))
            unsafe fputs("alert tcp any any -> any any (sid:\(sid);)\nalert x\n", handle)
            unsafe fclose(handle)
            files.append(file)
        }
        let rules = try RuleSet.load(files: files.reversed(), variables: .stock(home: []))
        #expect(rules.rules.map(\.sid) == [2, 1])
        #expect(rules.problems.map(\.file) == files.reversed())
    }

    @Test func reportCountsByReason() throws {
        let rules = try compile(
            """
            alert tcp any any -> any any (sid:1;)
            alert websocket any any -> any any (sid:2;)
            alert tcp any any -> any any (pcre:"/x/U"; sid:3;)
            alert tcp any any -> any any (pcre:"/y/U"; sid:4;)
            """)
        let report = RuleReport(rules)
        #expect((report.loaded, report.rejected) == (1, 3))
        #expect(
            report.reasons == [
                "needs the application buffer websocket": 1,
                "needs the application buffer http.uri": 2,
            ])
        #expect(report.ranked.map(\.count) == [2, 1])
    }

    @Test func aMatcherUsesAllItsMemoryAgain() throws {
        // The same matcher, many packets: what one leaves behind would show in the next.
        let rules = try compile(
            """
            alert tcp any any -> any 80 (content:"aa"; content:"b"; within:3; sid:1;)
            alert tcp any any -> any any (content:"zz"; nocase; sid:2;)
            alert udp any any -> any any (dsize:>3; sid:3;)
            """)
        var matcher = try Matcher(rules)
        for _ in 0..<100 {
            #expect(matcher.findings(Sample.tcp(1, 80, "aa-b").bytes).count == 1)
            #expect(matcher.findings(Sample.tcp(1, 80, "aa---b ZZ").bytes).count == 1)
            #expect(matcher.findings(Sample.udp(1, 80, "aa-b").bytes).count == 1)
            #expect(matcher.findings(Sample.tcp(1, 81, "aa-b").bytes).count == 0)
        }
        #expect(matcher.failedScans == 0 && matcher.abandonedSearches == 0)
    }
}
