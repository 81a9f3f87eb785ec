import Testing
import Wire

@testable import Offload

@Suite("What a plan may say")
struct PlanTests {
    @Test(
        "Names that are no names of bridges are refused",
        arguments: [
            "", ".", "..", "sixteen-bytes-ab", "v 0", "v\t0", "a/b", "a:b", "v*", "v\\0", "v\n0", "v\u{7F}",
            "brücke",
            #"v0" } accept; #"#, #"""#, "x\0",
        ])
    func badNames(name: String) {
        let error = #expect(throws: OffloadError.self) {
            try Diversion(plan: DiversionPlan(bridges: ["v0", name]))
        }
        #expect(error?.kind == .badPlan)
        #expect(error?.message.contains("\n") == false)
    }

    /// All of these are legal for Linux; between quotes nft takes them literally.
    @Test(arguments: [
        "v0", "vmbr0", "br-1f3c", "fifteen-bytes-a", "}", ";", "#", "$x", "@mark@", "a,b", "'", "{v}",
    ])
    func oddNames(name: String) throws {
        let diversion = try Diversion(plan: DiversionPlan(bridges: [name]))
        #expect(diversion.render(.bridge).contains("meta ibrname { \"\(name)\" } goto classify\n"))
        try inNetworkNamespace {
            try shell("ip link add name '\(name.replacing("'", with: "'\\''"))' type bridge")
            try diversion.install(.inet)
            #expect(
                try shell("nft list chain inet flinch input").contains("iifname \"\(name)\" goto divert\n"))
        }
    }

    @Test(
        arguments: [(0, 0), (0xFFFF, 2), (2, 0xFFFF)] as [(UInt16, UInt16)])
    func badQueues(first: UInt16, count: UInt16) {
        #expect(throws: OffloadError.self) {
            try Diversion(plan: DiversionPlan(firstQueue: first, queueCount: count))
        }
    }

    @Test(arguments: [0, 3, 0xFFFF_FFFF] as [UInt32])
    func badMarks(mark: UInt32) {
        #expect(throws: OffloadError.self) { try Diversion(plan: DiversionPlan(markBit: mark)) }
    }

    @Test("Prefixes within others go, since nft refuses overlaps")
    func outermost() {
        let prefixes = [
            "10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "fe80::/10", "fe80::1", "192.0.2.1", "192.0.2.0/31",
        ]
        .compactMap { Prefix($0) }
        #expect(
            Diversion.outermost(prefixes).map(\.description).sorted() == [
                "10.0.0.0/8", "192.0.2.0/31", "fe80::/10",
            ])
    }
}
