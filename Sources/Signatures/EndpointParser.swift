import Wire

/// Reads one kind of field of a rule header, addresses or ports: `any`, single values and ranges, `!`,
/// nested `[lists]`, and variables.
///
/// A list means the union of what is not negated in it (everything, if all of it is) without what is; the
/// outermost may lack its brackets. A list in a list, or a variable in one, is no list of its own: what it excludes
/// is excluded from all that the outermost names (Suricata's detect-engine-address.c and -port.c). Behind a `!` it is.
/// The complement of IPv4 addresses holds every IPv6 address too: `!$HOME_NET` is everybody else.
struct EndpointParser<Number: FixedWidthInteger & UnsignedInteger & Sendable> {
    typealias Values = NumberSet<Number>

    /// A list as far as it was read.
    private struct List {
        /// nil for none.
        var included: Values?
        var excluded: Values?
        /// How many values and lists it holds.
        var count = 1

        var values: Values {
            let base = included ?? .all
            return excluded.map(base.subtracting) ?? base
        }

        mutating func add(_ other: List) {
            included = List.union(included, other.included)
            excluded = List.union(excluded, other.excluded)
            count += other.count
        }

        private static func union(_ a: Values?, _ b: Values?) -> Values? {
            guard let a, let b else { return a ?? b }
            return Values(union: [a, b])
        }
    }

    /// "address" or "port", for the reasons.
    let noun: String
    let variables: [String: String]
    /// Reads a value or a range; nil for what is neither.
    let value: (RuleText) -> Values?
    /// What each variable came to, and whether anything was negated in it.
    private var known: [String: (list: List, hasNegation: Bool)] = [:]
    /// The same of what a rule says, where it is short: thousands of rules name the same few.
    private var fields: [[UInt8]: (values: Values, hasNegation: Bool)] = [:]
    /// Whether what was parsed last has a `!` in it, if only in a variable.
    private(set) var hasNegation = false

    private static var longestField: Int { 40 }
    /// Brackets and variables inside one another; hostile text must not exhaust the stack.
    private static var maximumDepth: Int { 32 }

    init(noun: String, variables: [String: String], value: @escaping (RuleText) -> Values?) {
        self.noun = noun
        self.variables = variables
        self.value = value
    }

    mutating func parse(_ text: RuleText) throws(Rejection) -> Values {
        let field = Array(text.prefix(Self.longestField + 1))
        if let (values, isNegated) = fields[field] {
            hasNegation = isNegated
            return values
        }
        hasNegation = false
        let values = try list(text, expanding: [], depth: 0).values
        guard !values.isEmpty else { throw Rejection("\(noun) \(text.string) excludes everything") }
        if field.count <= Self.longestField { fields[field] = (values, hasNegation) }
        return values
    }

    private mutating func list(
        _ text: RuleText, expanding: [String], depth: Int
    ) throws(Rejection) -> List {
        guard depth < Self.maximumDepth else {
            throw Rejection("\(noun) lists or variables nested deeper than \(Self.maximumDepth)")
        }
        let text = text.trimmed
        guard let parts = text.parts(separator: UInt8(ascii: ",")) else {
            throw Rejection("the brackets of \(text.string) do not pair")
        }
        guard parts.count == 1 else {
            var whole = List(count: 0)
            for part in parts { whole.add(try list(part, expanding: expanding, depth: depth + 1)) }
            return whole
        }
        switch text.first {
        case nil:
            throw Rejection("\(noun) missing in a list")
        case UInt8(ascii: "!"):
            return try negated(text.dropFirst(), expanding: expanding, depth: depth + 1)
        case UInt8(ascii: "[") where text.last == UInt8(ascii: "]"):
            return try list(text.dropFirst().dropLast(), expanding: expanding, depth: depth + 1)
        case UInt8(ascii: "$"):
            return try variable(text.dropFirst().string, expanding: expanding, depth: depth + 1)
        default:
            if text.count == 3, text.string.lowercased() == "any" { return List(included: .all) }
            guard let values = value(text) else { throw Rejection("\(text.string) is no \(noun)") }
            return List(included: values)
        }
    }

    private mutating func negated(
        _ text: RuleText, expanding: [String], depth: Int
    ) throws(Rejection) -> List {
        let inner = try list(text, expanding: expanding, depth: depth)
        // Which of them Suricata takes for excluded depends on where in the list they stand.
        if noun == "port", inner.excluded != nil, inner.count > 1 {
            throw Rejection("a negated port in a negated list: write the ports that are meant")
        }
        hasNegation = true
        return List(excluded: inner.values)
    }

    private mutating func variable(
        _ name: String, expanding: [String], depth: Int
    ) throws(Rejection) -> List {
        if let (list, isNegated) = known[name] {
            if isNegated { hasNegation = true }
            return list
        }
        guard let text = variables[name] else {
            throw Rejection("\(noun) variable $\(name) is not defined")
        }
        guard !expanding.contains(name) else {
            throw Rejection("\(noun) variable $\(name) is defined by itself")
        }
        let before = hasNegation
        hasNegation = false
        let list = try list(Array(text.utf8)[...], expanding: expanding + [name], depth: depth)
        known[name] = (list, hasNegation)
        if before { hasNegation = true }
        return list
    }
}

extension EndpointParser<UInt128> {
    init(addresses: [String: String]) {
        self.init(noun: "address", variables: addresses) { text in
            if text.contains(UInt8(ascii: "-")) {
                let ends = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
                guard ends.count == 2, let low = Address(ends[0].trimmed.string),
                    let high = Address(ends[1].trimmed.string), low <= high, low.isV4 == high.isV4
                else { return nil }
                return AddressSet(low.bits...high.bits)
            }
            guard let prefix = Prefix(text.string) ?? Self.netmasked(text) else { return nil }
            let range = AddressSet(prefix.base.bits...prefix.last.bits)
            // IPv4 is held inside ::/0; a rule that says ::/0 means IPv6.
            return prefix.isV4 ? range : range.subtracting(Self.v4)
        }
    }

    private static var v4: AddressSet {
        AddressSet(Address(v4: 0).bits...Address(v4: .max).bits)
    }

    /// `192.0.2.0/255.255.255.0`
    private static func netmasked(_ text: RuleText) -> Prefix? {
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Address(parts[0].string), address.isV4,
            let mask = Address(parts[1].string), mask.isV4
        else { return nil }
        let bits = UInt32(truncatingIfNeeded: mask.low)
        let length = (~bits).leadingZeroBitCount
        guard length == 32 || bits << UInt32(length) == 0 else { return nil }
        return Prefix(address, length: length)
    }
}

extension EndpointParser<UInt16> {
    init(ports: [String: String]) {
        self.init(noun: "port", variables: ports) { text in
            let ends = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map(\.trimmed)
            guard ends.count <= 2, ends.contains(where: { !$0.isEmpty }) else { return nil }
            let low = ends[0].isEmpty ? 0 : ends[0].number
            let high = ends.last!.isEmpty ? 65_535 : ends.last!.number
            guard let low, let high, (0...65_535).contains(low), (low...65_535).contains(high) else {
                return nil
            }
            return PortSet(UInt16(low)...UInt16(high))
        }
    }
}

extension Address {
    var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }
}
