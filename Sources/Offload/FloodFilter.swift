import CLinux
import Evidence
import Glibc
import Wire

/// What the kernel is told of floods, and what it says of them: the elements of the sets in nftables/offload.nft.
///
/// One thread's, off the packet path. Each change is one transaction; after one that failed the sets are filled
/// anew.
public final class FloodFilter {
    private let nft: Nftables
    /// Bridges whose ports are listed; empty where the rules themselves ask for the bridge, or for none.
    private let bridges: [String]
    /// What the kernel has.
    private var orders: [Key: FloodOrder] = [:]
    private var trusted: Set<Address> = []
    private var trustedSince: UInt64 = 0
    private var repeated = RepeatedSources()
    private var beatTime: UInt64 = 0
    private var ports: [Int32] = []
    private var shapes: [RequestShape] = []
    private var isClean = false
    /// What the elements of `drop` counted at the last reading, since they were made.
    private var counted: [Key: UInt64] = [:]

    private struct Key: Hashable {
        var host: Address
        var floodClass: FloodClass

        init(_ order: FloodOrder) { (host, floodClass) = (order.host, order.floodClass) }
        init(host: Address, floodClass: FloodClass) { (self.host, self.floodClass) = (host, floodClass) }
    }

    /// Sources that are told to the kernel in one step; a few milliseconds' work.
    static let trustedAtOnce = 8192
    /// Of the sets, which are a little larger; beyond it they are filled anew.
    private static let trustedLimit = 130_000
    /// The kernel forgets a source after ten minutes; half of that after the first was told, all are told anew.
    private static let trustedAge: UInt64 = 300_000_000_000
    /// Nanoseconds between two signs of life, of which each counts for five seconds.
    private static let beat: UInt64 = 1_000_000_000

    /// For the rules of `plan`, which must be installed. Throws when libnftables has no memory.
    public init(_ plan: DiversionPlan, _ backend: Backend) throws(OffloadError) {
        nft = try Nftables.open()
        bridges = backend == .inet ? plan.bridges : []
    }

    /// Whether the kernel has orders.
    public var isActive: Bool { !orders.isEmpty }

    /// Whether the next call of `apply` must bring all sources that have proved themselves, not the latest alone.
    public var wantsAllTrusted: Bool { orders.isEmpty || !isClean }

    /// Makes what the kernel does what is `wanted`. Sources that have proved themselves since the last call are in
    /// `trusted`, some of them perhaps once more, and in `repeated` those that have only sent their SYN again; what most
    /// SYNs of the floods look like is `hostile`. `time` is a steady clock in nanoseconds.
    ///
    /// Throws what nft said; nothing is then dropped by the kernel within five seconds, and the next call begins
    /// anew.
    public func apply(
        _ wanted: [FloodOrder], hostile: [RequestShape], trusted sources: [Address],
        repeated requesters: [Address] = [], _ time: UInt64
    ) throws(OffloadError) {
        if wanted.isEmpty {
            if !orders.isEmpty || !isClean { try clear() }
            return
        }
        do throws(OffloadError) {
            if !isClean { try clear() }
            try trust(sources, time)
            try expect(requesters, time)
            try change(to: wanted)
            try change(to: Array(hostile.prefix(FloodFilter.shapeLimit)))
            try live(time)
        } catch {
            isClean = false
            throw error
        }
    }

    /// Packets that the kernel dropped since the last reading, by order.
    public func drops() throws(OffloadError) -> [(order: FloodOrder, packets: UInt64)] {
        guard !orders.isEmpty else { return [] }
        var read: [Key: UInt64] = [:]
        for (isV4, floodClass) in Set(orders.keys.map { SetName(isV4: $0.host.isV4, floodClass: $0.floodClass) })
            .map({ ($0.isV4, $0.floodClass) })
        {
            let name = Diversion.setPrefix(floodClass, isV4: isV4) + "_drop"
            for (host, packets) in try SetElements.counters(of: name) {
                read[Key(host: host, floodClass: floodClass)] = packets
            }
        }
        var drops: [(order: FloodOrder, packets: UInt64)] = []
        for (key, order) in orders {
            guard let packets = read[key] else { continue }
            let before = counted[key] ?? 0
            counted[key] = packets
            if packets > before { drops.append((order, packets - before)) }
        }
        return drops
    }

    private struct SetName: Hashable {
        var isV4: Bool
        var floodClass: FloodClass
    }

