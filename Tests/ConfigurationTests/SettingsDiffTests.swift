import Configuration
import Testing

/// What is said of the difference between two configurations.
@Suite struct SettingsDiffTests {
    private static let base = """
        policies:
          calm: {for: [db], signatures: alert-only}
        guests:
          - {name: web, addresses: [192.0.2.7], shadow: true}
          - {name: db, addresses: [192.0.2.8]}
        sinks:
          - {type: webhook, url: "https://example.net/a", secret: {file: secrets/a}}

        """

    private func changes(_ old: String, _ new: String) throws -> [String] {
        SettingsDiff(from: try parsed(old), to: try parsed(new)).changes.map(\.description)
    }

    @Test func theSameIsNoDifference() throws {
        #expect(try changes(SettingsDiffTests.base, SettingsDiffTests.base) == [])
        #expect(try changes(SettingsDiffTests.base, SettingsDiffTests.base + "shadow: false # said\n") == [])
    }

    @Test(arguments: [
        (", shadow: true", "", ["~ guests.web.shadow: true → false"]),
        (
            ", shadow: true", ", shadow: true, policy: strict, floods: {syn: 123}, port: tap0",
            [
                "~ guests.web.port: none → tap0", "~ guests.web.policy: default → strict",
                "~ guests.web.unknown-protocols: default → drop",
            ]
        ),
        ("  - {name: db, addresses: [192.0.2.8]}\n", "", ["- guests.db: 192.0.2.8"]),
        ("guests:\n", "guests:\n  - {name: new, addresses: [192.0.2.1]}\n", ["+ guests.new: 192.0.2.1"]),
        (
            "alert-only", "as-written, rules: {7: off}",
            [
                "~ policies.calm: as it was → changed", "~ guests.db.rules.all: alert → as-written",
                "+ guests.db.rules.1:7: off",
            ]
        ),
        (
            "sinks:\n", "divert: {exclude: [192.0.2.1, \"vlan:7\"], when-stopped: drop}\nsinks:\n",
            [
                "~ divert.when-stopped: pass → drop", "~ divert.excluded.prefixes: [] → [192.0.2.1]",
                "~ divert.excluded.vlans: [] → [7...7]",
            ]
        ),
        (
            "sinks:\n", "relations: [{from: web, to: db, action: deny}]\nsinks:\n",
            ["+ relations: web may not talk to db (deny, medium)"]
        ),
        ("secrets/a", "secrets/b", ["~ sinks.webhook: as it was → changed"]),
        (
            "sinks:\n", "policy: {conformance: {ip.land: alert}}\nsinks:\n",
            [
                "~ policy.conformance.ip.land: drop, high → alert, high", "~ policies.calm: as it was → changed",
                "~ guests.web.conformance.ip.land: drop, high → alert, high",
                "~ guests.db.conformance.ip.land: drop, high → alert, high",
            ]
        ),
    ]) func whatDiffersIsSaid(_ old: String, _ new: String, _ expected: [String]) throws {
        let text = SettingsDiffTests.base.replacing(old, with: new)
        let changes = try changes(SettingsDiffTests.base, text)
        // Of what a policy brings along, the floods, checks and kinds of behaviour are many.
        let isStrict = new.contains("strict")
        let many = [".floods.", ".conformance.", ".behaviour."]
        let shown = isStrict ? changes.filter { change in !many.contains { change.contains($0) } } : changes
        #expect(shown == expected)
        if isStrict {
            #expect(changes.contains { $0.hasPrefix("~ guests.web.floods.syn: ") && $0.contains("→ from 123,") })
            #expect(changes.contains { $0.hasPrefix("~ guests.web.conformance.tcp.port_zero: ") })
            #expect(changes.contains("~ guests.web.behaviour.scan.syn: alert, medium → drop, medium"))
        }
        #expect(try self.changes(text, SettingsDiffTests.base).count == changes.count)
    }

    @Test func whoLeavesShadowModeIsNamed() throws {
        let old = try parsed("shadow: true\n" + SettingsDiffTests.base)
        #expect(SettingsDiff(from: old, to: try parsed(SettingsDiffTests.base)).promoted == ["db"])
        #expect(SettingsDiff(from: try parsed(SettingsDiffTests.base), to: old).promoted == [])
    }
}
