import Evidence
import Wire

// The flat form of a rule set: records of fixed size that name one another by index, in memory that never
// changes once built. What the packet path walks.

/// A run of records in one of the tables.
struct Run: BitwiseCopyable, Sendable {
    var start: UInt32 = 0
    var count: UInt32 = 0

    @inline(__always) var lower: Int { Int(start) }
    @inline(__always) var upper: Int { Int(start) &+ Int(count) }
}

struct AddressRange: BitwiseCopyable, Sendable {
    var low: Address
    var high: Address
}

struct PortRange: BitwiseCopyable, Sendable {
    var low: UInt16
    var high: UInt16
}

/// One direction of one rule. Sorted by how soon a match must be acted on: pass, drop, alert; then by
/// priority; then in the order of loading.
struct Entry: BitwiseCopyable, Sendable {
    struct Checks: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        static let pass = Checks(rawValue: 1)
        static let payloadSize = Checks(rawValue: 2)
        static let icmpType = Checks(rawValue: 4)
        static let icmpCode = Checks(rawValue: 8)
        static let flags = Checks(rawValue: 16)
        /// It asks for ports or a field of the upper header, which a later fragment does not have.
        static let upperHeader = Checks(rawValue: 32)
    }

    var finding: Finding
    var checks: Checks
    /// 4 or 6; 0 for either.
    var ipVersion: UInt8
    var flags: FlagsTest
    var payloadSize: NumberTest
    var icmpType: NumberTest
    var icmpCode: NumberTest
    /// Ranges that the packet's must be in; none for any.
    var source: Run
    var destination: Run
    var sourcePorts: Run
    var destinationPorts: Run
    var contents: Run
    /// A shorter payload cannot match.
    var minimumPayload: Int32
}

/// One content, its place resolved. The positive contents of an entry stand in segments: a head that is
/// bound to the payload, then what is bound to the match before. Negated ones bound to the payload come last.
struct CompiledContent: BitwiseCopyable, Sendable {
    struct Traits: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        static let negated = Traits(rawValue: 1)
        static let ignoresCase = Traits(rawValue: 2)
        static let relative = Traits(rawValue: 4)
    }

    var traits: Traits
    /// Where the pattern is in the arena; folded to lower case if case is ignored.
    var pattern: UInt32
    var length: Int32
    /// Index of the byte of the pattern that is rarest in traffic: what is looked for first.
    var anchor: Int32
    /// Start of the match at the lowest, end of the match at the highest: from the start of the payload, or
    /// for a relative content from the end of the match before.
    var low: Int32
    var high: Int32
    /// For the head of a segment: how many contents it has, itself included.
    var segment: Int32
    /// For a positive relative content: how many records back the content stands that it is relative to.
    var back: Int32
}

/// The entries that packets of one port may match.
struct Group: BitwiseCopyable, Sendable {
    /// Index of its pattern database; −1 for none.
    var database: Int32
    /// No pattern in the database is shorter.
    var shortestPattern: Int32
    /// Entries that no pattern leads to, in `entryLists`.
    var unprompted: Run
    /// Bit `k` is set if one of them can match a packet whose key (`RuleTables.key`) is `k`.
    var keys: InlineArray<4, UInt64>

    @inline(__always)
    func admits(key: UInt8) -> Bool {
        keys[Int(key >> 6)] >> UInt64(key & 63) & 1 != 0
    }
}

/// One way of finding the group for a packet. A packet is looked up in each of its protocol's.
struct Lookup: BitwiseCopyable, Sendable {
    enum Key: UInt8, BitwiseCopyable, Sendable { case none, source, destination }
    var key: Key
    /// For `none`; group 0 has nothing in it.
    var group: UInt16
    /// Index of the first of 65,536 group numbers, by port, in `portGroups`.
    var table: UInt32
}
