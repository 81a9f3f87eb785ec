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

/// One direction of one rule. Sorted by how soon a match must be acted on (`RuleOrder`).
struct Entry: BitwiseCopyable, Sendable {
    struct Traits: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt16
        /// It asks for ports or a field of the upper header, which a later fragment does not have.
        static let upperHeader = Traits(rawValue: 1)
        /// Its payload part looks at packets, at streams, or at both.
        static let packets = Traits(rawValue: 2)
        static let streams = Traits(rawValue: 4)
        /// It acts but says nothing.
        static let silent = Traits(rawValue: 8)
        /// It passes, and says so.
        static let loud = Traits(rawValue: 16)
        /// Asked of the first packet of each direction of a flow only: it names nothing but addresses.
        static let addressesOnly = Traits(rawValue: 32)
        /// What it does to a packet it does to the flow: always, or if it matched in the stream.
        static let actsOnFlow = Traits(rawValue: 64)
        static let actsOnFlowOfStream = Traits(rawValue: 128)
        /// The pattern that led here is all that the payload part asks.
        static let isProven = Traits(rawValue: 256)
        /// It has a payload part, proven or not.
        static let hasPayload = Traits(rawValue: 512)
        /// It may be about packets whose headers make no sense.
        static let malformed = Traits(rawValue: 1024)
        /// No pattern leads to it.
        static let unprompted = Traits(rawValue: 2048)
        /// It asks which application the flow is of.
        static let namesApplication = Traits(rawValue: 4096)
    }

    var finding: Finding
    var action: RuleAction
    /// 4 or 6; 0 for either.
    var ipVersion: UInt8
    var traits: Traits
    var flow: FlowTest
    /// Ranges that the packet's must be in; none for any.
    var source: Run
    var destination: Run
    var sourcePorts: Run
    var destinationPorts: Run
    var conditions: Run
    /// What is asked of the state before the payload, and done to it after.
    var tests: Run
    var effects: Run
    /// Parts, the one for the payload first.
    var parts: Run
    /// How often it alerts or acts; suppressions first.
    var thresholds: Run
    var tags: Run
    /// A packet with a shorter payload cannot match, if it is packets that are asked.
    var minimumPayload: Int32
}

/// The steps of one rule for one buffer.
struct CompiledPart: BitwiseCopyable, Sendable {
    var buffer: Buffer
    var minimumLength: Int32
    var steps: Run
}

/// A `StateOperation`, names replaced by numbers.
struct CompiledOperation: BitwiseCopyable, Sendable {
    var store: StateOperation.Store
    var verb: StateOperation.Verb
    var track: StateOperation.Track
    var needsAll: Bool
    /// Whether `value` is another variable's number.
    var valueIsName: Bool
    /// Numbers, in `names`.
    var names: Run
    var seconds: UInt32
    var value: UInt32
}

/// What is told when one of the patterns is found.
struct FoundPattern: BitwiseCopyable, Sendable {
    /// Those that it leads to, in `entryLists`.
    var entries: Run
    /// Where it is in the arena, for a literal; `length` is 0 for an expression.
    var offset: UInt32
    var length: UInt16
    var ignoresCase: Bool
}

/// The entries that packets of one port may match.
struct Group: BitwiseCopyable, Sendable {
    /// Index of its pattern database; −1 for none.
    var database: Int32
    /// Index of the filter for its long literals, where they are many and so not in the database; −1 for none.
    var filter: Int32
    /// No pattern in either is shorter.
    var shortestPattern: Int32
    /// Index of the database of its regular expressions; −1 for none.
    var expressions: Int32
    /// Entries that no pattern leads to, in `entryLists`.
    var unprompted: Run
    /// Bit `k` is set if one of them can match a packet whose key (`RuleTables.key`) is `k`.
    var keys: InlineArray<4, UInt64>

    @inline(__always)
    func admits(key: UInt8) -> Bool {
        unsafe keys[unchecked: Int(key >> 6)] >> UInt64(key & 63) & 1 != 0
    }
}

/// One way of finding the group for a packet. A packet is looked up in each of its protocol's.
struct Lookup: BitwiseCopyable, Sendable {
    enum Key: UInt8, BitwiseCopyable, Sendable { case none, source, destination, sourceAddress, destinationAddress }
    var key: Key
    /// For `none`; group 0 has nothing in it.
    var group: UInt16
    /// By port: index of the first of 65,536 group numbers in `portGroups`. By address: of the first of
    /// `count` in `addressGroups`.
    var table: UInt32
    var count: UInt32 = 0
    /// The rules in it name nothing but addresses (`Entry.Traits.addressesOnly`).
    var addressesOnly = false
}

/// The group for addresses from `low` up to the next record's.
struct AddressGroup: BitwiseCopyable, Sendable {
    var low: Address
    var group: UInt16
}
