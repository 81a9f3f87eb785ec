import Behaviour
import Configuration
import Evidence
import Testing

/// What becomes of hosts that do what they should not.
struct BehaviourReaderTests {
    private static let text = """
        behaviour: {learning: 3600, peers: 4096}
        policy: {behaviour: {scan.syn: off, scan.*: drop, all: {concern: low}}}
        policies: {office: {behaviour: {login.ssh: drop}}}
        guests:
          - {name: web, addresses: [192.0.2.7], behaviour: {guest.beacon: {action: drop, concern: high}}}
          - {name: pc, addresses: [192.0.2.8], policy: office}
          - {name: db, addresses: [192.0.2.9], policy: strict}

        """

    /// The narrower line counts, and a guest's own over what is said for all.
    @Test func byNameFamilyAndAll() throws {
        let settings = try parsed(BehaviourReaderTests.text)
        #expect(settings.behaviour.learning == 3600 && settings.behaviour.peers == 4096)
        let all = settings.policy.behaviour
        #expect(all[.scanSYN] == CheckSetting(action: .off, concern: .low))
        #expect(all[.scanFIN] == CheckSetting(action: .drop, concern: .low))
        #expect(all[.loginSSH] == CheckSetting(action: .alert, concern: .low))
        #expect(settings.guests[0].behaviour[.beacon] == CheckSetting(action: .drop, concern: .high))
        #expect(settings.guests[0].behaviour[.scanFIN].action == .drop)
        #expect(settings.guests[1].behaviour[.loginSSH] == CheckSetting(action: .drop, concern: .low))
        #expect(settings.guests[1].behaviour[.scanSYN].action == .off)
    }

    @Test func strictRefusesWhatIsOfConcernButNotWhatIsOnlyNew() throws {
        let strict = try parsed(BehaviourReaderTests.text).guests[2].behaviour
        let onlyNew: Set<BehaviourKind> = [.newPeers, .newServices, .roleChange, .beacon, .newPair]
        for kind in BehaviourKind.allCases {
            let expected = kind.setting.concern > .low && !onlyNew.contains(kind)
            #expect((strict[kind].action == .drop) == expected, "\(kind.identifier)")
        }
    }

    @Test func whatIsWrong() {
        let text = """
            behaviour: {learning: -1, peers: 5, more: 1}
            policy: {behaviour: {scan.sin: drop, login.ssh: throttle, beacon: off}}
            guests: [{name: web, addresses: [192.0.2.7], behaviour: [scan]}]

            """
        let problems = problems(of: text)
        #expect(problems.count == 7, "\(problems)")
        #expect(problems.contains { $0.contains("\"scan.sin\" is no behaviour; did you mean scan.syn?") })
        #expect(problems.contains { $0.contains("\"throttle\" is not one of off, alert, drop") })
        #expect(problems.contains { $0.contains("guests[0].behaviour") || $0.contains("guests.0.behaviour") })
    }

    private func problems(of text: String) -> [String] {
        do {
            _ = try Settings.parse(text: text, file: "test.yaml")
            return []
        } catch {
            return error.problems.map { "\($0)" }
        }
    }
}
