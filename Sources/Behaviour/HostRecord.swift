import Sketches
import Wire

/// What a guest's host usually does, and what it did of late.
struct HostRecord: PlaceRecord {
    /// Seconds over which new acquaintances are counted.
    static var window: UInt32 { 600 }
    /// At least so many of them are out of the ordinary, and three times the most that there usually are.
    static var newPeers: UInt16 { 20 }
    static var newServices: UInt16 { 5 }
    /// Seconds between two findings of a kind.
    static var rest: UInt32 { 3_600 }
    /// Conversations begun in a second without an answer that are a flood, if there are so for three seconds; and
    /// packets a second of one that nobody answers.
    static var floodBegun: UInt32 { 1_000 }
    static var floodSeconds: UInt8 { 3 }
    static var floodRate: UInt64 { 5_000 }

    let key: Address
    /// Seconds since the epoch, of the first and the last conversation.
    let first: UInt32
    var last: UInt32
    var isClient = false
    var isServer = false
    private var windowStart: UInt32 = 0
    private var known = 0 as UInt8
    /// The last services that it used.
    private var services = InlineArray<32, UInt32>(repeating: 0)
    var peers = Novelty()
    var uses = Novelty()
    private var second: UInt32 = 0
    private var begun: UInt32 = 0
    private var answered: UInt32 = 0
    private var hotSeconds: UInt8 = 0

    /// How many new ones there are in this window, and usually.
    struct Novelty: BitwiseCopyable {
        var count: UInt16 = 0
        var usual: UInt16 = 0
        /// Seconds since the epoch of the last finding; 0 for none.
        var told: UInt32 = 0
        var sample = InlineArray<8, Address>(repeating: .none)

        mutating func roll() {
            // A day of windows is 144.
            usual = max(count, usual - usual / 144)
            count = 0
        }

        mutating func add(_ address: Address) {
            sample[Int(count) % 8] = address
            count = min(count + 1, .max - 1)
        }

        /// Whether there are too many, and it was not said in the last hour.
        mutating func isOdd(_ least: UInt16, _ second: UInt32) -> Bool {
            guard count >= max(least, min(usual, 20_000) * 3),
                told == 0 || second > told && second - told >= HostRecord.rest
            else {
                return false
            }
            told = second
            return true
        }

        var addresses: [Address] { (0..<min(8, Int(count))).map { sample[$0] } }
    }

    init(_ address: Address, second: UInt32) {
        key = address
        first = second
        last = second
        windowStart = second
    }

    var isUsed: Bool { first != 0 }
    var worth: UInt64 { UInt64(last) }
    static func hash(_ key: Address, _ secret: SecretHash) -> UInt64 { secret.hash(key) }

    mutating func advance(to second: UInt32) {
        last = max(last, second)
        guard second > windowStart, second - windowStart >= HostRecord.window else { return }
        peers.roll()
        uses.roll()
        windowStart = second
    }

    /// Takes in a service that it uses. False if it was known.
    mutating func use(_ service: Service) -> Bool {
        for index in 0..<min(32, Int(known)) where services[index] == service.number { return false }
        add(service.number)
        return true
    }

    private mutating func add(_ service: UInt32) {
        services[Int(known) % 32] = service
        known = known == .max ? 32 : known + 1
    }

    init(_ learned: Learned.Host, _ address: Address) {
        key = address
        first = learned.first
        last = learned.last
        windowStart = learned.last
        isClient = learned.isClient
        isServer = learned.isServer
        peers.usual = learned.usualPeers
        uses.usual = learned.usualServices
        for service in learned.services.prefix(32) { add(service) }
    }

    var learned: Learned.Host {
        Learned.Host(
            address: "\(key)", first: first, last: last, isClient: isClient, isServer: isServer,
            usualPeers: max(peers.usual, peers.count), usualServices: max(uses.usual, uses.count),
            services: (0..<min(32, Int(known))).map { services[$0] })
    }

    /// Counts a conversation that it begins, or the answer to one. Returns whether it floods.
    mutating func count(begun isBegun: Bool, _ now: UInt32) -> Bool {
        if now != second {
            let isHot = begun >= HostRecord.floodBegun && answered < begun / 10
            hotSeconds = isHot && now == second &+ 1 ? min(hotSeconds + 1, 100) : isHot ? 1 : 0
            (second, begun, answered) = (now, 0, 0)
        }
        if isBegun { begun += 1 } else { answered += 1 }
        return hotSeconds >= HostRecord.floodSeconds
    }
}
