import Wire

extension FlatForm {
    /// Entries that name more ports than this are looked up apart from those that name few: else each port
    /// that a rule names would need a database of its own with all of them in it.
    private static let fewPorts = 4_096

    /// The groups while they are gathered: each set of entries once.
    private struct Gathering {
        var known: [[UInt32]: UInt16] = [[]: 0]
        var members: [[UInt32]] = [[]]
        var served: [UInt16: ProtocolClasses] = [:]

        mutating func number(_ list: [UInt32]) throws(RuleLoadError) -> UInt16 {
            if let number = known[list] { return number }
            guard let number = UInt16(exactly: members.count) else { throw .tooManyGroups }
            known[list] = number
            members.append(list)
            return number
        }
    }

    /// Sorts the entries of each protocol and direction into groups by port or address, and the patterns of each
    /// group into a database.
    mutating func group() throws(RuleLoadError) {
        var gathering = Gathering()
        for position in 0..<2 * ProtocolClasses.count {
            let protocolClass = ProtocolClasses(rawValue: 1 << UInt8(position / 2))
            let otherWay: FlowTest = position % 2 == 0 ? .toClient : .toServer
            let start = lookups.count
            let members = entries.indices.filter {
                sketches[$0].classes.contains(protocolClass) && entries[$0].flow.isDisjoint(with: otherWay)
            }
            for isAddressed in [false, true] {
                let chosen = members.filter { entries[$0].traits.contains(.addressesOnly) == isAddressed }
                if isAddressed {
                    try groupByAddress(chosen.map { UInt32($0) }, protocolClass, &gathering)
                } else {
                    try groupByPort(chosen.map { UInt32($0) }, protocolClass, &gathering)
                }
            }
            classes.append(Run(start: UInt32(start), count: UInt32(lookups.count - start)))
        }
        for (index, list) in gathering.members.enumerated() {
            append(list, serving: gathering.served[UInt16(index)] ?? [])
        }
    }

    private mutating func groupByPort(
        _ members: [UInt32], _ protocolClass: ProtocolClasses, _ gathering: inout Gathering
    ) throws(RuleLoadError) {
        for (key, few) in [
            (Lookup.Key.none, true), (.destination, true), (.destination, false), (.source, true),
            (.source, false),
        ] {
            let chosen = members.filter { member in
                let sketch = sketches[Int(member)]
                return sketch.place == key
                    && (key == .none || (sketch.ports(key).portCount <= FlatForm.fewPorts) == few)
            }
            guard !chosen.isEmpty else { continue }
            var used: Set<UInt16> = []
            if key == .none {
                let group = try gathering.number(chosen)
                lookups.append(Lookup(key: key, group: group, table: 0))
                used = [group]
            } else {
                lookups.append(Lookup(key: key, group: 0, table: UInt32(portGroups.count)))
                let spans = chosen.map { ($0, sketches[Int($0)].ports(key).ranges) }
                var next = 0
                try sweep(spans) { low, active throws(RuleLoadError) in
                    let group = try gathering.number(active)
                    used.insert(group)
                    if let last = portGroups.last, next < Int(low) {
                        portGroups += Array(repeating: last, count: Int(low) - next)
                    }
                    portGroups.append(group)
                    next = Int(low) + 1
                }
                if let last = portGroups.last { portGroups += Array(repeating: last, count: 65_536 - next) }
            }
            // A group may serve several protocols; its keys must admit what any of them has.
            for group in used { gathering.served[group, default: []].insert(protocolClass) }
        }
    }

    /// Rules that name nothing but addresses are found by the address that they name: there are lists of
    /// thousands, and each packet that begins a flow is asked about.
    private mutating func groupByAddress(
        _ members: [UInt32], _ protocolClass: ProtocolClasses, _ gathering: inout Gathering
    ) throws(RuleLoadError) {
        for key in [Lookup.Key.none, .sourceAddress, .destinationAddress] {
            let chosen = members.filter { sketches[Int($0)].addressPlace == key }
            guard !chosen.isEmpty else { continue }
            var lookup = Lookup(key: key, group: 0, table: UInt32(addressGroups.count), addressesOnly: true)
            var used: Set<UInt16> = []
            if key == .none {
                lookup.group = try gathering.number(chosen)
                used = [lookup.group]
            } else {
                let spans = chosen.map { member in
                    let sketch = sketches[Int(member)]
                    return (member, (key == .sourceAddress ? sketch.source : sketch.destination).ranges)
                }
                try sweep(spans) { low, active throws(RuleLoadError) in
                    let group = try gathering.number(active)
                    used.insert(group)
                    addressGroups.append(AddressGroup(low: Address(low), group: group))
                }
                lookup.count = UInt32(addressGroups.count) - lookup.table
            }
            lookups.append(lookup)
            for group in used { gathering.served[group, default: []].insert(protocolClass) }
        }
    }

