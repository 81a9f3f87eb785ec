public import Evidence
import Sketches
public import Wire

/// Makes something of what workers tell of conversations: who scans, tries logins, floods, or does what it never did.
///
/// One thread steps it ten times a second; the packet path knows nothing of it but the rings. It has the contacts of
/// all workers, so that a host whose conversations meet several of them is seen whole. All tables are of fixed size.
public final class BehaviourWatch {
    /// What an operator sets.
    public struct Options: Sendable, Equatable {
        /// Seconds for which a guest is only learned from, from its first conversation on.
        public var learning = 86_400
        /// Relationships that are remembered.
        public var peers = 1 << 14

        public init() {}
    }

    public struct Figures: Sendable, Equatable {
        /// Contacts that were taken, and those for which a ring had no room.
        public var contacts: UInt64 = 0
        public var lost: UInt64 = 0
        /// Findings that found no place among those that are open.
        public var unreported: UInt64 = 0
        /// Relationships, and those that had to go for others.
        public var peers: UInt64 = 0
        public var peersForgotten: UInt64 = 0
    }

    /// Findings that may be open.
    static let openLimit = 256
    private static let sources = 1 << 11
    private static let questions = 1 << 14
    private static let logins = 1 << 10
    private static let hostRecords = 1 << 10
    private static let pairRecords = 1 << 12
    /// Nanoseconds after which a question that nobody answered was asked in vain.
    static let patience: UInt64 = 3_000_000_000
    /// Contacts taken from a ring in a step: an attack costs a bounded share of a core.
    private static let portion = 1 << 13

    let memory: BehaviourMemory
    var options: Options
    let records: PlaceTable<SourceRecord>
    let pending: PlaceTable<PendingRecord>
    let attempts: PlaceTable<LoginRecord>
    let hosts: PlaceTable<HostRecord>
    let pairs: PlaceTable<PairRecord>
    let peers: PlaceTable<PeerRecord>
    let sketches = DistinctSketches(count: openLimit)
    var freeSketches: [Int]
    public internal(set) var open: [OpenFinding] = []
    public internal(set) var guests: [WatchedGuest]
    private var identify: (Address) -> Int?
    private var steps = 0
    var nextIdentifier: UInt64 = 1
    var events: [BehaviourEvent] = []
    var now: UInt64 = 0
    /// When somebody outside last answered a guest: while nobody does, silence says nothing.
    var lastOutsideAnswer: UInt64 = 0
    public internal(set) var raised = [UInt64](repeating: 0, count: BehaviourKind.allCases.count)
    private var counted = Figures()

    /// `identify` gives the index of the guest that an address is of.
    public init(
        _ memory: BehaviourMemory, _ options: Options = Options(), guests: [WatchedGuest],
        identify: @escaping (Address) -> Int?
    ) {
        self.memory = memory
        self.options = options
        self.guests = guests
        self.identify = identify
        records = PlaceTable(capacity: BehaviourWatch.sources, secret: memory.secret)
        pending = PlaceTable(capacity: BehaviourWatch.questions, secret: memory.secret)
        attempts = PlaceTable(capacity: BehaviourWatch.logins, secret: memory.secret)
        hosts = PlaceTable(capacity: BehaviourWatch.hostRecords, secret: memory.secret)
        pairs = PlaceTable(capacity: BehaviourWatch.pairRecords, secret: memory.secret)
        peers = PlaceTable(capacity: options.peers, secret: memory.secret)
        freeSketches = Array((0..<BehaviourWatch.openLimit / 2).reversed())
    }

    /// Bytes that all of it takes.
    public static func memoryBytes(_ options: Options = Options()) -> Int {
        sources * MemoryLayout<SourceRecord>.stride + questions * MemoryLayout<PendingRecord>.stride
            + logins * MemoryLayout<LoginRecord>.stride + hostRecords * MemoryLayout<HostRecord>.stride
            + pairRecords * MemoryLayout<PairRecord>.stride + options.peers * MemoryLayout<PeerRecord>.stride
            + openLimit * (DistinctSketches.registers + MemoryLayout<OpenFinding>.stride)
    }

    public var figures: Figures {
        var figures = counted
        figures.lost = memory.rings.reduce(0) { $0 &+ $1.lost }
        figures.peersForgotten = peers.evicted
        unsafe peers.sweep { _ in
            figures.peers += 1
            return true
        }
        return figures
    }

