import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Testing
import Topology
import Wire

/// A web server behind an inspector, a controller that steps ten times a second, and clients and attackers
/// who are played here. What passes to the server is answered as a Linux server would: a SYN with a SYN-ACK,
/// and what belongs to no connection with a reset.
struct Siege: ~Copyable {
    static let server: UInt32 = 0x0A00_0002
    static let serverMAC: UInt64 = 0x0200_0000_000A

    let hosts: HostTable
    let table: FloodTable
    /// What is known of sources; the kernel is told of those that proved themselves.
    let memory: FloodMemory
    var controller: FloodController
    var inspector: Inspector
    var time: UInt64 = 1_700_000_000_000_000_000
    private var nextStep: UInt64
    private(set) var events: [FloodEvent] = []
    /// Of the attack: packets sent and those that reached the server.
    var sent = 0
    var arrived = 0
    /// Of the attack: packets sent when the alarm was raised, which is when sources begin to be counted.
    private(set) var sentAtAlarm: Int?
    /// Challenges sent, by whom they are to.
    var challenged: [UInt32: [Challenge]] = [:]
    var challengeBytes = 0
    var keepsChallenges = true

    init(
        entry: UInt32 = 2_000, classes: [FloodClass] = FloodClass.allCases, pass: UInt32 = 200,
        prefix: String = "10.0.0.2/32",
        shadow: Bool = false, truncatesDNS: Bool = false
    ) throws {
        hosts = HostTable([Guest(name: "web", addresses: [Prefix(prefix)!])])
        table = FloodTable(slotCount: hosts.slotCount, workerCount: 1)
        var limits = FloodLimits(.low, action: .alert)
        for floodClass in classes {
            limits[floodClass] = FloodLimit(
                entry: floodClass == .tcp ? entry * 10 : entry, exit: entry / 2, action: .defend, pass: pass)
        }
        limits[.udp].truncatesDNS = truncatesDNS
        let memory = FlowMemory(workers: 1, flows: 1 << 16, streamBytes: 1 << 20, seed: 1)
        self.memory = memory.floods
        controller = FloodController(
            table: table, guests: [GuestFloods(name: "web", shadow: false, limits: limits)], memory: memory.floods)
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts, floods: table,
            rules: try RuleSet.compile(text: "", file: "none", variables: .stock(home: [Prefix(prefix)!])),
            policies: PolicyTable(guests: [GuestPolicy(shadow: shadow)], others: GuestPolicy()),
            tally: Tally(workerCount: 1), memory: memory)
        nextStep = time
        // The guests' gates are set with the first step.
        advance(to: time)
    }

    mutating func advance(to moment: UInt64) {
        time = max(time, moment)
        while nextStep <= time {
            let hosts = hosts
            events += controller.step(
                nextStep,
                identify: { slot in hosts.address(of: slot).map { HostIdentity(address: $0, guest: 0) } },
                release: { _ in })
            nextStep += FloodController.step
            if sentAtAlarm == nil, !events.isEmpty { sentAtAlarm = sent }
        }
    }

    /// Time passes, in which only clients do something.
    mutating func pass(_ seconds: Double) {
        let end = time + UInt64(seconds * 1e9)
        while time < end {
            advance(to: min(end, time + 1_000_000))
            perform()
        }
    }

    /// Whether a packet passes; a challenge that it leads to is kept for who reads it.
    mutating func inspect(_ bytes: [UInt8]) -> Bool {
        var arrival = Arrival(time: time)
        arrival.port = 3
        arrival.sourceMAC = 0x0200_0000_00C8
        arrival.destinationMAC = Siege.serverMAC
        let decision = unsafe inspector.inspect(bytes.span.bytes, .ip, arrival)
        if inspector.hasChallenges {
            var frames: [[UInt8]] = []
            unsafe inspector.takeChallenges { frame, port in
                if port == 3 { frames.append(unsafe Array(frame)) }
            }
            for frame in frames {
                challengeBytes += frame.count - 14
                let challenge = Challenge(frame)
                if keepsChallenges { challenged[challenge.destination, default: []].append(challenge) }
            }
        }
        return decision.verdict == .accept
    }

    struct Challenge {
        var bytes: [UInt8]
        init(_ frame: [UInt8]) { bytes = frame }
        func number(_ offset: Int) -> UInt32 { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        var source: UInt32 { number(26) }
        var destination: UInt32 { number(30) }
        var acknowledgement: UInt32 { number(42) }
        var destinationPort: UInt16 { UInt16(bytes[36]) << 8 | UInt16(bytes[37]) }
        var flags: UInt8 { bytes[47] }
    }

    // MARK: Segments

    static func ip(_ from: UInt32, _ to: UInt32, _ number: UInt8, _ payload: [UInt8], fragment: Int = 0) -> [UInt8] {
        var header =
            [0x45, 0] + big16(20 + payload.count) + big16(1) + big16(fragment) + [64, number, 0, 0]
            + big32(Int(from)) + big32(Int(to))
        var checksum = InternetChecksum()
        unsafe checksum.add(header.span.bytes)
        header.replaceSubrange(10..<12, with: big16(Int(checksum.value)))
        return header + payload
    }

    static func tcp(
        _ from: UInt32, _ to: UInt32, _ ports: (UInt16, UInt16), _ flags: UInt8, sequence: UInt32,
        acknowledgement: UInt32 = 0
    ) -> [UInt8] {
        ip(
            from, to, 6,
            big16(Int(ports.0)) + big16(Int(ports.1)) + big32(Int(sequence)) + big32(Int(acknowledgement))
                + [0x50, flags] + big16(512) + big32(0))
    }

    static func udp(_ from: UInt32, _ to: UInt32, _ ports: (UInt16, UInt16)) -> [UInt8] {
        ip(from, to, 17, big16(Int(ports.0)) + big16(Int(ports.1)) + big16(12) + big16(0) + [1, 2, 3, 4])
    }

    /// A resolver asks for www.lab, with EDNS behind the question.
    static func query(_ from: UInt32, _ number: Int = 0) -> [UInt8] {
        let message =
            big16(number & 0xFFFF) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3] + Array("www".utf8) + [3] + Array("lab".utf8)
            + [0, 0, 1, 0, 1, 0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
        return ip(from, server, 17, big16(40_000) + big16(53) + big16(8 + message.count) + big16(0) + message)
    }

    // MARK: Clients

    /// A client asks for a connection. Returns whether its SYN reached the server, and if so completes the
    /// handshake and says something.
    mutating func ask(_ client: UInt32, port: UInt16, sequence: UInt32) -> Bool {
        guard inspect(Siege.tcp(client, Siege.server, (port, 80), 0x02, sequence: sequence)) else { return false }
        return shake(client, port: port, sequence: sequence)
    }

    /// Twenty clients, 1 to 20, of whom the server knows afterwards.
    mutating func meetClients() {
        for client in UInt32(1)...20 { _ = ask(client, port: 50_000, sequence: client) }
        pass(1)
    }

    mutating func shake(_ client: UInt32, port: UInt16, sequence: UInt32) -> Bool {
        let initial = sequence ^ 0x5555_0000
        let answered = inspect(
            Siege.tcp(Siege.server, client, (80, port), 0x12, sequence: initial, acknowledgement: sequence &+ 1))
        let third = inspect(
            Siege.tcp(client, Siege.server, (port, 80), 0x10, sequence: sequence &+ 1, acknowledgement: initial &+ 1))
        return answered && third
    }

    /// A client with a Linux stack that connects while other things happen. It answers a challenge after a
    /// millisecond with a reset that carries the number that it got, and sends its SYN again 13 ms later; and
    /// when its timer says so, 1, 3 and 7 s after the first. One that does not `answer` has the timer alone.
    struct Client {
        var address: UInt32
        var port: UInt16
        var sequence: UInt32
        var answers = true
        var start: UInt64 = 0
        var isConnected = false
        var hasAnswered = false
    }

    private enum Deed {
        case ask
        case answer(UInt32)
    }

    private(set) var clients: [Client] = []
    /// Nanoseconds from a client's first SYN to its handshake; none for those who did not connect.
    private(set) var connectTimes: [UInt64] = []
    private var deeds: [(time: UInt64, client: Int, deed: Deed)] = []

    /// `seconds` from now a client begins to connect.
    mutating func expect(_ client: Client, in seconds: Double) {
        var client = client
        client.start = time + UInt64(seconds * 1e9)
        for wait in [UInt64(0), 1_000, 3_000, 7_000] {
            deeds.append((client.start + wait * 1_000_000, clients.count, .ask))
        }
        clients.append(client)
        deeds.sort { $0.time > $1.time }
    }

    /// Many clients, one after the other over `seconds` that begin `delay` from now.
    mutating func expect(_ count: Int, from first: UInt32, in delay: Double, over seconds: Double, answers: Bool = true)
    {
        for number in 0..<count {
            expect(
                Client(
                    address: first + UInt32(number), port: UInt16(40_000 + number % 20_000),
                    sequence: UInt32(number) &* 2_654_435_761, answers: answers),
                in: delay + seconds * Double(number) / Double(count))
        }
    }

    private mutating func perform() {
        while let next = deeds.last, next.time <= time {
            deeds.removeLast()
            let client = clients[next.client]
            switch next.deed {
            case .ask:
                guard !client.isConnected else { continue }
                challenged[client.address] = nil
                if ask(client.address, port: client.port, sequence: client.sequence) {
                    clients[next.client].isConnected = true
                    connectTimes.append(time - client.start)
                } else if client.answers, !client.hasAnswered, let challenge = challenged[client.address]?.first {
                    clients[next.client].hasAnswered = true
                    later(1, next.client, .answer(challenge.acknowledgement))
                    later(14, next.client, .ask)
                }
            case .answer(let number):
                _ = inspect(Siege.tcp(client.address, Siege.server, (client.port, 80), 0x04, sequence: number))
            }
        }
    }

    private mutating func later(_ milliseconds: UInt64, _ client: Int, _ deed: Deed) {
        let moment = time + milliseconds * 1_000_000
        let place = deeds.firstIndex { $0.time < moment } ?? deeds.count
        deeds.insert((moment, client, deed), at: place)
    }

    /// The share of clients that connected within `milliseconds`.
    func connected(within milliseconds: UInt64 = .max / 1_000_000) -> Double {
        Double(connectTimes.count { $0 <= milliseconds * 1_000_000 }) / Double(max(1, clients.count))
    }

    // MARK: Attackers

    /// Sends `rate` packets a second of an attack for `seconds`. What reaches the server is answered with
    /// nothing: its sources do not exist, or do not ask.
    mutating func flood(rate: Int, seconds: Double, _ packet: (Int) -> [UInt8]) {
        let count = Int(Double(rate) * seconds)
        let start = time
        for number in 0..<count {
            advance(to: start + UInt64(number) * 1_000_000_000 / UInt64(rate))
            perform()
            sent += 1
            if inspect(packet(sent)) { arrived += 1 }
        }
        advance(to: start + UInt64(seconds * 1e9))
    }

    /// Whom the packet `number` of a flood is from.
    static func source(_ number: Int, of sources: Int, from first: UInt32 = 0x2000_0000) -> UInt32 {
        first + UInt32(((UInt64(number) &* 0x9E37_79B9_7F4A_7C15) >> 20) % UInt64(sources))
    }

    /// A SYN of a flood, from one of `sources` addresses.
    static func syn(_ number: Int, sources: Int, from first: UInt32 = 0x2000_0000, to server: UInt32 = server)
        -> [UInt8]
    {
        let hash = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
        return tcp(
            source(number, of: sources, from: first), server, (UInt16(1_024 + (hash >> 50) % 60_000), 80), 0x02,
            sequence: UInt32(truncatingIfNeeded: hash))
    }
}
