import Evidence
import Testing
import Wire

@testable import Behaviour

/// A watch over three guests, and a clock.
final class Stage {
    static let web = Address("10.0.0.10")!
    static let dns = Address("10.0.0.11")!
    static let quiet = Address("10.0.0.12")!
    static let outside = Address("192.0.2.66")!

    let memory: BehaviourMemory
    let watch: BehaviourWatch
    /// Nanoseconds.
    var time: UInt64 = 1_700_000_000_000_000_000
    private(set) var events: [BehaviourEvent] = []
    private var steps: UInt64 = 0
    private let workers: Int
    private var told = 0

    /// Guests have 10.0.0.0/24, each an address; `learning` in seconds.
    init(learning: Int = 0, workers: Int = 1, settings: BehaviourSettings = BehaviourSettings()) {
        memory = BehaviourMemory(workers: workers, seed: 7)
        self.workers = workers
        var options = BehaviourWatch.Options()
        options.learning = learning
        let guests = (0..<256).map { WatchedGuest(name: "guest\($0)", settings: settings) }
        watch = BehaviourWatch(memory, options, guests: guests) { address in
            address.isV4 && address.low >> 8 & 0xFF_FFFF == 0x0A_0000 ? Int(address.low & 0xFF) : nil
        }
    }

    static func guest(_ number: Int) -> Address { Address("10.0.0.\(number)")! }
    static func stranger(_ number: Int) -> Address { Address("198.51.\(100 + number / 250).\(number % 250 + 1)")! }

    /// Lets seconds pass, in steps as a sensor's, or longer ones where there are many.
    func wait(_ seconds: Double) {
        let end = time + UInt64(seconds * 1e9)
        let step: UInt64 = seconds > 30 ? 500_000_000 : 100_000_000
        while time + step < end {
            time += step
            events += watch.step(time)
        }
        time = end
        events += watch.step(time)
    }

    func tell(
        _ change: Contact.Change, _ client: Address, _ server: Address, _ port: Int, proto: UInt8 = IPProtocol.tcp,
        probe: Probe = .syn, fragmented: Bool = false, bytes: (UInt64, UInt64) = (0, 0), packets: UInt32 = 1,
        lasted: Double = 0, login: Login = .none
    ) {
        var contact = Contact(
            change, client: client, server: server, clientPort: 40_000, serverPort: UInt16(port), ipProtocol: proto,
            time: time, started: time - UInt64(lasted * 1e9))
        contact.probe = probe
        contact.isFragmented = fragmented
        contact.login = login
        contact.bytesToServer = bytes.0
        contact.bytesToClient = bytes.1
        contact.packetsToServer = packets
        memory.contacts(told % workers).pointee.append(contact)
        told += 1
    }

    /// A question, and what becomes of it.
    func ask(
        _ client: Address, _ server: Address, _ port: Int, proto: UInt8 = IPProtocol.tcp, probe: Probe = .syn,
        fragmented: Bool = false, _ answer: Contact.Change?
    ) {
        tell(.began, client, server, port, proto: proto, probe: probe, fragmented: fragmented)
        if let answer { tell(answer, client, server, port, proto: proto) }
        // Where there are several workers, what one told is taken before the next is asked.
        if workers > 1 { watch.collect() }
    }

    /// A login that fails after two seconds.
    func login(_ client: Address, _ server: Address, _ port: Int, bytes: (UInt64, UInt64) = (2_500, 3_000)) {
        ask(client, server, port, .established)
        tell(.ended, client, server, port, bytes: bytes, lasted: 2)
    }

    func finish() { events += watch.closeAll(time) }

    /// What was raised: kind, phases apart from `close`.
    var raised: [String] { events.filter { $0.phase != .close }.map(\.kind) }
    var closed: [BehaviourEvent] { events.filter { $0.phase == .close } }
}