    /// The guests are others, or what their policies say is. What is open goes on only if the guests are the same.
    public func adopt(
        _ guests: [WatchedGuest], learning: Int, same: Bool, time: UInt64, identify: @escaping (Address) -> Int?
    ) -> [BehaviourEvent] {
        let closed = same ? [] : closeAll(time)
        if !same { unsafe memory.refusals.pointee.removeAll() }
        self.guests = guests
        options.learning = learning
        self.identify = identify
        return closed
    }

    // MARK: - Steps

    /// Takes what the workers told, and says what came of it. `time` is the packets' clock.
    public func step(_ time: UInt64) -> [BehaviourEvent] {
        now = max(now, time)
        collect()
        if steps % 10 == 0 { judgeSilence(until: time) }
        steps += 1
        report(time)
        defer { events.removeAll() }
        return events
    }

    /// Takes what the workers told, without saying anything: before the rings are full.
    public func collect() {
        for ring in memory.rings { ring.drain(max: BehaviourWatch.portion) { take(copy $0) } }
    }

    /// Contacts that wait.
    public var waiting: Int { memory.rings.reduce(0) { $0 + $1.waiting } }

    /// Ends what is open.
    public func closeAll(_ time: UInt64) -> [BehaviourEvent] {
        collect()
        judgeSilence(until: .max)
        report(.max)
        for finding in open { events.append(event(finding, .close, max(time, finding.last))) }
        for finding in open { release(finding) }
        open.removeAll()
        defer { events.removeAll() }
        return events
    }

    func guest(_ address: Address) -> Int? { identify(address) }

    private func take(_ contact: Contact) {
        counted.contacts &+= 1
        now = max(now, contact.time)
        // Neither a group nor everybody on the network answers as one.
        guard !contact.server.isGroup, contact.client != contact.server else { return }
        switch contact.change {
        case .began: begin(contact)
        case .answered: break
        case .refused: fail(contact, isRefused: true)
        case .abandoned: fail(contact, isRefused: false)
        case .established: establish(contact)
        case .ended: end(contact)
        case .pouring: pour(contact)
        case .spoke:
            if let kind = BehaviourKind(contact.login) {
                unsafe peers.find(Asking(contact))?.pointee.login = kind.rawValue + 1
            }
        }
    }

    private func begin(_ contact: Contact) {
        if let host = guest(contact.client) { countBegun(contact, guest: host) }
        guard contact.probe != .none else { return }
        let key = Asking(contact)
        // The first that was asked is waited for.
        if unsafe pending.find(key) != nil { return }
        let record = PendingRecord(
            key: key, time: contact.time, probe: contact.probe, isFragmented: contact.isFragmented)
        let gone = unsafe pending.insert(record).gone
        if let gone { fail(gone) }
    }

    /// What was asked before `time`, and not answered in time.
    private func judgeSilence(until time: UInt64) {
        var silent: [PendingRecord] = []
        unsafe pending.sweep { place in
            let record = unsafe place.pointee
            guard time > record.time, time - record.time > BehaviourWatch.patience else { return true }
            silent.append(record)
            return false
        }
        // In the order in which they were asked, not in that of their places.
        silent.sort { ($0.time, $0.key.client, $0.key.server) < ($1.time, $1.key.client, $1.key.server) }
        for record in silent { fail(record) }
    }

    /// Nothing is kept of a finding that is over.
    func release(_ finding: OpenFinding) {
        if let sketch = finding.sketch { freeSketches.append(sketch) }
        for actor in finding.actors {
            guard let record = unsafe records.find(actor) else { continue }
            if unsafe record.pointee.open > 0 { unsafe record.pointee.open -= 1 }
            unsafe record.pointee.forget(finding.kind)
        }
        if LoginRecord.kinds.contains(finding.kind), let target = finding.target, let service = finding.services.first {
            for actor in finding.actors {
                unsafe attempts.find(Asking(client: actor, server: target, service: service))?.pointee.isOpen = false
            }
        }
    }

    func countUnreported() { counted.unreported &+= 1 }
}

extension LoginRecord {
    static var kinds: [BehaviourKind] { [.loginSSH, .loginRDP, .loginSMB] }
}

extension Asking {
    init(client: Address, server: Address, service: Service) {
        self.client = client
        self.server = server
        self.service = service
    }
}

extension Address {
    /// A group of hosts (RFC 5771, RFC 4291 §2.7), or all of them.
    var isGroup: Bool {
        isV4 ? low >> 28 & 0xF == 0xE || low & 0xFFFF_FFFF == 0xFFFF_FFFF || low & 0xFF == 0xFF : high >> 56 == 0xFF
    }
}
