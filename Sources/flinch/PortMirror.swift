import Control
import Foundation

/// A copy of what passes a bridge, or one of its ports, by an interface that the sensor listens to: tc's `mirred`.
///
/// Of a bridge what comes in by each port is copied, and what this host itself sends by the bridge: each frame once,
/// whoever it is from and to. Of a port both directions are; so two ports of a bridge cannot both be, or what one
/// says to the other would be there twice. The filters have a preference of their own and go on with the next
/// (`continue`), so that others' are not disturbed. Acts on the network namespace of the calling thread.
struct PortMirror {
    /// Where the copies go.
    let interface: String

    static let standard = "flinch-mirror"
    /// Of our filters; before those that tc numbers by itself (49152 and lower). u32 shows the filters of both
    /// directions with either where they have the same.
    private static func preference(_ hook: String) -> Int { hook == "ingress" ? 7 : 8 }
    /// Tells interfaces that we made from others (IFLA_IFALIAS).
    private static let alias = "made by flinch mirror"

    /// One filter of ours, and where its copies go.
    struct Place: Equatable, Comparable {
        var device: String
        /// `ingress` or `egress`, as tc says: of the interface, so ingress is what its guest sends.
        var hook: String
        var to: String

        static func < (one: Place, other: Place) -> Bool { (one.device, one.hook) < (other.device, other.hook) }
    }

    /// Returns whether there was anything to do.
    func install(_ target: String) throws -> Bool {
        let links = try Link.all()
        guard let link = links.first(where: { $0.name == target }) else {
            throw ControlError("there is no interface \(target); `ip link` shows those that there are")
        }
        let wanted = try places(of: link, links)
        let present = try PortMirror.places(links)
        try check(link, present, links)
        // What would be there twice, once the bridge is mirrored.
        let superfluous = present.filter { place in
            place.to == interface && !wanted.contains(place)
                && links.contains { $0.name == place.device && $0.bridge == link.name }
        }
        let missing = wanted.filter { !present.contains($0) }
        if try !makeInterface(links), missing.isEmpty, superfluous.isEmpty { return false }
        do {
            for place in missing { try PortMirror.add(place) }
        } catch {
            for place in missing { try? PortMirror.remove(place) }
            throw error
        }
        for place in superfluous { try PortMirror.remove(place) }
        return true
    }

    /// Takes away the filters of a bridge or port, or of all; and the interface, once nothing is copied to it. Returns
    /// whether there was anything.
    func remove(_ target: String?) throws -> Bool {
        let links = try Link.all()
        let present = try PortMirror.places(links).filter { $0.to == interface }
        let leaving = present.filter { place in
            target == nil || place.device == target
                || links.contains { $0.name == place.device && $0.bridge == target }
        }
        for place in leaving { try PortMirror.remove(place) }
        guard leaving.count == present.count,
            links.contains(where: { $0.name == interface && $0.alias == PortMirror.alias })
        else { return !leaving.isEmpty }
        try Tool.run("ip", "link", "del", interface)
        return true
    }

    /// All filters of ours, and ports of mirrored bridges that came later and have none.
    static func status() throws -> (places: [Place], missing: [String]) {
        let links = try Link.all()
        let places = try places(links)
        let missing = links.filter { link in
            guard let bridge = link.bridge else { return false }
            return places.contains { $0.device == bridge && $0.hook == "egress" }
                && !places.contains { $0.device == link.name && $0.hook == "ingress" }
        }
        return (places, missing.map(\.name))
    }

    // MARK: - Pieces

    private func places(of link: Link, _ links: [Link]) throws -> [Place] {
        if link.isBridge {
            let ports = links.filter { $0.bridge == link.name && $0.name != interface }
            return [Place(device: link.name, hook: "egress", to: interface)]
                + ports.map { Place(device: $0.name, hook: "ingress", to: interface) }
        }
        guard link.bridge != nil else {
            throw ControlError(
                "\(link.name) is neither a bridge nor a bridge's port; the sensor can listen to it as it is: "
                    + "mirror: {interfaces: [\(link.name)]}")
        }
        return ["ingress", "egress"].map { Place(device: link.name, hook: $0, to: interface) }
    }

    /// Whether a frame would be copied twice.
    private func check(_ link: Link, _ present: [Place], _ links: [Link]) throws {
        guard let bridge = link.bridge else { return }
        let others = present.filter { place in
            place.to == interface && place.device != link.name
                && (place.device == bridge || links.contains { $0.name == place.device && $0.bridge == bridge })
        }
        guard let other = others.first else { return }
        throw ControlError(
            others.contains { $0.device == bridge }
                ? "\(link.name) is mirrored already, with its bridge \(bridge)"
                : "\(other.device) of the same bridge \(bridge) is mirrored already, and what the two say to each other "
                    + "would be seen twice; mirror the bridge: flinch mirror install \(bridge)")
    }

