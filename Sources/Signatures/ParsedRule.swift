import Evidence

/// A rule as it was written, variables replaced: what the parser hands to the compiler.
struct ParsedRule: Sendable {
    /// The tests of one buffer, in the order in which they are written.
    struct Part: Sendable {
        var buffer: Buffer
        var tests: [PayloadTest]
    }

    var action: RuleAction
    var rejects: RejectSides
    var transport: RuleProtocol
    var source = AddressSet.all
    var sourcePorts = PortSet.all
    var destination = AddressSet.all
    var destinationPorts = PortSet.all
    /// `<>`: it means the other direction as well.
    var isBidirectional = false

    /// One of its addresses is what it is not.
    var hasNegatedAddress = false

    var message = ""
    var sid: UInt32 = 0
    var gid: UInt32 = 1
    var rev: UInt32 = 0
    var classtype = ""
    var priority: UInt8?
    var metadata = ""
    var target = RuleTarget.unsaid

    var parts: [Part] = []
    /// What the next payload test looks into.
    private(set) var buffer = Buffer.payload
    /// The keyword that opened it, as long as nothing is asked of it.
    private var unusedBuffer: String?
    var numbers = RuleNumbers()
    var conditions: [Condition] = []
    var flow: FlowTest = []
    var operations: [StateOperation] = []
    /// How often it alerts or acts, and of whom it says nothing.
    var thresholds: [Threshold] = []
    var suppressions: [Threshold] = []
    /// What is written of its flow or hosts after it.
    var tags: [Tag] = []
    /// `noalert`: it acts, but says nothing.
    var isSilent = false
    /// `alert` in a rule that passes: it says so.
    var isLoud = false
    /// A keyword asks for what only single packets have.
    var isPacketOnly = false
    /// It has what only Snort 3 has: a header without addresses, a modifier of content after a comma, `service`, `rem`,
    /// `bufferlen` or `regex`. Some keywords that it shares with Suricata then mean what they mean there.
    var isSnort3 = false
    /// It asks for a decoder event, and so may be about packets that make no sense.
    var isDecoderRule = false

    init(action: RuleAction, rejects: RejectSides, transport: RuleProtocol) {
        self.action = action
        self.rejects = rejects
        self.transport = transport
        if let upper = transport.upper {
            let number = Array(String(upper).utf8)
            if let test = try? NumberTest(number[...], keyword: "protocol", maximum: 255) {
                conditions.append(Condition(.ipProtocol, test))
            }
        }
        if let condition = transport.condition { conditions.append(condition) }
        if transport.applications != 0 {
            conditions.append(Condition(.application, .any, bits: transport.applications))
        }
    }
}

extension ParsedRule.Part {
    /// Bytes of a buffer in which all its contents can lie; those that count from the one before lie behind it.
    fileprivate var leastSize: Int64 {
        var least = 0
        var end = 0
        for test in tests {
            guard let content = test.content else {
                // Where it leads is not known.
                end = 0
                continue
            }
            guard !content.isNegated else { continue }
            let start = content.isRelative ? end + (content.distance?.number ?? 0) : content.offset?.number ?? 0
            // What a variable says is not known either.
            end = content.hasVariables ? content.pattern.count : max(0, start) + content.pattern.count
            least = max(least, end)
        }
        return Int64(least)
    }
}

extension ParsedRule {
    /// The tests that follow look into `next`, which the keyword `name` stands for.
    mutating func open(_ next: Buffer, _ name: String) throws(Rejection) {
        try checkBufferIsUsed()
        let classes = next.classes
        if transport.classes.isDisjoint(with: classes) {
            throw Rejection("\(name) is of packets that the protocol of the rule excludes")
        }
        buffer = next
        if next.isHeader {
            unusedBuffer = name
            isPacketOnly = true
        }
    }

    mutating func append(_ test: PayloadTest, to buffer: Buffer) {
        if buffer == self.buffer { unusedBuffer = nil }
        if let index = parts.firstIndex(where: { $0.buffer == buffer }) {
            parts[index].tests.append(test)
        } else {
            parts.append(Part(buffer: buffer, tests: [test]))
        }
    }

    private func checkBufferIsUsed() throws(Rejection) {
        if let unusedBuffer { throw Rejection("\(unusedBuffer) has no test behind it") }
    }

