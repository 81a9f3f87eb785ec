import Floods
import Topology
import Wire

/// Reads the list of guests.
struct GuestReader {
    /// What the file says for every guest, and the policies that there are.
    let defaults: Settings.NamedPolicy
    let policies: [Settings.NamedPolicy]
    let hasMirror: Bool
    let onlyListens: Bool
    /// Others are found, and platforms may say what is not written here.
    var areFound = false

    func read(_ value: Value) -> [Settings.ProtectedGuest] {
        let example = "- {name: web, addresses: [192.0.2.7]}"
        guard let elements = value.elements(numbered: true, like: example) else { return [] }
        if elements.isEmpty { value.problem("there is none; write at least one, like: \(example)") }
        var guests: [Settings.ProtectedGuest] = []
        var names: [String: Int] = [:]
        var owners: [Prefix: (name: String, line: Int)] = [:]
        var hardware: [UInt64: Int] = [:]
        for element in elements {
            let keys = [
                "name", "addresses", "port", "mac", "group", "policy", "mode", "shadow", "floods", "conformance",
                "behaviour", "rules", "topology",
            ]
            guard let section = element.section(keys) else { continue }
            let name = self.name(section, &names)
            var guest = Guest(name: name ?? "", addresses: addresses(section, name, &owners))
            guest.ports = section["port"].flatMap(InterfaceName.read).map { [$0] } ?? []
            guest.macs = section["mac"].map { macs($0, &hardware) } ?? []
            guest.group = section["group"]?.text("a group's name", atMost: 64)
            let named = section["policy"].flatMap { PolicyReader.name($0, among: policies) }
            let choices = Settings.choices(for: guest, named: named, among: policies)
            let policy = policies.first { $0.name == choices.first?.policy } ?? defaults
            guest.shadow = (section["shadow"]?.flag() ?? policy.shadow) || defaults.shadow
            var protected = Settings.ProtectedGuest(
                guest: guest,
                floods: section["floods"].map { FloodReader.read($0, over: policy.floods) } ?? policy.floods,
                conformance: section["conformance"].map { ConformanceReader.read($0, over: policy.conformance) }
                    ?? policy.conformance,
                rules: policy.rules)
            RuleActionReader.read(section, into: &protected.rules)
            protected.behaviour =
                section["behaviour"].map { BehaviourReader.read($0, over: policy.behaviour) } ?? policy.behaviour
            protected.mode = mode(section)
            protected.choices = choices
            if !choices.isEmpty { protected.unknownProtocols = policy.unknownProtocols }
            guests.append(protected)
        }
        return guests
    }

    private func mode(_ section: Section) -> Settings.GuestMode {
        let standard = onlyListens ? Settings.GuestMode.watched : .filtered
        guard let value = section["mode"], let mode: Settings.GuestMode = value.choice() else { return standard }
        if mode == .watched, !hasMirror {
            value.problem("there is no mirror that it could be watched in; write a section mirror, or filtered")
        }
        if mode == .filtered, onlyListens {
            value.problem("there is no worker that could filter it (sensor.workers is 0); write watched, or workers")
        }
        return mode
    }

    private func name(_ section: Section, _ names: inout [String: Int]) -> String? {
        guard let value = section["name"] else {
            section.missing("name", "the guest has none; write name: and a word")
            return nil
        }
        guard let name = value.text("a name", atMost: 64) else { return nil }
        if let line = names[name] {
            value.problem("\(quoted(name)) is the name of the guest on line \(line) too; give it another")
        }
        names[name] = names[name] ?? value.line
        return name
    }

    /// One hardware address, or a list of them.
    private func macs(_ value: Value, _ owners: inout [UInt64: Int]) -> [UInt64] {
        let example = "[02:00:00:00:00:01]"
        let elements = value.word != nil ? [value] : value.elements(like: example) ?? []
        return elements.compactMap { element in
            guard let mac = element.mac() else { return nil }
            if let line = owners[mac] {
                element.problem("this hardware address is given on line \(line) already")
                return nil
            }
            owners[mac] = element.line
            return mac
        }
    }

    private func addresses(
        _ section: Section, _ name: String?, _ owners: inout [Prefix: (name: String, line: Int)]
    ) -> [Prefix] {
        guard let value = section["addresses"] else {
            if !areFound { section.missing("addresses", "the guest has none; write addresses: [192.0.2.7]") }
            return []
        }
        guard let elements = value.elements(like: #"[192.0.2.7, "2001:db8::7"]"#) else { return [] }
        if elements.isEmpty { value.problem("the list is empty; write at least one, like [192.0.2.7]") }
        var prefixes: [Prefix] = []
        for element in elements {
            guard let prefix = element.prefix() else { continue }
            if prefix == Prefix(Address.none) {
                element.problem("\"::\" is no host's address; write the guest's own")
                continue
            }
            if let owner = owners[prefix] {
                let whose = owner.name == name ?? "" ? "this guest" : quoted(owner.name)
                element.problem("\(prefix) is an address of \(whose) already (line \(owner.line))")
                continue
            }
            owners[prefix] = (name ?? "", element.line)
            prefixes.append(prefix)
        }
        return prefixes
    }
}
