import Evidence
import Glibc
import Testing
import Wire

@testable import Offload

@Suite("What the kernel does of a flood", .serialized)
struct FloodFilterTests {
    private let plan = DiversionPlan(bridges: ["v0"], queueCount: 2, offloads: true)
    private let victim = Address("10.9.0.3")!

    private func order(_ floodClass: FloodClass, _ host: Address, spares: Bool = true, share: UInt32 = 0) -> FloodOrder
    {
        FloodOrder(host: host, slot: 0, floodClass: floodClass, trusted: spares ? 100_000 : 0, share: share)
    }

    private static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test("Who has proved himself passes, nobody else does, and the kernel counts them")
    func trusted() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                #expect(filter.wantsAllTrusted)
                try filter.apply([order(.icmp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(filter.isActive && !filter.wantsAllTrusted)
                #expect(try !lab.ping("10.9.0.3", from: 0))
                let drops = try filter.drops()
                #expect(drops.map(\.order) == [order(.icmp, victim)])
                #expect(drops.map(\.packets) == [3])
                #expect(try filter.drops().isEmpty, "counted once")
                #expect(try Diversion.counters()?.floodDropped.packets == 3)
                #expect(try !lab.ping("10.9.0.2", from: 1), "answers come to the host that is attacked")
                #expect(try lab.ping("10.9.0.1", from: 0), "another host")

                try filter.apply(
                    [order(.icmp, victim)], hostile: [], trusted: [Address("10.9.0.2")!], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
                #expect(try lab.ping("10.9.0.2", from: 1))
            }
        }
    }

    @Test("A deny spares nobody; another class passes; without orders all passes")
    func denied() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                let known = Address("10.9.0.2")!
                let deny = order(.icmp, victim, spares: false)
                try filter.apply([deny], hostile: [], trusted: [known], FloodFilterTests.now)
                #expect(try !lab.ping("10.9.0.3", from: 0))
                try filter.apply([order(.udp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
                try filter.apply([deny], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try !lab.ping("10.9.0.3", from: 0))
                try filter.apply([], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
                #expect(!filter.isActive)
            }
        }
    }

    @Test("Within its share an unknown source passes, beyond it not")
    func share() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                try filter.apply(
                    [order(.icmp, victim, share: 20)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
                let said = try shell("ip netns exec \(lab.names[0]) ping -n -q -f -c 400 -W 1 10.9.0.3 || true")
                let lost = try #require(said.split(separator: ",").first { $0.contains("packet loss") })
                let percent = try #require(Double(lost.split(separator: "%")[0].drop { $0 == " " }))
                #expect(percent > 30 && percent < 100)
            }
        }
    }

    @Test("Who forges the address of one who has proved himself passes up to the limit, and the rest is counted")
    func forged() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                var limited = order(.icmp, victim)
                limited.trusted = 20
                try filter.apply([limited], hostile: [], trusted: [Address("10.9.0.2")!], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
                // Two or three seconds of it.
                _ = try shell("ip netns exec \(lab.names[0]) ping -n -q -f -c 400 -W 1 10.9.0.3 || true")
                let dropped = try filter.drops().map(\.packets).reduce(0, +)
                #expect((250...395).contains(dropped), "\(dropped) of 400")
                limited.trusted = 100_000
                limited.share = 50_000
                try filter.apply([limited], hostile: [], trusted: [], FloodFilterTests.now)
                // No more at once than half of the queue for them.
                #expect(try shell("nft list set bridge flinch icmp4_share").contains("50000/second burst 512 packets"))
                _ = try shell("ip netns exec \(lab.names[0]) ping -n -q -f -c 400 -W 1 10.9.0.3 || true")
                #expect(try filter.drops().isEmpty)
            }
        }
    }

    /// Whether a connection from the first to the victim stands for both: its SYN and SYN-ACK pass.
    private func connects(_ lab: borrowing Lab) throws -> Bool {
        let server = """
            import socket
            listener = socket.create_server(("10.9.0.3", 8080))
            listener.settimeout(1.5)
            try: listener.accept(); print("stands")
            except TimeoutError: print("half open")
            """
        let client = "import socket; socket.create_connection((\"10.9.0.3\", 8080), 1)"
        let said = try shell(
            """
            ip netns exec \(lab.names[1]) python3 -c '\(server)' &
            sleep 0.5; ip netns exec \(lab.names[0]) python3 -c '\(client)'; wait
            """)
        #expect(said.hasPrefix("stands") || said.hasPrefix("half open"), "\(said)")
        return said.hasPrefix("stands")
    }

    @Test("Who has only sent his SYN again may end his handshake, for ten seconds and on the queue of the others")
    func repeated() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                let (client, start) = (Address("10.9.0.2")!, FloodFilterTests.now)
                func tell(_ sources: [Address], after time: UInt64 = 0) throws {
                    try filter.apply([order(.tcp, victim)], hostile: [], trusted: [], repeated: sources, start + time)
                }
                func count() throws -> Int {
                    try shell("nft list set bridge flinch repeated4").split(separator: "expires").count - 1
                }
                try tell([])
                #expect(try !connects(lab))
                try tell([client])
                #expect(try connects(lab))
                #expect(try shell("nft list set bridge flinch segment4_repeats").contains("2000/second"))
                #expect(try shell("nft list set bridge flinch trusted4").contains("10.9.0.2") == false)
                // However many there are, so many have a place, and the others are not an error.
                try tell((0..<20_000 as Range<UInt32>).map { Address(v4: 0x0B00_0000 + $0) })
                #expect(try count() == RepeatedSources.limit)
                sleep(11)
                #expect(try count() == 0)
                try tell([client], after: RepeatedSources.age + 1)
                #expect(try count() == 1 && filter.wantsAllTrusted == false)
            }
        }
    }

    @Test("Without a sign of life all passes after five seconds, and nothing is blocked for good")
    func abandoned() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                try filter.apply([order(.icmp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try !lab.ping("10.9.0.3", from: 0))
                sleep(5)
                #expect(try lab.ping("10.9.0.3", from: 0))
                // One who comes after it takes over what is there.
                let next = try FloodFilter(plan, .inet)
                try next.apply([order(.icmp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try !lab.ping("10.9.0.3", from: 0))
            }
        }
    }

    @Test("All classes, both families, shapes and many sources come and go without a trace")
    func everything() throws {
        try inNetworkNamespace {
            try Diversion(plan: plan).install(.inet)
            #expect(try Diversion(plan: plan).install(.inet) == .alreadyInstalled)
            let empty = try shell("nft list table bridge flinch")
            let filter = try FloodFilter(plan, .inet)
            let hosts = [victim, Address("fd09::3")!]
            var sources = (0..<20_000 as Range<UInt32>).map { Address(v4: 0x0B00_0000 + $0) }
            sources += (0..<1_000 as Range<UInt64>).map { Address(high: 0xFD09 << 48, low: $0 + 1) }
            let shapes = [
                RequestShape(isV4: true, length: 40, window: nil), RequestShape(isV4: true, length: 60, window: 512),
                RequestShape(isV4: false, length: 60, window: nil), RequestShape(isV4: false, length: 80, window: 512),
            ]
            for share in [0, 100, 200] as [UInt32] {
                for spares in [true, false] {
                    let orders = hosts.flatMap { host in
                        FloodClass.allCases.map { order($0, host, spares: spares, share: share) }
                    }
                    try filter.apply(orders, hostile: shapes, trusted: sources, FloodFilterTests.now)
                }
            }
            #expect(try shell("nft list set bridge flinch syn6_shapes").contains("40 . 512"))
            #expect(try shell("nft -j list set bridge flinch trusted4").contains("11.0.78.31"))
            try filter.apply([], hostile: [], trusted: [], FloodFilterTests.now)
            #expect(try shell("nft list table bridge flinch") == empty)
        }
    }

    @Test("Bridge ports that the plan does not name are left alone")
    func ports() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                let other = DiversionPlan(bridges: ["v1"], offloads: true)
                try Diversion(plan: other).install(.inet)
                let filter = try FloodFilter(other, .inet)
                try filter.apply([order(.icmp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
            }
        }
    }

    @Test("nft takes the rules of every plan, and excluded addresses are not touched")
    func rendered() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                let bits: [UInt32] = [1, 0x0100_0000, 0x8000_0000]
                for bit in bits {
                    for excluded in [TrafficSelection(), TrafficSelection(prefixes: [Prefix("10.9.0.2")!])] {
                        let plan = DiversionPlan(
                            arp: .drop, excluded: excluded, markBit: bit, offloads: true)
                        try Diversion(plan: plan).install(.inet)
                        #expect(try Diversion(plan: plan).install(.inet) == .alreadyInstalled)
                    }
                }
                let plan = DiversionPlan(excluded: TrafficSelection(prefixes: [Prefix("10.9.0.2")!]), offloads: true)
                try Diversion(plan: plan).install(.inet)
                let filter = try FloodFilter(plan, .inet)
                try filter.apply([order(.icmp, victim)], hostile: [], trusted: [], FloodFilterTests.now)
                #expect(try lab.ping("10.9.0.3", from: 0))
            }
        }
    }
}
