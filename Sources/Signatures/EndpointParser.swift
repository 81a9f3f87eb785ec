import Wire

/// Reads one kind of field of a rule header, addresses or ports: `any`, single values and ranges, `!`,
/// nested `[lists]`, and variables.
///
/// A list means the union of what is not negated in it (everything, if all of it is) without what is. The
/// outermost may lack its brackets.
/// The complement of IPv4 addresses holds every IPv6 address too: `!$HOME_NET` is everybody else.
struct EndpointParser<Number: FixedWidthInteger & UnsignedInteger & Sendable> {
    typealias Values = NumberSet<Number>

    /// "address" or "port", for the reasons.
    let noun: String
    let variables: [String: String]
    /// Reads a value or a range; nil for what is neither.
    let value: (RuleText) -> Values?
    /// What each variable came to, and whether anything was negated in it: thousands of rules name the same
    /// few.
    private var known: [String: (values: Values, hasNegation: Bool)] = [:]
    /// Whether what was parsed last has a `!` in it, if only in a variable.
    private(set) var hasNegation = false

    /// Brackets and variables inside one another; hostile text must not exhaust the stack.
    private static var maximumDepth: Int { 32 }

    init(noun: String, variables: [String: String], value: @escaping (RuleText) -> Values?) {
        self.noun = noun
        self.variables = variables
        self.value = value
    }

    mutating func parse(_ text: RuleText) throws(Rejection) -> Values {
        hasNegation = false
        let values = try parse(text, expanding: [], depth: 0)
        guard !values.isEmpty else { throw Rejection("\(noun) \(text.string) excludes everything") }
        return values
    }

    private mutating func parse(
        _ text: RuleText, expanding: [String], depth: Int
    ) throws(Rejection) -> Values {
        guard depth < Self.maximumDepth else {
            throw Rejection("\(noun) lists or variables nested deeper than \(Self.maximumDepth)")
        }
        let text = text.trimmed
        guard let parts = text.parts(separator: UInt8(ascii: ",")) else {
            throw Rejection("the brackets of \(text.string) do not pair")
        }
        guard parts.count == 1 else { return try list(parts, expanding: expanding, depth: depth + 1) }
        switch text.first {
        case nil:
            throw Rejection("\(noun) missing in a list")
        case UInt8(ascii: "!"):
            hasNegation = true
            return try parse(text.dropFirst(), expanding: expanding, depth: depth + 1).complement
        case UInt8(ascii: "[") where text.last == UInt8(ascii: "]"):
            return try parse(text.dropFirst().dropLast(), expanding: expanding, depth: depth + 1)
        case UInt8(ascii: "$"):
            return try variable(text.dropFirst().string, expanding: expanding, depth: depth + 1)
        default:
            if text.count == 3, text.string.lowercased() == "any" { return .all }
            guard let values = value(text) else { throw Rejection("\(text.string) is no \(noun)") }
            return values
        }
    }

    private mutating func list(
        _ parts: [RuleText], expanding: [String], depth: Int
    ) throws(Rejection) -> Values {
        var included: [Values] = []
        var excluded: [Values] = []
        for part in parts.map(\.trimmed) {
            if part.first == UInt8(ascii: "!") {
                hasNegation = true
                excluded.append(try parse(part.dropFirst(), expanding: expanding, depth: depth))
            } else {
                included.append(try parse(part, expanding: expanding, depth: depth))
            }
        }
        let base = included.isEmpty ? Values.all : Values(union: included)
        return excluded.isEmpty ? base : base.subtracting(Values(union: excluded))
    }

    private mutating func variable(
        _ name: String, expanding: [String], depth: Int
    ) throws(Rejection) -> Values {
        if let (values, isNegated) = known[name] {
            if isNegated { hasNegation = true }
            return values
        }
        guard let text = variables[name] else {
            throw Rejection("\(noun) variable $\(name) is not defined")
        }
        guard !expanding.contains(name) else {
            throw Rejection("\(noun) variable $\(name) is defined by itself")
        }
        let before = hasNegation
        hasNegation = false
        let values = try parse(Array(text.utf8)[...], expanding: expanding + [name], depth: depth)
        known[name] = (values, hasNegation)
        if before { hasNegation = true }
        return values
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
