import Wire

/// What is seen in a mirror and so not diverted: all that watched guests say and hear, but with filtered ones.
public struct WatchedTraffic: Sendable, Equatable {
    /// Disjoint.
    public var watched: [ClosedRange<Address>]
    public var filtered: [ClosedRange<Address>]

    public init(watched: [ClosedRange<Address>] = [], filtered: [ClosedRange<Address>] = []) {
        self.watched = watched
        self.filtered = filtered
    }

    public var isEmpty: Bool { watched.isEmpty }

    // MARK: - As nft matches

    var addressMatches: [String] { matches(isV4: true, "ip ", "") + matches(isV4: false, "ip6 ", "") }

    /// By the addresses in ARP.
    var arpMatches: [String] { matches(isV4: true, "arp ", " ip") }

    private func matches(isV4: Bool, _ header: String, _ field: String) -> [String] {
        guard let watched = WatchedTraffic.set(watched, isV4) else { return [] }
        let filtered = WatchedTraffic.set(filtered, isV4)
        return [("saddr", "daddr"), ("daddr", "saddr")].map { one, other in
            "\(header)\(one)\(field) \(watched)" + (filtered.map { " \(header)\(other)\(field) != \($0)" } ?? "")
        }
    }

    private static func set(_ ranges: [ClosedRange<Address>], _ isV4: Bool) -> String? {
        let words = ranges.filter { $0.lowerBound.isV4 == isV4 }.map {
            $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
        }
        return words.isEmpty ? nil : "{ \(words.joined(separator: ", ")) }"
    }
}
