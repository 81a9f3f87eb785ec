import CBaseline
import Conformance
import Evidence
import Floods
import Topology
import Wire

/// The measurements in this process, on byte arrays.
enum InProcess {
    /// `rules` is the rule file that the inspection runs with.
    static func rows(_ wanted: (String) -> Bool, rules: @autoclosure () throws -> String) throws -> [Row] {
        var rows: [Row] = []
        if wanted("decode") || wanted("allocations-decode") { rows += try decode() }
        if wanted("floods") || wanted("allocations-floods") { rows += try floods() }
        if wanted("flood-16M") || wanted("allocations-flood-16M") { rows += try flooded() }
        if wanted("conformance") || wanted("allocations-conformance") { rows += try conformance() }
        rows += try inspectionRows(wanted, rules: rules())
        if wanted("relations") || wanted("allocations-relations") { rows += try relations(rules()) }
        if wanted("allocations-control") { rows += try control() }
        rows += try RuleFigures.rows(wanted)
        return rows.filter { wanted($0.name) }
    }

    /// Those of them that depend on the sensor's rules.
    static func inspectionRows(_ wanted: (String) -> Bool, rules: @autoclosure () throws -> String) throws -> [Row] {
        guard wanted("inspection") || wanted("allocations-inspection") else { return [] }
        return try inspection(rules()).filter { wanted($0.name) }
    }

    private static func row(_ name: String, _ cost: Cost, baseline: Cost? = nil) -> Row {
        Row(name: name, value: cost.nanoseconds, unit: "ns/packet", baseline: baseline?.nanoseconds)
    }

    private static func allocations(_ name: String, _ cost: Cost) -> Row {
        Row(name: "allocations-\(name)", value: cost.allocations, unit: "allocations/packet")
    }

    /// Headers to a record, against the same by hand in C.
    private static func decode() throws -> [Row] {
        let traffic = SampleTraffic.mixed
        let byHand = {
            var sum: UInt64 = 0
            unsafe traffic.bytes.withUnsafeBytes { bytes in
                var packet = baseline_packet()
                for range in traffic.ranges {
                    let start = unsafe bytes.baseAddress! + range.lowerBound
                    _ = unsafe baseline_decode(start, range.count, &packet)
                    sum &+= UInt64(packet.payload_length) &+ UInt64(packet.source_port)
                    sum &+= UInt64(packet.destination_port) &+ packet.source_low &+ packet.destination_low
                }
            }
            return sum
        }
        let ours = {
            var sum: UInt64 = 0
            let bytes = unsafe traffic.bytes.span.bytes
            for range in traffic.ranges {
                let packet = Decoder.decode(unsafe bytes.extracting(unchecked: range), as: .ip)
                sum &+= UInt64(packet.payloadLength) &+ UInt64(packet.sourcePort)
                sum &+= UInt64(packet.destinationPort) &+ packet.source.low &+ packet.destination.low
            }
            return sum
        }
        let costs = try Stopwatch(packets: traffic.ranges.count).measure(answer: byHand(), [byHand, ours])
        return [row("decode", costs[1], baseline: costs[0]), allocations("decode", costs[1])]
    }

    /// The flood stage alone: two lookups of hosts, the counters of both, the gate.
    private static func floods() throws -> [Row] {
        let traffic = SampleTraffic.mixed
        let span = unsafe traffic.bytes.span.bytes
        let packets = traffic.ranges.map { Decoder.decode(unsafe span.extracting(unchecked: $0), as: .ip) }
        let guest = Guest(name: "web", addresses: ["10.77.0.0/24", "fd77::/64"].compactMap { Prefix($0) })
        let hosts = HostTable([guest])
        let table = FloodTable(slotCount: hosts.slotCount, workerCount: 1)
        let view = hosts.view
        let counters = table.worker(0)
        let pass = {
            var open: UInt64 = 0
            for packet in packets {
                let size = UInt64(truncatingIfNeeded: packet.statedLength)
                let destination = view.slot(of: packet.destination)
                let source = view.slot(of: packet.source)
                if destination >= 0,
                    counters.arrive(destination, FloodClass(packet), bytes: size, time: 1) == .open
                {
                    open &+= 1
                }
                if source >= 0 {
                    counters.leave(source, bytes: size)
                    open &+= 1
                }
            }
            return open
        }
        // Each packet is from or to the guest, and no gate is closed.
        let cost = try Stopwatch(packets: packets.count).measure(answer: UInt64(packets.count), [pass])[0]
        _ = hosts.slotCount
        return [row("floods", cost), allocations("floods", cost)]
    }

