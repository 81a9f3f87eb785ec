import Evidence
import Wire

/// The records of a rule set while it is built: the arrays that `CompiledRules` then fixes in memory.
struct FlatForm {
    var entries: [Entry] = []
    var contents: [CompiledContent] = []
    var patterns: [UInt8] = []
    var addressRanges: [AddressRange] = []
    var portRanges: [PortRange] = []
    var groups: [Group] = []
    var entryLists: [UInt32] = []
    var literals: [Run] = []
    var databases: [[Literal]] = []
    var lookups: [Lookup] = []
    var portGroups: [UInt16] = []
    var classes: [Run] = []
    var deepest = 0

    /// What grouping must know of an entry, beside the entry itself.
    struct Sketch {
        var classes: ProtocolClasses
        var sourcePorts: PortSet
        var destinationPorts: PortSet
        /// The pattern that leads to it; nil if it must be confirmed on every packet.
        var prompt: Prompt?
        var hasContents: Bool
    }

    struct Prompt: Hashable {
        /// Folded to lower case if case is ignored.
        var bytes: [UInt8]
        var ignoresCase: Bool
    }

    private(set) var sketches: [Sketch] = []
    private var knownAddresses: [AddressSet: Run] = [:]
    private var knownPorts: [PortSet: Run] = [:]
    private var knownPatterns: [[UInt8]: UInt32] = [:]

    init(_ rules: [(parsed: ParsedRule, rule: Rule)]) throws(RuleLoadError) {
        let order = rules.indices.sorted { a, b in
            let (x, y) = (rules[a].rule, rules[b].rule)
            return (x.action.rawValue, x.priority, a) < (y.action.rawValue, y.priority, b)
        }
        for index in order {
            let (parsed, rule) = rules[index]
            append(parsed, rule, index: index)
            var other = parsed
            swap(&other.source, &other.destination)
            swap(&other.sourcePorts, &other.destinationPorts)
            let isSymmetric = other.source == parsed.source && other.sourcePorts == parsed.sourcePorts
            if parsed.isBidirectional, !isSymmetric { append(other, rule, index: index) }
        }
        try group()
    }

    // MARK: - Entries

    private mutating func append(_ parsed: ParsedRule, _ rule: Rule, index: Int) {
        var checks: Entry.Checks = []
        let hasPorts = !(parsed.sourcePorts.isAll && parsed.destinationPorts.isAll)
        if rule.action == .pass { checks.insert(.pass) }
        if parsed.payloadSize != nil { checks.insert(.payloadSize) }
        if parsed.icmpType != nil { checks.insert(.icmpType) }
        if parsed.icmpCode != nil { checks.insert(.icmpCode) }
        if parsed.flags != nil { checks.insert(.flags) }
        if hasPorts || !checks.subtracting(.pass).isEmpty { checks.insert(.upperHeader) }

        let prompt = parsed.bestContent
        let chain = ContentChain(parsed.contents, provenBy: prompt)
        let entry = Entry(
            finding: Finding(
                .signature, code: UInt32(index), concern: rule.concern,
                asks: rule.action == .drop ? .drop : .accept),
            checks: checks, ipVersion: parsed.transport.ipVersion,
            flags: parsed.flags ?? FlagsTest.any, payloadSize: parsed.payloadSize ?? NumberTest.any,
            icmpType: parsed.icmpType ?? NumberTest.any, icmpCode: parsed.icmpCode ?? NumberTest.any,
            source: run(of: parsed.source), destination: run(of: parsed.destination),
            sourcePorts: run(of: parsed.sourcePorts), destinationPorts: run(of: parsed.destinationPorts),
            contents: append(chain), minimumPayload: chain.minimumPayload)
        entries.append(entry)
        sketches.append(
            Sketch(
                classes: hasPorts
                    ? parsed.transport.classes.intersection(.withPorts) : parsed.transport.classes,
                sourcePorts: parsed.sourcePorts, destinationPorts: parsed.destinationPorts,
                prompt: prompt.map { Prompt(bytes: $0.promptBytes, ignoresCase: $0.ignoresCase) },
                hasContents: !parsed.contents.isEmpty))
    }

    private mutating func append(_ chain: ContentChain) -> Run {
        let run = Run(start: UInt32(contents.count), count: UInt32(chain.links.count))
        for link in chain.links {
            var content = link.content
            content.pattern = place(link.pattern)
            contents.append(content)
        }
        deepest = max(deepest, chain.links.count)
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

    private mutating func run(of set: AddressSet) -> Run {
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

extension Address {
    init(_ bits: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }
}

extension NumberTest {
    /// Stands where a rule has none; its check bit is not set.
    static let any = NumberTest(low: 0, high: .max)
    private init(low: Int32, high: Int32) {
        self.low = low
        self.high = high
        inverted = false
    }
}

extension FlagsTest {
    /// Stands where a rule has none; its check bit is not set.
    static let any = FlagsTest()
    private init() {}
}