    /// Returns whether it had to be made, or to be brought up.
    private func makeInterface(_ links: [Link]) throws -> Bool {
        if let link = links.first(where: { $0.name == interface }) {
            if link.isUp { return false }
            try Tool.run("ip", "link", "set", interface, "up")
            return true
        }
        // Not every kernel has dummies. Of a pair the other end only has to be up: nobody listens there.
        if (try? Tool.run("ip", "link", "add", interface, "type", "dummy")) == nil {
            let peer = String(interface.prefix(13)) + "-p"
            try Tool.run("ip", "link", "add", interface, "type", "veth", "peer", "name", peer)
            try Tool.run("ip", "link", "set", peer, "mtu", "65535", "arp", "off", "addrgenmode", "none")
            try Tool.run("ip", "link", "set", peer, "up")
        }
        // Copies of jumbo frames and of what a guest sends as one large packet must fit.
        try Tool.run(
            "ip", "link", "set", interface, "alias", PortMirror.alias, "mtu", "65535", "arp", "off",
            "addrgenmode", "none")
        try Tool.run("ip", "link", "set", interface, "up")
        return true
    }

    /// The device's qdisc for both directions is made where there is none.
    private static func add(_ place: Place) throws {
        let kinds = try Tool.json("tc", "-j", "qdisc", "show", "dev", place.device).compactMap { $0["kind"] as? String }
        if kinds.contains("ingress") {
            guard place.hook == "ingress" else {
                throw ControlError(
                    "\(place.device) has an ingress qdisc of somebody else's, beside which what it sends cannot be "
                        + "copied; mirror the whole bridge instead")
            }
        } else if !kinds.contains("clsact") {
            try Tool.run("tc", "qdisc", "add", "dev", place.device, "clsact")
        }
        do {
            guard try filters(place.device, place.hook).isEmpty else {
                throw ControlError(
                    "\(place.device) has somebody else's \(place.hook) filter of preference \(preference(place.hook)), which "
                        + "the mirror's has; give that one another")
            }
            try Tool.run(
                "tc", "filter", "add", "dev", place.device, place.hook, "protocol", "all", "pref",
                "\(preference(place.hook))",
                "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev",
                place.to, "continue")
        } catch {
            try? removeQdisc(place.device)
            throw error
        }
    }

    private static func remove(_ place: Place) throws {
        try Tool.run(
            "tc", "filter", "del", "dev", place.device, place.hook, "protocol", "all", "pref",
            "\(preference(place.hook))",
            "u32")
        try removeQdisc(place.device)
    }

    /// If nobody has a filter there.
    private static func removeQdisc(_ device: String) throws {
        for hook in ["ingress", "egress"]
        where try Tool.json("tc", "-j", "filter", "show", "dev", device, hook).contains(where: { isFilter($0) }) {
            return
        }
        let kinds = try Tool.json("tc", "-j", "qdisc", "show", "dev", device).compactMap { $0["kind"] as? String }
        if kinds.contains("clsact") { try Tool.run("tc", "qdisc", "del", "dev", device, "clsact") }
    }

    /// What is left of a preference without filters does not count: its head, and u32's table.
    private static func isFilter(_ entry: [String: Any]) -> Bool {
        guard let options = entry["options"] as? [String: Any] else { return entry["kind"] as? String != "u32" }
        return options["ht_divisor"] == nil
    }

    private static func places(_ links: [Link]) throws -> [Place] {
        var places: [Place] = []
        for link in links {
            for hook in ["ingress", "egress"] {
                let filters = try filters(link.name, hook)
                guard filters.count == 1, filters[0]["kind"] as? String == "u32",
                    let options = filters[0]["options"] as? [String: Any],
                    let action = (options["actions"] as? [[String: Any]])?.first,
                    action["kind"] as? String == "mirred", let to = action["to_dev"] as? String
                else { continue }
                places.append(Place(device: link.name, hook: hook, to: to))
            }
        }
        return places.sorted()
    }

    /// Those of our preference.
    private static func filters(_ device: String, _ hook: String) throws -> [[String: Any]] {
        try Tool.json("tc", "-j", "filter", "show", "dev", device, hook)
            .filter { $0["pref"] as? Int == preference(hook) && isFilter($0) }
    }

    /// An interface, as `ip` shows it.
    private struct Link {
        var name: String
        var isBridge: Bool
        /// The bridge that it is a port of.
        var bridge: String?
        var alias: String?
        var isUp: Bool

        static func all() throws -> [Link] {
            try Tool.json("ip", "-j", "-d", "link", "show").compactMap { entry in
                guard let name = entry["ifname"] as? String else { return nil }
                let info = entry["linkinfo"] as? [String: Any]
                return Link(
                    name: name, isBridge: info?["info_kind"] as? String == "bridge",
                    bridge: info?["info_slave_kind"] as? String == "bridge" ? entry["master"] as? String : nil,
                    alias: entry["ifalias"] as? String,
                    isUp: (entry["flags"] as? [String])?.contains("UP") == true)
            }
        }
    }
}

/// iproute2's programs, run to their end.
private enum Tool {
    @discardableResult
    static func run(_ words: String...) throws -> Data { try run(words) }

    /// What it prints as a list of objects; an empty list where it prints nothing.
    static func json(_ words: String...) throws -> [[String: Any]] {
        let text = try run(words)
        guard !text.allSatisfy({ $0 == 10 || $0 == 32 }) else { return [] }
        guard let list = try? JSONSerialization.jsonObject(with: text) as? [[String: Any]] else {
            throw ControlError("cannot read what `\(words.joined(separator: " "))` says")
        }
        return list
    }

    private static func run(_ words: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ["PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let why = complaint.split(separator: "\n").first.map(String.init) ?? "exit \(process.terminationStatus)"
            throw ControlError("\(words.joined(separator: " ")): \(why)")
        }
        return said
    }
}