    /// Takes all orders and sources back.
    public func clear() throws(OffloadError) {
        var names = ["port_numbers", "trusted4", "trusted6", "repeated4", "repeated6", "attacked4", "attacked6"]
        for isV4 in [true, false] {
            for floodClass in FloodClass.allCases {
                let prefix = Diversion.setPrefix(floodClass, isV4: isV4)
                names += ["known", "share", "drop"].map { "\(prefix)_\($0)" }
                switch floodClass {
                case .tcp: names += ["answers", "repeats"].map { "\(prefix)_\($0)" }
                case .syn: names += ["sifted", "lengths", "shapes", "sample"].map { "\(prefix)_\($0)" }
                default: break
                }
            }
        }
        orders = [:]
        counted = [:]
        trusted = []
        repeated = RepeatedSources()
        ports = []
        shapes = []
        beatTime = 0
        try run(FloodFilter.lifeless + names.map { "flush set \(FloodFilter.place) \($0)\n" }.joined())
        isClean = true
    }

    // MARK: - Transactions

    private static let place = "bridge \(Diversion.table)"
    /// What takes the sign of life away.
    private static let lifeless = "flush map \(place) in_force\n"

    private func run(_ commands: String) throws(OffloadError) {
        guard !commands.isEmpty else { return }
        if let refusal = nft.run(commands) {
            throw OffloadError(.refused, "telling the kernel of a flood: nft said: \(refusal)")
        }
    }

    private func trust(_ sources: [Address], _ time: UInt64) throws(OffloadError) {
        var fresh = sources.filter { !trusted.contains($0) }
        var commands = ""
        if !trusted.isEmpty, time &- trustedSince > FloodFilter.trustedAge {
            commands = "flush set \(FloodFilter.place) trusted4\nflush set \(FloodFilter.place) trusted6\n"
            fresh += trusted
            trusted = []
        }
        if trusted.isEmpty { trustedSince = time }
        guard trusted.count + fresh.count <= FloodFilter.trustedLimit else {
            isClean = false
            return
        }
        var rest = fresh[...]
        repeat {
            let chunk = rest.prefix(FloodFilter.trustedAtOnce)
            rest = rest.dropFirst(chunk.count)
            for isV4 in [true, false] {
                let addresses = chunk.filter { $0.isV4 == isV4 }.map(\.description)
                guard !addresses.isEmpty else { continue }
                commands +=
                    "add element \(FloodFilter.place) \(isV4 ? "trusted4" : "trusted6") "
                    + "{ \(addresses.joined(separator: ", ")) }\n"
            }
            try run(commands)
            commands = ""
            trusted.formUnion(chunk)
        } while !rest.isEmpty
    }

    private func expect(_ sources: [Address], _ time: UInt64) throws(OffloadError) {
        let fresh = repeated.admit(sources.filter { !trusted.contains($0) }, time)
        var commands = ""
        for isV4 in [true, false] {
            let addresses = fresh.filter { $0.isV4 == isV4 }.map(\.description)
            guard !addresses.isEmpty else { continue }
            commands += FloodFilter.element("add", isV4 ? "repeated4" : "repeated6", addresses.joined(separator: ", "))
        }
        try run(commands)
    }

    private func change(to wanted: [FloodOrder]) throws(OffloadError) {
        var next: [Key: FloodOrder] = [:]
        // Whoever finds no place is left to the sensor: always the same.
        let isMany = wanted.count > FloodFilter.orderLimit
        let chosen = isMany ? wanted.sorted { $0.slot < $1.slot }.prefix(FloodFilter.orderLimit) : wanted[...]
        for order in chosen { next[Key(order)] = order }
        guard next != orders else { return }
        var commands = ""
        for (key, order) in orders where next[key] != order {
            commands += FloodFilter.elements("delete", order, next[key] == nil)
        }
        for (key, order) in next where orders[key] != order {
            commands += FloodFilter.elements("add", order, orders[key] == nil)
        }
        let (before, after) = (Set(orders.keys.map(\.host)), Set(next.keys.map(\.host)))
        for (verb, hosts) in [("delete", before.subtracting(after)), ("add", after.subtracting(before))] {
            for host in hosts { commands += FloodFilter.element(verb, "attacked" + (host.isV4 ? "4" : "6"), "\(host)") }
        }
        try run(commands)
        for key in orders.keys where next[key] == nil { counted[key] = nil }
        orders = next
    }

