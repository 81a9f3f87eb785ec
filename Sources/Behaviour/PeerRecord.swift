import Sketches
import Wire

/// A relationship: who is a client of whom, for what.
struct PeerRecord: PlaceRecord {
    /// Calls at the same distance, a third more or less, that make a beacon: what people do is that even sixteen times
    /// in a row once in a million. The distances that count, in milliseconds; what is closer than `burst` is one call.
    static var beaconCalls: UInt16 { 16 }
    static var burst: UInt64 { 500 }
    static var shortestPeriod: UInt64 { 2_000 }
    static var longestPeriod: UInt64 { 3_600_000 }

    let key: Asking
    /// Nanoseconds since the epoch.
    let first: UInt64
    private(set) var last: UInt64
    private(set) var connections: UInt64 = 0
    private(set) var bytesToServer: UInt64 = 0
    private(set) var bytesToClient: UInt64 = 0
    /// One end of it is no guest: of those there are more than there is room for.
    let isOutside: Bool
    var wasBeacon = false
    /// What the server is logged in to by, if its first words say so: one more than the kind's number; 0 for nothing.
    var login: UInt8 = 0
    /// The last call that was not part of the one before it; the usual distance to the next, milliseconds; how many
    /// came at it.
    private var call: UInt64 = 0
    private(set) var period: UInt64 = 0
    private(set) var regular: UInt16 = 0

    init(_ key: Asking, isOutside: Bool, time: UInt64) {
        self.key = key
        self.isOutside = isOutside
        first = time
        last = time
    }

    init(_ learned: Learned.Peer, _ key: Asking, isOutside: Bool) {
        self.key = key
        self.isOutside = isOutside
        first = learned.first
        last = learned.last
        connections = learned.connections
        bytesToServer = learned.bytesToServer
        bytesToClient = learned.bytesToClient
        wasBeacon = learned.wasBeacon
    }

    var learned: Learned.Peer {
        Learned.Peer(
            client: "\(key.client)", server: "\(key.server)", service: key.service.number, first: first, last: last,
            connections: connections, bytesToServer: bytesToServer, bytesToClient: bytesToClient,
            wasBeacon: wasBeacon)
    }

    var isUsed: Bool { first != 0 }
    var worth: UInt64 { (isOutside ? 0 : 1 << 63) | last >> 1 }
    static func hash(_ key: Asking, _ secret: SecretHash) -> UInt64 { key.hash(secret) }

    /// A conversation was established. Returns whether such come at a fixed period, for the first time.
    mutating func connect(_ time: UInt64) -> Bool {
        connections &+= 1
        last = max(last, time)
        guard call != 0, time > call else {
            call = time
            return false
        }
        let gap = (time - call) / 1_000_000
        guard gap >= PeerRecord.burst else { return false }
        call = time
        let isRegular = gap > period ? gap - period <= tolerance : period - gap <= tolerance
        if isRegular, (PeerRecord.shortestPeriod...PeerRecord.longestPeriod).contains(gap) {
            period = (period * 3 + gap) / 4
            regular = min(regular + 1, 1_000)
        } else {
            period = gap
            regular = 1
        }
        guard regular >= PeerRecord.beaconCalls, !wasBeacon else { return false }
        wasBeacon = true
        return true
    }

    /// What logins are tried by, if there are such.
    var loginKind: BehaviourKind? { login == 0 ? nil : BehaviourKind(rawValue: login - 1) }

    mutating func end(_ contact: Contact) {
        last = max(last, contact.time)
        bytesToServer &+= contact.bytesToServer
        bytesToClient &+= contact.bytesToClient
    }

    /// Milliseconds.
    private var tolerance: UInt64 { period / 3 }
}

/// A relationship as it is shown.
public struct Relationship: Sendable, Equatable {
    public var client: Address
    public var server: Address
    public var service: Service
    /// Nanoseconds since the epoch, of the first and the last conversation.
    public var first: UInt64
    public var last: UInt64
    public var connections: UInt64
    /// Of TCP connections that are over.
    public var bytesToServer: UInt64
    public var bytesToClient: UInt64

    init(_ record: PeerRecord) {
        client = record.key.client
        server = record.key.server
        service = record.key.service
        first = record.first
        last = record.last
        connections = record.connections
        bytesToServer = record.bytesToServer
        bytesToClient = record.bytesToClient
    }
}
