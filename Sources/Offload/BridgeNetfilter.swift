import Glibc

/// br_netfilter's switches of this thread's network namespace (kernel: net/bridge/br_netfilter_hooks.c).
///
/// They are on or off for all bridges of the namespace: once on, bridged IP packets also pass the ip, ip6
/// and inet rules that others have there.
enum BridgeNetfilter {
    static let names = ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-filter-vlan-tagged"]

    /// On or off, in the order of `names`; text form `0,0,1`.
    struct Values: Equatable, Sendable, CustomStringConvertible {
        var on: [Bool]

        var description: String { on.map { $0 ? "1" : "0" }.joined(separator: ",") }

        init(on: [Bool]) { self.on = on }

        init?(_ text: some StringProtocol) {
            let parts = text.split(separator: ",")
            guard parts.count == names.count, parts.allSatisfy({ $0 == "0" || $0 == "1" }) else { return nil }
            on = parts.map { $0 == "1" }
        }

        static var allOn: Values { Values(on: names.map { _ in true }) }
    }

    private static func path(_ name: String) -> String { "/proc/sys/net/bridge/\(name)" }

    static func read() throws(OffloadError) -> Values {
        var on: [Bool] = []
        for name in names {
            do throws(SmallFile.Failure) {
                on.append(try SmallFile.read(path(name)).first != "0")
            } catch {
                guard error.code == ENOENT else { throw .system(error.code, "reading net.bridge.\(name)") }
                throw OffloadError(
                    .unsupported,
                    "net.bridge.\(name) is not there: this kernel cannot queue in nft's bridge family, and the "
                        + "other way needs br_netfilter: modprobe br_netfilter")
            }
        }
        return Values(on: on)
    }

    /// Writes only what differs.
    static func set(_ wanted: Values) throws(OffloadError) {
        let present = try read()
        for (index, name) in names.enumerated() where present.on[index] != wanted.on[index] {
            do throws(SmallFile.Failure) {
                try SmallFile.write(wanted.on[index] ? "1" : "0", to: path(name))
            } catch { throw .system(error.code, "setting net.bridge.\(name)") }
        }
    }
}
