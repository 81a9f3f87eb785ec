import Testing
import Wire

@testable import Flows

/// Overlaps: what hosts make of them, and what inline does not let them make.
@Suite struct FragmentOverlapTests {
    /// The fragments by which J. Novak told hosts apart ("Target-Based Fragmentation Reassembly", 2005): letter,
    /// first byte, length.
    private static let novak: [(Character, Int, Int)] = [
        ("A", 0, 24), ("B", 32, 16), ("C", 48, 24), ("D", 80, 8), ("E", 104, 16), ("F", 120, 24), ("G", 144, 16),
        ("H", 160, 16), ("I", 176, 8), ("J", 8, 32), ("K", 48, 24), ("L", 72, 24), ("M", 96, 24), ("N", 128, 8),
        ("O", 152, 8), ("P", 160, 8), ("Q", 176, 16),
    ]

    /// What comes of them, a letter for 8 bytes.
    private static let hosts: [(FragmentOverlap, String)] = [
        (.first, "AAAJBBCCCLDLMEEFFFGGHHIQ"), (.last, "AJJJJBKKKLLLMMMFNFGOPHQQ"),
        (.bsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"), (.bsdRight, "AJJJBBKKKLDLMEEFNFGOPHQQ"),
        (.linux, "AAAJJBKKKLLLMMMFFFGGPHQQ"), (.windows, "AAAJBBCCCLLLMEEFFFGGHHIQ"),
        (.solaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"),
    ]

    @Test(arguments: hosts, [4, 6]) func aHostHasItsWay(_ host: (FragmentOverlap, String), _ version: Int) {
        var table = Reassembler(isInline: false, policy: host.0)
        let parts = Self.novak.map { letter, start, length in
            Part(start, run(letter, length), more: letter != "Q").with { $0.version = version }
        }
        #expect(table.data(parts) == host.1.map { run($0, 8) }.joined())
        #expect(table.table.counters.overlaps == 8 && table.table.counters.contradictions == 0)
    }

    @Test func theStockPoliciesAreSuricatas() {
        for (version, policy) in [(4, FragmentOverlap.windows), (6, .bsd)] {
            var table = Reassembler(isInline: false)
            let parts = Self.novak.map { letter, start, length in
                Part(start, run(letter, length), more: letter != "Q").with { $0.version = version }
            }
            #expect(table.data(parts) == Self.hosts.first { $0.0 == policy }!.1.map { run($0, 8) }.joined())
        }
    }

    struct Case: Sendable {
        var policy: FragmentOverlap
        var parts: [Part]
        var whole: String?
    }

    static let cases = [
        // The last fragment, and then more that begins before it.
        Case(
            policy: .bsd,
            parts: [
                Part(24, run("A", 16), more: false), Part(8, run("B", 16)), Part(16, run("C", 16)),
                Part(0, run("D", 8)),
            ],
            whole: run("D", 8) + run("B", 16) + run("C", 8) + run("A", 8)),
        // Where the last fragment ends, the datagram does.
        Case(
            policy: .bsd, parts: [Part(16, run("C", 8)), Part(0, run("A", 8)), Part(8, run("B", 8), more: false)],
            whole: run("A", 8) + run("B", 8)),
        Case(
            policy: .linux,
            parts: [
                Part(0, run("A", 24)), Part(40, run("B", 48)), Part(24, run("C", 48)),
                Part(88, run("D", 14), more: false),
            ],
            whole: run("A", 24) + run("C", 48) + run("B", 16) + run("D", 14)),
        Case(
            policy: .bsd, parts: [Part(8, run("E", 24), more: false), Part(0, run("M", 24))],
            whole: run("M", 24) + run("E", 8)),
        Case(
            policy: .last,
            parts: [Part(0, run("A", 32)), Part(8, run("B", 8)), Part(32, "C", more: false)],
            whole: run("A", 8) + run("B", 8) + run("A", 16) + "C"),
        // Teardrop: the last one ends within the first.
        Case(policy: .windows, parts: [Part(0, run("A", 32)), Part(24, "B", more: false)], whole: nil),
    ]

    @Test(arguments: cases.indices) func overlapsOfEveryKind(_ index: Int) {
        let wanted = Self.cases[index]
        var table = Reassembler(isInline: false, policy: wanted.policy)
        #expect(table.data(wanted.parts) == wanted.whole)
    }

    // MARK: - Inline

    @Test func whatContradictsDoesNotPassAndChangesNothing() {
        let first = Part(0, "aaaaaaaabbbbbbbb")
        let contradictions = [
            Part(0, "aaaaaaaaXbbbbbbb"), Part(8, "bbbbbbbXcccccccc"), Part(0, "XXXXXXXX"),
            // It ends within what is there, or what came ends behind it.
            Part(8, "b", more: false),
        ]
        for part in contradictions {
            var table = Reassembler(isInline: true)
            _ = table.add(first)
            #expect(table.refusal(part) == .forbidden)
            #expect(table.table.counters.contradictions == 1)
            #expect(table.data([Part(16, "end", more: false)]) == "aaaaaaaabbbbbbbbend")
        }
    }

    @Test(arguments: [4, 6]) func thereIsOneEnd(_ version: Int) {
        var table = Reassembler(isInline: true)
        let end = Part(16, "end", more: false).with { $0.version = version }
        #expect(table.refusal(end) == .none)
        #expect(table.refusal(end.with { $0.data = Array("ends here".utf8) }) == .forbidden)
        for beyond in [16, 24, 4_096] {
            #expect(table.refusal(Part(beyond, run("x", 8)).with { $0.version = version }) == .forbidden)
        }
    }

    /// Hosts differ: some throw away what they have. So nothing may come after.
    @Test func anOverlapThatAgreesPassesAndThenTheDatagramIsClosed() {
        var table = Reassembler(isInline: true)
        #expect(table.refusal(Part(0, "aaaaaaaabbbbbbbb")) == .none)
        #expect(table.refusal(Part(8, "bbbbbbbbcccccccc")) == .none)
        #expect(table.data([Part(24, "d", more: false)]) == "aaaaaaaabbbbbbbbccccccccd")
        #expect(table.refusal(Part(0, "evilevil")) == .forbidden)
        #expect(table.refusal(Part(24, "d", more: false)) == .forbidden)
    }

    /// RFC 5722 §4.
    @Test func anOverlapEndsADatagramOfIPv6() {
        for second in [Part(8, "bbbbbbbbcccccccc"), Part(0, "XXXXXXXX")] {
            var table = Reassembler(isInline: true)
            _ = table.add(Part(0, "aaaaaaaabbbbbbbb").with { $0.version = 6 })
            #expect(table.refusal(second.with { $0.version = 6 }) == .forbidden)
            #expect(table.refusal(Part(16, "d", more: false).with { $0.version = 6 }) == .forbidden)
        }
    }

    /// What the data is, only the first fragment says: a second one must not say it anew.
    @Test func aFirstFragmentWithOtherHeadersContradicts() {
        let changes: [@Sendable (inout Part) -> Void] = [
            { ($0.version, $0.ipProtocol) = (6, 6) }, { ($0.version, $0.hasOptions) = (6, true) },
            { $0.hasOptions = true },
        ]
        for change in changes {
            var table = Reassembler(isInline: true)
            let other = Part(0, "aaaaaaaa").with(change)
            let first = Part(0, "aaaaaaaa").with { $0.version = other.version }
            #expect(table.refusal(first) == .none && table.refusal(first) == .none)
            #expect(table.refusal(other) == .forbidden)
        }
    }

    @Test func aFragmentForAnotherCardContradicts() {
        var table = Reassembler(isInline: true)
        _ = table.add(Part(0, "aaaaaaaa").with { $0.card = 0x02_0000_0000_0A })
        #expect(table.refusal(Part(8, "b", more: false).with { $0.card = 0x02_0000_0000_0B }) == .forbidden)
        #expect(table.data([Part(8, "b", more: false).with { $0.card = 0x02_0000_0000_0A }]) == "aaaaaaaab")
    }
}