    /// Goes over the numbers from 0 and tells, wherever an entry's ranges begin or end, which are open from
    /// there on.
    private func sweep<Number: FixedWidthInteger & UnsignedInteger & Sendable>(
        _ spans: [(UInt32, [ClosedRange<Number>])],
        _ tell: (Number, [UInt32]) throws(RuleLoadError) -> Void
    ) throws(RuleLoadError) {
        var begins: [Number: [UInt32]] = [:]
        var ends: [Number: [UInt32]] = [:]
        for (entry, ranges) in spans {
            for range in ranges {
                begins[range.lowerBound, default: []].append(entry)
                if range.upperBound != .max { ends[range.upperBound + 1, default: []].append(entry) }
            }
        }
        var active: Set<UInt32> = []
        for place in Set(begins.keys).union(ends.keys).union([0]).sorted() {
            active.subtract(ends[place] ?? [])
            active.formUnion(begins[place] ?? [])
            try tell(place, active.sorted())
        }
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
        var found: (literals: [Literal], expressions: [Literal]) = ([], [])
        for prompt in prompts {
            let literal = Literal(
                offset: Int(place(prompt.bytes)), length: prompt.bytes.count, ignoresCase: prompt.ignoresCase,
                expression: prompt.expression, identifier: UInt32(literals.count))
            if prompt.expression == nil { found.literals.append(literal) } else { found.expressions.append(literal) }
            literals.append(
                FoundPattern(
                    entries: run(of: byPrompt[prompt]!), offset: UInt32(literal.offset),
                    length: prompt.expression == nil ? UInt16(literal.length) : 0, ignoresCase: prompt.ignoresCase))
        }
        var group = Group(
            database: -1, filter: -1, shortestPattern: found.literals.map { Int32($0.length) }.min() ?? 0,
            expressions: -1, unprompted: run(of: unprompted), keys: InlineArray(repeating: 0))
        for entry in unprompted {
            for key in 0...255 where admits(entry, key: key, classes: classes) {
                group.keys[key >> 6] |= 1 << UInt64(key & 63)
            }
        }
        let long = found.literals.filter { LiteralFilterForm.takes($0, arena: patterns) }
        if LiteralFilterForm.isFaster(with: long.count, without: found.literals.count - long.count) {
            group.filter = Int32(filters.count)
            filters.append(long)
            found.literals.removeAll { LiteralFilterForm.takes($0, arena: patterns) }
        }
        if !found.literals.isEmpty {
            group.database = Int32(databases.count)
            databases.append(found.literals)
        }
        if !found.expressions.isEmpty {
            group.expressions = Int32(databases.count)
            databases.append(found.expressions)
        }
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
        if !own.isDisjoint(with: [.other, .notIP, .malformed]) { return true }
        let asked = conditions[entry.conditions.lower..<entry.conditions.upper]
        func holds(_ field: Field) -> Bool {
            asked.allSatisfy { $0.field != field || $0.holds(Int64(key)) }
        }
        if own.contains(.tcp), holds(.tcpFlags) { return true }
        if !own.isDisjoint(with: [.icmp, .icmp6]), holds(.icmpType) { return true }
        // 255 stands for every length from there on.
        return own.contains(.udp) && (key >= 255 || (key >= entry.minimumPayload && holds(.payloadSize)))
    }
}

extension FlatForm.Sketch {
    /// By which port it is looked up: the side that names fewer.
    var place: Lookup.Key {
        if sourcePorts.isAll && destinationPorts.isAll { return .none }
        return sourcePorts.portCount < destinationPorts.portCount ? .source : .destination
    }

    /// By which address: the side that names fewer ranges, if it names any.
    var addressPlace: Lookup.Key {
        switch (source.isAll, destination.isAll) {
        case (true, true): .none
        case (false, true): .sourceAddress
        case (true, false): .destinationAddress
        case (false, false): source.ranges.count <= destination.ranges.count ? .sourceAddress : .destinationAddress
        }
    }

    func ports(_ key: Lookup.Key) -> PortSet {
        key == .source ? sourcePorts : destinationPorts
    }
}
