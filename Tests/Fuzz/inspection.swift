import Evidence
import Floods
import Foundation
import Inspection
import Intake
import Policy
import Signatures
import Topology
import Wire

/// Guests of every address there is, under different policies, with the starter rules, and with gates in
/// every state; and the inspector that works for them.
private struct Rig: ~Copyable {
    var inspector: Inspector
    var time: UInt64 = 1_700_000_000_000_000_000

    init() throws {
        // Two ranges whose hosts claim slots, one whose hosts have their own, and nobody for the rest.
        let guests = ["0.0.0.0/1", "192.168.0.0/24", "2000::/3"].map { text in
            Guest(name: text, addresses: [Prefix(text)!])
        }
        let hosts = HostTable(guests, seed: 1)
        let floods = FloodTable(slotCount: hosts.slotCount, workerCount: 1)
        for slot in 0..<hosts.slotCount {
            floods.setGate(slot, .fragment, slot % 2 == 0 ? .deny : .throttle(1000))
            if slot % 3 == 0 { floods.setGate(slot, .icmp, .throttle(10)) }
        }
        let rules = try RuleSet.load(files: ["Sources/Signatures/Rules/starter.rules"], variables: .stock(home: []))
        precondition(rules.problems.isEmpty && !rules.rules.isEmpty)
        let strict = GuestPolicy(unknownProtocol: .drop)
        var shadow = strict
        shadow.shadow = true
        inspector = try Inspector(
            worker: 0, generation: 1, hosts: hosts, floods: floods, rules: rules,
            policies: PolicyTable(guests: [strict, GuestPolicy(), shadow], others: GuestPolicy()),
            tally: Tally(workerCount: 1), memory: FlowMemory(workers: 1))
    }
}

// libFuzzer calls from one thread.
nonisolated(unsafe) private var rig = Rig.started()

extension Rig {
    fileprivate static func started() -> Rig {
        do { return try Rig() } catch { fatalError("\(error)") }
    }
}

/// A packet. The first byte says what it begins with (4 bits), what stood before that (3), and whether the
/// capture cut it (1).
@c(LLVMFuzzerTestOneInput)
public func fuzzInspection(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(start, count)
    return input.withRest { bytes in
        rig.time += 1_000_000
        var arrival = Arrival(time: rig.time)
        // What may stand before the bytes of `.other`: LLDP, PPPoE, MPLS, NSH, a tag, 802.1ah, VN-Tag, FabricPath.
        let types: [UInt16] = [0x88CC, 0x8864, 0x8847, 0x894F, 0x8100, 0x88E7, 0x8926, 0x8903]
        arrival.hardwareProtocol = types[Int(input.control >> 4 & 7)]
        let links = LinkLayer.allCases
        rig.inspector.foresee(bytes, .ip)
        let decision = rig.inspector.inspect(
            bytes, links[Int(input.control & 15) % links.count], arrival, capturedShort: input.control & 0x80 != 0)
        precondition((1...InspectedPackets.capacity).contains(rig.inspector.packets.count))
        for index in 0..<rig.inspector.packets.count {
            checkSoundness(
                rig.inspector.packets[index].packet,
                byteCount: rig.inspector.packets.bytes(of: index, in: bytes).byteCount)
        }
        for index in 0..<rig.inspector.findings.count {
            precondition(Int(rig.inspector.findings[index].layer) < rig.inspector.packets.count)
        }
        precondition(decision.verdict != .throttle)
        precondition((decision.reason == .none) == (decision.intended == .accept))
        precondition(decision.verdict == .accept || decision.intended != .accept)
        precondition(rig.inspector.findings.count <= Findings.capacity)
        return 0
    }
}

/// With FLINCH_SEEDS set the arguments are captures: their packets are written there as seeds, for this fuzzer
/// and, as messages, for that of the queue.
@c(LLVMFuzzerInitialize)
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["FLINCH_SEEDS"] else { return 0 }
    for path in CommandLine.arguments.dropFirst() { try? writeSeeds(of: path, to: folder) }
    exit(0)
}
