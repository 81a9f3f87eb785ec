import Sinks

/// The sections `events` and `evidence`.
extension SettingsReader {
    func events(_ value: Value, _ events: inout Settings.Events) {
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

    func evidence(_ value: Value, _ evidence: inout Settings.Evidence) {
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
}
