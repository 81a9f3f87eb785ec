import Testing
import Wire

@testable import Offload

@Suite("The rules as text")
struct RenderTests {
    /// Chain by chain, the rules of a rendered text; comments and declarations apart.
    static func chains(_ text: String) -> [String: [String]] {
        var chains: [String: [String]] = [:]
        var family = ""
        var chain: String?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "table" { family = String(words[1]) }
            if words.first == "chain" {
                chain = "\(family) \(words[1])"
            } else if words.first == "}" {
                chain = nil
            } else if let chain, words.first?.hasPrefix("#") == false {
                chains[chain, default: []].append(words.joined(separator: " "))
            }
        }
        return chains
    }

    static let full = DiversionPlan(
        bridges: ["v0", "v1"], firstQueue: 10, queueCount: 4, whenStopped: .drop, arp: .inspect,
        otherProtocols: .drop,
        excluded: TrafficSelection(prefixes: ["192.0.2.1", "10.0.0.0/8", "2001:db8::/64"].compactMap { Prefix($0) }),
        markBit: 0x40)

    @Test("The bridge family, as it is by default")
    func bridgeDefault() throws {
        let diversion = try Diversion(plan: DiversionPlan())
        let text = diversion.render(.bridge)
        let state = "digest=\(diversion.digest(.bridge)) queues=0+1 when-stopped=pass"
        let reserved = "ether daddr and ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 accept"
        let policy = "priority filter + 10; policy accept;"
        #expect(
            RenderTests.chains(text) == [
                "bridge installed": ["return comment \"\(state)\""],
                "bridge divert": [
                    "meta mark set mark or 0x01000000", "counter name diverted queue flags bypass to 0",
                ],
                "bridge arp_frames": ["accept"],
                "bridge other_frames": ["accept"],
                "bridge classify": [
                    "meta mark and 0x01000000 == 0x01000000 accept",
                    "meta protocol vmap { ip : goto divert, ip6 : goto divert, 8021q : goto divert, "
                        + "8021ad : goto divert, arp : goto arp_frames }",
                    "goto other_frames",
                ],
                "bridge forward": ["type filter hook forward \(policy)", "goto classify"],
                "bridge input": [
                    "type filter hook input \(policy)", reserved, "meta pkttype other accept",
                    "goto classify",
                ],
                "bridge output": ["type filter hook output \(policy)", reserved, "goto classify"],
            ])
    }

    @Test("The bridge family, with everything set")
    func bridgeFull() throws {
        let chains = RenderTests.chains(try Diversion(plan: RenderTests.full).render(.bridge))
        #expect(
            chains["bridge select"] == [
                "ip saddr { 10.0.0.0/8, 192.0.2.1 } counter name excluded accept",
                "ip daddr { 10.0.0.0/8, 192.0.2.1 } counter name excluded accept",
                "ip6 saddr { 2001:db8::/64 } counter name excluded accept",
                "ip6 daddr { 2001:db8::/64 } counter name excluded accept",
                "arp saddr ip { 10.0.0.0/8, 192.0.2.1 } counter name excluded accept",
                "arp daddr ip { 10.0.0.0/8, 192.0.2.1 } counter name excluded accept",
            ])
        #expect(chains["bridge classify"]?.dropFirst().first == "jump select")
        #expect(
            chains["bridge divert"] == [
                "meta mark set mark or 0x00000040",
                "counter name diverted queue to symhash mod 4 offset 10",
            ])
        #expect(chains["bridge arp_frames"] == ["goto divert"])
        #expect(chains["bridge other_frames"] == ["counter name nonip_dropped drop"])
        #expect(chains["bridge forward"]?.last == "meta ibrname { \"v0\", \"v1\" } goto classify")
        #expect(chains["bridge input"]?.last == "meta ibrname { \"v0\", \"v1\" } goto classify")
        #expect(chains["bridge output"]?.last == "meta obrname { \"v0\", \"v1\" } goto classify")
    }

    static let picky = DiversionPlan(
        arp: .drop,
        excluded: TrafficSelection(vlans: [7...9, 100...100, 8...12], ports: ["p1", "p0", "p1"]),
        only: TrafficSelection(
            prefixes: [Prefix("10.0.0.0/8")!],
            pairs: [.init([Prefix("192.0.2.1")!, Prefix("fd00::1")!], [Prefix("198.51.100.0/24")!])]))

    @Test("Ports, tags and pairs; and what alone is diverted")
    func selection() throws {
        let leave = "counter name excluded accept"
        let chosen = [
            "ip saddr { 10.0.0.0/8 } return", "ip daddr { 10.0.0.0/8 } return",
            "ip saddr { 192.0.2.1 } ip daddr { 198.51.100.0/24 } return",
            "ip saddr { 198.51.100.0/24 } ip daddr { 192.0.2.1 } return",
        ]
        let arp = ["arp saddr ip { 10.0.0.0/8 } return", "arp daddr ip { 10.0.0.0/8 } return"]
        let frames = ["iifname { \"p0\", \"p1\" }", "oifname { \"p0\", \"p1\" }", "vlan id { 7-12, 100 }"]
        let diversion = try Diversion(plan: RenderTests.picky)
        let bridge = RenderTests.chains(diversion.render(.bridge))
        #expect(bridge["bridge select"] == frames.map { "\($0) \(leave)" } + chosen + arp + [leave])
        let mark = "meta mark set mark or 0x01000000"
        #expect(bridge["bridge arrivals"]?.last == "vlan id { 7-12, 100 } \(mark) \(leave)")

        // What inet cannot see is marked in the bridge family, before it comes there.
        let inet = RenderTests.chains(diversion.render(.inet))
        #expect(inet["inet select"] == chosen + [leave])
        #expect(
            inet["bridge select"] == ["meta mark and 0x01000000 == 0x01000000 accept"]
                + frames.map { "\($0) \(mark) \(leave)" } + chosen + arp + ["\(mark) \(leave)"])
        #expect(inet["bridge arrivals"] == bridge["bridge arrivals"])
        #expect(inet["bridge forward"]?.dropFirst() == ["jump select", "goto classify"])
    }

    @Test("The inet family")
    func inet() throws {
        var plan = RenderTests.full
        plan.otherProtocols = .pass
        let text = try Diversion(plan: plan).render(.inet)
        let chains = RenderTests.chains(text)
        #expect(Set(chains.keys.map { $0.prefix { $0 != " " } }) == ["inet"])
        #expect(text.contains("#   NFQUEUE --queue-balance 10:13\n"))
        #expect(
            chains["inet divert"]?.suffix(2) == [
                "meta mark set mark or 0x00000040", "counter name diverted goto queues",
            ])
        #expect(
            chains["inet forward"]?.suffix(2) == [
                "iifname { \"v0\", \"v1\" } goto divert", "oifname { \"v0\", \"v1\" } goto divert",
            ])
        #expect(
            RenderTests.chains(try Diversion(plan: DiversionPlan()).render(.inet))["inet input"]?.last
                == "meta iifkind \"bridge\" goto divert")
    }

    @Test("Dropping what is not IP takes a second table beside inet")
    func inetNonIP() throws {
        let chains = RenderTests.chains(try Diversion(plan: DiversionPlan(arp: .drop)).render(.inet))
        #expect(chains["bridge arp_frames"] == ["counter name nonip_dropped drop"])
        #expect(chains["bridge other_frames"] == ["accept"])
        #expect(chains["bridge divert"] == nil)
    }

    @Test("The digest tells plans apart, and says the same of the same")
    func digests() throws {
        var seen: Set<String> = []
        for backend in Backend.allCases {
            for plan in RenderTests.everyPlan {
                let digest = try Diversion(plan: plan).digest(backend)
                #expect(digest.utf8.count == 16)
                #expect(digest == (try Diversion(plan: plan).digest(backend)))
                seen.insert(digest)
            }
        }
        // ARP inspected and passed are the same rules in inet, and so are other protocols.
        #expect(seen.count > RenderTests.everyPlan.count)
        for plan in RenderTests.everyPlan {
            var other = plan
            other.whenStopped = plan.whenStopped == .pass ? .drop : .pass
            for backend in Backend.allCases {
                #expect(try Diversion(plan: plan).digest(backend) != Diversion(plan: other).digest(backend))
            }
        }
    }

    static let everyPlan: [DiversionPlan] = {
        var plans = [picky, DiversionPlan(only: TrafficSelection(vlans: [1...4094], ports: ["p0"]))]
        for bridges in [[], ["v0"], ["v0", "v1"]] {
            for count in [1, 3] as [UInt16] {
                for excluded in [[], ["192.0.2.1"], ["10.0.0.0/8", "fd00::/8"]] {
                    for nonIP in NonIP.allCases {
                        plans.append(
                            DiversionPlan(
                                bridges: bridges, firstQueue: 4, queueCount: count,
                                whenStopped: count == 1 ? .pass : .drop, arp: nonIP, otherProtocols: nonIP,
                                excluded: TrafficSelection(prefixes: excluded.compactMap { Prefix($0) })))
                    }
                }
            }
        }
        return plans
    }()

    /// Where the kernel cannot queue in the bridge family, nft still reads and understands the text, and it is
    /// the kernel that refuses.
    @Test("nft takes every plan")
    func accepted() throws {
        try inNetworkNamespace {
            let canBridge = try Diversion.detectBackend() == .bridge
            let nft = try Nftables.open()
            for plan in RenderTests.everyPlan {
                let refusal = nft.refusal(of: try Diversion(plan: plan).render(.bridge))
                if canBridge {
                    #expect(refusal == nil)
                } else {
                    #expect(refusal?.hasPrefix("Could not process rule: ") == true)
                }
            }
        }
    }

    @Test("The state survives its text")
    func state() throws {
        let switches = BridgeNetfilter.Values(on: [true, false, true])
        let state = DiversionState(
            plan: RenderTests.full, digest: "0123456789abcdef", formerSwitches: switches)
        let text = state.comment(digest: state.digest)
        #expect(DiversionState(comment: text) == state)
        // What nft allows, with the longest numbers.
        #expect(text.utf8.count + 8 <= 128)
        #expect(DiversionState(comment: "somebody else's") == nil)
        #expect(DiversionState(comment: "digest=1 queues=1 when-stopped=pass") == nil)
    }

    @Test("nft's messages become one line")
    func summary() {
        let said = """
            internal:0:0-0: Error: Could not process rule: Operation not supported
                    meta ibrname { "v0" } goto classify
                    ^^^^^^^^^^^^
            """
        #expect(
            Nftables.summary(of: said)
                == "Could not process rule: Operation not supported (in: meta ibrname { \"v0\" } goto classify)"
        )
        #expect(Nftables.summary(of: "") == "nothing")
    }

    @Test("What watched guests say and hear is left out, but with filtered ones", arguments: [Backend.bridge, .inet])
    func watched(_ backend: Backend) throws {
        let range = { (first: String, last: String) in Address(first)!...Address(last)! }
        let plan = DiversionPlan(
            arp: .inspect,
            watched: WatchedTraffic(
                watched: [
                    range("10.0.0.0", "10.0.0.6"), range("10.0.0.8", "10.0.0.8"), range("2001:db8::", "2001:db8::f"),
                ],
                filtered: [range("10.0.0.7", "10.0.0.7")]))
        let chains = RenderTests.chains(try Diversion(plan: plan).render(backend))
        let (ip, ip6) = ("{ 10.0.0.0-10.0.0.6, 10.0.0.8 }", "{ 2001:db8::-2001:db8::f }")
        let arp = [
            "arp saddr ip \(ip) arp daddr ip != { 10.0.0.7 } counter name excluded accept",
            "arp daddr ip \(ip) arp saddr ip != { 10.0.0.7 } counter name excluded accept",
        ]
        #expect(
            chains["\(backend.rawValue) select"] == [
                "ip saddr \(ip) ip daddr != { 10.0.0.7 } counter name excluded accept",
                "ip daddr \(ip) ip saddr != { 10.0.0.7 } counter name excluded accept",
                "ip6 saddr \(ip6) counter name excluded accept", "ip6 daddr \(ip6) counter name excluded accept",
            ] + (backend == .bridge ? arp : []))
    }
}
