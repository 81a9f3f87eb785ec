import Behaviour
import Evidence
import Floods
import Flows
import Glibc
import Offload
import Signatures
import Sinks
import Topology
import Wire

/// Reads the sections of the file into `Settings`. What is wrong keeps its default and is reported.
struct SettingsReader {
    /// The configuration file's folder with a slash at its end, or nothing.
    let folder: String
    /// Guests that platforms know.
    var found: [Guest] = []

    func read(_ root: Value) -> Settings {
        var settings = Settings()
        settings.sensor.name = SettingsReader.hostName()
        let keys = [
            "sensor", "queues", "divert", "mirror", "deny", "shadow", "floods", "guests", "relations", "rules", "flows",
            "policy",
            "policies", "behaviour", "events", "evidence", "sinks", "metrics",
        ]
        guard let top = root.section(keys) else { return settings }
        if let value = top["sensor"] { sensor(value, &settings.sensor) }
        if let value = top["queues"] { queues(value, &settings) }
        if let value = top["divert"] { divert(value, &settings.divert) }
        settings.mirror = top["mirror"].flatMap {
            MirrorReader(folder: folder).read($0, filters: !settings.onlyListens)
        }
        if let value = top["deny"] { settings.deny = MirrorReader.denials(value) }
        if settings.onlyListens {
            settings.divert.backend = .none
            if top["mirror"] == nil {
                top["sensor"]?.peek("workers")?.problem(
                    "without workers there must be a mirror to listen to; write a section mirror, or at least 1")
            }
        }
        settings.shadow = top["shadow"]?.flag() ?? false
        if let value = top["floods"] { settings.floods = FloodReader.read(value, over: settings.floods) }
        if let value = top["policy"] { policy(value, &settings.policy) }
        if let value = top["policies"] {
            settings.policies = PolicyReader.read(value, over: settings.defaults, beside: settings.policies)
        }
        if let value = top["guests"] {
            guests(value, &settings, hasMirror: top["mirror"] != nil)
        } else {
            top.missing(
                "guests", "there is none; write at least one, like: - {name: web, addresses: [192.0.2.7]}")
        }
        let written = settings.guests.map(\.guest)
        if settings.discovery.isOn { settings.include(found) }
        var parties = PartyReader(guests: written)
        if let value = top["divert"] {
            // Rules of the kernel stay when guests come and go: they are about those that are written in the file.
            let reader = TrafficReader(parties: parties)
            settings.divert.excluded = value.peek("exclude").map(reader.read) ?? TrafficSelection()
            settings.divert.only = value.peek("only").map(reader.read) ?? TrafficSelection()
        }
        parties = PartyReader(guests: settings.guests.map(\.guest), mayBeAway: settings.discovery.isOn)
        if let value = top["relations"] { settings.relations = RelationReader(parties: parties).read(value) }
        PolicyTopologyReader(parties: parties).read(policies: top["policies"], guests: top["guests"], into: &settings)
        let (relations, excluded) = settings.topologyOfPolicies
        settings.relations = relations + settings.relations
        settings.divert.excluded.prefixes += excluded.prefixes
        settings.divert.excluded.pairs += excluded.pairs
        if !relations.isEmpty || !excluded.isEmpty, let value = top["policies"] ?? top["guests"] {
            RelationReader.limit(&settings.relations, value, with: " with those of policies")
            TrafficReader.limit(settings.divert.excluded, value, with: " with those of policies")
        }
        if let value = top["rules"] { rules(value, &settings.rules) }
        if let value = top["flows"] { flows(value, &settings.flows) }
        if let value = top["behaviour"] { behaviour(value, &settings.behaviour) }
        if let value = top["events"] { events(value, &settings.events) }
        if let value = top["evidence"] { evidence(value, &settings.evidence) }
        if let value = top["sinks"] {
            settings.sinks = SinkReader(
                folder: folder, sensor: settings.sensor.name, state: settings.sensor.state
            ).read(value)
        }
        if let value = top["metrics"] { settings.metrics = metrics(value) }
        return settings
    }

    /// A list, or where to find them, with a list of those that are written here.
    private func guests(_ value: Value, _ settings: inout Settings, hasMirror: Bool) {
        var reader = GuestReader(
            defaults: settings.defaults, policies: settings.policies, hasMirror: hasMirror,
            onlyListens: settings.onlyListens)
        guard value.isMapping else {
            settings.guests = reader.read(value)
            return
        }
        guard let section = value.section(["from", "learn", "watched", "list"]) else { return }
        settings.discovery = DiscoveryReader(folder: folder).read(section, hasMirror: hasMirror)
        reader.areFound = settings.discovery.isOn
        if let list = section["list"] { settings.guests = reader.read(list) }
    }

