extension FlatForm {
    /// Entries that name more ports than this are looked up apart from those that name few: else each port
    /// that a rule names would need a database of its own with all of them in it.
    private static let fewPorts = 4_096

    /// Sorts the entries of each protocol into groups by port, and the patterns of each group into a
    /// database.
    mutating func group() throws(RuleLoadError) {
        var known: [[UInt32]: UInt16] = [[]: 0]
        var members: [[UInt32]] = [[]]
        func number(_ list: [UInt32]) throws(RuleLoadError) -> UInt16 {
            if let number = known[list] { return number }
            guard let number = UInt16(exactly: members.count) else { throw .tooManyGroups }
            known[list] = number
            members.append(list)
            return number
        }
        var served: [UInt16: ProtocolClasses] = [:]
        for position in 0..<ProtocolClasses.count {
            let protocolClass = ProtocolClasses(rawValue: 1 << UInt8(position))
            let start = lookups.count
            for (key, few) in [
                (Lookup.Key.none, true), (.destination, true), (.destination, false), (.source, true),
                (.source, false),
            ] {
                let chosen = sketches.indices.filter {
                    sketches[$0].classes.contains(protocolClass) && sketches[$0].place == key
                        && (key == .none
                            || (sketches[$0].ports(key).portCount <= FlatForm.fewPorts) == few)
                }.map { UInt32($0) }
                guard !chosen.isEmpty else { continue }
                var used: Set<UInt16>
                if key == .none {
                    let group = try number(chosen)
                    lookups.append(Lookup(key: key, group: group, table: 0))
                    used = [group]
                } else {
                    lookups.append(Lookup(key: key, group: 0, table: UInt32(portGroups.count)))
                    used = try appendTable(chosen, key, number)
                }
                // A group may serve several protocols; its keys must admit what any of them has.
                for group in used { served[group, default: []].insert(protocolClass) }
            }
            classes.append(Run(start: UInt32(start), count: UInt32(lookups.count - start)))
        }
        for (index, list) in members.enumerated() {
            append(list, serving: served[UInt16(index)] ?? [])
        }
    }

    /// Sweeps over the ports, from each place where an entry's ports begin or end to the next. Returns the
    /// groups that came of it.
    private mutating func appendTable(
        _ chosen: [UInt32], _ key: Lookup.Key, _ number: ([UInt32]) throws(RuleLoadError) -> UInt16
    ) throws(RuleLoadError) -> Set<UInt16> {
        var used: Set<UInt16> = []
        var begins: [Int: [UInt32]] = [:]
        var ends: [Int: [UInt32]] = [:]
        for entry in chosen {
            for range in sketches[Int(entry)].ports(key).ranges {
                begins[Int(range.lowerBound), default: []].append(entry)
                ends[Int(range.upperBound) + 1, default: []].append(entry)
            }
        }
        var active: Set<UInt32> = []
        var port = 0
        for next in Set(begins.keys).union(ends.keys).union([65_536]).sorted() {
            let group = try number(active.sorted())
            used.insert(group)
            portGroups += Array(repeating: group, count: next - port)
            active.subtract(ends[next] ?? [])
            active.formUnion(begins[next] ?? [])
            port = next
        }
        return used
    }

    private mutating func append(_ list: [UInt32], serving classes: ProtocolClasses) {
        var byPrompt: [Prompt: [UInt32]] = [:]
        var prompts: [Prompt] = []
        var unprompted: [UInt32] = []
        for entry in list {
            guard let prompt = sketches[Int(entry)].prompt else {
                unprompted.append(entry)
                continue
            }
            if byPrompt[prompt] == nil { prompts.append(prompt) }
            byPrompt[prompt, default: []].append(entry)
        }
        var found: [Literal] = []
        for prompt in prompts {
            found.append(
                Literal(
                    offset: Int(place(prompt.bytes)), length: prompt.bytes.count,
                    ignoresCase: prompt.ignoresCase, identifier: UInt32(literals.count)))
            literals.append(run(of: byPrompt[prompt]!))
        }
        var group = Group(
            database: found.isEmpty ? -1 : Int32(databases.count),
            shortestPattern: found.map { Int32($0.length) }.min() ?? 0, unprompted: run(of: unprompted),
            keys: InlineArray(repeating: 0))
        for entry in unprompted {
            for key in 0...255 where admits(entry, key: key, classes: classes) {
                group.keys[key >> 6] |= 1 << UInt64(key & 63)
            }
        }
        if !found.isEmpty { databases.append(found) }
        groups.append(group)
    }

    private mutating func run(of list: [UInt32]) -> Run {
        defer { entryLists += list }
        return Run(start: UInt32(entryLists.count), count: UInt32(list.count))
    }

    /// Whether an entry can match a packet whose `RuleTables.key` is `key`; too often is harmless.
    private func admits(_ index: UInt32, key: Int, classes: ProtocolClasses) -> Bool {
        let entry = entries[Int(index)]
        let own = classes.intersection(sketches[Int(index)].classes)
        if own.contains(.other) { return true }
        if own.contains(.tcp), !entry.checks.contains(.flags) || entry.flags.matches(UInt8(key)) {
            return true
        }
        if !own.isDisjoint(with: [.icmp, .icmp6]),
            !entry.checks.contains(.icmpType) || entry.icmpType.matches(Int32(key))
        {
            return true
        }
        guard own.contains(.udp) else { return false }
        // 255 stands for every length from there on.
        let size = entry.payloadSize
        return key >= 255 || (key >= entry.minimumPayload && size.matches(Int32(key)))
    }
}

extension FlatForm.Sketch {
    /// By which port it is looked up: the side that names fewer.
    var place: Lookup.Key {
        if sourcePorts.isAll && destinationPorts.isAll { return .none }
        return sourcePorts.portCount < destinationPorts.portCount ? .source : .destination
    }

    func ports(_ key: Lookup.Key) -> PortSet {
        key == .source ? sourcePorts : destinationPorts
    }
}
