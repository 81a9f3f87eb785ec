import Foundation
import Lab
import Testing

@testable import Sinks

/// FLINCH-MIB is valid, and what is sent is what it says.
struct MIBTests {
    private var path: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/Monitoring/FLINCH-MIB.txt"
    }

    /// Debian has smilint and not the modules that every MIB imports: of these, the names that ours needs.
    private static let modules = [
        "SNMPv2-SMI": """
        org OBJECT IDENTIFIER ::= { iso 3 }
        dod OBJECT IDENTIFIER ::= { org 6 }
        internet OBJECT IDENTIFIER ::= { dod 1 }
        private OBJECT IDENTIFIER ::= { internet 4 }
        enterprises OBJECT IDENTIFIER ::= { private 1 }
        snmpV2 OBJECT IDENTIFIER ::= { internet 6 }
        snmpModules OBJECT IDENTIFIER ::= { snmpV2 3 }
        Unsigned32 ::= [APPLICATION 2] IMPLICIT INTEGER (0..4294967295)
        MODULE-IDENTITY MACRO ::= BEGIN END
        OBJECT-TYPE MACRO ::= BEGIN END
        NOTIFICATION-TYPE MACRO ::= BEGIN END
        """,
        "SNMPv2-TC": "TEXTUAL-CONVENTION MACRO ::= BEGIN END",
        "SNMPv2-CONF": """
        OBJECT-GROUP MACRO ::= BEGIN END
        NOTIFICATION-GROUP MACRO ::= BEGIN END
        MODULE-COMPLIANCE MACRO ::= BEGIN END
        """,
        "SNMP-FRAMEWORK-MIB": """
        IMPORTS MODULE-IDENTITY, snmpModules FROM SNMPv2-SMI TEXTUAL-CONVENTION FROM SNMPv2-TC;
        snmpFrameworkMIB MODULE-IDENTITY LAST-UPDATED "200210140000Z" ORGANIZATION "-" CONTACT-INFO "-"
            DESCRIPTION "-" ::= { snmpModules 10 }
        SnmpAdminString ::= TEXTUAL-CONVENTION DISPLAY-HINT "255t" STATUS current DESCRIPTION "-"
            SYNTAX OCTET STRING (SIZE (0..255))
        """,
    ]

    private func lint(_ file: String, in folder: String) throws -> String {
        for (name, body) in MIBTests.modules {
            try "\(name) DEFINITIONS ::= BEGIN\n\(body)\nEND\n".write(
                toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let program = try Program.start(["smilint", "-l", "6", "-s", file], environment: ["SMIPATH": folder])
        try #require(program.wait(atMost: .seconds(20)) == .exited(0))
        return program.complained + program.printed
    }

    @Test func smilintFindsNothing() throws {
        try withFolder { folder in
            #expect(try lint(path, in: folder) == "")
            let broken = try contents(path).replacing("Unsigned32\n", with: "Unsigned33\n")
            try broken.write(toFile: folder + "/broken", atomically: true, encoding: .utf8)
            #expect(try lint(folder + "/broken", in: folder).contains("Unsigned33"), "and would find something")
        }
    }

    /// By the MIB: numbers of objects, and of each notification the objects that it carries, in their order.
    private func notifications() throws -> [UInt: [UInt]] {
        let text = try contents(path)
        var objects: [String: UInt] = [:]
        for match in text.matches(of: /(flinch\w+) OBJECT-TYPE(?s:.*?)::= \{ flinchObjects ([0-9]+) \}/) {
            objects[String(match.output.1)] = UInt(match.output.2)
        }
        var found: [UInt: [UInt]] = [:]
        let pattern = /NOTIFICATION-TYPE\n\s+OBJECTS\s+\{((?s:.*?))\}(?s:.*?)::= \{ flinchNotifications ([0-9]+) \}/
        for match in text.matches(of: pattern) {
            let names = match.output.1.split { !$0.isLetter }.map(String.init)
            found[try #require(UInt(match.output.2))] = names.compactMap { objects[$0] }
        }
        return found
    }

    @Test func whatIsSentIsWhatItSays() throws {
        let promised = try notifications()
        #expect(promised.count == 5)
        func flood(_ phase: String) -> String {
            """
            {"timestamp":"2026-11-26T10:00:05.000000+0000","event_type":"flood","dest_ip":"192.0.2.10","flinch":{\
            "guest":"web","concern":"high","flood":{"id":9,"class":"syn","phase":"\(phase)"}}}
            """
        }
        let anomaly = """
            {"timestamp":"2026-11-26T10:00:05.000000+0000","event_type":"anomaly","anomaly":{"event":"x"},"flinch":{\
            "concern":"low"}}
            """
        var sent = [SNMPNotification(sensor: "lab", title: "t", held: 3)]
        for text in [eveLine(0), anomaly, flood("open"), flood("close")] {
            sent.append(SNMPNotification(try #require(Notice(line: line(text)))))
        }
        #expect(Set(sent.map(\.number)) == Set(promised.keys))
        for notification in sent {
            #expect(notification.objects.map(\.object) == promised[notification.number])
        }
    }
}
