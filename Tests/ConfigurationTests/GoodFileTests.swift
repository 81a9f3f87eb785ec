import Configuration
import Conformance
import Evidence
import Floods
import Flows
import Foundation
import Offload
import Signatures
import Sinks
import Testing
import Topology
import Wire

/// The configuration that the package ships.
let exampleFile = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Systemd/flinch.yaml").path

func parsed(_ text: String) throws(ConfigurationErrors) -> Settings {
    try Settings.parse(text: text, file: "/etc/flinch/flinch.yaml")
}

struct GoodFileTests {
    static let guest = "guests: [{name: web, addresses: [192.0.2.7]}]\n"

    @Test func theExampleIsTheDefaults() throws {
        let example = try Settings.load(path: exampleFile)
        var bare = try parsed(GoodFileTests.guest)
        bare.guests = example.guests
        bare.rules.variables.ports["HTTP_PORTS"] = "[80,8080]"
        #expect(example == bare)
        #expect(example.guests.map(\.guest.name) == ["web", "customers"])
        #expect(
            example.guests.map(\.guest.addresses)
                == [[Prefix("192.0.2.10")!, Prefix("2001:db8::10")!], [Prefix("198.51.100.0/24")!]])
        #expect(example.guests[0].floods[.syn].entry == 500)
        #expect(example.guests[1].floods == example.floods)
    }

    @Test func everythingSet() throws {
        let settings = try parsed(
            """
            sensor: {name: host1, workers: 2, cores: [2, 3], control: flinchd.sock}
            queues: {first: 10, length: 4096, receive-buffer: 8 MiB}
            divert:
              backend: bridge
              bridges: [br0, vmbr1]
              when-stopped: drop
              when-overloaded: drop
              arp: inspect
              other-protocols: drop
              exclude: [192.0.2.1, "2001:db8::/64"]
              mark-bit: 0x20
            shadow: true
            guests:
              - name: web
                addresses:
                  - 10.77.0.10
                  - fd77::10
                  - 10.77.1.0/24
                port: web0
                mac: [02:00:00:00:00:0A, "02:00:00:00:00:0b"]
                conformance: {tcp.*: drop, tcp.xmas: {concern: low}}
            rules:
              files: [rules/starter.rules, /opt/own.rules]
              action-order: [drop, reject, pass, alert]
              thresholds: threshold.config
              cache: patterns
              variables: {HOME_NET: [10.0.0.0/8, "!10.1.0.0/16"], EXTERNAL_NET: any, HTTP_PORTS: 80}
            flows: {count: 1000000, stream-memory: 1 GiB, midstream: false, when-full: pass, urgent: oob, segment-overlap: old-linux, fragment-overlap: bsd-right}
            policy:
              conformance: {ip.land: alert}
              unknown-protocols: alert
              signatures: alert-only
              fragments: pass
            events:
              eve: "-"
              ring: 1024
              flows: true
              limits: {period: 60, default: 5, drops: silent, rules: {2100498: 1, "3:19187": 0}}
            evidence: {memory: 4 MiB, packets: 5, folder: kept, file: 64 KiB, total: 1 GiB}
            """)
        #expect(settings.sensor.name == "host1")
        #expect(settings.events.flows)
        #expect(settings.evidence.memory == 4 << 20 && settings.evidence.packets == 5)
        #expect(settings.evidence.folder == "/etc/flinch/kept")
        #expect(settings.evidence.file == 1 << 16 && settings.evidence.total == 1 << 30)
        #expect(settings.sensor.control == "/etc/flinch/flinchd.sock")
        #expect(settings.workerCores(usable: [0, 1]) == [2, 3])
        #expect(settings.queues.receiveBuffer == 8 << 20)
        #expect(settings.divert.backend == .bridge)
        #expect(settings.divert.whenOverloaded == .drop)
        #expect(
            settings.diversionPlan(workers: 2)
                == DiversionPlan(
                    bridges: ["br0", "vmbr1"], firstQueue: 10, queueCount: 2, whenStopped: .drop,
                    arp: .inspect, otherProtocols: .drop,
                    excluded: TrafficSelection(prefixes: [Prefix("192.0.2.1")!, Prefix("2001:db8::/64")!]),
                    markBit: 0x20, offloads: true))
        #expect(settings.guests[0].guest.ports == ["web0"])
        #expect(settings.guests[0].guest.macs == [0x0200_0000_000A, 0x0200_0000_000B])
        #expect(settings.guests[0].conformance[.ipLand].action == .alert, "what is said for all holds for each")
        #expect(settings.guests[0].conformance[.tcpXmas] == CheckSetting(action: .drop, concern: .low))
        #expect(settings.guests[0].conformance[.tcpBadChecksum].action == .drop)
        #expect(settings.policy.conformance[.tcpBadChecksum].action == .alert)
        #expect(settings.guests[0].guest.shadow, "shadow for all is shadow for each")
        #expect(settings.flows.count == 1_000_000)
        #expect(settings.flows.streamMemory == 1 << 30)
        #expect(
            !settings.flows.midstream && settings.flows.whenFull == .pass && settings.flows.urgent == .oob
                && settings.flows.segmentOverlap == .oldLinux)
        #expect(settings.rules.cache == "/etc/flinch/patterns")
        #expect(settings.rules.actionOrder == [.drop, .reject, .pass, .alert])
        #expect(settings.rules.files == ["/etc/flinch/rules/starter.rules", "/opt/own.rules"])
        #expect(
            settings.rules.variables.addresses
                == ["HOME_NET": "[10.0.0.0/8,!10.1.0.0/16]", "EXTERNAL_NET": "any"])
        #expect(settings.rules.variables.ports == ["HTTP_PORTS": "80"])
        #expect(settings.policy.conformance[.ipLand].action == .alert)
        #expect(settings.policy.rules.standard == .alert)
        #expect(settings.policy.fragments == .pass && settings.flows.fragmentOverlap == .bsdRight)
        #expect(settings.events.eve.path == "-")
        #expect(settings.rules.thresholds == "/etc/flinch/threshold.config")
        let limits = settings.events.limits
        #expect(limits.period == 60 && limits.standard == 5 && limits.drops == .silent)
        #expect(
            limits.rules
                == [Settings.RuleNumber(sid: 2_100_498): 1, Settings.RuleNumber(gid: 3, sid: 19_187): 0])
    }

    /// The narrower line counts, wherever it stands.
    @Test func checksByNameProtocolAndAll() throws {
        let settings = try parsed(
            "policy: {conformance: {ip.land: off, all: drop, ip.*: {action: alert, concern: low}}}\n"
                + GoodFileTests.guest)
        let checks = settings.policy.conformance
        #expect(checks[.ipLand] == CheckSetting(action: .off, concern: .low))
        #expect(checks[.ipHopLimitZero] == CheckSetting(action: .alert, concern: .low))
        #expect(checks[.udpPortZero] == CheckSetting(action: .drop, concern: .medium))
    }

    @Test func sectionsWithNothingBehindThemAreDefaults() throws {
        let settings = try parsed("queues:\nfloods: ~\nevents:\n" + GoodFileTests.guest)
        #expect(settings == (try parsed(GoodFileTests.guest)))
        #expect(!settings.sensor.name.isEmpty)
    }

    @Test func workersShareTheCoresThereAre() throws {
        let settings = try parsed("sensor: {workers: 3}\n" + GoodFileTests.guest)
        #expect(settings.workerCores(usable: [1, 4]) == [1, 4, 1])
        let bare = try parsed(GoodFileTests.guest)
        #expect(bare.workerCores(usable: [0, 1]) == [0, 1])
        #expect(bare.workerCores(usable: []) == [0])
    }

    struct FloodCase: CustomTestStringConvertible {
        var general: String
        var own: String
        var expected: FloodLimit
        var testDescription: String { "general {\(general)}, own {\(own)}" }
    }

    /// The limit for SYN of a guest, by what the file says for all and for the guest.
    @Test(arguments: [
        FloodCase(
            general: "", own: "", expected: FloodLimit(entry: 2000, exit: 1000, action: .throttle, pass: 2000)
        ),
        FloodCase(
            general: "sensitivity: high, action: deny", own: "",
            expected: FloodLimit(entry: 500, exit: 250, action: .deny, pass: 500)),
        FloodCase(
            general: "syn: 300", own: "",
            expected: FloodLimit(entry: 300, exit: 150, action: .throttle, pass: 300)),
        FloodCase(
            general: "syn: low", own: "action: alert",
            expected: FloodLimit(entry: 10_000, exit: 5000, action: .alert, pass: 10_000)),
        FloodCase(
            general: "syn: 300, action: deny", own: "sensitivity: low",
            expected: FloodLimit(entry: 10_000, exit: 5000, action: .deny, pass: 10_000)),
        FloodCase(
            general: "action: deny", own: "syn: {rate: 2000, exit: 700, action: throttle, pass: 500}",
            expected: FloodLimit(entry: 2000, exit: 700, action: .throttle, pass: 500)),
        FloodCase(
            general: "syn: {sensitivity: high, action: deny}", own: "syn: {pass: 100}",
            expected: FloodLimit(entry: 500, exit: 250, action: .deny, pass: 100)),
        FloodCase(
            general: "action: defend", own: "syn: {rate: 800, pass: 50}",
            expected: FloodLimit(entry: 800, exit: 400, action: .defend, pass: 50)),
        FloodCase(
            general: "udp: 5, icmp: {rate: 1}", own: "syn: {rate: 1}",
            expected: FloodLimit(entry: 1, exit: 1, action: .throttle, pass: 1)),
    ])
    func floodLimits(_ test: FloodCase) throws {
        let settings = try parsed(
            """
            floods: {\(test.general)}
            guests: [{name: web, addresses: [192.0.2.7], floods: {\(test.own)}}]
            """)
        #expect(settings.guests[0].floods[.syn] == test.expected)
    }

    @Test func truncationIsUDPsAndStays() throws {
        let settings = try parsed(
            """
            floods: {udp: {action: defend, truncate-dns: true}}
            guests:
              - {name: dns, addresses: [192.0.2.7], floods: {udp: high}}
              - {name: web, addresses: [192.0.2.8], floods: {udp: {truncate-dns: false}}}
            """)
        #expect(settings.guests.map(\.floods[.udp].truncatesDNS) == [true, false])
        #expect(settings.guests[0].floods[.udp].entry == 5000)
        #expect(!settings.guests[0].floods[.syn].truncatesDNS)
    }
}
