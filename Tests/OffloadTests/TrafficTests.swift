import Glibc
import Testing
import Wire

@testable import Offload

/// Guests a and b on bridge v0, c on bridge v1, which this namespace routes between: 10.9.0.1 to .3 for it,
/// a and b, 10.9.1.1 and .2 for it and c. IPv4 only, so that nothing talks unasked.
struct Lab {
    let names: [String]

    static func with(_ body: (Lab) throws -> Void) throws {
        let run = "flinch-offload-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let lab = Lab(names: ["a", "b", "c"].map { "\(run)-\($0)" })
        defer { for name in lab.names { _ = try? shell("ip netns del \(name)") } }
        try lab.build()
        try body(lab)
    }

    private func build() throws {
        try shell(
            """
            set -e
            ip link set lo up
            echo 1 >/proc/sys/net/ipv4/ip_forward
            echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
            echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
            for bridge in v0 v1; do
                ip link add $bridge type bridge forward_delay 0 stp_state 0 mcast_snooping 0
                ip link set $bridge up
            done
            ip addr add 10.9.0.1/24 dev v0
            ip addr add 10.9.1.1/24 dev v1
            guest() {
                ip netns add $1
                ip netns exec $1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
                ip link add $3 type veth peer name e0 netns $1
                ip link set $3 master $2
                ip link set $3 up
                ip -n $1 link set e0 up
                ip -n $1 addr add $4/24 dev e0
                ip -n $1 route add default via $5
            }
            guest \(names[0]) v0 p0 10.9.0.2 10.9.0.1
            guest \(names[1]) v0 p1 10.9.0.3 10.9.0.1
            guest \(names[2]) v1 p2 10.9.1.2 10.9.1.1
            """)
    }

    /// Three frames with a VLAN tag, as no kernel here may have VLAN devices.
    func tagged(from guest: Int, to other: Int) throws -> Bool {
        try shell(
            """
            to=$(ip netns exec \(names[other]) cat /sys/class/net/e0/address)
            ip netns exec \(names[guest]) trafgen -o e0 -n 3 -P 1 "{ eth(da=$to), vlan(id=7), \
            ipv4(sa=10.7.0.2, da=10.7.0.3, ttl=64), udp(sp=1, dp=2, csum=0), fill('a', 20) }" >/dev/null
            sleep 0.1
            """)
        return true
    }

    /// Three pings: six packets when answered. `from` is a guest, or nil for the namespace of the bridges.
    func ping(_ address: String, from guest: Int? = nil) throws -> Bool {
        let place = guest.map { "ip netns exec \(names[$0]) " } ?? ""
        return try shell("\(place)ping -n -c 3 -i 0.05 -W 2 \(address) || true").contains(" 0% packet loss")
    }
}

@Suite("Traffic through the inet rules")
struct TrafficTests {
    /// How many packets more were diverted and excluded by the time the pings are answered, as they must be.
    private func counted(_ ping: () throws -> Bool) throws -> [UInt64] {
        let before = try #require(try Diversion.counters())
        let answered = try ping()
        #expect(answered)
        let after = try #require(try Diversion.counters())
        return [
            after.diverted.packets - before.diverted.packets,
            after.excluded.packets - before.excluded.packets,
        ]
    }

