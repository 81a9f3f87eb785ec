import Intake

/// Reads what is listened to.
enum MirrorReader {
    static func read(_ value: Value) -> Settings.Mirror? {
        guard let section = value.section(["interfaces", "workers", "filter", "ring", "answer"]) else { return nil }
        var mirror = Settings.Mirror()
        if let list = section["interfaces"] {
            let elements = list.elements(like: "[flinch-mirror]") ?? []
            if elements.isEmpty { list.problem("the list is empty; write at least one, like [flinch-mirror]") }
            if elements.count > mostInterfaces {
                list.problem("\(elements.count) interfaces are too many; list at most \(mostInterfaces)")
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
        return mirror
    }

    /// A worker asks for one after the other.
    private static let mostInterfaces = 16

    private static func answer(_ value: Value) -> Settings.Mirror.Answer? {
        guard let section = value.section(["interface", "rate"]) else { return nil }
        guard let name = section["interface"].flatMap(InterfaceName.read) else {
            section.missing("interface", "there is none; write interface: and the name of the one that resets leave by")
            return nil
        }
        var answer = Settings.Mirror.Answer(interface: name)
        answer.rate = section["rate"]?.integer(1...10_000, "frames a second") ?? answer.rate
        return answer
    }
}
