import Wire

/// What tells the fragments of one datagram from those of another.
struct DatagramKey: BitwiseCopyable {
    var source: Address
    var destination: Address
    var identification: UInt32
    var vlan: UInt32
    /// Where the fragments travel, for those who know: see `FragmentPlace`.
    var domain: UInt64
    var ipProtocol: UInt8
    var ipVersion: UInt8

    @inline(__always)
    func hash(_ secret: SecretHash) -> UInt64 {
        let ends = secret.hash(secret.hash(source), and: secret.hash(destination))
        let rest = secret.hash(domain, UInt64(identification) << 32 | UInt64(ipProtocol) << 8 | UInt64(ipVersion))
        return secret.hash(secret.hash(ends, and: rest), and: UInt64(vlan))
    }

    static func == (a: DatagramKey, b: DatagramKey) -> Bool {
        a.source == b.source && a.destination == b.destination && a.identification == b.identification
            && a.vlan == b.vlan && a.domain == b.domain && a.ipProtocol == b.ipProtocol && a.ipVersion == b.ipVersion
    }
}

/// How a fragment came, beside what it says.
public struct FragmentPlace: BitwiseCopyable, Sendable {
    /// Nanoseconds since the Unix epoch.
    public var time: UInt64
    /// 802.1Q identifiers of the tags, 12 bits each.
    public var vlan: UInt32
    /// The port that it leaves by and the tunnel that it is in, mixed into a number: hosts that share a sensor
    /// may have the same addresses. 0 where nobody knows.
    public var domain: UInt64
    /// The hardware address that it goes to; 0 if unknown. A card takes only what goes to its own.
    public var card: UInt64

    @inlinable
    public init(time: UInt64, vlan: UInt32 = 0, domain: UInt64 = 0, card: UInt64 = 0) {
        self.time = time
        self.vlan = vlan
        self.domain = domain
        self.card = card
    }
}

/// A datagram of which fragments came: a record of a `FragmentTable`.
struct Datagram: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        case unused
        /// More is to come.
        case open
        /// It is whole, and the packet at hand made it so.
        case whole
        /// It must not become whole any more.
        case closed
    }

    /// What keeps a datagram from becoming whole at a host that may hold parts of it.
    enum Barrier: UInt8, BitwiseCopyable, CaseIterable {
        /// Its first fragment, or its last one, which did not pass so far.
        case first, last
        /// Whatever may come of it.
        case any

        func bars(_ fragment: IPFragment) -> Bool {
            switch self {
            case .first: fragment.offset == 0
            case .last: !fragment.moreFragments
            case .any: true
            }
        }
    }

    /// The least that is enough.
    var missing: Barrier { !hasFirst ? .first : !hasLast ? .last : .any }

    var key: DatagramKey
    var state = State.open
    /// Which fragments do not pass once it is closed, and whether that is because there was no room.
    var barrier = Barrier.any
    var lacksRoom = false
    /// Its first and its last fragment passed.
    var hasFirst = false
    var hasLast = false
    /// Fragments overlapped. Hosts differ in what they make of that: some begin anew.
    var isDoubtful = false
    var nextHeader: UInt8 = 0
    var headerPage: UInt16 = 0
    /// Of the first fragment: bytes before the data, where the IP header is in them, and where the header is
    /// named that `nextHeader` is to stand for.
    var headerLength: UInt16 = 0
    var networkOffset: UInt16 = 0
    var nextHeaderOffset: UInt16 = 0
    /// Bytes of the whole; -1 as long as the last fragment is missing.
    var length: Int32 = -1
    var card: UInt64 = 0
    /// Of its first fragment, and of the last one that passed.
    var firstTime: UInt64 = 0
    var lastTime: UInt64 = 0
    /// Different for every datagram of a table.
    var serial: UInt64 = 0
    /// What is there, from left to right.
    var firstPiece: UInt32 = 0
    var lastPiece: UInt32 = 0
    var pieceCount: UInt32 = 0
    /// The next record of the same bucket, and the neighbours by age.
    var next: UInt32 = 0
    var older: UInt32 = 0
    var newer: UInt32 = 0
    /// By place in the datagram, 1 KiB each; 0 where there is none.
    var pages: InlineArray<64, UInt16>

    init(key: DatagramKey) {
        self.key = key
        pages = InlineArray(repeating: 0)
    }
}