    // MARK: - Sections

    private func sensor(_ value: Value, _ sensor: inout Settings.Sensor) {
        guard let section = value.section(["name", "workers", "cores", "control", "state"]) else { return }
        sensor.name = section["name"]?.text("a name", atMost: 255) ?? sensor.name
        sensor.workers = section["workers"]?.integer(0...Settings.maximumWorkers)
        if let list = section["cores"] {
            var cores: [Int] = []
            for element in list.elements(like: "[0, 1]") ?? [] {
                guard let core = element.integer(0...1023) else { continue }
                if cores.contains(core) { element.problem("core \(core) is listed twice") }
                cores.append(core)
            }
            if cores.count > Settings.maximumWorkers {
                list.problem("\(cores.count) cores are too many; list at most \(Settings.maximumWorkers)")
            }
            sensor.cores = cores
            if let workers = sensor.workers, !cores.isEmpty, workers != cores.count {
                section["workers"]?.problem(
                    "\(workers) workers, but cores lists \(cores.count); write one of the two")
            }
        }
        if let path = section["state"]?.text("a folder") { sensor.state = resolved(path) }
        if let control = section["control"], let path = control.text("a path", atMost: 4096) {
            sensor.control = resolved(path)
            // sun_path of a Unix socket address holds 108 bytes with its end.
            if sensor.control.utf8.count > 107 {
                control.problem("the path is longer than the 107 bytes that a socket's may have")
            }
        }
    }

    private func queues(_ value: Value, _ settings: inout Settings) {
        guard let section = value.section(["first", "length", "receive-buffer"]) else { return }
        if let value = section["first"], let first = value.integer(0...65_535) {
            let workers = settings.sensor.workers ?? max(1, settings.sensor.cores.count)
            if first + workers > 65_536 {
                value.problem(
                    "\(workers) queues from \(first) on go past 65535; write at most \(65_536 - workers)")
            }
            settings.queues.first = UInt16(first)
        }
        if let length = section["length"]?.integer(16...1 << 20, "packets") {
            settings.queues.length = UInt32(length)
        }
        if let size = section["receive-buffer"]?.size(256 << 10...1 << 30) {
            settings.queues.receiveBuffer = size
        }
    }

    private func divert(_ value: Value, _ divert: inout Settings.Divert) {
        let keys = [
            "backend", "bridges", "when-stopped", "when-overloaded", "arp", "other-protocols", "exclude",
            "only", "mark-bit", "offload",
        ]
        guard let section = value.section(keys) else { return }
        divert.backend = section["backend"]?.choice() ?? divert.backend
        for element in section["bridges"]?.elements(like: "[br0]") ?? [] {
            guard let name = InterfaceName.read(element) else { continue }
            if divert.bridges.contains(name) { element.problem("\(name) is listed twice") }
            divert.bridges.append(name)
        }
        divert.whenStopped = section["when-stopped"]?.choice() ?? divert.whenStopped
        divert.whenOverloaded = section["when-overloaded"]?.choice() ?? divert.whenOverloaded
        divert.arp = section["arp"]?.choice() ?? divert.arp
        divert.otherProtocols = section["other-protocols"]?.choice() ?? divert.otherProtocols
        for key in ["arp", "other-protocols"] where divert.backend == .inet {
            guard let value = section[key], value.word == "inspect" else { continue }
            value.problem(
                "the inet backend brings up IP alone; write pass or drop, or choose the bridge backend")
        }
        divert.offload = section["offload"]?.flag() ?? divert.offload
        if let value = section["mark-bit"] {
            if let number = value.number, let bit = UInt32(exactly: number), bit.nonzeroBitCount == 1 {
                divert.markBit = bit
            } else {
                value.refuse("one bit of 32; write a power of two, like 0x01000000")
            }
        }
    }

