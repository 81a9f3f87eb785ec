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

    private func flows(_ value: Value, _ flows: inout Settings.Flows) {
        let keys = [
            "count", "stream-memory", "midstream", "when-full", "urgent", "segment-overlap", "fragment-overlap",
        ]
        guard let section = value.section(keys) else { return }
        flows.count = section["count"]?.integer(1_024...1 << 24, "flows") ?? flows.count
        flows.streamMemory = section["stream-memory"]?.size(1 << 20...16 << 30) ?? flows.streamMemory
        flows.midstream = section["midstream"]?.flag() ?? flows.midstream
        flows.whenFull = section["when-full"]?.choice() ?? flows.whenFull
        flows.urgent = section["urgent"]?.choice() ?? flows.urgent
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

    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

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
