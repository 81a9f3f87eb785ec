import Offload
import Topology
import Wire

/// Reads which traffic is meant: hosts (`PartyReader`), `vlan:100`, `vlan:100-199`, `port:tap100i0`, and pairs of
/// hosts as `[web, 192.0.2.9]`.
struct TrafficReader {
    let parties: PartyReader

    /// The kernel asks for one after the other.
    private static let mostPairs = 64

    func read(_ value: Value) -> TrafficSelection {
        var traffic = TrafficSelection()
        let example = "[192.0.2.1, \"2001:db8::/64\", \"vlan:100\", \"port:tap100i0\", [web, backup]]"
        for element in value.elements(like: example) ?? [] { add(element, &traffic) }
        TrafficReader.limit(traffic, value)
        return traffic
    }

    static func limit(_ traffic: TrafficSelection, _ value: Value, with others: String = "") {
        guard traffic.pairs.count > mostPairs else { return }
        value.problem("\(traffic.pairs.count) pairs\(others) are too many; write at most \(mostPairs)")
    }

    private func add(_ element: Value, _ traffic: inout TrafficSelection) {
        guard let word = element.word else { return addPair(element, &traffic) }
        if word.hasPrefix("vlan:") {
            guard let range = vlans(word.dropFirst("vlan:".count)) else {
                element.refuse("VLANs; write vlan:100 or vlan:100-199, of 1 to 4094")
                return
            }
            traffic.vlans.append(range)
        } else if word.hasPrefix("port:") {
            let name = String(word.dropFirst("port:".count))
            guard InterfaceName.isValid(name) else {
                element.refuse("a port; write port: and an interface's name (\(InterfaceName.right))")
                return
            }
            traffic.ports.append(name)
        } else if let party = parties.single(element) {
            traffic.prefixes += party.addresses
        }
    }

    private func addPair(_ element: Value, _ traffic: inout TrafficSelection) {
        guard let two = element.elements(like: "[web, 192.0.2.9]") else { return }
        guard two.count == 2 else {
            element.problem("a pair has two ends, and this has \(two.count); write [web, 192.0.2.9]")
            return
        }
        let ends = two.compactMap(parties.single)
        guard ends.count == 2 else { return }
        let (one, other) = (ends[0].addresses, ends[1].addresses)
        guard
            one.contains(where: \.isV4) && other.contains(where: \.isV4)
                || one.contains(where: { !$0.isV4 }) && other.contains(where: { !$0.isV4 })
        else {
            element.problem("one end has IPv4 addresses only and the other IPv6: they never talk")
            return
        }
        traffic.pairs.append(TrafficSelection.Pair(one, other))
    }

    private func vlans(_ text: Substring) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first >= 1, first <= last, last <= 4094
        else { return nil }
        return first...last
    }
}
