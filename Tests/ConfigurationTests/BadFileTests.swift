import Configuration
import Foundation
import Testing

struct BadCase: CustomTestStringConvertible {
    var text: String
    /// `line:column: path: message` of each problem, in order.
    var problems: [String]
    var testDescription: String { text }

    init(_ text: String, _ problems: String...) {
        self.text = text
        self.problems = problems
    }
}

func problems(_ text: String) -> [String] {
    do {
        _ = try Settings.parse(text: text, file: "f")
        return []
    } catch {
        return error.problems.map { String($0.description.dropFirst(2)) }
    }
}

struct BadFileTests {
    static let web = "guests: [{name: web, addresses: [192.0.2.7]}]\n"

    @Test(arguments: [
        BadCase("", " the file is empty; it must at least name the guests"),
        BadCase("# nothing\n", " the file is empty; it must at least name the guests"),
        BadCase(
            "shadow: false\n",
            "1:1: guests: there is none; write at least one, like: - {name: web, addresses: [192.0.2.7]}"),
        BadCase(
            "guests: []\n",
            "1:9: guests: there is none; write at least one, like: - {name: web, addresses: [192.0.2.7]}"),
        BadCase(
            "- name: web\n",
            "1:1: a list is not a mapping with the keys sensor, queues, divert, mirror, deny, shadow, floods, guests, relations,"
                + " rules, flows, policy, policies, behaviour, events, evidence, sinks, metrics"),
        BadCase(
            "guests:\n- name: web\n  addresses: [10.0.0.300]\n",
            "3:15: guests[0].addresses: \"10.0.0.300\" is not an address or prefix; write it like 192.0.2.7,"
                + " 192.0.2.0/24 or 2001:db8::/64"),
        BadCase(
            "guests:\n- name: web\n  addresses: 10.0.0.3\n",
            "3:14: guests[0].addresses: \"10.0.0.3\" is not a list; write it like [192.0.2.7, \"2001:db8::7\"]"
        ),
        BadCase(
            "guests:\n- name: web\n  addresses: [10.0.0.3/24]\n",
            "3:15: guests[0].addresses: \"10.0.0.3/24\" has bits set beyond its length; write 10.0.0.0/24 for"
                + " the range or 10.0.0.3 for the one address"),
        BadCase(
            "guests:\n- name: a\n  addresses: [10.0.0.3, 10.0.0.3/32]\n- name: a\n  addresses: [10.0.0.3]\n",
            "3:25: guests[0].addresses: 10.0.0.3 is an address of this guest already (line 3)",
            "4:9: guests[1].name: \"a\" is the name of the guest on line 2 too; give it another",
            "5:15: guests[1].addresses: 10.0.0.3 is an address of this guest already (line 3)"),
        BadCase(
            "guests:\n- name: a\n  addresses: [10.0.0.3]\n- name: b\n  addresses: [10.0.0.3, 10.0.0.0/24]\n",
            "5:15: guests[1].addresses: 10.0.0.3 is an address of \"a\" already (line 3)"),
        BadCase(
            "guests:\n- port: tap 1\n",
            "2:3: guests[0].name: the guest has none; write name: and a word",
            "2:3: guests[0].addresses: the guest has none; write addresses: [192.0.2.7]",
            "2:9: guests[0].port: \"tap 1\" is not an interface's name (1 to 15 bytes, no blank, no slash, no"
                + " colon)"),
        BadCase(
            web + "metrics: {listen: \"0.0.0.0:9469\"}\n",
            "2:19: metrics.listen: \"0.0.0.0:9469\" is not an address of this machine with a port; write"
                + " \"127.0.0.1:9469\", \"[::1]:9469\" or unix:/PATH"),
        BadCase(
            web + "sensors: {}\n", "2:1: \"sensors\" is not known here; did you mean sensor?"),
        BadCase(
            web + "queues: {receive_buffer: 1 MiB, depth: 5}\n",
            "2:10: queues: \"receive_buffer\" is not known here; did you mean receive-buffer?",
            "2:33: queues: \"depth\" is not known here; write one of first, length, receive-buffer"),
        BadCase(
            web + "queues: {first: 70000, length: \"100\", receive-buffer: 64 MB}\n",
            "2:17: queues.first: 70000 is out of range; write a number from 0 to 65535",
            "2:32: queues.length: \"100\" is not a number from 16 to 1048576 (packets)",
            "2:55: queues.receive-buffer: \"64 MB\" is not a size; write bytes, or a number with KiB, MiB or"
                + " GiB, like 64 MiB"),
        BadCase(
            web + "queues: {first: 65535, receive-buffer: 1 KiB}\nsensor: {workers: 2}\n",
            "2:17: queues.first: 2 queues from 65535 on go past 65535; write at most 65534",
            "2:40: queues.receive-buffer: 1 KiB is out of range; write a size from 256 KiB to 1 GiB"),
        BadCase(
            web + "sensor: {workers: 2, cores: [0, 0, 1]}\n",
            "2:19: sensor.workers: 2 workers, but cores lists 3; write one of the two",
            "2:33: sensor.cores: core 0 is listed twice"),
        BadCase(
            web + "sensor: {workers: many, control: /\(String(repeating: "x", count: 107))}\n",
            "2:19: sensor.workers: \"many\" is not a number from 0 to 64",
            "2:34: sensor.control: the path is longer than the 107 bytes that a socket's may have"),
        BadCase(web + "shadow: yes\n", "2:9: shadow: \"yes\" is not true or false"),
        BadCase(
            web + "divert: {when-stopped: accept, backend: brigde, mark-bit: 3}\n",
            "2:24: divert.when-stopped: \"accept\" is not one of pass, drop",
            "2:41: divert.backend: \"brigde\" is not one of auto, bridge, inet, none; did you mean bridge?",
            "2:59: divert.mark-bit: \"3\" is not one bit of 32; write a power of two, like 0x01000000"),
        BadCase(
            web + "divert: {backend: inet, arp: inspect}\n",
            "2:30: divert.arp: the inet backend brings up IP alone; write pass or drop, or choose the bridge"
                + " backend"),
        BadCase(
            web + "floods: {syn: fast, udp: {rate: 5, exit: 6, sensitivity: low}, icmp: {pass: 0}, tcp: 0}\n",
            "2:15: floods.syn: \"fast\" is not a rate or a level; write packets a second, or low, medium or high",
            "2:33: floods.udp.rate: rate and sensitivity say the same thing; write one of the two",
            "2:42: floods.udp.exit: 6 is above 5, the rate that raises the alarm; write at most that",
            "2:77: floods.icmp.pass: 0 lets nothing through; write action: deny for that, or a rate from 1",
            "2:86: floods.tcp: 0 is out of range; write a number from 1 to 1000000000 (packets a second)"),
        BadCase(
            web + "floods: {syn: {truncate-dns: true}}\n",
            "2:30: floods.syn.truncate-dns: DNS queries come by UDP; write it under udp"),
        BadCase(
            web + "floods: high\n",
            "2:9: floods: \"high\" is not a mapping; write it like {sensitivity: high, action: deny, syn: 2000}"
        ),
        BadCase(
            web + "floods: {action: reject}\n",
            "2:18: floods.action: \"reject\" is not one of alert, throttle, deny, defend"),
        BadCase(
            web + "rules: {action-order: [pass, drop, alert]}\n",
            "2:23: rules.action-order: each of pass, drop, reject and alert must stand in it once"),
        BadCase(
            web + "rules: {action-order: [pass, drop, reject, alerts]}\n",
            "2:44: rules.action-order: \"alerts\" is not one of pass, drop, reject, alert; did you mean alert?"),
        BadCase(
            web + "rules: {files: rules/a.rules, variables: {HOME NET: any}}\n",
            "2:16: rules.files: \"rules/a.rules\" is not a list; write it like [rules/starter.rules]",
            "2:53: rules.variables.HOME NET: \"HOME NET\" is not the name of a variable; write letters, digits"
                + " and _, like HOME_NET"),
        BadCase(
            web
                + "policy: {conformance: {ip.lnd: drop, ip.land: block, all: {concern: grave}, nothing: off}}\nevents: {ring: 1000}\n",
            "2:32: policy.conformance.ip.lnd: \"ip.lnd\" is no check; did you mean ip.land?",
            "2:47: policy.conformance.ip.land: \"block\" is not one of off, alert, drop",
            "2:69: policy.conformance.all.concern: \"grave\" is not one of low, medium, high",
            "2:86: policy.conformance.nothing: \"nothing\" is no check; write one that `flinch policy checks` lists,"
                + " a protocol like tcp.*, or all",
            "3:16: events.ring: 1000 is not a power of two; write 512 or 1024"),
        BadCase(
            "policies: {watch: {}, a: {based-on: b}, b: {for: web, shadow: maybe}, c: {for: [10.0.0.1/8]}}\n"
                + "guests: [{name: web, addresses: [192.0.2.7], policy: strickt, mac: [\"0:1\", \"01:00:00:00:00:01\"]}]\n",
            "1:19: policies.watch: watch is there without being written; give yours another name",
            "1:37: policies.a.based-on: \"b\" is no policy; write one of watch, balanced, strict",
            "1:50: policies.b.for: \"web\" is not a list; write it like [web*, 192.0.2.128/25, \"group:dmz\"]",
            "1:63: policies.b.shadow: \"maybe\" is not true or false",
            "1:81: policies.c.for: \"10.0.0.1/8\" has bits set beyond its length; write 10.0.0.0/8 for the range or"
                + " 10.0.0.1 for the one address",
            "2:54: guests[0].policy: \"strickt\" is no policy; did you mean strict?",
            "2:69: guests[0].mac: \"0:1\" is not a guest's hardware address; write it like 02:00:00:00:00:01",
            "2:76: guests[0].mac: \"01:00:00:00:00:01\" is not a guest's hardware address; write it like"
                + " 02:00:00:00:00:01"),
        BadCase(
            web + "events: {limits: {period: 0, default: -1, drop: none, rules: {x: 1, \"1:5\": 2, 5: 3, 6: many}}}\n",
            "2:27: events.limits.period: 0 is out of range; write a number from 1 to 3600 (seconds)",
            "2:39: events.limits.default: -1 is out of range; write a number from 0 to 1000000 (events)",
            "2:43: events.limits: \"drop\" is not known here; did you mean drops?",
            "2:66: events.limits.rules.x: \"x\" is not the number of a rule; write its sid, or gid:sid in quotes",
            "2:82: events.limits.rules.5: rule 1:5 has a limit already; write one of the two",
            "2:88: events.limits.rules.6: \"many\" is not a number from 0 to 1000000 (events)"),
        BadCase(
            web + "evidence: {memory: 1, packets: 0, file: 2 GiB, total: 1 KiB}\nevents: {flows: 1}\n",
            "2:20: evidence.memory: 1 is out of range; write a size from 1 MiB to 1 GiB",
            "2:32: evidence.packets: 0 is out of range; write a number from 1 to 255 (packets)",
            "2:41: evidence.file: 2 GiB is out of range; write a size from 64 KiB to 1 GiB",
            "2:55: evidence.total: 1 KiB is out of range; write a size from 1 MiB to 1024 GiB",
            "3:17: events.flows: \"1\" is not true or false"),
        BadCase(
            web + "evidence: {file: 4 MiB, total: 1 MiB}\n",
            "2:18: evidence.file: one capture may be larger than all of them; write a total that is larger than file"),
        BadCase(
            web + "shadow: true\nshadow: maybe\nshadow: false\nevents: {ring: 1}\n",
            "3:1: the key \"shadow\" is given twice; the first is on line 2",
            "4:1: the key \"shadow\" is given twice; the first is on line 2",
            "5:16: events.ring: 1 is out of range; write a number from 64 to 1048576 (events)"),
        BadCase(
            web + "rules:\n  variables:\n    HOME_NET: !10.0.0.0/8\n",
            "4:15: \"!10.0.0.0/8\" is taken for a YAML tag because it begins with an exclamation mark; put"
                + " quotes around it"),
        BadCase(
            "a: &x [1]\nb: [*x, 'it''s *fine', \"& \\\" *x\"] # *x\n",
            "1:4: \"&x\" is a YAML anchor, which is not read here; write the values out, or put quotes around"
                + " the text",
            "2:5: \"*x\" is a YAML alias, which is not read here; write the values out, or put quotes around"
                + " the text"),
        BadCase(
            "? a\n: b\n", "1:1: \"?\" begins a complex key, which is not read here; write key: value"),
        BadCase(
            web + "[1]: 2\n", "2:1: a key must be one word"),
        BadCase(
            web + "a: b\n---\nc: d\n",
            "3:1: this is not YAML: but found another document, expected a single document in the stream"),
        BadCase(
            "guests: [\n",
            "2:1: this is not YAML: did not find expected node content, while parsing a flow node"),
        BadCase(
            "guests:\n\t- a\n",
            "2:1: this is not YAML: found character that cannot start any token, while scanning for the next"
                + " token"),
    ])
    func exactMessages(_ test: BadCase) {
        #expect(problems(test.text) == test.problems)
    }

