import Evidence
import Floods
import Inspection
import Policy
import Signatures
import Topology
import Wire

/// An inspector whose guest is under a SYN flood, and the flood: a million SYNs a second from so many
/// addresses, no two alike.
final class FloodedTraffic {
    /// Packets of one pass, in batches as a queue hands them up.
    static let count = 64 * 64
    private static let batch = 64

    private let sources: UInt64
    /// The packets of one batch, each where a queue would have put it: they are received before any is looked at.
    private var slab: [UInt8]
    private static let stride = 256
    private static let size = SampleTraffic.syn.count
    private var number: UInt64 = 0
    private var inspector: Inspector
    private var controller: FloodController
    private let hosts: HostTable
    private var arrival = Arrival(time: 1_800_000_000_000_000_000)

    init(sources: Int) throws {
        self.sources = UInt64(sources)
        slab = [UInt8](repeating: 0, count: Self.batch * Self.stride)
        for index in 0..<Self.batch {
            slab.replaceSubrange(index * Self.stride..<index * Self.stride + Self.size, with: SampleTraffic.syn)
        }
        let guest = Guest(name: "web", addresses: [Prefix("10.77.0.0/24")!])
        hosts = HostTable([guest])
        let table = FloodTable(slotCount: hosts.slotCount, workerCount: 1)
        let memory = FlowMemory(workers: 1)
        controller = FloodController(
            table: table,
            guests: [GuestFloods(name: "web", shadow: false, limits: FloodLimits(.medium, action: .defend))],
            memory: memory.floods)
        let rules = try RuleSet.load(files: [], variables: .stock(home: guest.addresses))
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts, floods: table, rules: rules,
            policies: PolicyTable(guests: [GuestPolicy()], others: GuestPolicy()), tally: Tally(workerCount: 1),
            memory: memory)
        arrival.hardwareProtocol = 0x0800
        arrival.checksum = .verified
        arrival.port = 3
        arrival.sourceMAC = 0x0200_0000_00C8
        arrival.destinationMAC = 0x0200_0000_000A
        try begin()
    }

    /// Two seconds of the flood, with the controller's steps, after which it is known and sifted.
    private func begin() throws {
        for _ in 0..<20 {
            for _ in 0..<25 { _ = pass() }
            let hosts = hosts
            _ = controller.step(
                arrival.time, identify: { slot in hosts.address(of: slot).map { HostIdentity(address: $0, guest: 0) } },
                release: { _ in })
        }
        guard controller.open.count == 1 else { throw WrongAnswer("the flood was not found") }
    }

    /// One pass of the flood. Returns how many were dropped, which all but one in a thousand are: those within
    /// the budget for the unknown, one a second, and those that are taken for one that comes again.
    func pass() -> UInt64 {
        let dropped = Self.pass(&inspector, &arrival, &slab, &number, sources)
        return dropped + 4 >= UInt64(Self.count) ? UInt64(Self.count) : dropped
    }

    private static func pass(
        _ inspector: inout Inspector, _ arrival: inout Arrival, _ slab: inout [UInt8], _ number: inout UInt64,
        _ sources: UInt64
    ) -> UInt64 {
        var dropped: UInt64 = 0
        for _ in 0..<count / batch {
            unsafe slab.withUnsafeMutableBytes { bytes in unsafe receive(bytes, &number, sources) }
            let bytes = unsafe slab.span.bytes
            func packet(_ index: Int) -> Range<Int> { index * stride..<index * stride + size }
            if inspector.beginBatch() {
                for index in 0..<batch { inspector.foresee(bytes.extracting(packet(index)), .ip) }
            }
            for index in 0..<batch {
                arrival.time &+= 1000
                let decision = inspector.inspect(bytes.extracting(packet(index)), .ip, arrival)
                if decision.verdict == .drop { dropped &+= 1 }
            }
            if inspector.hasChallenges { unsafe inspector.takeChallenges { _, _ in } }
        }
        return dropped
    }

    /// What differs from SYN to SYN.
    private static func receive(_ slab: UnsafeMutableRawBufferPointer, _ number: inout UInt64, _ sources: UInt64) {
        for index in 0..<batch {
            number &+= 1
            let hash = number &* 0x9E37_79B9_7F4A_7C15
            let source = UInt32(0x2000_0000 + (hash >> 20) % sources)
            let start = index * stride
            unsafe slab.storeBytes(of: source.bigEndian, toByteOffset: start + 12, as: UInt32.self)
            unsafe slab.storeBytes(
                of: UInt16(truncatingIfNeeded: hash >> 48), toByteOffset: start + 20, as: UInt16.self)
            unsafe slab.storeBytes(of: UInt32(truncatingIfNeeded: hash), toByteOffset: start + 24, as: UInt32.self)
        }
    }
}
