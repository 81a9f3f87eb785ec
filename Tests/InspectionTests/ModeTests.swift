import Configuration
import Evidence
import Foundation
import Inspection
import Testing

@Suite struct ModeTests {
    private static let verifying = InspectionMode(isInline: true, verifiesChecksums: true)
    private static let rule = #"alert tcp any any -> any any (content:"needle"; sid:1;)"#

    /// The packets of these tests have a checksum of 0, which is wrong for TCP.
    @Test(arguments: Family.allCases, [true, false])
    func aWrongChecksumIsNoMatchWhereItCounts(_ family: Family, _ verifies: Bool) throws {
        var rig = try Rig(
            rules: Self.rule, mode: InspectionMode(isInline: true, verifiesChecksums: verifies))
        _ = rig.inspect(family.tcp(.client, .web, "a needle"))
        #expect(rig.findings == (verifies ? ["tcp.bad_checksum"] : ["sid:1"]))
    }

    /// An unfinished one says nothing, and a verified one was looked at by the kernel.
    @Test(arguments: [ChecksumState.unfinished, .verified])
    func whatTheKernelSaysComesFirst(_ state: ChecksumState) throws {
        var rig = try Rig(rules: Self.rule, mode: Self.verifying)
        _ = rig.inspect(Family.v4.tcp(.client, .web, "a needle"), checksum: state)
        #expect(rig.findings == ["sid:1"])
    }

    @Test func udpWithoutAChecksumHasNoWrongOne() throws {
        var rig = try Rig(
            rules: #"alert udp any any -> any any (content:"needle"; sid:2;)"#, mode: Self.verifying)
        _ = rig.inspect(Family.v4.udp(.client, .web, "a needle"))
        #expect(rig.findings == ["sid:2"])
    }

    /// Nobody can stop what was captured: a drop rule alerts, unless the replay is asked to act as inline.
    @Test(arguments: [true, false]) func dropRulesDropInlineOnly(_ isInline: Bool) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flinch-mode-\(UUID()).rules").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "drop udp any any -> any any (content:\"needle\"; sid:3;)\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        var capture = Capture()
        capture.add(Family.v4.udp(.client, .web, "a needle"), count: 1, aSecond: 10)
        let mode = InspectionMode(isInline: isInline, verifiesChecksums: false)
        let events = try capture.written {
            try replay([$0], home: ["\(Family.v4.address(of: .web))"], mode: mode) { $0.rules.files = [file] }
        }.events()
        let alerts = events.compactMap { $0["alert"] as? [String: Any] }
        #expect(alerts.map { $0["action"] as? String } == [isInline ? "blocked" : "allowed"])
    }
}
