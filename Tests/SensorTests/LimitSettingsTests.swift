import Configuration
import Evidence
import Inspection
import Signatures
import Testing

@testable import Sensor

/// What the configuration says against noise, as the workers have it.
@Suite struct LimitSettingsTests {
    @Test func rulesHaveTheirOwnLimitOrTheStandard() throws {
        let rules = try RuleSet.compile(
            text: """
                alert udp any any -> any any (sid:7;)
                alert udp any any -> any any (gid:3; sid:7;)
                alert udp any any -> any any (sid:8;)
                """, file: "a.rules", variables: .stock(home: []))
        var settings = Settings().events.limits
        settings.period = 60
        settings.standard = 5
        settings.drops = .silent
        settings.rules = [Settings.RuleNumber(gid: 3, sid: 7): 0, Settings.RuleNumber(sid: 8): 100]
        let limits = EventLimits(settings, rules)
        withExtendedLifetime(limits) {
            let view = limits.view
            let allowances = (0..<4).map {
                view.allowance(of: Finding(.signature, code: $0, concern: .low, asks: .accept))
            }
            #expect(allowances == [5, 0, 100, 5])
            #expect(view.allowance(of: Finding(.conformance, code: 1, concern: .low, asks: .accept)) == 5)
            #expect(view.period == 60_000_000_000 && !view.tellsDrops)
        }
    }

    /// A reload takes over the limits and the threshold file, and of the other settings of events none.
    @Test func aReloadTakesOverLimits() {
        let running = Settings()
        var file = Settings()
        file.events.limits.standard = 1
        file.rules.thresholds = "threshold.config"
        #expect(Settings.restartNeeded(running, file) == [])
        file.events.eve = "-"
        #expect(Settings.restartNeeded(running, file) == ["events"])
        file.keepWhatNeedsRestart(running)
        #expect(file.events.eve == running.events.eve)
        #expect(file.events.limits.standard == 1 && file.rules.thresholds == "threshold.config")
    }
}
