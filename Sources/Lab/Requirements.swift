import CLinux
import Foundation

/// What the lab needs of the machine it runs on.
public enum Requirements {
    /// The programs that the lab runs, and the Debian package of each.
    public static let packages: KeyValuePairs = [
        "ip": "iproute2", "nft": "nftables", "timeout": "coreutils", "stdbuf": "coreutils",
        "ping": "iputils-ping",
        "nginx": "nginx-light", "wrk": "wrk", "curl": "curl", "dnsmasq": "dnsmasq-base", "dig": "dnsutils",
        "iperf3": "iperf3",
        "nmap": "nmap", "hping3": "hping3", "trafgen": "netsniff-ng", "tcpdump": "tcpdump",
        "sysctl": "procps",
    ]

    public static func root() throws {
        guard geteuid() == 0 else {
            throw LabError("the lab makes network namespaces and needs root: run it with sudo")
        }
    }

    /// - Throws: one error that names every package that is missing.
    public static func programs() throws {
        let missing = packages.filter { !exists($0.key) }
        guard !missing.isEmpty else { return }
        let names = Set(missing.map(\.value)).sorted().joined(separator: " ")
        throw LabError(
            "the lab needs \(missing.map(\.key).joined(separator: ", ")): apt-get install \(names)")
    }

    private static func exists(_ program: String) -> Bool {
        searchPath.contains { unsafe access("\($0)/\(program)", X_OK) == 0 }
    }

    /// As Debian's root has it, whatever sudo or a shell made of PATH.
    private static var searchPath: [String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").map(String.init)
    }
}