    private func rules(_ value: Value, _ rules: inout Settings.Rules) {
        let keys = ["files", "thresholds", "classification", "variables", "cache", "action-order"]
        guard let section = value.section(keys) else { return }
        for element in section["files"]?.elements(like: "[rules/starter.rules]") ?? [] {
            if let path = element.text("a path") { rules.files.append(resolved(path)) }
        }
        if let path = section["thresholds"]?.text("a path") { rules.thresholds = resolved(path) }
        if let path = section["cache"]?.text("a folder") { rules.cache = resolved(path) }
        if let value = section["action-order"] { actionOrder(value, &rules) }
        if let path = section["classification"]?.text("a path") { rules.classification = resolved(path) }
        let example = #"{HOME_NET: "[10.0.0.0/8]", HTTP_PORTS: "[80,8080]"}"#
        for (name, value) in section["variables"]?.entries(like: example) ?? [] {
            guard !name.isEmpty, name.utf8.count <= 64,
                name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            else {
                value.problem(
                    "\(quoted(name)) is not the name of a variable; write letters, digits and _, like HOME_NET"
                )
                continue
            }
            guard let text = variable(value) else { continue }
            if name.hasSuffix("PORTS") {
                rules.variables.ports[name] = text
            } else {
                rules.variables.addresses[name] = text
            }
        }
    }

    private func actionOrder(_ value: Value, _ rules: inout Settings.Rules) {
        guard let elements = value.elements(like: "[pass, drop, reject, alert]") else { return }
        let order = elements.compactMap { $0.choice(RuleAction.self) }
        guard order.count == elements.count else { return }
        guard Set(order).count == order.count, order.count == RuleAction.allCases.count else {
            value.problem("each of pass, drop, reject and alert must stand in it once")
            return
        }
        rules.actionOrder = order
    }