    /// A SYN of a flood that is sifted, of 16 million sources against 10,000.
    private static func flooded() throws -> [Row] {
        let (few, many) = (try FloodedTraffic(sources: 10_000), try FloodedTraffic(sources: 16_000_000))
        let count = FloodedTraffic.count
        let costs = try Stopwatch(packets: count).measure(answer: UInt64(count), [few.pass, many.pass])
        return [row("flood-16M", costs[1], baseline: costs[0]), allocations("flood-16M", costs[1])]
    }

    /// What is wrong with the form of packets that were decoded before. The decoder takes turns with it, because a
    /// machine that is slow for the one is slow for the other.
    private static func conformance() throws -> [Row] {
        let traffic = SampleTraffic.mixed
        let bytes = unsafe traffic.bytes.span.bytes
        let packets = traffic.ranges.map { Decoder.decode(unsafe bytes.extracting(unchecked: $0), as: .ip) }
        let table = CheckTable(guestCount: 1)
        let view = table.view
        var memory = NeighbourMemory(seed: 1)
        var around = Surroundings(time: 1_800_000_000_000_000_000)
        around.sourceMAC = 0x0200_0000_000A
        let decode = {
            var clean: UInt64 = 0
            let bytes = unsafe traffic.bytes.span.bytes
            for range in traffic.ranges {
                let packet = Decoder.decode(unsafe bytes.extracting(unchecked: range), as: .ip)
                if packet.anomalies.isEmpty { clean &+= 1 }
            }
            return clean
        }
        let examine = {
            var clean: UInt64 = 0
            let bytes = unsafe traffic.bytes.span.bytes
            for (index, range) in traffic.ranges.enumerated() {
                let failed = Conformance.examine(
                    packets[index], unsafe bytes.extracting(unchecked: range), around, view, &memory)
                if failed.isEmpty { clean &+= 1 }
            }
            return clean
        }
        // None of them fails anything.
        let costs = try Stopwatch(packets: packets.count).measure(answer: UInt64(packets.count), [decode, examine])
        withExtendedLifetime(table) {}
        return [row("conformance", costs[1], baseline: costs[0]), allocations("conformance", costs[1])]
    }

    /// All stages of the packet path between the queue and the verdict, with the rules of the sensor.
    private static func inspection(_ rules: String) throws -> [Row] {
        var rows: [Row] = []
        var allocated = 0.0
        let kinds: [(name: String, traffic: SampleTraffic)] = [
            ("inspection", .mixed), ("inspection-60", .udp(frame: 60)),
            ("inspection-1400", .udp(frame: 1400)),
        ]
        for (name, traffic) in kinds {
            let subject = try InspectedTraffic(traffic, rules: rules)
            let count = traffic.ranges.count
            let cost = try Stopwatch(packets: count).measure(answer: UInt64(count), [subject.pass])[0]
            rows.append(row(name, cost))
            allocated += cost.allocations
        }
        let total = Cost(nanoseconds: 0, allocations: allocated)
        return rows + [allocations("inspection", total)]
    }

    /// The same of packets of which nobody's relation speaks, in turns with none being there.
    private static func relations(_ rules: String) throws -> [Row] {
        let traffic = SampleTraffic.mixed
        let without = try InspectedTraffic(traffic, rules: rules)
        let with = try InspectedTraffic(traffic, rules: rules, hasRelations: true)
        let count = traffic.ranges.count
        let costs = try Stopwatch(packets: count).measure(answer: UInt64(count), [without.pass, with.pass])
        return [row("relations", costs[1], baseline: costs[0]), allocations("relations", costs[1])]
    }

    /// Must allocate, once a packet, so that the zeros above mean something.
    private static func control() throws -> [Row] {
        let traffic = SampleTraffic.mixed
        let pass = {
            var sum: UInt64 = 0
            for range in traffic.ranges { sum &+= UInt64(Array(traffic.bytes[range]).count) }
            return sum
        }
        let answer = traffic.ranges.reduce(0) { $0 &+ UInt64($1.count) }
        let cost = try Stopwatch(packets: traffic.ranges.count).measure(answer: answer, [pass])[0]
        return [allocations("control", cost)]
    }
}
