import Sketches
import Wire

/// Who asked whom for what, as a key of a table.
struct Asking: Equatable, BitwiseCopyable {
    var client: Address
    var server: Address
    var service: Service

    init(_ contact: Contact) {
        client = contact.client
        server = contact.server
        service = contact.service
    }

    func hash(_ secret: SecretHash) -> UInt64 {
        secret.hash(client, secret.hash(server, UInt64(service.ipProtocol) << 16 | UInt64(service.port)))
    }
}

/// A question that waits for an answer.
struct PendingRecord: PlaceRecord {
    var key: Asking
    /// Nanoseconds since the epoch; 0 for a free place.
    var time: UInt64
    var probe: Probe
    var isFragmented: Bool

    var isUsed: Bool { time != 0 }
    /// The oldest goes.
    var worth: UInt64 { time }
    static func hash(_ key: Asking, _ secret: SecretHash) -> UInt64 { key.hash(secret) }
}

/// Logins that were tried at one service of one host by another.
struct LoginRecord: PlaceRecord {
    static var kept: Int { 32 }
    /// Logins that carried little and ended early, and the seconds within which there are that many.
    static var limits: [(count: Int, seconds: UInt32)] { [(10, 60), (30, 600)] }

    var key: Asking
    var lastSecond: UInt32
    var isOpen = false
    private var next: UInt8 = 0
    private var seconds = InlineArray<32, UInt32>(repeating: 0)

    init(_ key: Asking, second: UInt32) {
        self.key = key
        lastSecond = second
    }

    var isUsed: Bool { lastSecond != 0 }
    var worth: UInt64 { UInt64(isOpen ? 1 : 0) << 32 | UInt64(lastSecond) }
    static func hash(_ key: Asking, _ secret: SecretHash) -> UInt64 { key.hash(secret) }

    /// Takes in one, and says whether they are too many.
    mutating func add(_ second: UInt32) -> Bool {
        lastSecond = max(lastSecond, second)
        seconds[Int(next)] = second
        next = (next + 1) % UInt8(LoginRecord.kept)
        return LoginRecord.limits.contains { limit in
            var found = 0
            for index in 0..<LoginRecord.kept
            where seconds[index] != 0 && seconds[index] <= second && second - seconds[index] < limit.seconds {
                found += 1
            }
            return found >= limit.count
        }
    }
}

/// Logins that can be tried: where, and what a failed one carries.
struct LoginForm {
    var kind: BehaviourKind
    /// Bytes of IP packets to the server and back: less is a look at the port, more is work.
    var toServer: ClosedRange<UInt64>
    var toClient: ClosedRange<UInt64>
    /// Seconds.
    static var longest: UInt64 { 150 }

    init?(_ kind: BehaviourKind) {
        self.kind = kind
        switch kind {
        // A key exchange is 1.5 to 3 KB each way.
        case .loginSSH: (toServer, toClient) = (900...12_000, 900...16_000)
        // TLS and CredSSP.
        case .loginRDP: (toServer, toClient) = (500...12_000, 500...12_000)
        // Negotiation, two messages of session set-up.
        case .loginSMB: (toServer, toClient) = (500...6_000, 300...6_000)
        default: return nil
        }
    }

    /// By the port, for what encrypts its first words or was not seen to say them.
    init?(_ service: Service) {
        guard service.ipProtocol == IPProtocol.tcp else { return nil }
        switch service.port {
        case 22: self.init(.loginSSH)
        case 3389: self.init(.loginRDP)
        case 139, 445: self.init(.loginSMB)
        default: return nil
        }
    }

    func fits(_ contact: Contact) -> Bool {
        toServer.contains(contact.bytesToServer) && toClient.contains(contact.bytesToClient)
            && contact.time >= contact.started && contact.time - contact.started <= LoginForm.longest * 1_000_000_000
    }
}

/// Two guests that talk.
struct PairRecord: PlaceRecord {
    struct Key: Equatable, BitwiseCopyable {
        var one: Address
        var other: Address

        init(_ a: Address, _ b: Address) { (one, other) = a < b ? (a, b) : (b, a) }
    }

    var key: Key
    var lastSecond: UInt32

    var isUsed: Bool { lastSecond != 0 }
    var worth: UInt64 { UInt64(lastSecond) }
    static func hash(_ key: Key, _ secret: SecretHash) -> UInt64 { secret.hash(key.one, secret.hash(key.other)) }
}
