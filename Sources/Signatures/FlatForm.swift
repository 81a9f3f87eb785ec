import Evidence
import Wire

/// The records of a rule set while it is built: the arrays that `CompiledRules` then fixes in memory.
struct FlatForm {
    var entries: [Entry] = []
    var conditions: [Condition] = []
    var operations: [CompiledOperation] = []
    var names: [UInt16] = []
    var thresholds: [CompiledThreshold] = []
    var tags: [CompiledTag] = []
    var parts: [CompiledPart] = []
    var steps: [Step] = []
    var patterns: [UInt8] = []
    var expressions: [Expression] = []
    var addressRanges: [AddressRange] = []
    var portRanges: [PortRange] = []
    var groups: [Group] = []
    var entryLists: [UInt32] = []
    var literals: [FoundPattern] = []
    var databases: [[Literal]] = []
    var filters: [[Literal]] = []
    var lookups: [Lookup] = []
    var portGroups: [UInt16] = []
    var addressGroups: [AddressGroup] = []
    var classes: [Run] = []
    /// The most steps that a part has.
    var deepest = 0

    /// What grouping must know of an entry, beside the entry itself.
    struct Sketch {
        var classes: ProtocolClasses
        var source: AddressSet
        var destination: AddressSet
        var sourcePorts: PortSet
        var destinationPorts: PortSet
        /// The pattern that leads to it; nil if it must be confirmed on every packet.
        var prompt: Prompt?
    }

    /// What Hyperscan looks for on behalf of an entry.
    struct Prompt: Hashable {
        /// Folded to lower case if case is ignored; for an expression its pattern.
        var bytes: [UInt8]
        var ignoresCase: Bool
        var expression: Expression.Options?
    }

    private(set) var sketches: [Sketch] = []
    private var knownAddresses: [AddressSet: Run] = [:]
    private var knownPorts: [PortSet: Run] = [:]
    private var knownPatterns: [[UInt8]: UInt32] = [:]
    private var knownExpressions: [Expression: UInt32] = [:]

    init(
        _ rules: [(parsed: ParsedRule, rule: Rule)], precedence: [RuleAction] = RuleAction.allCases
    ) throws(RuleLoadError) {
        let order = rules.indices.map {
            RuleOrder(rules[$0].parsed, rules[$0].rule, index: $0, precedence: precedence)
        }
        for index in rules.indices.sorted(by: { order[$0] < order[$1] }) {
            let (parsed, rule) = rules[index]
            try append(parsed, rule, index: index)
            var other = parsed
            swap(&other.source, &other.destination)
            swap(&other.sourcePorts, &other.destinationPorts)
            let isSymmetric = other.source == parsed.source && other.sourcePorts == parsed.sourcePorts
            if parsed.isBidirectional, !isSymmetric { try append(other, rule, index: index) }
        }
        try group()
    }

    // MARK: - Entries

    private mutating func append(_ parsed: ParsedRule, _ rule: Rule, index: Int) throws(RuleLoadError) {
        let hasPorts = !(parsed.sourcePorts.isAll && parsed.destinationPorts.isAll)
        let prompt = parsed.prompt
        let literal = prompt?.expression == nil ? parsed.bestContent : nil
        let traits = self.traits(parsed, rule, hasPrompt: prompt != nil)
        let payload = parsed.parts.first { $0.buffer == .payload }
        var isProven = false
        var minimumPayload: Int32 = 0
        let first = parts.count
        let decoded = parsed.parts.first { $0.buffer == .decoded }?.tests ?? []
        for part in parsed.parts.sorted(by: { $0.buffer.rawValue < $1.buffer.rawValue })
        where part.buffer != .decoded {
            let isPayload = part.buffer == .payload
            let chain = StepChain(
                part.tests, decoded: isPayload ? decoded : [], provenBy: isPayload ? literal : nil)
            if part.buffer == .payload { minimumPayload = chain.minimumLength }
            if chain.links.isEmpty {
                isProven = true
                continue
            }
            let run = append(chain)
            parts.append(CompiledPart(buffer: part.buffer, minimumLength: chain.minimumLength, steps: run))
        }
        var checked = traits
        if isProven { checked.insert(.isProven) }
        if payload != nil { checked.insert(.hasPayload) }
        if hasPorts { checked.insert(.upperHeader) }
        let conditionStart = conditions.count
        conditions += parsed.conditions
        var finding = Finding(
            .signature, code: UInt32(index), concern: rule.concern,
            asks: rule.action == .drop || rule.action == .reject ? .drop : .accept)
        finding.rejects = parsed.rejects
        let entry = Entry(
            finding: finding, action: rule.action, ipVersion: parsed.transport.ipVersion, traits: checked,
            flow: parsed.flow, source: run(of: parsed.source), destination: run(of: parsed.destination),
            sourcePorts: run(of: parsed.sourcePorts), destinationPorts: run(of: parsed.destinationPorts),
            conditions: Run(start: UInt32(conditionStart), count: UInt32(parsed.conditions.count)),
            tests: try append(parsed.operations.filter(\.verb.isTest)),
            effects: try append(parsed.operations.filter { !$0.verb.isTest }),
            parts: Run(start: UInt32(first), count: UInt32(parts.count - first)),
            thresholds: append(parsed.suppressions + parsed.thresholds, of: parsed),
            tags: append(parsed.tags, of: parsed),
            minimumPayload: minimumPayload)
        entries.append(entry)
        sketches.append(
            Sketch(
                classes: parsed.classes(hasPorts: hasPorts), source: parsed.source,
                destination: parsed.destination, sourcePorts: parsed.sourcePorts,
                destinationPorts: parsed.destinationPorts, prompt: prompt))
    }

