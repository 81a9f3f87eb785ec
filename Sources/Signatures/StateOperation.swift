/// What a rule asks of, or does to, what is remembered of a flow or of hosts: `flowbits`, `flowint`,
/// `xbits`, `hostbits`.
struct StateOperation: Sendable {
    enum Store: UInt8, BitwiseCopyable, Sendable {
        /// What `hostbits` and `xbits` say of one host is the same bit.
        case flowBit, flowInteger, hostBit, pairBit
    }

    enum Verb: UInt8, BitwiseCopyable, Sendable {
        case isSet, isNotSet, less, lessOrEqual, equal, notEqual, greaterOrEqual, greater
        case set, unset, toggle, add, subtract

        /// Asked before the payload is looked at, and decides whether the rule matches; the rest is done
        /// once it did.
        var isTest: Bool { rawValue <= Verb.greater.rawValue }
    }

    /// Whose bit it is.
    enum Track: UInt8, BitwiseCopyable, Sendable { case source, destination, pair }

    var store: Store
    var verb: Verb
    var names: [String]
    /// Of several: it must hold of all of them, not of any.
    var needsAll = false
    /// They stand with `|` between them.
    var isUnion = false
    var track = Track.source
    /// Seconds until a host's bit is forgotten.
    var seconds: UInt32 = 0
    var value = Value.number(0)

    enum Value: Sendable {
        case number(UInt32)
        case name(String)
    }
}

extension StateOperation {
    private static func name(_ keyword: String, _ text: RuleText) throws(Rejection) -> String {
        guard !text.isEmpty, text.allSatisfy({ !$0.isBlank && $0 != UInt8(ascii: "$") }) else {
            throw Rejection("\(keyword) needs a name without blanks")
        }
        return text.string
    }

    private static func bitVerb(_ keyword: String, _ text: RuleText) throws(Rejection) -> Verb {
        switch text.string.lowercased() {
        case "set": return .set
        case "unset": return .unset
        // Snort 2.9's groups of bits: what would be kept of a group is not.
        case "setx", "reset":
            throw Rejection("\(keyword):\(text.string) is not supported: name the bits to set and to unset")
        case "toggle": return .toggle
        case "isset": return .isSet
        case "isnotset": return .isNotSet
        default: throw Rejection("\(keyword) does not know \(text.string)")
        }
    }

    /// `flowbits:verb,name`; several names stand with `|` (any of them) or `&` (all) between them. nil for
    /// `noalert`, which is said of the rule.
    static func flowBits(_ text: RuleText) throws(Rejection) -> StateOperation? {
        let parts = text.listed
        if parts.count == 1, parts[0].string.lowercased() == "noalert" { return nil }
        if parts[0].string.lowercased() == "reset" { _ = try bitVerb("flowbits", parts[0]) }
        guard parts.count == 2 || parts.count == 3 else {
            throw Rejection("flowbits takes what to do and a name")
        }
        let verb = try bitVerb("flowbits", parts[0])
        guard parts.count == 2 || !["any", "all"].contains(parts[1].string.lowercased()) else {
            throw Rejection("flowbits knows no any or all of a group: name the bits")
        }
        let marks = [UInt8(ascii: "|"), UInt8(ascii: "&")]
        let joined = marks.filter { parts[1].contains($0) }
        guard joined.count <= 1 else { throw Rejection("flowbits mixes | and &") }
        var names: [String] = []
        for part in parts[1].split(separator: joined.first ?? 0, omittingEmptySubsequences: false) {
            names.append(try name("flowbits", part.trimmed))
        }
        let isUnion = joined.first == UInt8(ascii: "|")
        // Only Snort has `&`, and to it `isnotset` is the contrary of `isset`: not all of them are set.
        // Its groups are names for people; a third part says nothing more.
        return StateOperation(
            store: .flowBit, verb: verb, names: names, needsAll: verb == .isSet && !isUnion, isUnion: isUnion)
    }

    /// `flowint:name,verb[,value]`
    static func flowInteger(_ text: RuleText) throws(Rejection) -> StateOperation {
        let parts = text.listed
        guard parts.count == 2 || parts.count == 3 else {
            throw Rejection("flowint takes a name, what to do, and a value")
        }
        let verb: Verb
        switch parts[1].string.lowercased() {
        case "+": verb = .add
        case "-": verb = .subtract
        case "=": verb = .set
        case "<": verb = .less
        case "<=": verb = .lessOrEqual
        case "==": verb = .equal
        case "!=": verb = .notEqual
        case ">=": verb = .greaterOrEqual
        case ">": verb = .greater
        case "isset": verb = .isSet
        case "isnotset", "notset": verb = .isNotSet
        default: throw Rejection("flowint does not know \(parts[1].string)")
        }
        var operation = StateOperation(
            store: .flowInteger, verb: verb, names: [try name("flowint", parts[0])], needsAll: true)
        guard verb != .isSet, verb != .isNotSet else { return operation }
        guard parts.count == 3 else { throw Rejection("flowint needs a value") }
        if let number = parts[2].number {
            guard let number = UInt32(exactly: number) else {
                throw Rejection("flowint's value is not a number of 0…4294967295")
            }
            operation.value = .number(number)
        } else {
            operation.value = .name(try name("flowint", parts[2]))
        }
        return operation
    }

    /// `hostbits:verb,name[,src|dst]`. A bit lasts for five minutes, as Suricata has it.
    static func hostBits(_ text: RuleText) throws(Rejection) -> StateOperation? {
        let parts = text.listed
        if parts.count == 1, parts[0].string.lowercased() == "noalert" { return nil }
        guard parts.count == 2 || parts.count == 3 else {
            throw Rejection("hostbits takes what to do, a name, and src or dst")
        }
        var operation = StateOperation(
            store: .hostBit, verb: try bitVerb("hostbits", parts[0]),
            names: [try name("hostbits", parts[1])], seconds: 300)
        switch parts.count == 3 ? parts[2].string.lowercased() : "src" {
        case "src": operation.track = .source
        case "dst": operation.track = .destination
        case "both": throw Rejection("hostbits does not track both: write xbits, with track ip_pair")
        default: throw Rejection("hostbits tracks src or dst")
        }
        return operation
    }

    /// `xbits:verb,name,track ip_src|ip_dst|ip_pair[,expire seconds]`
    static func crossBits(_ text: RuleText) throws(Rejection) -> StateOperation? {
        let parts = text.listed
        if parts.count == 1, parts[0].string.lowercased() == "noalert" { return nil }
        guard parts.count >= 3, parts.count <= 4 else {
            throw Rejection("xbits takes what to do, a name, track and expire")
        }
        var operation = StateOperation(
            store: .hostBit, verb: try bitVerb("xbits", parts[0]), names: [try name("xbits", parts[1])],
            seconds: 30)
        for part in parts.dropFirst(2) {
            let words = part.words
            guard words.count == 2 else { throw Rejection("xbits does not know \(part.string)") }
            switch (words[0].string.lowercased(), words[1].string.lowercased()) {
            case ("track", "ip_src"): operation.track = .source
            case ("track", "ip_dst"): operation.track = .destination
            case ("track", "ip_pair"):
                operation.track = .pair
                operation.store = .pairBit
            case ("track", "tx"): throw Rejection("xbits cannot track tx: there are no transactions")
            case ("expire", _):
                guard let seconds = words[1].number.flatMap({ UInt32(exactly: $0) }), seconds > 0 else {
                    throw Rejection("xbits' expire is not a number of 1…4294967295")
                }
                operation.seconds = seconds
            default: throw Rejection("xbits does not know \(part.string)")
            }
        }
        return operation
    }
}