    /// In rule syntax, or as a YAML list of its elements.
    private func variable(_ value: Value) -> String? {
        if value.word != nil { return value.text("a value in rule syntax") }
        guard let elements = value.elements(like: #""[10.0.0.0/8,!10.1.0.0/16]""#) else { return nil }
        let words = elements.compactMap { $0.text("a value in rule syntax") }
        return words.count == elements.count ? "[\(words.joined(separator: ","))]" : nil
    }

    private func flows(_ value: Value, _ flows: inout Settings.Flows) {
        let keys = ["count", "stream-memory", "midstream", "when-full", "segment-overlap", "fragment-overlap"]
        guard let section = value.section(keys) else { return }
        flows.count = section["count"]?.integer(1_024...1 << 24, "flows") ?? flows.count
        flows.streamMemory = section["stream-memory"]?.size(1 << 20...16 << 30) ?? flows.streamMemory
        flows.midstream = section["midstream"]?.flag() ?? flows.midstream
        flows.whenFull = section["when-full"]?.choice() ?? flows.whenFull
        flows.segmentOverlap = section["segment-overlap"]?.choice() ?? flows.segmentOverlap
        flows.fragmentOverlap = section["fragment-overlap"]?.choice()
    }

    private func policy(_ value: Value, _ policy: inout Settings.Policy) {
        let keys = ["conformance", "behaviour", "unknown-protocols", "signatures", "rules", "fragments"]
        guard let section = value.section(keys) else { return }
        if let value = section["conformance"] {
            policy.conformance = ConformanceReader.read(value, over: policy.conformance)
        }
        if let value = section["behaviour"] {
            policy.behaviour = BehaviourReader.read(value, over: policy.behaviour)
        }
        policy.unknownProtocols = section["unknown-protocols"]?.choice() ?? policy.unknownProtocols
        RuleActionReader.read(section, into: &policy.rules)
        policy.fragments = section["fragments"]?.choice() ?? policy.fragments
    }

    private func behaviour(_ value: Value, _ behaviour: inout BehaviourWatch.Options) {
        guard let section = value.section(["learning", "peers"]) else { return }
        behaviour.learning = section["learning"]?.integer(0...31_536_000, "seconds") ?? behaviour.learning
        behaviour.peers = section["peers"]?.integer(1_024...1 << 20, "relationships") ?? behaviour.peers
    }

    private func events(_ value: Value, _ events: inout Settings.Events) {
        let keys = ["eve", "rotate-at", "keep", "community-id", "drops", "packets", "flows", "stats", "ring", "limits"]
        guard let section = value.section(keys) else { return }
        if let path = section["eve"]?.text("a path, or \"-\" for standard output") {
            events.eve.path = path == "-" ? path : resolved(path)
        }
        if let value = section["limits"] { limits(value, &events.limits) }
        events.eve.rotation = SinkReader.rotation(section)
        events.communityID = section["community-id"]?.flag() ?? events.communityID
        events.drops = section["drops"]?.flag() ?? events.drops
        events.packets = section["packets"]?.flag() ?? events.packets
        events.flows = section["flows"]?.flag() ?? events.flows
        events.stats = section["stats"]?.integer(0...86_400, "seconds") ?? events.stats
        if let value = section["ring"], let ring = value.integer(64...1 << 20, "events") {
            if ring.nonzeroBitCount == 1 {
                events.ring = ring
            } else {
                let below = 1 << (Int.bitWidth - 1 - ring.leadingZeroBitCount)
                value.problem("\(ring) is not a power of two; write \(below) or \(below * 2)")
            }
        }
    }

    private func evidence(_ value: Value, _ evidence: inout Settings.Evidence) {
        guard let section = value.section(["memory", "packets", "folder", "file", "total"]) else { return }
        if let memory = section["memory"] {
            evidence.memory = memory.number == 0 ? 0 : memory.size(1 << 20...1 << 30) ?? evidence.memory
        }
        evidence.packets = section["packets"]?.integer(1...255, "packets") ?? evidence.packets
        if let path = section["folder"]?.text("a folder") { evidence.folder = resolved(path) }
        evidence.file = section["file"]?.size(64 << 10...1 << 30) ?? evidence.file
        evidence.total = section["total"]?.size(1 << 20...1 << 40) ?? evidence.total
        if evidence.file > evidence.total {
            (section["file"] ?? section["total"])?.problem(
                "one capture may be larger than all of them; write a total that is larger than file")
        }
    }

    private func limits(_ value: Value, _ limits: inout Settings.Events.Limits) {
        guard let section = value.section(["period", "default", "rules", "drops"]) else { return }
        limits.period = section["period"]?.integer(1...3600, "seconds") ?? limits.period
        limits.standard = section["default"]?.integer(0...1_000_000, "events") ?? limits.standard
        limits.drops = section["drops"]?.choice() ?? limits.drops
        for (name, value) in section["rules"]?.entries(like: "{2100498: 5, \"3:19187\": 0}") ?? [] {
            guard let number = Settings.RuleNumber(name) else {
                value.problem("\(quoted(name)) is not the number of a rule; write its sid, or gid:sid in quotes")
                continue
            }
            guard let limit = value.integer(0...1_000_000, "events") else { continue }
            if limits.rules.updateValue(limit, forKey: number) != nil {
                value.problem("rule \(number.gid):\(number.sid) has a limit already; write one of the two")
            }
        }
    }

    /// Without a password, so for this machine alone.
    private func metrics(_ value: Value) -> Endpoint? {
        guard let section = value.section(["listen"]) else { return nil }
        guard let place = section["listen"] else {
            section.missing(
                "listen", "there is none; write listen: \"127.0.0.1:9469\" or unix:/run/flinch/metrics.sock")
            return nil
        }
        if let word = place.word {
            if word.hasPrefix("unix:"), let endpoint = Endpoint(word) { return endpoint }
            if let (host, port) = Endpoint.hostAndPort(word), let address = Address(host),
                address == Address("::1") || address.isV4 && host.hasPrefix("127.")
            {
                return Endpoint(.tcp, host: host, port: port)
            }
        }
        place.refuse("an address of this machine with a port; write \"127.0.0.1:9469\", \"[::1]:9469\" or unix:/PATH")
        return nil
    }

    // MARK: - Pieces

    private func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

    private static func hostName() -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { name in
            unsafe name.initialize(repeating: 0)
            // One byte stays 0: a name that was cut need not have its end.
            guard let start = name.baseAddress, unsafe gethostname(start, name.count - 1) == 0 else {
                return "sensor"
            }
            return unsafe String(cString: start)
        }
    }
}

enum InterfaceName {
    /// What the kernel takes for an interface's name (net/core/dev.c, dev_valid_name).
    static func read(_ value: Value) -> String? {
        guard let name = value.word, isValid(name) else {
            value.refuse("an interface's name (\(right))")
            return nil
        }
        return name
    }

    static let right = "1 to 15 bytes, no blank, no slash, no colon"

    static func isValid(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x2F || $0 == 0x3A }
    }
}

extension Settings.RuleNumber {
    /// `sid` or `gid:sid`; nil for what is neither.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt32($0) }
        guard (1...2).contains(parts.count), numbers.count == parts.count, numbers.last != 0 else { return nil }
        self.init(gid: parts.count == 2 ? numbers[0] : 1, sid: numbers.last!)
    }
}
