/// Where the encoder finds the words for the numbers in an event. The caller gives them, so that this
/// room need not know rules, checks, or guests.
public struct EVENames: Sendable {
    public enum Target: Sendable { case unsaid, source, destination }

    /// What a signature says of itself.
    public struct Rule: Sendable, Equatable {
        public var gid: UInt32
        public var sid: UInt32
        public var rev: UInt32
        /// The rule's `msg`.
        public var message: String
        /// The long text of its classtype; empty for none.
        public var category: String
        /// 1 is the worst (Suricata's `severity`, a rule's priority).
        public var severity: Int
        /// Which side of the packet is under attack, if the rule says so.
        public var target = Target.unsaid
        /// The rule's `metadata`, in its order: a key may have several values.
        public var metadata: [(key: String, values: [String])]

        public init(
            gid: UInt32 = 1, sid: UInt32, rev: UInt32, message: String, category: String, severity: Int,
            target: Target = .unsaid, metadata: [(key: String, values: [String])] = []
        ) {
            self.target = target
            self.gid = gid
            self.sid = sid
            self.rev = rev
            self.message = message
            self.category = category
            self.severity = severity
            self.metadata = metadata
        }

        public static func == (a: Rule, b: Rule) -> Bool {
            a.gid == b.gid && a.sid == b.sid && a.rev == b.rev && a.message == b.message
                && a.category == b.category && a.severity == b.severity && a.target == b.target
                && a.metadata.elementsEqual(b.metadata) { $0.key == $1.key && $0.values == $1.values }
        }
    }

    /// By the rule's index (`Finding.code` of a signature); nil for a rule that is no longer loaded.
    public var rule: @Sendable (UInt32) -> Rule?
    /// Identifier of a check of Conformance by its index: "ipv4.header-length".
    public var check: @Sendable (UInt32) -> String?
    /// What a relation says of who talks to whom, by its index: "office may not talk to servers".
    public var relation: @Sendable (UInt32) -> String?
    /// Name of a guest by its index.
    public var guest: @Sendable (Int32) -> String?
    /// Name of an interface by its index; nil for one that is not there.
    public var interface: @Sendable (UInt32) -> String?
    /// What EVE calls an application protocol by its number (`app_proto`); nil for what is not known.
    public var application: @Sendable (UInt8) -> String?

    public init(
        rule: @escaping @Sendable (UInt32) -> Rule?,
        check: @escaping @Sendable (UInt32) -> String?,
        relation: @escaping @Sendable (UInt32) -> String? = { _ in nil },
        guest: @escaping @Sendable (Int32) -> String?,
        interface: @escaping @Sendable (UInt32) -> String? = { InterfaceNames.ask($0) },
        application: @escaping @Sendable (UInt8) -> String? = { _ in nil }
    ) {
        self.rule = rule
        self.check = check
        self.relation = relation
        self.guest = guest
        self.interface = interface
        self.application = application
    }
}

/// The words of the last few programs that the sensor ran: after a reload, events of the one before still
/// wait in the rings, and their numbers are its.
struct NamesOfGenerations {
    private var entries: [(generation: UInt32?, names: EVENames)]

    private static let kept = 4

    /// Without a generation, the words are for every event.
    init(_ names: EVENames, generation: UInt32?) { entries = [(generation, names)] }

    mutating func add(_ names: EVENames, generation: UInt32) {
        // Guests came: the same words, and more.
        if let last = entries.indices.last, entries[last].generation == generation { entries.removeLast() }
        entries.append((generation, names))
        if entries.count > NamesOfGenerations.kept { entries.removeFirst() }
    }

    /// nil for a generation that is too long ago.
    subscript(generation: UInt32) -> EVENames? {
        entries.last { $0.generation == nil || $0.generation == generation }?.names
    }
}