    @Test("Each packet once, both directions: bridged, routed, to and from the host, in a VLAN")
    func once() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: DiversionPlan(queueCount: 2)).install(.inet)
                // Nobody listens and bypass is on: everything passes.
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [6, 0], "bridged")
                #expect(try counted { try lab.ping("10.9.1.2", from: 0) } == [6, 0], "routed")
                #expect(try counted { try lab.ping("10.9.0.1", from: 0) } == [6, 0], "to the host")
                #expect(try counted { try lab.ping("10.9.0.2") } == [6, 0], "from the host")
                #expect(try counted { try lab.tagged(from: 0, to: 1) } == [3, 0], "VLAN")
                #expect(try counted { try lab.ping("127.0.0.1") } == [0, 0], "loopback")
            }
        }
    }

    @Test("Bridges that the plan does not name, and excluded addresses, are left alone")
    func restricted() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                let excluded = TrafficSelection(prefixes: [Prefix("10.9.0.3")!])
                try Diversion(plan: DiversionPlan(bridges: ["v0"], excluded: excluded)).install(.inet)
                #expect(
                    try counted { try lab.ping("10.9.1.1", from: 2) } == [0, 0], "another bridge")
                #expect(
                    try counted { try lab.ping("10.9.1.2", from: 0) } == [6, 0],
                    "from one to the other")
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [0, 6], "excluded")
            }
        }
    }

    /// A port, a tag and a pair that are excluded, each with a neighbour that is not.
    @Test("What is excluded is not diverted, and costs the queues nothing")
    func excluded() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                func plan(_ excluded: TrafficSelection) throws {
                    try Diversion(plan: DiversionPlan(excluded: excluded)).install(.inet)
                }
                // ARP by a port that is excluded would be counted too.
                for (address, guest) in [("10.9.0.3", 0), ("10.9.0.1", 1), ("10.9.1.2", 0)] {
                    #expect(try lab.ping(address, from: guest))
                }
                try plan(TrafficSelection(ports: ["p1"]))
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [0, 6], "by an excluded port")
                #expect(try counted { try lab.ping("10.9.0.1", from: 1) }[1] == 3, "from it to the host")
                #expect(try counted { try lab.ping("10.9.1.2", from: 0) } == [6, 0], "by others")
                try plan(TrafficSelection(vlans: [5...7]))
                #expect(try counted { try lab.tagged(from: 0, to: 1) } == [0, 3], "in an excluded VLAN")
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [6, 0], "without a tag")
                try plan(TrafficSelection(vlans: [8...9]))
                #expect(try counted { try lab.tagged(from: 0, to: 1) } == [3, 0], "in another VLAN")
                let pair = TrafficSelection.Pair([Prefix("10.9.0.3")!], [Prefix("10.9.0.2")!])
                try plan(TrafficSelection(pairs: [pair]))
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [0, 6], "between a pair")
                #expect(try counted { try lab.ping("10.9.0.3") } == [6, 0], "one of them and another")
            }
        }
    }

    @Test("Only what is included is diverted, and of that not what is excluded")
    func included() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                func plan(_ only: TrafficSelection, _ excluded: TrafficSelection = TrafficSelection()) throws {
                    try Diversion(plan: DiversionPlan(excluded: excluded, only: only)).install(.inet)
                }
                try plan(TrafficSelection(prefixes: [Prefix("10.9.0.2/32")!]))
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [6, 0], "included")
                #expect(try counted { try lab.ping("10.9.1.1", from: 2) } == [0, 6], "another")
                try plan(TrafficSelection(ports: ["p0"]))
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [6, 0], "by an included port")
                #expect(try counted { try lab.ping("10.9.1.2", from: 1) }[0] == 0, "by others")
                try plan(
                    TrafficSelection(prefixes: [Prefix("10.9.0.0/24")!]),
                    TrafficSelection(prefixes: [Prefix("10.9.0.3")!]))
                #expect(try counted { try lab.ping("10.9.0.3", from: 0) } == [0, 6], "included and excluded")
            }
        }
    }

    @Test("Nobody listens and stopped means drop: nothing of theirs passes, and all does after removal")
    func drop() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: DiversionPlan(bridges: ["v0"], whenStopped: .drop)).install(.inet)
                #expect(try lab.ping("10.9.0.3", from: 0) == false)
                #expect(try lab.ping("10.9.1.1", from: 2))
                try Diversion.remove()
                #expect(try lab.ping("10.9.0.3", from: 0))
            }
        }
    }

    @Test("ARP is dropped where that is wanted, and counted")
    func arp() throws {
        try inNetworkNamespace {
            try Lab.with { lab in
                try Diversion(plan: DiversionPlan(arp: .drop)).install(.inet)
                #expect(try lab.ping("10.9.0.3", from: 0) == false)
                #expect(try #require(try Diversion.counters()).nonIPDropped.packets > 0)
                try Diversion(plan: DiversionPlan()).install(.inet)
                try shell("ip -n \(lab.names[0]) neigh flush all")
                #expect(try lab.ping("10.9.0.3", from: 0))
            }
        }
    }
}
