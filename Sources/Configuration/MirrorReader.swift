import Intake

/// Reads what is listened to, and who may be denied because of it.
struct MirrorReader {
    /// Of the configuration file, with a slash at its end, or nothing.
    let folder: String

    /// `filters`: this sensor has workers that can keep somebody out.
    func read(_ value: Value, filters: Bool) -> Settings.Mirror? {
        let keys = ["interfaces", "workers", "filter", "ring", "answer", "deny"]
        guard let section = value.section(keys) else { return nil }
        var mirror = Settings.Mirror()
        if let list = section["interfaces"] {
            let elements = list.elements(like: "[flinch-mirror]") ?? []
            if elements.isEmpty { list.problem("the list is empty; write at least one, like [flinch-mirror]") }
            if elements.count > MirrorReader.mostInterfaces {
                list.problem(
                    "\(elements.count) interfaces are too many; list at most \(MirrorReader.mostInterfaces)")
            }
            for element in elements {
                guard let name = InterfaceName.read(element) else { continue }
                if mirror.interfaces.contains(name) { element.problem("\(name) is listed twice") }
                mirror.interfaces.append(name)
            }
        } else {
            section.missing("interfaces", "there is none; write interfaces: [flinch-mirror]")
        }
        mirror.workers = section["workers"]?.integer(1...Settings.maximumWorkers) ?? mirror.workers
        mirror.ring = section["ring"]?.size(MirrorRing.leastMemory...4 << 30) ?? mirror.ring
        if let value = section["filter"], let text = value.text("a filter in tcpdump's words", atMost: 1024) {
            if let problem = FrameFilter.problem(text) {
                value.problem(
                    "\(quoted(text)) is no filter (\(problem)); write it as for tcpdump, like \"not port 22\"")
            }
            mirror.filter = text
        }
        mirror.answer = section["answer"].flatMap(answer)
        mirror.deny = section["deny"].flatMap { deny($0, filters) }
        return mirror
    }

    /// A worker asks for one after the other.
    private static let mostInterfaces = 16

    private func answer(_ value: Value) -> Settings.Mirror.Answer? {
        guard let section = value.section(["interface", "rate"]) else { return nil }
        guard let name = section["interface"].flatMap(InterfaceName.read) else {
            section.missing("interface", "there is none; write interface: and the name of the one that resets leave by")
            return nil
        }
        var answer = Settings.Mirror.Answer(interface: name)
        answer.rate = section["rate"]?.integer(1...10_000, "frames a second") ?? answer.rate
        return answer
    }

    /// Each has a thread.
    private static let mostSensors = 8
    private static let mostDenials = 4096

    private func deny(_ value: Value, _ filters: Bool) -> Settings.Mirror.Deny? {
        guard let section = value.section(["seconds", "rate", "sensors"]) else { return nil }
        var deny = Settings.Mirror.Deny()
        deny.seconds = section["seconds"]?.integer(1...86_400, "seconds") ?? deny.seconds
        deny.rate = section["rate"]?.integer(1...1000, "entries a second") ?? deny.rate
        for element in section["sensors"]?.elements(like: "[/run/flinch/other.sock]") ?? [] {
            guard let path = element.text("the path of a control socket", atMost: 107) else { continue }
            deny.sensors.append(path.hasPrefix("/") ? path : folder + path)
        }
        if deny.sensors.count > MirrorReader.mostSensors {
            section["sensors"]?.problem(
                "\(deny.sensors.count) sensors are too many; list at most \(MirrorReader.mostSensors)")
        }
        if deny.sensors.isEmpty, !filters {
            section.missing(
                "sensors",
                "nobody filters here; write sensors: and the control sockets of those who do, like [/run/flinch/other.sock]"
            )
        }
        return deny
    }

    static func denials(_ value: Value) -> Settings.Denials {
        var denials = Settings.Denials()
        guard let section = value.section(["never", "most", "longest"]) else { return denials }
        denials.never = (section["never"]?.elements(like: "[192.0.2.0/24]") ?? []).compactMap { $0.prefix() }
        denials.most = section["most"]?.integer(1...mostDenials, "sources") ?? denials.most
        denials.longest = section["longest"]?.integer(1...604_800, "seconds") ?? denials.longest
        return denials
    }
}