    private func change(to hostile: [RequestShape]) throws(OffloadError) {
        guard hostile != shapes else { return }
        var commands = ""
        for isV4 in [true, false] {
            let prefix = Diversion.setPrefix(.syn, isV4: isV4)
            for set in ["lengths", "shapes"] { commands += "flush set \(FloodFilter.place) \(prefix)_\(set)\n" }
        }
        for shape in hostile {
            // An IPv6 header states the length behind itself.
            let length = shape.isV4 ? Int(shape.length) : max(0, Int(shape.length) - 40)
            let set = Diversion.setPrefix(.syn, isV4: shape.isV4) + (shape.window == nil ? "_lengths" : "_shapes")
            commands += FloodFilter.element("add", set, "\(length)" + (shape.window.map { " . \($0)" } ?? ""))
        }
        try run(commands)
        shapes = hostile
    }

    /// What stands for an order. An element of `drop` goes with the order only, because it counts.
    private static func elements(_ verb: String, _ order: FloodOrder, _ isWhole: Bool) -> String {
        let prefix = Diversion.setPrefix(order.floodClass, isV4: order.host.isV4)
        var text = ""
        func put(_ set: String, _ statement: String = "") {
            text += element(verb, "\(prefix)_\(set)", "\(order.host)\(verb == "add" ? statement : "")")
        }
        func put(_ set: String, rate: UInt32, burst: UInt32 = doubtfulBurst) {
            put(set, " limit rate \(rate)/second burst \(max(1, min(rate / 10, burst))) packets")
        }
        if order.trusted > 0 {
            put("known", rate: order.trusted, burst: .max)
            switch order.floodClass {
            case .tcp:
                put("answers", rate: answers)
                put("repeats", rate: repeats)
            case .syn:
                put("sifted")
                put("sample", rate: sample)
            default: break
            }
        }
        if order.share > 0 { put("share", rate: order.share) }
        if isWhole { put("drop") }
        return text
    }

    /// Packets of the others that are queued at once, at most: half of what a worker's queue for them holds. An element
    /// that is made anew begins with all of it.
    private static let doubtfulBurst: UInt32 = 512

    /// Resets and SYN-ACKs a second that are queued, to one host: twice what is challenged.
    private static let answers: UInt32 = 20_000

    /// Packets a second of sources that have only sent their SYN again, to one host: some for each handshake of as many
    /// as pass.
    private static let repeats: UInt32 = 2_000

    /// SYNs a second that look like the flood and are queued, to one host: enough to see that they still come, and
    /// that one in a hundred of them is a client after all.
    private static let sample: UInt32 = 500
    /// Orders, and so elements of a class's sets, at most.
    private static let orderLimit = 4096
    /// Shapes that are told to the kernel.
    private static let shapeLimit = 64

    private static func element(_ verb: String, _ set: String, _ element: String) -> String {
        "\(verb) element \(place) \(set) { \(element) }\n"
    }

    /// The sign of life, and the ports of the bridges as they are now.
    private func live(_ time: UInt64) throws(OffloadError) {
        guard beatTime == 0 || time &- beatTime >= FloodFilter.beat else { return }
        var commands = FloodFilter.lifeless
        let chains = [("ip", "attacked_ip4"), ("ip6", "attacked_ip6")].map { "\($0) timeout 5s : goto \($1)" }
        commands += "add element \(FloodFilter.place) in_force { \(chains.joined(separator: ", ")) }\n"
        let now = bridges.flatMap(FloodFilter.ports).sorted()
        if now != ports {
            commands += "flush set \(FloodFilter.place) port_numbers\n"
            if !now.isEmpty {
                let numbers = now.map(String.init).joined(separator: ", ")
                commands += "add element \(FloodFilter.place) port_numbers { \(numbers) }\n"
            }
        }
        try run(commands)
        (beatTime, ports) = (time, now)
    }

    /// The numbers of the interfaces that are ports of a bridge; none where it is not there.
    private static func ports(of bridge: String) -> [Int32] {
        // As many as a bridge can have (kernel: BR_MAX_PORTS).
        var indices = [Int32](repeating: 0, count: 1024)
        guard unsafe flinch_bridge_ports(bridge, &indices, Int32(indices.count)) >= 0 else { return [] }
        return indices.filter { $0 > 0 }
    }
}
