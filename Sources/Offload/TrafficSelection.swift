import Wire

/// Traffic picked out by what the kernel's rules can tell of a packet: what matches one of these.
public struct TrafficSelection: Sendable, Equatable {
    /// What two sets of hosts say to each other.
    public struct Pair: Sendable, Equatable {
        public var one: [Prefix]
        public var other: [Prefix]

        public init(_ one: [Prefix], _ other: [Prefix]) {
            self.one = one
            self.other = other
        }
    }

    /// From or to an address in one of them.
    public var prefixes: [Prefix] = []
    /// With one of these identifiers, 1…4094, in its outermost 802.1Q tag.
    public var vlans: [ClosedRange<Int>] = []
    /// By a port of a bridge, whichever way.
    public var ports: [String] = []
    public var pairs: [Pair] = []

    public init(
        prefixes: [Prefix] = [], vlans: [ClosedRange<Int>] = [], ports: [String] = [], pairs: [Pair] = []
    ) {
        self.prefixes = prefixes
        self.vlans = vlans
        self.ports = ports
        self.pairs = pairs
    }

    public var isEmpty: Bool { prefixes.isEmpty && vlans.isEmpty && ports.isEmpty && pairs.isEmpty }

    /// Whether it asks for what only the frame says.
    public var isOfFrames: Bool { !vlans.isEmpty || !ports.isEmpty }

    /// Whether it is of what two say to each other, as far as addresses tell.
    public func covers(_ one: Address, _ other: Address) -> Bool {
        func holds(_ prefixes: [Prefix], _ address: Address) -> Bool { prefixes.contains { $0.contains(address) } }
        return holds(prefixes, one) || holds(prefixes, other)
            || pairs.contains {
                holds($0.one, one) && holds($0.other, other) || holds($0.one, other) && holds($0.other, one)
            }
    }

    // MARK: - As nft matches

    /// One for each rule that is needed, by port and tag.
    var frameMatches: [String] {
        var matches: [String] = []
        if !ports.isEmpty {
            let names = Set(ports).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            matches += ["iifname { \(names) }", "oifname { \(names) }"]
        }
        return matches + [vlanMatch].compactMap(\.self)
    }

    /// nil where no tag is asked for. nft refuses ranges that overlap.
    var vlanMatch: String? {
        guard !vlans.isEmpty else { return nil }
        var merged: [ClosedRange<Int>] = []
        for range in vlans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        let words = merged.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return "vlan id { \(words.joined(separator: ", ")) }"
    }

    /// By the addresses of IP packets.
    var addressMatches: [String] {
        let single = TrafficSelection.sets(prefixes).flatMap { family, set in
            ["saddr", "daddr"].map { "\(family) \($0) \(set)" }
        }
        let double = pairs.flatMap { pair in
            let others = TrafficSelection.sets(pair.other)
            return TrafficSelection.sets(pair.one).flatMap { family, one in
                others.filter { $0.family == family }.flatMap { _, other in
                    [
                        "\(family) saddr \(one) \(family) daddr \(other)",
                        "\(family) saddr \(other) \(family) daddr \(one)",
                    ]
                }
            }
        }
        return single + double
    }

    /// By the addresses in ARP.
    var arpMatches: [String] {
        TrafficSelection.sets(prefixes).filter { $0.family == "ip" }.flatMap { _, set in
            ["arp saddr ip \(set)", "arp daddr ip \(set)"]
        }
    }

    private static func sets(_ prefixes: [Prefix]) -> [(family: String, set: String)] {
        let outermost = Diversion.outermost(prefixes)
        return [("ip", outermost.filter(\.isV4)), ("ip6", outermost.filter { !$0.isV4 })]
            .filter { !$0.1.isEmpty }
            .map { ($0.0, "{ \($0.1.map(\.description).joined(separator: ", ")) }") }
    }
}