    @Test func whatIsWrongWithTheFileItself() throws {
        let folder = URL.temporaryDirectory.appending(path: "flinch-config-\(getpid())-\(#line)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "c.yaml").path
        func message() -> String? {
            do {
                _ = try Settings.load(path: file)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(message() == "\(file): cannot be opened: No such file or directory")
        try Data([0x61, 0x3A, 0xFF]).write(to: URL(filePath: file))
        #expect(message() == "\(file): is not UTF-8 text")
        try Data(repeating: 0x23, count: Settings.maximumFileSize + 1).write(to: URL(filePath: file))
        #expect(message() == "\(file): the file is larger than 1 MiB; this cannot be a configuration")
    }

    @Test func nestingIsBounded() {
        let deep = problems("a: " + String(repeating: "[", count: 100_000))
        #expect(deep == ["1:20: lists are nested deeper than 16; nothing here needs that"])
        #expect(!problems(String(repeating: "- ", count: 100_000)).isEmpty)
        #expect(!problems((0..<1200).map { String(repeating: " ", count: $0) + "a:\n" }.joined()).isEmpty)
    }

    /// The same key for ever: not a reading for each, and not a thousand messages.
    @Test func manyDuplicatesAreBounded() {
        #expect(
            problems(String(repeating: "a: 1\n", count: 20_000)) == ["3:1: the key \"a\" is given twice"])
    }
}