    /// What can be said only once the last option is read.
    mutating func complete() throws(Rejection) {
        guard sid != 0 else { throw Rejection("sid is missing") }
        try checkBufferIsUsed()
        if isSnort3 { takeSnort3Meaning() }
        for part in parts.indices {
            var previous: Content? = nil
            for index in parts[part].tests.indices {
                guard var content = parts[part].tests[index].content else { continue }
                try content.complete(after: previous)
                parts[part].tests[index] = .content(content)
                previous = content
            }
        }
        let contents = parts.flatMap { $0.tests.compactMap(\.content) }
        guard contents.count(where: { $0.fastPattern != .no }) <= 1 else {
            throw Rejection("fast_pattern on more than one content")
        }
        if conditions.contains(where: { $0.field == .tcpFlags }), !transport.classes.contains(.tcp) {
            throw Rejection("flags needs protocol tcp")
        }
        let isAboutICMP = conditions.contains { $0.field == .icmpType || $0.field == .icmpCode }
        if isAboutICMP, transport.classes.isDisjoint(with: [.icmp, .icmp6]) {
            throw Rejection("itype and icode need protocol icmp")
        }
        if !(sourcePorts.isAll && destinationPorts.isAll),
            transport.classes.isDisjoint(with: .withPorts)
        {
            throw Rejection("ports need protocol tcp, udp or ip")
        }
        let decodes = parts.contains { part in
            part.tests.contains { if case .base64 = $0 { true } else { false } }
        }
        if parts.contains(where: { $0.buffer == .decoded }), !decodes {
            throw Rejection("base64_data needs base64_decode before it")
        }
        try checkScope()
        try checkProtocols()
        try checkNumbers()
        try checkRoom()
    }

    /// Suricata's detect-parse.c, SigValidatePacketStream.
    private func checkScope() throws(Rejection) {
        let isForPackets = isPacketOnly || transport.payload == .packets || flow.contains(.noStream)
        if isForPackets, transport.payload == .streams || flow.contains(.onlyStream) {
            throw Rejection("what only single packets have is asked of a rule for streams alone")
        }
    }

    /// Buffers are looked at in the order of `Buffer`, whatever order a rule names them in.
    private func checkNumbers() throws(Rejection) {
        var found: Set<UInt8> = []
        for test in parts.sorted(by: { $0.buffer.rawValue < $1.buffer.rawValue }).flatMap(\.tests) {
            guard found.isSuperset(of: test.variables) else {
                throw Rejection("a variable is of a buffer that is looked at later: the payload is first")
            }
            if let result = test.result { found.insert(result) }
        }
    }

    /// Several `ip_proto` must leave something.
    private func checkProtocols() throws(Rejection) {
        let asked = conditions.filter { $0.field == .ipProtocol }
        guard (0...255).contains(where: { number in asked.allSatisfy { $0.holds(number) } }) else {
            throw Rejection("ip_proto leaves no protocol")
        }
    }

    /// Where Snort 3 (ips_flags.cc, ips_fragbits.cc, ips_isdataat.cc, ips_flowbits.cc) and Suricata read the same words
    /// differently.
    private mutating func takeSnort3Meaning() {
        for index in operations.indices where operations[index].verb == .isNotSet && operations[index].isUnion {
            operations[index].needsAll = true
        }
        for index in conditions.indices
        where [.tcpFlags, .fragmentBits].contains(conditions[index].field) && conditions[index].operation == .notAll {
            conditions[index].operation = .noneOf
        }
        for part in parts.indices {
            for index in parts[part].tests.indices {
                guard case .dataAt(var test) = parts[part].tests[index] else { continue }
                test.isExclusive = test.isRelative
                parts[part].tests[index] = .dataAt(test)
            }
        }
    }

    /// A size of the payload or of a buffer that leaves no room for a content can never match.
    private func checkRoom() throws(Rejection) {
        let size = conditions.first { $0.field == .payloadSize && $0.operation == .within }
        for part in parts {
            let needed = part.leastSize
            if let size, part.buffer == .payload, needed > size.high {
                throw Rejection("dsize leaves no room for the content")
            }
            for case .length(let test, isRelative: false) in part.tests
            where !test.inverted && test.mask == nil && needed > test.high {
                throw Rejection("bsize leaves no room for the content")
            }
        }
    }

    /// Whether TCP payload tests look at single packets, and whether at streams (Suricata's
    /// detect-parse.c): what only a packet has binds a rule to packets; else it is for streams, and for
    /// packets as well if a content is bound to the start of the payload.
    var scope: (packets: Bool, streams: Bool) {
        if transport.payload == .packets || flow.contains(.noStream) { return (true, false) }
        if transport.payload == .streams || flow.contains(.onlyStream) { return (false, true) }
        if isPacketOnly || !transport.classes.contains(.tcp) { return (true, false) }
        guard let payload = parts.first(where: { $0.buffer == .payload }) else { return (true, false) }
        let isBound = payload.tests.contains { test in
            guard let content = test.content else { return false }
            return content.offset != nil || content.depth != nil
        }
        let asksSize = conditions.contains {
            [.streamOfClient, .streamOfServer, .streamOfBoth, .streamOfEither].contains($0.field)
        }
        return (isBound || asksSize, true)
    }
}