    private func traits(_ parsed: ParsedRule, _ rule: Rule, hasPrompt: Bool) -> Entry.Traits {
        var traits: Entry.Traits = []
        let scope = parsed.scope
        if scope.packets { traits.insert(.packets) }
        if scope.streams { traits.insert(.streams) }
        if parsed.isSilent { traits.insert(.silent) }
        if parsed.isLoud { traits.insert(.loud) }
        if parsed.isDecoderRule || parsed.transport.classes.contains(.malformed) { traits.insert(.malformed) }
        if !hasPrompt { traits.insert(.unprompted) }
        if parsed.transport.applications != 0 { traits.insert(.namesApplication) }
        if parsed.namesAddressesOnly {
            traits.insert(.actsOnFlow)
            // Where the addresses exclude some, Suricata asks each packet.
            if !parsed.hasNegatedAddress { traits.insert(.addressesOnly) }
        } else if parsed.transport.applications != 0 {
            traits.insert(.actsOnFlow)
        } else if scope.streams {
            traits.insert(.actsOnFlowOfStream)
        }
        return traits
    }

    private mutating func append(_ chain: StepChain) -> Run {
        let run = Run(start: UInt32(steps.count), count: UInt32(chain.links.count))
        for link in chain.links {
            var step = link.step
            if let expression = link.expression {
                step.pattern = place(expression)
            } else if !link.pattern.isEmpty {
                step.pattern = place(link.pattern)
            }
            steps.append(step)
        }
        deepest = max(deepest, chain.links.count)
        return run
    }

    private mutating func append(_ list: [StateOperation]) throws(RuleLoadError) -> Run {
        func number(_ store: StateOperation.Store, _ name: String) throws(RuleLoadError) -> UInt16 {
            guard let number = VariableNames.shared.number(store, name) else { throw .tooManyNames }
            return number
        }
        let run = Run(start: UInt32(operations.count), count: UInt32(list.count))
        for operation in list {
            let first = names.count
            for name in operation.names { names.append(try number(operation.store, name)) }
            var compiled = CompiledOperation(
                store: operation.store, verb: operation.verb, track: operation.track,
                needsAll: operation.needsAll, valueIsName: false,
                names: Run(start: UInt32(first), count: UInt32(names.count - first)),
                seconds: operation.seconds, value: 0)
            switch operation.value {
            case .number(let value): compiled.value = value
            case .name(let name):
                compiled.valueIsName = true
                compiled.value = UInt32(try number(operation.store, name))
            }
            operations.append(compiled)
        }
        return run
    }

    /// Where a pattern is in the arena; the same one is kept once.
    mutating func place(_ pattern: [UInt8]) -> UInt32 {
        if let known = knownPatterns[pattern] { return known }
        let offset = UInt32(patterns.count)
        patterns += pattern
        knownPatterns[pattern] = offset
        return offset
    }

    private mutating func place(_ expression: Expression) -> UInt32 {
        // How it is asked is said in the step; what it is, here.
        var plain = expression
        plain.isNegated = false
        plain.isRelative = false
        plain.ignoresLimit = false
        if let known = knownExpressions[plain] { return known }
        let number = UInt32(expressions.count)
        expressions.append(plain)
        knownExpressions[plain] = number
        return number
    }

    mutating func run(of set: AddressSet) -> Run {
        if set.isAll { return Run() }
        if let known = knownAddresses[set] { return known }
        let run = Run(start: UInt32(addressRanges.count), count: UInt32(set.ranges.count))
        addressRanges += set.ranges.map {
            AddressRange(low: Address($0.lowerBound), high: Address($0.upperBound))
        }
        knownAddresses[set] = run
        return run
    }

    private mutating func run(of set: PortSet) -> Run {
        if set.isAll { return Run() }
        if let known = knownPorts[set] { return known }
        let run = Run(start: UInt32(portRanges.count), count: UInt32(set.ranges.count))
        portRanges += set.ranges.map { PortRange(low: $0.lowerBound, high: $0.upperBound) }
        knownPorts[set] = run
        return run
    }
}

extension ParsedRule {
    /// The packets that it may be about.
    func classes(hasPorts: Bool) -> ProtocolClasses {
        var classes = hasPorts ? transport.classes.intersection(.withPorts) : transport.classes
        if isDecoderRule { classes.formUnion([.malformed, .notIP, .other]) }
        return classes
    }

    /// Suricata's IP-only: no ports, no payload, nothing that is asked of more than the flow's addresses
    /// (detect-engine-build.c, SignatureIsIPOnly). Bits of hosts are, whatever is done with them.
    var namesAddressesOnly: Bool {
        sourcePorts.isAll && destinationPorts.isAll && parts.isEmpty && flow.isEmpty && !isDecoderRule
            && transport.applications == 0 && !transport.classes.contains(.malformed)
            && transport.classes.isDisjoint(with: .notIP)
            && conditions.allSatisfy { $0.field == .ipProtocol }
            && operations.allSatisfy {
                switch $0.store {
                case .flowBit: $0.verb == .set
                case .flowInteger: false
                case .hostBit, .pairBit: true
                }
            }
    }

    /// What Hyperscan can look for on its behalf.
    var prompt: FlatForm.Prompt? {
        if let content = bestContent {
            return FlatForm.Prompt(bytes: content.promptBytes, ignoresCase: content.ignoresCase, expression: nil)
        }
        guard let expression = bestExpression, PatternDatabase.supports(expression) else { return nil }
        return FlatForm.Prompt(bytes: expression.pattern, ignoresCase: false, expression: expression.options)
    }
}

extension Address {
    init(_ bits: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }
}
